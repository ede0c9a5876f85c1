// What Maven and Gradle projects have in common: the main class, Spring's settings, ports, and the Dockerfile. The app runs from its classes and
// a folder of libraries, in both stages: a saved source is compiled in the container, and nothing is packed.
import type { Finding, Found, LiveLine, Place } from '../component.js'
import { dockerfileOf, runs, shareWithGroup, type Line } from '../dockerfile-text.js'
import { findInFiles, findPort, sourceFiles, type Port } from '../find-text.js'
import { parseYaml, textAt } from '../read-data.js'
import { inFolder, isWithin, pathWithin, type SourceTree } from '../source-tree.js'

/** Where the libraries are in the image: outside of the sources. */
export const libraryFolder = '/opt/lib'

/** What the two build tools say of a module. */
export interface JavaModule {
  readonly root: string
  readonly name: string
  readonly findings: readonly Finding[]
  readonly notes?: readonly string[]
  readonly version: string
  /** Names of libraries as `group:artifact`. */
  readonly libraries: Found['libraries']
  /** Class that the build file names. */
  readonly mainClass?: { readonly name: string; readonly proof: string } | undefined
  /** Folders of the modules that it is compiled with, itself first. */
  readonly modules: readonly string[]
  /** Folders of a module that hold its compiled classes and its resources. */
  readonly classes: readonly string[]
  readonly image: string
  readonly env: readonly string[]
  /** What is copied before the sources: files, and folders that end with `/`, relative to the root. */
  readonly manifests: readonly string[]
  /** Shell commands in the image: all that it depends on into `libraryFolder`, and the sources into classes. */
  readonly fetch: string
  readonly compile: string
  /** In a running container, where all is there. */
  readonly recompile: string
  /** On this machine: the libraries into a folder, and that folder, relative to the root. */
  readonly here: { readonly prepare: string; readonly libraries: string }
  readonly ignore: readonly string[]
}

/** Undefined when the module has no program, as a library has. */
export function javaComponent(place: Place, module: JavaModule): Found | undefined {
  const { tree, folder, bases } = place
  const sources = tree.paths.filter((path) => isWithin(path, inFolder(folder, 'src/main')) && /\.(java|kt)$/.test(path))
  const main = module.mainClass ?? mainClass(place, sources)
  if (!main) return undefined
  const libraries = new Set(module.libraries.map(({ name }) => name))
  const isSpring = [...libraries].some((name) => name.startsWith('org.springframework.boot:'))
  const settings = springSettings(tree, folder)
  const port = portOf(tree, folder, sources, libraries, isSpring ? settings : undefined)
  const devtools = libraries.has('org.springframework.boot:spring-boot-devtools')
  const at = (one: string): string => pathWithin(one, module.root)
  const classes = module.modules.flatMap((one) => module.classes.map((part) => inFolder(at(one), part)))
  const command = ['java', '-cp', [...classes.map((path) => `/app/${path}`), `${libraryFolder}/*`].join(':'), main.name]
  const here = [
    'exec java',
    ...(port && isSpring ? ['-Dserver.port=$PORT'] : []),
    '-cp',
    `'${[...classes, `${module.here.libraries}/*`].join(':')}'`,
    main.name,
  ]
  return {
    name: module.name,
    kind: 'java',
    findings: [
      ...module.findings,
      ...(isSpring ? [{ what: 'Spring Boot', proof: module.libraries[0]?.proof ?? main.proof }] : []),
      { what: `main class ${main.name}`, proof: main.proof },
    ],
    ...(module.notes ? { notes: module.notes } : {}),
    context: module.root,
    dockerfile: { text: dockerfile(module, bases.image('java-run', module.version), classes, command, port) },
    ignore: module.ignore,
    live: [
      { rule: 'rebuildOn', paths: module.manifests.map((path) => path.replace(/\/$/, '')) },
      { rule: 'ignore', paths: ['**/src/test', ...foreignModules(tree, module)] },
      { rule: 'sync', from: '.', to: '/app' },
      { rule: 'run', command: module.recompile },
      // with its developer tools, Spring sees new classes itself
      ...(devtools ? [] : [{ rule: 'restart' } as const]),
    ] satisfies LiveLine[],
    ...(port ? { port } : {}),
    process: { prepare: module.here.prepare, command: ['sh', '-c', here.join(' ')] },
    libraries: module.libraries,
    ...(module.modules.length > 1
      ? { sources: module.modules.flatMap((one) => sourceFiles(tree, one, ['.java', '.kt', '.properties', '.yml', '.yaml'])) }
      : {}),
    variables: isSpring ? variables(module, settings) : [],
  }
}

