// The commands around a project: how it begins, what it lacks, and what is left behind.
import { Argument, Option } from 'commander'
import { protocolVersion } from '../../protocol/messages.js'
import { printJson } from '../print-json.js'
import { several } from '../selection.js'
import { completionScripts, shells } from '../completion/scripts.js'
import { version } from '../version.js'
import type { CommandLine } from './command-line.js'
import { duration } from './option-values.js'

/** `init`, `doctor`, `provision`, `prune`, `completion` and `version`. */
export function addSetup({ command, does, onCluster, program }: CommandLine): void {
  onCluster('doctor', 'Tell what is missing on this machine and in the cluster, and what to do about it.')
    .option('--json', 'print the findings as JSON')
    .option('--read-only', 'write nothing anywhere: build and push no image, make no pod')
    .argument('[args...]')
    .usage('[options] [-- args...]')
    .action(does(async (args: string[], options) => (await import('../commands/doctor.js')).doctor(args, options)))
  onCluster('provision', 'For administrators: give a developer a namespace of their own, or a place in a tenant.')
    .requiredOption('--user <name>', 'whose it is, by the name that the API server knows')
    .addOption(several('--group <name>', 'a group that gets the same rights; may be given again'))
    .option('--tenant <name>', "tenant of a Multi Tenant Operator; default: the Devloopfile's, else none")
    .option(
      '--quota <name>',
      'a Quota that is there, for a tenant that is not; default: one is made, with the name of the tenant',
    )
    .option('-n, --dry-run', 'only ask the cluster what would be made and changed')
    .addOption(new Option('--output <format>', 'print the objects instead, for kubectl apply').choices(['yaml']))
    .option('--kubeconfig <file>', 'write a kubeconfig for that namespace alone, with a token that runs out')
    .addOption(new Option('--lifetime <time>', 'of that token, such as 12h').argParser(duration).default(604_800_000, '168h'))
    .option('--force', 'replace that file, whatever is in it')
    .addOption(new Option('--json', 'print what was made as JSON').conflicts('output'))
    .action(does(async (options) => (await import('../commands/provision.js')).provision(options)))
  command('prune', 'Remove images, build cache and records that devloop made and nothing needs any more.')
    .option('-n, --dry-run', 'only print what would be removed')
    .option('--json', 'print what was removed as JSON')
    .action(does(async (options) => (await import('../commands/prune.js')).prune(options)))
  program
    .command('init')
    .description('Find out what a source tree holds, and write the Dockerfiles and the Devloopfile that it lacks.')
    .exitOverride()
    .argument('[folder]', 'of the project; default: this one')
    .option('-y, --yes', 'ask nothing: take what is likeliest')
    .option('-n, --dry-run', 'write nothing, and print what would be written')
    .option('--json', 'ask nothing, and print findings and files as JSON')
    .option('--force', 'write a Devloopfile that is there anew')
    .option('--context <name>', 'kubeconfig context that devloop may write to; default: the current one')
    .option('--bases <file>', 'YAML or JSON with base images of your own: `node: registry.example.com/node:{version}`')
    .option('--mirror <place>', 'HOST[:PORT][/PREFIX] that stands in place of the registry of base images')
    .action(does(async (folder: string | undefined, options) => (await import('../commands/init.js')).init(folder, options)))
  program
    .command('completion')
    .description('Print a script with which a shell completes commands, options, and the names of what runs.')
    .exitOverride()
    .addArgument(new Argument('<shell>', 'which shell it is for').choices(shells))
    .action((shell: (typeof shells)[number]) => void process.stdout.write(completionScripts[shell]))
  program
    .command('complete', { hidden: true })
    .exitOverride()
    .argument('[words...]')
    .action(does(async (words: string[]) => (await import('../commands/complete.js')).complete(program, words)))
  program
    .command('version')
    .description('Print the version of devloop.')
    .exitOverride()
    .option('--json', 'print it, and those of the protocol and of Node.js, as JSON')
    .action(({ json }: { readonly json?: boolean }) => {
      if (json) printJson({ version, protocol: protocolVersion, node: process.versions.node })
      else process.stdout.write(`${version}\n`)
    })
}
