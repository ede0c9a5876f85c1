// The commands and their options.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { CiLimits } from '../protocol/messages.js'
import { exitCodes, fail } from './exit.js'
import { choiceOptions } from './choices.js'
import { labelOption, selectors, several } from './selection.js'
import { splitArgs } from './split-args.js'
import { version } from './version.js'

/** Runs one command line. @returns the exit code */
export async function run(argv: readonly string[]): Promise<number> {
  let code: number = exitCodes.ok
  /** The action of a command: what it returns is the exit code. */
  const does =
    <A extends unknown[]>(action: (...args: A) => Promise<number>) =>
    async (...args: A): Promise<void> => {
      code = await action(...args)
    }
  const program = new Command('devloop')
    .description('Save a file, and the running pod has it.')
    .version(version, '-V, --version', 'print the version of devloop')
    .helpCommand('help [command]', 'print what there is to know about a command')
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nStart with `devloop init && devloop watch` in the folder of a project; see docs/devloopfile.md.\nExit codes: 0 ok, 1 failure, 2 usage, 70 defect of devloop, 130 interrupted.',
    )
  const command = (name: string, description: string): Command =>
    program.command(name).description(description).exitOverride().addOption(fileOption())

  /** A command that opens a connection of its own to the cluster. */
  const onCluster = (name: string, description: string): Command =>
    command(name, description)
      .option('--context <name>', 'kubeconfig context to use instead of the current one')
      .option('--namespace <name>', "namespace to use instead of the Devloopfile's")
  const withChoices = (made: Command): Command => {
    for (const option of choiceOptions()) made.addOption(option)
    return made
  }
  /** A command that runs the plan. */
  const running = (name: string, description: string): Command =>
    withChoices(onCluster(name, description)).addOption(
      new Option('--runtime <runtime>', 'where apps run').choices(['kubernetes', 'process']).default('kubernetes'),
    )

  running('watch', 'Run the daemon: build, deploy, and bring each save into the running pods.')
    .addOption(new Option('--port <port>', 'TCP port on 127.0.0.1 for status; 0 = any that is free').argParser(port).default(0))
    .addOption(labelOption())
    .argument('[resource...]', 'only these, by name or `label:NAME`, with what they need; all others are disabled')
    .usage('[options] [resource...] [-- args...]')
    .addHelpText('after', '\nWhat stands after -- is given to the Devloopfile as `args`.')
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('./commands/watch.js')).watch(args, { ...options, only: selectors(names, options) })
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
    .addHelpText('after', '\nWhat stands after -- is given to the Devloopfile as `args`.')
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('./commands/ci.js')).ci(args, { ...options, ...limits(options), only: selectors(names, options) })
      }),
    )
  command('status', 'Show the state of all resources, or of some.')
    .argument('[resource...]', 'only these, by name or `label:NAME`')
    .addOption(labelOption())
    .option('--json', 'print the state as JSON')
    .option('--changes', 'show the newest changes with the time of each stage instead')
    .addOption(new Option('--wait <state>', 'wait until all of these are in this state').choices(['ready']))
    .addOption(new Option('--timeout <time>', 'how long to wait, such as 90s or 5m').argParser(duration).default(60_000, '60s'))
    .action(
      does(async (names: string[], options) =>
        (await import('./commands/status.js')).status({ ...options, only: selectors(names, options) }),
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
    .option('-t, --timestamps', 'begin each line with its time')
    .addOption(new Option('--raw', 'print the lines as they were written').conflicts('json'))
    .option('--json', 'print one JSON object a line')
    .action(
      does(async (names: string[], options) =>
        (await import('./commands/logs.js')).logs({ ...options, only: selectors(names, options) }),
      ),
    )
  command('exec', 'Open a shell where a resource runs, or run a command there.')
    .argument('<resource>')
    .argument('[command...]', 'what to run (after --); default: a shell')
    .option('-c, --container <name>', 'the container, where its pod has several')
    .action(
      does(async (resource: string, argv: string[], options) =>
        (await import('./commands/exec.js')).exec(resource, argv, options),
      ),
    )
  command('events', 'Print every change of the state, one JSON object a line, until interrupted.').action(
    does(async (options) => (await import('./commands/events.js')).events(options)),
  )
  const onResources = (
    name: string,
    description: string,
    action: (
      resources: readonly string[],
      options: { readonly file?: string; readonly confirmEmpty?: boolean },
    ) => Promise<number>,
  ): Command =>
    command(name, description)
      .addOption(labelOption())
      .argument('[resource...]', 'by name or `label:NAME`')
      .usage('[options] <resource...>')
      .action(
        does(async (names: string[], options, self: Command) => {
          const resources = selectors(names, options)
          if (resources.length === 0) self.error("error: missing required argument 'resource'")
          return action(resources, options)
        }),
      )
  onResources(
    'trigger',
    'Build and deploy resources again, or run locals again; with manual trigger, do what their pending changes need.',
    async (resources, options) => (await import('./commands/trigger.js')).trigger(resources, options),
  ).option('--confirm-empty', 'only let go what is held because its folder is gone or empty: delete the files in containers, too')
  onResources(
    'enable',
    'Bring disabled resources back, with what they need, and start those with `auto: false`.',
    async (resources, options) => (await import('./commands/enable.js')).enable(resources, options),
  )
  onResources(
    'disable',
    'Take resources out of the cluster, or end their processes, until they are enabled or devloop starts again.',
    async (resources, options) => (await import('./commands/enable.js')).disable(resources, options),
  )
  withChoices(
    command(
      'args',
      'Show what the Devloopfile gets as `args`, and which way resources are made; with --, --local or --remote, change it and load the Devloopfile again.',
    ),
  )
    .argument('[args...]')
    .usage('[options] [-- args...]')
    .action(
      does(async (operands: string[], options, self: Command) => {
        const { names, args } = splitArgs(argv, operands)
        if (names.length > 0) self.error(`error: write what the Devloopfile gets after --: devloop args -- ${operands.join(' ')}`)
        return (await import('./commands/args.js')).args(argv.includes('--') ? args : undefined, options)
      }),
    )
  command(
    'why',
    'Tell which rule takes a file, for each image; or what a resource is doing, why it waits, and where its links lead.',
  )
    .argument('<path>', 'a path, or the name of a resource')
    .option('--json', 'print the answer as JSON')
    .action(does(async (path: string, options) => (await import('./commands/why.js')).why(path, options)))
  command('verify', 'Tell whether the running containers hold what was saved, path by path.')
    .argument('[resource]', 'only this resource, or label:NAME')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExit codes: 0 all is in sync, 1 something differs or cannot be told.')
    .action(
      does(async (resource: string | undefined, options) => (await import('./commands/verify.js')).verify(resource, options)),
    )
  withChoices(
    onCluster('render', 'Print the objects that would be applied, as YAML, and the images of the newest builds in them.'),
  )
    .addOption(labelOption())
    .argument('[resource...]', 'only these, by name or `label:NAME`')
    .usage('[options] [resource...] [-- args...]')
    .addHelpText(
      'after',
      '\nWhat stands after -- is given to the Devloopfile as `args`.\nSecrets are printed as they would be applied. An image that is not built yet stands as NAME:not-built-yet, which stderr says.',
    )
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('./commands/render.js')).render(selectors(names, options), args, options)
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
    .addHelpText(
      'after',
      '\nWhat stands after -- is given to the Devloopfile as `args`.\nValues of Secrets are never written: secrets.yaml.template names them. The cluster is only asked whether it has Routes, and only where that matters.',
    )
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('./commands/eject.js')).eject(selectors(names, options), args, options)
      }),
    )
  withChoices(onCluster('diff', 'Show what a deploy would change in the cluster, by dry runs of the cluster.'))
    .addOption(labelOption())
    .argument('[resource...]', 'only these, by name or `label:NAME`')
    .usage('[options] [resource...] [-- args...]')
    .addHelpText(
      'after',
      '\nWhat stands after -- is given to the Devloopfile as `args`.\nExit codes, as those of diff: 0 nothing would change, 1 something would, 3 failure.',
    )
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('./commands/diff.js')).diff(selectors(names, options), args, options)
      }),
    )
  onCluster(
    'down',
    'Delete what was deployed, what needs others first, and end the daemon if it runs. Told is what was deleted and what was kept: namespaces, volume claims, generated values, and objects annotated with devloop.dev/keep: "true".',
  )
    .summary('Delete what was deployed, and end the daemon if it runs.')
    .argument('[resource...]', 'only these resources')
    .usage('[options] [resource...] [-- args...]')
    .addHelpText('after', '\nWhat stands after -- is given to the Devloopfile as `args`.')
    .option('--delete-generated', 'delete the generated values, too: data that was kept may be locked with them')
    .option('--delete-namespace', 'delete the namespaces, too, that devloop made for this project, with all that is in them')
    .option(
      '--expired',
      'only delete your namespaces, of any project, that have not been used for the time that cluster.sandbox gave them',
    )
    .action(
      does(async (operands: string[], options) => {
        const { names, args } = splitArgs(argv, operands)
        return (await import('./commands/down.js')).down(names, args, options)
      }),
    )
  onCluster('doctor', 'Tell what is missing on this machine and in the cluster, and what to do about it.')
    .option('--json', 'print the findings as JSON')
    .argument('[args...]')
    .usage('[options] [-- args...]')
    .addHelpText(
      'after',
      '\nWhat stands after -- is given to the Devloopfile as `args`. Nothing is written anywhere.\nExit codes: 0 nothing that is needed is missing, 1 something is.',
    )
    .action(does(async (args: string[], options) => (await import('./commands/doctor.js')).doctor(args, options)))
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
    .addHelpText(
      'after',
      '\nWhat the namespace holds is what cluster.sandbox of the Devloopfile says, if there is one. Run again, it changes only what differs.',
    )
    .action(does(async (options) => (await import('./commands/provision.js')).provision(options)))
  command('prune', 'Remove images, build cache and records that devloop made and nothing needs any more.')
    .option('-n, --dry-run', 'only print what would be removed')
    .addHelpText(
      'after',
      '\nKept is what runs in the cluster, and the newest builds: see `settings.prune` in docs/devloopfile.md.\nA running devloop does the same by itself, after builds and at most once an hour.',
    )
    .action(does(async (options) => (await import('./commands/prune.js')).prune(options)))
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
    .addHelpText(
      'after',
      '\nNothing that is there is overwritten. Dockerfiles, Compose files, manifests and charts that are there are used.\nBase images of your own for all projects: devloop/bases.yaml in the configuration folder (~/.config).',
    )
    .action(does(async (folder: string | undefined, options) => (await import('./commands/init.js')).init(folder, options)))
  program
    .command('version')
    .description('Print the version of devloop.')
    .exitOverride()
    .action(() => void process.stdout.write(`${version}\n`))

  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (thrown) {
    // help that was asked for is no error; commander has printed it, and its own errors, already
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return fail(thrown)
  }
}

const fileOption = (): Option =>
  new Option('--file <path>', 'the Devloopfile; default: Devloopfile.ts in this folder or the nearest above')

function port(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  return value
}

const limit = (flags: string, description: string): Option => new Option(flags, description).argParser(duration)

/** The limits of `devloop ci` by the names that the daemon has for them. */
const limits = ({ timeout, readinessTimeout, grace }: Readonly<Record<string, number | undefined>>): CiLimits => ({
  ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  ...(readinessTimeout === undefined ? {} : { readinessTimeoutMs: readinessTimeout }),
  ...(grace === undefined ? {} : { graceMs: grace }),
})

function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is a number of lines.')
  return Number(text)
}

function duration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('A time is a number with ms, s, m or h, such as 90s.')
  return Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[(unit ?? 's') as 'ms' | 's' | 'm' | 'h']
}
