// Node.js, TypeScript and Bun projects: servers, workers, and the front ends that such tools build.
import { posix } from 'node:path'
import type { Detector, Finding, Found, LiveLine, Place } from '../component.js'
import { findInFiles, findPort, sourceFiles, type Port } from '../find-text.js'
import { inFolder, isWithin, pathWithin } from '../source-tree.js'
import { nodeDockerfile } from './node-dockerfile.js'
import { frameworks, serverLibraries, type Framework, type Served } from './node-frameworks.js'
import { nodeProject, type NodeProject } from './node-manager.js'
import { readPackage, scriptCommand, type Package, type ScriptCommand } from './node-package.js'
import { nodeFinding, nodeVersion } from './node-version.js'

/** How a package runs, in development and in production. */
export interface NodeApp {
  readonly own: Package
  readonly project: NodeProject
  readonly framework: Framework | undefined
  readonly dev: {
    readonly argv: readonly string[]
    readonly env: Readonly<Record<string, string>>
    readonly watchesItself: boolean
  }
  readonly prod: Served
  /** Packages of the same project whose script `build` must run before, and then its own, where there is one. */
  readonly builds: readonly Package[]
  /** Whether what is run in development is built too. */
  readonly buildsInDevelopment: boolean
  readonly port: Found['port']
}

