// The commands about what is deployed, which need no daemon.
import { Option } from 'commander'
import { labelOption, selectors, several } from '../selection.js'
import { splitArgs } from '../split-args.js'
import type { CommandLine } from './command-line.js'

/** `render`, `diff`, `eject` and `down`. */
export function addObjects({ argv, does, onCluster, withChoices }: CommandLine): void {
  withChoices(
    onCluster('render', 'Print the objects that would be applied, as YAML, and the images of the newest builds in them.'),
  )
    .addOption(labelOption())
    .option('--json', 'print them as one List in JSON, which kubectl takes too')
    .argument('[resource...]', 'only these, by name or `label:NAME`')
    .usage('[options] [resource...] [-- args...]')
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('../commands/render.js')).render(selectors(names, options), args, options)
      }),
    )
  withChoices(onCluster('eject', 'Write the objects of apps as files of your own, for the pipeline that deploys them.'))
    .addOption(labelOption())
    .argument('[resource...]', 'by name or `label:NAME`; with the configs that they use')
    .usage('[options] <resource...> [-- args...]')
    .addOption(new Option('--output <format>', 'form of the files').choices(['yaml', 'kustomize']).default('yaml'))
    .option('--dir <folder>', 'write them there; default: YAML goes to stdout')
    .addOption(several('--image <name=reference>', 'what is to run for an image of the Devloopfile; may be given several times'))
    .addOption(
      new Option('--expose <kind>', 'what exposed apps become; default: what the cluster has').choices(['route', 'ingress']),
    )
    .option('--force', 'write over files that are there and differ')
    .option('--json', 'print the files, or with --dir which of them were written, as JSON')
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('../commands/eject.js')).eject(selectors(names, options), args, options)
      }),
    )
  withChoices(onCluster('diff', 'Show what a deploy would change in the cluster, by dry runs of the cluster.'))
    .addOption(labelOption())
    .option('--json', 'print the changes as JSON')
    .argument('[resource...]', 'only these, by name or `label:NAME`')
    .usage('[options] [resource...] [-- args...]')
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('../commands/diff.js')).diff(selectors(names, options), args, options)
      }),
    )
  onCluster(
    'down',
    'Delete what was deployed, what needs others first, and end the daemon if it runs. Told is what was deleted and what was kept: namespaces, volume claims, generated values, and objects annotated with devloop.dev/keep: "true".',
  )
    .summary('Delete what was deployed, and end the daemon if it runs.')
    .argument('[resource...]', 'only these resources')
    .usage('[options] [resource...] [-- args...]')
    .option('--json', 'print what was deleted and kept as JSON, at the end')
    .option('--delete-generated', 'delete the generated values, too: data that was kept may be locked with them')
    .option('--delete-namespace', 'delete the namespaces, too, that devloop made for this project, with all that is in them')
    .option(
      '--expired',
      'only delete your namespaces, of any project, that have not been used for the time that cluster.sandbox gave them',
    )
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('../commands/down.js')).down(names, args, options)
      }),
    )
}
