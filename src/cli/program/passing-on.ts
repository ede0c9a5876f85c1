// The commands that write down how things are, for somebody else to look at.
import { Option } from 'commander'
import type { CommandLine } from './command-line.js'
import { count } from './option-values.js'

/** `snapshot` and `dump`. */
export function addPassingOn({ command, does, onCluster }: CommandLine): void {
  command('snapshot', 'Write the page as it is now into one HTML file that opens anywhere, without secrets.')
    .option('--output <file>', 'default: devloop-snapshot-TIME.html in this folder')
    .addOption(new Option('--tail <lines>', 'so many of the newest log lines; 0 = none').argParser(count).default(20_000))
    .option('--json', 'print where it was written as JSON')
    .action(does(async (options) => (await import('../commands/snapshot.js')).snapshot(options)))
  onCluster('dump', 'Write all that a bug report needs into one file, without secrets, also where the daemon does not answer.')
    .option('--output <file>', 'default: devloop-dump-TIME.json in this folder')
    .option('--json', 'print where it was written as JSON')
    .argument('[args...]')
    .usage('[options] [-- args...]')
    .action(does(async (args: string[], options) => (await import('../commands/dump.js')).dump(args, options)))
}