/** Folders of other modules, which this one does not use. */
const foreignModules = (tree: SourceTree, { root, modules, manifests }: JavaModule): readonly string[] =>
  manifests
    .filter((path) => /(^|\/)(pom\.xml|build\.gradle(\.kts)?)$/.test(path) && path.includes('/'))
    .map((path) => path.slice(0, path.lastIndexOf('/')))
    .filter((path) => !modules.some((one) => isWithin(one, inFolder(root, path)) || pathWithin(one, root) === path))
    .filter((path) => tree.folders.includes(inFolder(root, path)))

/** The class with `main` in these sources; of several, the one of Spring Boot. */
function mainClass({ tree, folder, ask }: Place, sources: readonly string[]): { name: string; proof: string } | undefined {
  const candidates = sources.flatMap((proof) => {
    const text = tree.read(proof) ?? ''
    const isKotlin = proof.endsWith('.kt')
    if (!(isKotlin ? /^(suspend )?fun main\(/m : /\bstatic\s+(?:final\s+)?void\s+main\s*\(/).test(text)) return []
    const file = proof.slice(proof.lastIndexOf('/') + 1, -(isKotlin ? '.kt' : '.java').length)
    const inside = /^package\s+([\w.]+)/m.exec(text)?.[1]
    const name = isKotlin ? `${file}Kt` : file
    return [{ name: inside === undefined ? name : `${inside}.${name}`, proof, isSpring: text.includes('@SpringBootApplication') }]
  })
  const spring = candidates.filter(({ isSpring }) => isSpring)
  const choices = spring.length > 0 ? spring : candidates
  const [first] = choices
  if (!first || choices.length === 1) return first
  const name = ask({
    id: inFolder(folder, 'main'),
    message: `Which class of ${folder || 'the project'} starts the app?`,
    choices: choices.map((one) => ({ value: one.name, label: one.name })),
    fallback: first.name,
  })
  return choices.find((one) => one.name === name) ?? first
}

interface Setting {
  readonly value: string
  readonly proof: string
}

/** Spring's settings by their names with dots, of `application.properties` and `application.yml`. */
function springSettings(tree: SourceTree, folder: string): ReadonlyMap<string, Setting> {
  const found = new Map<string, Setting>()
  const add = (name: string, value: string, proof: string): void => {
    if (!found.has(name)) found.set(name, { value, proof })
  }
  for (const name of ['application.properties', 'application.yml', 'application.yaml']) {
    const proof = inFolder(folder, `src/main/resources/${name}`)
    const text = tree.read(proof)
    if (text === undefined) continue
    if (name.endsWith('.properties')) {
      for (const [, key, value] of text.matchAll(/^\s*([\w.[\]-]+)\s*[=:]\s*(.*?)\s*$/gm)) add(key ?? '', value ?? '', proof)
      continue
    }
    const visit = (value: unknown, path: string): void => {
      if (typeof value === 'object' && value !== null)
        for (const [key, inner] of Object.entries(value)) visit(inner, path === '' ? key : `${path}.${key}`)
      else if (value !== undefined && value !== null) add(path, textAt({ value }, 'value') ?? '', proof)
    }
    for (const document of parseYaml(text)) visit(document, '')
  }
  return found
}

/** Variables that Spring reads although no file names them: a setting `spring.datasource.url` is also `SPRING_DATASOURCE_URL`. */
function variables({ libraries }: JavaModule, settings: ReadonlyMap<string, Setting>): NonNullable<Found['variables']> {
  const placeholders = [...settings].flatMap(([, { value, proof }]) =>
    [...value.matchAll(/\$\{([A-Z][A-Z0-9_]*)/g)].map(([, name]) => ({ name: name as string, proof })),
  )
  // what is only a part of a setting does not decide it
  const covered = (setting: string): boolean => /^\$\{[A-Z][A-Z0-9_]*(:[^}]*)?\}$/.test(settings.get(setting)?.value ?? '')
  const own = springVariables
    .filter(({ library }) => libraries.some(({ name }) => library.test(name)))
    .flatMap(({ settings: names, library }) => {
      const proof = libraries.find(({ name }) => library.test(name))?.proof ?? ''
      return names
        .filter((setting) => !covered(setting))
        .map((setting) => ({
          name: setting.toUpperCase().replaceAll(/[.-]/g, '_'),
          proof: settings.get(setting)?.proof ?? proof,
        }))
    })
  return [...placeholders, ...own]
}

const springVariables: readonly { readonly library: RegExp; readonly settings: readonly string[] }[] = [
  {
    library: /spring-boot-starter-(data-)?(jpa|jdbc)$/,
    settings: ['spring.datasource.url', 'spring.datasource.username', 'spring.datasource.password'],
  },
  { library: /spring-boot-starter-data-mongodb/, settings: ['spring.data.mongodb.uri'] },
  { library: /spring-boot-starter-data-redis/, settings: ['spring.data.redis.host', 'spring.data.redis.port'] },
  {
    library: /spring-boot-starter-amqp$|spring-rabbit$/,
    settings: ['spring.rabbitmq.host', 'spring.rabbitmq.port', 'spring.rabbitmq.username', 'spring.rabbitmq.password'],
  },
  { library: /spring-kafka$/, settings: ['spring.kafka.bootstrap-servers'] },
]

/** Undefined where nothing listens, as in a worker. */
function portOf(
  tree: SourceTree,
  folder: string,
  sources: readonly string[],
  libraries: ReadonlySet<string>,
  settings: ReadonlyMap<string, Setting> | undefined,
): Port | undefined {
  const setting = settings?.get('server.port')
  const said = Number(
    /^\$\{[^:}]*:(\d+)\}$|^(\d+)$/
      .exec(setting?.value ?? '')
      ?.slice(1)
      .find((one) => one !== undefined),
  )
  if (setting && said > 0) return { number: said, proof: setting.proof }
  const web = [...libraries].find((name) => /spring-boot-starter-(web|webflux|jetty|undertow|graphql)$/.test(name))
  const listens = findInFiles(tree, sources, [
    /\bHttpServer\.create\(|\bnew ServerSocket\(|\bnew InetSocketAddress\(|Javalin\.create|\bnew Server\(|ServerBuilder\.forPort|embeddedServer\(|Vertx\.vertx/,
  ])
  if (settings && web !== undefined && !listens) return { number: 8080, proof: setting?.proof ?? inFolder(folder, 'src/main') }
  if (!listens) return undefined
  const found = findPort(tree, folder, sources, [
    /"PORT"\s*,\s*"(\d{2,5})"/,
    /InetSocketAddress\((?:[^(),]+,\s*)?(\d{2,5})\)/,
    /(?:ServerSocket|forPort|\.start|\.listen|new Server)\(\s*(\d{2,5})/,
    /\bport\s*=\s*(\d{2,5})\b/i,
  ])
  return found ?? { number: 8080, proof: listens.proof, assumed: true }
}

function dockerfile(
  module: JavaModule,
  runImage: string,
  classes: readonly string[],
  command: readonly string[],
  port: Port | undefined,
): string {
  const { image, env, manifests, fetch, compile } = module
  const folders = [
    ...new Set(manifests.filter((path) => !path.endsWith('/')).map((path) => path.slice(0, path.lastIndexOf('/') + 1))),
  ]
  const filesOf = (folder: string): readonly string[] =>
    manifests.filter((path) => !path.endsWith('/') && path.slice(0, path.lastIndexOf('/') + 1) === folder)
  return dockerfileOf([
    { lines: [`FROM ${image} AS base`, `ENV ${['HOME=/app', ...env].join(' ')}`, 'WORKDIR /app'] },
    {
      why: 'The libraries, and what builds with them: a layer of its own, which is used again until the files that name them change.',
      lines: [
        'FROM base AS dependencies',
        ...folders.map((folder) => `COPY ${filesOf(folder).join(' ')} ./${folder}`),
        ...manifests.filter((path) => path.endsWith('/')).map((path): Line => `COPY ${path} ./${path}`),
        `RUN umask 002 && mkdir -p ${libraryFolder} && ${fetch}`,
      ],
    },
    {
      why: 'What devloop runs: saved files are synced into it, and compiled there.',
      lines: [
        'FROM dependencies AS dev',
        'COPY . .',
        `RUN umask 002 && ${compile} && ${shareWithGroup()}`,
        ...runs(command, port?.number),
      ],
    },
    { lines: ['FROM dependencies AS build', 'COPY . .', `RUN ${compile}`] },
    {
      lines: [
        `FROM ${runImage} AS prod`,
        'ENV HOME=/app',
        'WORKDIR /app',
        `COPY --from=build ${libraryFolder} ${libraryFolder}`,
        ...classes.map((path): Line => `COPY --from=build /app/${path} ./${path}`),
        `RUN ${shareWithGroup()}`,
        ...runs(command, port?.number),
      ],
    },
  ])
}
