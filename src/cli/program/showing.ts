// The commands that ask a running daemon how things are.
import { Option } from 'commander'
import { labelOption, selectors } from '../selection.js'
import type { CommandLine } from './command-line.js'
import { count, duration, kinds } from './option-values.js'

/** `status`, `logs`, `events`, `why` and `verify`. */
export function addShowing({ command, does }: CommandLine): void {
  command('status', 'Show the state of all resources, or of some.')
    .argument('[resource...]', 'only these, by name or `label:NAME`')
    .addOption(labelOption())
    .option('--json', 'print the state as JSON')
    .option('--changes', 'show the newest changes with the time of each stage instead')
    .addOption(
      new Option(
        '--wait <state>',
        'wait until all of these are ready, or until all that was saved up to now is live in them',
      ).choices(['ready', 'live']),
    )
    .addOption(new Option('--timeout <time>', 'how long to wait, such as 90s or 5m').argParser(duration).default(60_000, '60s'))
    .action(
      does(async (names: string[], options) =>
        (await import('../commands/status.js')).status({ ...options, only: selectors(names, options) }),
      ),
    )
  command('logs', 'Print the output of resources.')
    .argument('[resource...]', 'only of these, by name or `label:NAME`')
    .addOption(labelOption())
    .option('-f, --follow', 'go on with what comes')
    .addOption(
      new Option('--tail <lines>', 'begin with this many of the newest lines (default: 1000; all, with --since)').argParser(
        count,
      ),
    )
    .addOption(new Option('--since <time>', 'only lines of the last while, such as 90s or 5m').argParser(duration))
    .option('-c, --container <name>', 'only this container')
    .addOption(new Option('--level <level>', 'only lines of this level and above').choices(['info', 'warn', 'error']))
    .option('--grep <text>', 'only lines with this text, in capitals or not')
    .option('-t, --timestamps', 'begin each line with its time')
    .addOption(new Option('--raw', 'print the lines as they were written').conflicts('json'))
    .option('--json', 'print one JSON object a line')
    .action(
      does(async (names: string[], options) =>
        (await import('../commands/logs.js')).logs({ ...options, only: selectors(names, options) }),
      ),
    )
  command('events', 'Print every change of the state, one JSON object a line, until interrupted.')
    .argument('[resource...]', 'only these, by name or `label:NAME`, with their images and changes')
    .addOption(labelOption())
    .addOption(
      new Option('--kinds <kinds>', 'only views of these kinds, with commas: session, resource, image, change').argParser(kinds),
    )
    .option('--since <place>', 'go on behind this `place`, which a line of an earlier run gave')
    .option('--json', 'say that JSON is wanted, which it always is')
    .action(
      does(async (names: string[], options) =>
        (await import('../commands/events.js')).events({ ...options, only: selectors(names, options) }),
      ),
    )
  command(
    'why',
    'Tell which rule takes a file, for each image; or what a resource is doing, why it waits, and where its links lead.',
  )
    .argument('<path>', 'a path, or the name of a resource')
    .option('--json', 'print the answer as JSON')
    .action(does(async (path: string, options) => (await import('../commands/why.js')).why(path, options)))
  command('verify', 'Tell whether the running containers hold what was saved, path by path.')
    .argument('[resource]', 'only this resource, or label:NAME')
    .option('--json', 'print the result as JSON')
    .action(
      does(async (resource: string | undefined, options) => (await import('../commands/verify.js')).verify(resource, options)),
    )
}
