// The commands about daemons, wherever they were started.
import { Option } from 'commander'
import type { CommandLine } from './command-line.js'
import { duration } from './option-values.js'

const meant = 'name of its project, or the folder of its Devloopfile; default: the Devloopfile of this folder'

/** `attach`, `list`, `stop` and `open`. */
export function addDaemons({ command, does, program }: CommandLine): void {
  command('attach', 'Show the view of `devloop watch` for a daemon that runs already.')
    .argument('[project]', meant)
    .option('--read-only', 'look, and change nothing')
    .option('--plain', 'write plain lines, also on a terminal')
    .action(does(async (name: string | undefined, options) => (await import('../commands/attach.js')).attach(name, options)))
  program
    .command('list')
    .description('List all daemons of this user, of whatever project.')
    .exitOverride()
    .option('--json', 'print them as JSON')
    .action(does(async (options) => (await import('../commands/list.js')).list(options)))
  command('stop', 'End a daemon, and wait until it has ended. What it deployed stays: see `devloop down`.')
    .argument('[project]', meant)
    .option('-a, --all', 'all daemons of this user')
    .addOption(new Option('--timeout <time>', 'how long to wait, such as 90s or 5m').argParser(duration).default(30_000, '30s'))
    .option('--json', 'print what was stopped as JSON')
    .action(does(async (name: string | undefined, options) => (await import('../commands/stop.js')).stop(name, options)))
  command('open', 'Show the page of the running daemon in the browser.')
    .argument('[project]', meant)
    .option('--read-only', 'with the token that lets see everything and change nothing, such as for a colleague')
    .option('--print', 'only print its address, which holds the token')
    .option('--json', 'only print its address, as JSON')
    .action(does(async (name: string | undefined, options) => (await import('../commands/open.js')).open(name, options)))
}