export const node: Detector = (place) => {
  const { tree, folder, bases } = place
  const own = readPackage(tree, folder)
  if (!own) return []
  const project = nodeProject(tree, own)
  // the root of a workspace only holds it together
  if (project.root === folder && project.members.length > 0) return []
  const app = nodeApp(place, own, project)
  if (!app) return []

  const runtime = project.manager.name === 'bun' ? 'bun' : 'node'
  const folders = folder === project.root ? [folder] : [folder, project.root]
  const packages = [own, ...(folder === project.root ? [] : [readPackage(tree, project.root) ?? own])]
  const version = nodeVersion(tree, folders, packages, bases.defaultVersion('node'))
  const findings: Finding[] = [
    ...(runtime === 'bun'
      ? [{ what: 'Bun', proof: project.manager.finding.proof }]
      : [nodeFinding(version, own), project.manager.finding]),
    ...frameworkFinding(app),
    ...(app.builds.includes(own) ? [{ what: `build: ${own.scripts.build}`, proof: own.path }] : []),
  ]
  return [
    {
      ...(own.name === undefined ? {} : { name: own.name.replace(/^@[^/]+\//, '') }),
      kind: 'node',
      findings,
      notes: notesOf(place, app),
      context: project.root,
      dockerfile: { text: nodeDockerfile(app, place, version.version) },
      ignore: ['**/node_modules', '**/npm-debug.log*', ...writes(app).map((path) => `**/${path}`)],
      live: liveOf(app),
      ...(app.port ? { port: app.port } : {}),
      process: processOf(app),
      libraries: own.runtimeDependencies.map((name) => ({ name, proof: own.path })),
    } satisfies Found,
  ]
}

/** Undefined when the package has nothing to run, as a library has. */
function nodeApp(place: Place, own: Package, project: NodeProject): NodeApp | undefined {
  const framework = frameworks.find((one) => own.dependencies.has(one.package))
  const start = scriptCommand(own, 'start') ?? scriptCommand(own, 'start:prod') ?? scriptCommand(own, 'serve')
  // a server may bring its pages along, and a library may be built, by Vite
  const isOther =
    framework?.package === 'vite' && ((start && !isViteCommand(start)) || !place.tree.has(inFolder(place.folder, 'index.html')))
  if (framework && !isOther) return withFramework(place, own, project, framework)
  const dev = scriptCommand(own, 'dev') ?? scriptCommand(own, 'start:dev')
  const entry = start || dev ? undefined : entryOf(place, own, project)
  if (!start && !dev && entry === undefined) return undefined
  return server(place, own, project, start ?? (entry === undefined ? undefined : commandOf(entry, project)))
}

/** @returns undefined for a library that is only built with the framework */
function withFramework(place: Place, own: Package, project: NodeProject, framework: Framework): NodeApp | undefined {
  const scripts = ['dev', 'start:dev', 'start', 'serve'].flatMap((name) => scriptCommand(own, name) ?? [])
  if (scripts.length === 0) return undefined
  const [program, command] = framework.dev.argv
  const script = scripts.find(
    ({ argv }) => argv[0] === program && (argv[1] ?? '-').replace(/^-.*|^(dev|serve)$/, command ?? '') === (command ?? ''),
  )
  const argv = script?.argv ?? framework.dev.argv
  const isNest = framework.package === '@nestjs/core'
  const port = isNest ? listenPort(place, own) : (saidPort(argv, own) ?? configuredPort(place, own))
  const saysHost = argv.some((word) => word.replace(/=.*/, '') === framework.dev.host[0])
  const production = prodScript(own)
  return {
    own,
    project,
    framework,
    dev: {
      argv: [...argv, ...(saysHost ? [] : framework.dev.host)],
      env: { ...framework.dev.env, ...withoutMode(script?.env ?? {}) },
      watchesItself: true,
    },
    prod: framework.prod({ tree: place.tree, own }) ?? production ?? { argv },
    builds: buildsOf(own, project),
    buildsInDevelopment: false,
    port: port ?? { number: framework.port, proof: own.path },
  }
}

/** `--port 3001`, `--port=3001` or `-p 3001`. */
function saidPort(argv: readonly string[], { path }: Package): Port | undefined {
  const number = Number(/(?:^|\s)(?:--port|-p)[= ](\d+)/.exec(argv.join(' '))?.[1])
  return number > 0 ? { number, proof: path } : undefined
}

const isViteCommand = ({ argv }: ScriptCommand): boolean => argv[0] === 'vite'

const prodScript = (own: Package): Served | undefined => {
  const script = scriptCommand(own, 'start:prod') ?? scriptCommand(own, 'start')
  return script && { argv: script.argv, env: withoutMode(script.env) }
}

/** `NODE_ENV` is the stage's affair. */
const withoutMode = (env: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => name !== 'NODE_ENV'))

function server(place: Place, own: Package, project: NodeProject, start: ScriptCommand | undefined): NodeApp {
  const scripts = ['dev', 'start:dev', 'develop', 'start', 'start:prod'].flatMap((name) => scriptCommand(own, name) ?? [])
  const watcher = scripts.find(({ argv }) => isWatcher(argv))
  const prod = scriptCommand(own, 'start:prod') ?? start ?? scripts[0]
  const dev = watcher ?? start ?? scripts[0]
  const builds = buildsOf(own, project)
  const argv = dev?.argv ?? []
  return {
    own,
    project,
    framework: undefined,
    dev: { argv, env: withoutMode(dev?.env ?? {}), watchesItself: watcher !== undefined },
    prod: { argv: withoutWatching(prod?.argv ?? []), env: withoutMode(prod?.env ?? {}) },
    builds,
    buildsInDevelopment: watcher === undefined && builds.includes(own) && !runsSource(place, own, argv),
    port: serverPort(place, own),
  }
}

/** Programs that look at files and start again by themselves. */
const isWatcher = (argv: readonly string[]): boolean =>
  /^(nodemon|ts-node-dev|tsnd|node-dev|tsup-node)$/.test(argv[0] ?? '') ||
  argv.some((word) => /^(--watch|--hot|watch|-w)$/.test(word)) ||
  (argv[0] === 'sh' && /--watch|nodemon|ts-node-dev|tsx watch/.test(argv[2] ?? ''))

/** The same command as it runs where nothing is edited. */
const withoutWatching = (argv: readonly string[]): readonly string[] => {
  const [program, ...rest] = argv.filter(
    (word, i) => !/^--(watch|hot)$/.test(word) && !(word === 'watch' && argv[i - 1] === 'tsx'),
  )
  return program === undefined ? [] : [program === 'nodemon' ? 'node' : program, ...rest]
}

/** Whether a command names a file that is there before anything is built. */
const runsSource = ({ tree }: Place, { folder }: Package, argv: readonly string[]): boolean =>
  argv.some((word) => {
    const path = posix.normalize(word)
    return ['', '.js', '.mjs', '.cjs', '.ts', '/index.js'].some((ending) => tree.has(inFolder(folder, `${path}${ending}`)))
  })

/** The file to run where no script says it. */
function entryOf({ tree, ask }: Place, own: Package, { members }: NodeProject): string | undefined {
  const isServer = Object.keys(serverLibraries).some((name) => own.dependencies.has(name))
  // a package of a workspace that only has a `main` is a library
  if (members.length > 0 && !isServer) return undefined
  const there = (path: string): boolean => tree.has(inFolder(own.folder, path))
  if (own.main !== undefined && there(own.main)) return own.main
  const names = ['server', 'index', 'app', 'main']
  const found = ['', 'src/'].flatMap((folder) =>
    names.flatMap((name) => ['js', 'mjs', 'cjs', 'ts'].map((ending) => `${folder}${name}.${ending}`)).filter(there),
  )
  const [first] = found
  if (first === undefined || found.length === 1) return first
  return ask({
    id: inFolder(own.folder, 'entry'),
    message: `Which file of ${own.folder || 'the project'} starts the app?`,
    choices: found.map((value) => ({ value, label: value })),
    fallback: first,
  })
}

function commandOf(entry: string, { manager }: NodeProject): ScriptCommand {
  const program = manager.name === 'bun' ? ['bun'] : entry.endsWith('.ts') ? ['npx', 'tsx'] : ['node']
  return { argv: [...program, entry], env: {}, scripts: [] }
}

const endings = ['.js', '.mjs', '.cjs', '.ts', '.mts']

const listens = [
  /\bPORT\b['"\])]*\s*(?:\|\||\?\?|,)\s*["']?(\d{2,5})\b/,
  /\.listen\(\s*(?:\{[^}]{0,80}?\bport\s*:\s*)?["']?(\d{2,5})\b/,
  /\b(?:port|PORT)\s*[:=]\s*["']?(\d{2,5})\b/,
]

const listenPort = ({ tree }: Place, { folder }: Package): Port | undefined =>
  findPort(tree, folder, sourceFiles(tree, folder, endings), listens)

const configuredPort = ({ tree }: Place, { folder }: Package): Port | undefined =>
  findPort(
    tree,
    folder,
    ['vite.config.js', 'vite.config.ts', 'vite.config.mjs', 'vue.config.js', 'nuxt.config.ts', 'astro.config.mjs'].map((name) =>
      inFolder(folder, name),
    ),
    [/\bport\s*:\s*(\d{2,5})\b/],
  )

/** Undefined for what answers nobody: no library for servers, and nothing that listens. */
function serverPort(place: Place, own: Package): Found['port'] {
  const found = listenPort(place, own)
  if (found) return found
  const isServer = Object.keys(serverLibraries).find((name) => own.runtimeDependencies.includes(name) && name !== 'ws')
  const listening = findInFiles(place.tree, sourceFiles(place.tree, own.folder, endings), [
    /\bcreateServer\(/,
    /\bBun\.serve\(/,
    /\.listen\(/,
    /\bprocess\.env\.PORT\b/,
  ])
  if (!isServer && !listening) return undefined
  return { number: 3000, proof: listening?.proof ?? own.path, assumed: true }
}

/** Local packages that a package uses, and itself, in the order in which they are built. */
function buildsOf(own: Package, { members }: NodeProject): readonly Package[] {
  const order: Package[] = []
  const visit = (one: Package, above: readonly Package[]): void => {
    if (order.includes(one) || above.includes(one)) return
    for (const member of members)
      if (member.name !== undefined && one.dependencies.has(member.name)) visit(member, [...above, one])
    order.push(one)
  }
  visit(own, [])
  return order.filter((one) => one.scripts.build !== undefined)
}

/** The folders of a package and of the local packages that it uses. */
export function usedFolders(own: Package, { members }: NodeProject): readonly string[] {
  const used = new Set([own.folder])
  const visit = (one: Package): void => {
    for (const member of members)
      if (member.name !== undefined && one.dependencies.has(member.name) && !used.has(member.folder)) {
        used.add(member.folder)
        visit(member)
      }
  }
  visit(own)
  return [...used].sort()
}

const writes = ({ framework, builds, own }: NodeApp): readonly string[] => [
  ...new Set([...(framework?.writes ?? []), ...(builds.length > 0 ? ['dist'] : []), ...(own.scripts.test ? ['coverage'] : [])]),
]

const frameworkFinding = ({ framework, own }: NodeApp): readonly Finding[] => {
  const library = Object.keys(serverLibraries).find((name) => own.dependencies.has(name))
  const title = framework?.title ?? (library === undefined ? undefined : serverLibraries[library])
  return title === undefined ? [] : [{ what: title, proof: own.path }]
}

function liveOf(app: NodeApp): readonly LiveLine[] {
  const { own, project, builds, dev } = app
  const at = (path: string): string => pathWithin(path, project.root)
  const manifests = [own.path, ...(own.folder === project.root ? [] : [inFolder(project.root, 'package.json')])].map(at)
  const used = usedFolders(own, project)
  const foreign = project.members
    .filter(({ folder }) => !used.some((one) => isWithin(one, folder)))
    .map(({ folder }) => at(folder))
  const libraries = builds.filter((one) => one !== own)
  const compiled = app.buildsInDevelopment ? builds : libraries
  return [
    { rule: 'rebuildOn', paths: [...manifests, ...project.manager.files] },
    ...(foreign.length > 0 ? [{ rule: 'ignore', paths: foreign } as const] : []),
    ...(project.members.length > 0
      ? used.map((folder) => ({ rule: 'sync', from: at(folder), to: `/app/${at(folder)}` }) as const)
      : [{ rule: 'sync', from: '.', to: '/app' } as const]),
    ...compiled.map((one): LiveLine => ({
      rule: 'run',
      command: inPackage(own, one, project.manager.run('build')),
      ...(project.members.length > 0 ? { on: [inFolder(at(one.folder), '**')] } : {}),
    })),
    ...(dev.watchesItself ? [] : [{ rule: 'restart' } as const]),
  ]
}

/** A command in the folder of another package, said from one's own. */
const inPackage = (own: Package, other: Package, command: string): string =>
  own === other ? command : `cd ${posix.relative(`/${own.folder}`, `/${other.folder}`)} && ${command}`

function processOf({ dev, project, buildsInDevelopment, own }: NodeApp): NonNullable<Found['process']> {
  const { manager } = project
  const install = manager.install
    .replace(/ --cache \/tmp\/npm| --store-dir \/tmp\/pnpm| --cache-folder \/tmp\/yarn/g, '')
    .replace(/ && rm -rf \S+$/, '')
    .replace('node /app/', 'node ')
  const isProgram = /^(node|bun|deno|npx|sh)$/.test(dev.argv[0] ?? '')
  return {
    prepare: buildsInDevelopment ? `${install} && ${manager.run('build')}` : own.folder === project.root ? install : install,
    command: isProgram ? dev.argv : [manager.name === 'bun' ? 'bunx' : 'npx', ...dev.argv],
  }
}

/** What keeps the app from answering others than itself. */
function notesOf(place: Place, { own, framework, port }: NodeApp): readonly string[] {
  if (framework || !port || !own.dependencies.has('fastify')) return []
  const files = sourceFiles(place.tree, own.folder, endings)
  const listening = findInFiles(place.tree, files, [/\.listen\(/])
  if (!listening || findInFiles(place.tree, files, [/0\.0\.0\.0|\bhost\s*[:,}]|['"]::['"]/i])) return []
  return [
    `Fastify listens on localhost only, where no other pod reaches it: write listen({ port, host: '0.0.0.0' }) in ${listening.proof}.`,
  ]
}
