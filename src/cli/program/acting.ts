// The commands by which a running daemon is told what to do.
import type { Command } from 'commander'
import { splitArgs } from '../split-args.js'
import type { CommandLine } from './command-line.js'

/** `trigger`, `enable`, `disable`, `args` and `exec`. */
export function addActing({ argv, command, does, onResources, withChoices }: CommandLine): void {
  onResources(
    'trigger',
    'Build and deploy resources again, or run locals again; with manual trigger, do what their pending changes need.',
    async (resources, options) => (await import('../commands/trigger.js')).trigger(resources, options),
  )
    .option(
      '--confirm-empty',
      'only let go what is held because its folder is gone or empty: delete the files in containers, too',
    )
    .option('--wait', 'until each is ready (exit code 0) or has failed (1); Ctrl-C ends the waiting, and not the work')
  onResources(
    'enable',
    'Bring disabled resources back, with what they need, and start those with `auto: false`.',
    async (resources, options) => (await import('../commands/enable.js')).enable(resources, options),
  )
  onResources(
    'disable',
    'Take resources out of the cluster, or end their processes, until they are enabled or devloop starts again.',
    async (resources, options) => (await import('../commands/enable.js')).disable(resources, options),
  )
  withChoices(
    command(
      'args',
      'Show what the Devloopfile gets as `args`, and which way resources are made; with --, --local or --remote, change it and load the Devloopfile again.',
    ),
  )
    .option('--json', 'print them as JSON')
    .argument('[args...]')
    .usage('[options] [-- args...]')
    .action(
      does(async (operands: string[], options, self: Command) => {
        const { names, args } = splitArgs(argv, operands)
        if (names.length > 0) self.error(`error: write what the Devloopfile gets after --: devloop args -- ${operands.join(' ')}`)
        return (await import('../commands/args.js')).args(argv.includes('--') ? args : undefined, options)
      }),
    )
  command('exec', 'Open a shell where a resource runs, or run a command there.')
    .argument('<resource>')
    .argument('[command...]', 'what to run (after --); default: a shell')
    .option('-c, --container <name>', 'the container, where its pod has several')
    .action(
      does(async (resource: string, argv: string[], options) =>
        (await import('../commands/exec.js')).exec(resource, argv, options),
      ),
    )
}
