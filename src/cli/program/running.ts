// The commands that run a plan.
import { Option } from 'commander'
import type { CiLimits } from '../../protocol/messages.js'
import { labelOption, selectors, several } from '../selection.js'
import { splitArgs } from '../split-args.js'
import type { CommandLine } from './command-line.js'
import { duration, port } from './option-values.js'

/** `watch` and `ci`. */
export function addRunning({ argv, does, running }: CommandLine): void {
  running('watch', 'Run the daemon: build, deploy, and bring each save into the running pods.')
    .addOption(new Option('--port <port>', 'TCP port on 127.0.0.1 for status; 0 = any that is free').argParser(port).default(0))
    .addOption(labelOption())
    .option('--plain', 'write plain lines, also on a terminal')
    .addOption(
      several(
        '--notify <way>',
        'tell failures and recoveries by `bell`, by `desktop`, or to a command, as JSON on stdin; may be given again',
      ),
    )
    .option('-d, --detach', 'go on in the background: return when the daemon is up, or say why it is not')
    .option('--json', 'with --detach, print where the daemon is as JSON')
    .addOption(new Option('--background').hideHelp())
    .argument('[resource...]', 'only these, by name or `label:NAME`, with what they need; all others are disabled')
    .usage('[options] [resource...] [-- args...]')
    .action(
      does(async (operands: string[], options) => {
        if (options.detach && !options.background) return (await import('../commands/detach.js')).detach(argv, options)
        const { names, args } = splitArgs(argv, operands)
        return (await import('../commands/watch.js')).watch(args, { ...options, only: selectors(names, options) })
      }),
    )
  running('ci', 'Run the plan once: exit 0 when all is built, deployed and ready and all Jobs have succeeded.')
    .addOption(limit('--timeout <time>', 'for the whole run, such as 90s or 30m; default: 30m'))
    .addOption(limit('--readiness-timeout <time>', 'for a resource, from its start until it is ready; default: 5m'))
    .addOption(limit('--grace <time>', 'for which a resource that crashes may come to itself; default: 0'))
    .option('--junit <file>', 'write the report as JUnit XML')
    .option('--json <file>', 'write the report as JSON')
    .option('--down', 'delete what was deployed at the end, whether it passed or failed')
    .addOption(labelOption())
    .argument('[resource...]', 'only these, by name or `label:NAME`, with what they need; all others are left as they are')
    .usage('[options] [resource...] [-- args...]')
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('../commands/ci.js')).ci(args, { ...options, ...limits(options), only: selectors(names, options) })
      }),
    )
}

const limit = (flags: string, description: string): Option => new Option(flags, description).argParser(duration)

/** The limits of `devloop ci` by the names that the daemon has for them. */
const limits = ({ timeout, readinessTimeout, grace }: Readonly<Record<string, number | undefined>>): CiLimits => ({
  ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  ...(readinessTimeout === undefined ? {} : { readinessTimeoutMs: readinessTimeout }),
  ...(grace === undefined ? {} : { graceMs: grace }),
})
