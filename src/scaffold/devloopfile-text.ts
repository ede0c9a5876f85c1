// The Devloopfile that is written for a plan.
import type { Bases } from './bases.js'
import type { LiveLine } from './component.js'
import type { ComposeFile, ComposeServiceFound, Objects } from './existing.js'
import type { Component, EnvValue, InitPlan } from './plan-types.js'
import { serviceSigns, type ServiceKind, type ServiceValue } from './service-signs.js'

export interface DevloopfileOptions {
  readonly bases: Bases
  /** Kubeconfig context that devloop may write to; undefined: none is named, and only known local clusters are let through. */
  readonly context?: string | undefined
}

/** TypeScript, formatted; the same plan gives the same bytes. */
export function devloopfileText(plan: InitPlan, { bases, context }: DevloopfileOptions): string {
  const writer = makeWriter(plan)
  const parts: string[] = []
  const resources: string[] = []
  const { compose } = plan.existing

  if (compose) {
    parts.push(`// the services of ${compose.path}\nconst services = ${composeText(compose, plan, writer)}`)
    resources.push('...services')
  }
  for (const { kind, name } of plan.services) {
    if (composeService(plan, kind)) continue
    const image = bases.redirected(kind) ? `, { image: ${quote(bases.image(kind))} }` : ''
    const proof = plan.components.flatMap(({ services }) => services.filter((need) => need.kind === kind))[0]?.finding
    parts.push(
      `// ${proof?.what ?? kind} (${proof?.proof ?? ''})\nconst ${writer.name(name)} = ${writer.use(kind)}(${quote(name)}${image})`,
    )
    resources.push(writer.name(name))
  }
  const others = plan.components.filter(({ runsBy }) => runsBy === undefined)
  const inManifests = plan.components.filter(({ runsBy }) => runsBy === 'manifests')
  for (const one of inManifests) parts.push(`${comment(one)}\nconst ${writer.name(one.name)} = ${imageText(one, writer)}`)
  for (const one of ordered(others)) {
    parts.push(`${comment(one)}\nconst ${writer.name(one.name)} = ${appText(one, plan, writer)}`)
    resources.push(writer.name(one.name))
  }
  for (const objects of objectsOf(plan, inManifests, writer)) resources.push(objects)

  const cluster = context === undefined ? '' : `\n    cluster: { contexts: [${quote(context)}] },`
  const body = `${parts.map((part) => indent(part)).join('\n\n')}${parts.length > 0 ? '\n\n' : ''}  return {
    name: ${quote(plan.project)},${cluster}
    resources: ${list(resources, 4)},
  }`
  const imports = ['defineDevloop', ...writer.used].sort()
  return `// Made by devloop init: what runs, and what a saved file leads to. It is yours, change what you like.
// A Devloopfile is TypeScript: point at anything for its meaning.
${importLine(imports)}

export default defineDevloop(() => {
${body}
})
`
}

function composeText({ path, services }: ComposeFile, plan: InitPlan, writer: Writer): string {
  const live = plan.components
    .filter((one) => one.runsBy === 'compose' && one.live.length > 0)
    .map((one) => `${key(composeName(plan, one))}: ${rulesText(one.live, writer)},`)
  const ports = services
    .filter(({ kind, saysPort }) => kind !== undefined && !saysPort)
    .map(({ name, kind }) => `${key(name)}: { port: ${serviceSigns[kind as ServiceKind].port} },`)
  const options = [section('live', live), section('apps', ports)].filter((part) => part !== '')
  return `${writer.use('compose')}(${quote(path)}${options.length === 0 ? '' : `, {\n${indent(options.join('\n'))}\n}`})`
}

const section = (name: string, entries: readonly string[]): string =>
  entries.length === 0 ? '' : `${name}: {\n${indent(entries.join('\n'))}\n},`

interface Writer {
  readonly used: ReadonlySet<string>
  /** A function of the API, which is imported then. */
  use(name: string): string
  /** The constant that stands for a resource. */
  name(resource: string): string
}

function makeWriter(plan: InitPlan): Writer {
  const used = new Set<string>()
  const names = new Map<string, string>()
  const taken = new Set(['services', ...reserved])
  const suffixes = [
    ...plan.services.map(({ name }) => [name, 'Service'] as const),
    ...plan.components.map(({ name }) => [name, 'App'] as const),
  ]
  for (const [name, suffix] of suffixes) {
    const camel = name.replaceAll(/-+(\w)/g, (_, letter: string) => letter.toUpperCase())
    let constant = taken.has(camel) ? `${camel}${suffix}` : camel
    while (taken.has(constant)) constant += '_'
    taken.add(constant)
    names.set(name, constant)
  }
  return {
    used,
    use: (name) => (used.add(name), name),
    name: (resource) => names.get(resource) ?? resource,
  }
}

/** What the file imports, and words of the language that names are likely to be. */
const reserved = [
  ...[
    'app',
    'compose',
    'defineDevloop',
    'generated',
    'helm',
    'ignore',
    'image',
    'kustomize',
    'manifests',
    'rebuildOn',
    'restart',
    'run',
    'sync',
    'text',
  ],
  ...['postgres', 'mysql', 'mongodb', 'redis', 'rabbitmq', 'kafka', 'minio'],
  ...[
    'class',
    'default',
    'delete',
    'export',
    'function',
    'import',
    'in',
    'new',
    'package',
    'public',
    'private',
    'return',
    'static',
    'switch',
    'this',
    'var',
    'void',
    'with',
  ],
]

const comment = ({ findings, folder }: Component): string => {
  const what = findings.map((one) => one.what).filter((one) => !/^(port \d|build: |its own Dockerfile$)/.test(one))
  return `// ${folder === '' ? '' : `${folder}: `}${what.join(', ')}`
}

function imageText({ image, context, folder, dockerfile, live }: Component, writer: Writer): string {
  const standard = context === '' ? 'Dockerfile' : `${context}/Dockerfile`
  const lines = [
    context === '' ? undefined : `context: ${quote(context)},`,
    dockerfile.path === standard && folder === context ? undefined : `dockerfile: ${quote(dockerfile.path)},`,
    dockerfile.target === undefined ? undefined : `target: ${quote(dockerfile.target)},`,
    live.length === 0 ? undefined : `live: ${rulesText(live, writer)},`,
  ].filter((line) => line !== undefined)
  return lines.length === 0
    ? `${writer.use('image')}(${quote(image)})`
    : `${writer.use('image')}(${quote(image)}, {\n${indent(lines.join('\n'))}\n})`
}

function appText(one: Component, plan: InitPlan, writer: Writer): string {
  const env = [
    ...Object.entries(one.env).map(([name, value]) => `${key(name)}: ${valueText(value, plan, writer)},`),
    ...one.unknown.map(({ name, proof }) => `// ${name}: read in ${proof}, and nothing tells what it is`),
  ]
  const needs = needsOf(one, plan)
  const lines = [
    `image: ${imageText(one, writer)},`,
    one.port === undefined ? undefined : `port: ${one.port.number},`,
    one.port === undefined || one.local === undefined ? undefined : `forward: ${one.local}, // http://localhost:${one.local}`,
    needs.length === 0 ? undefined : `needs: [${needs.join(', ')}],`,
    env.length === 0 ? undefined : `env: {\n${indent(env.join('\n'))}\n},`,
    one.process === undefined ? undefined : processText(one.process),
  ].filter((line) => line !== undefined)
  return `${writer.use('app')}(${quote(one.name)}, {\n${indent(lines.join('\n'))}\n})`
}

/** For `devloop watch --runtime process`. */
function processText({ prepare, command }: NonNullable<Component['process']>): string {
  const parts = [...(prepare === undefined ? [] : [`prepare: ${quote(prepare)}`]), `command: [${command.map(quote).join(', ')}]`]
  const line = `process: { ${parts.join(', ')} },`
  return line.length <= 120 ? line : `process: {\n${parts.map((part) => `  ${part},`).join('\n')}\n},`
}

/** Services of the Compose file that it waits for; those of devloop's own API are waited for by whoever refers to them. */
const needsOf = ({ services }: Component, plan: InitPlan): readonly string[] =>
  services.flatMap(({ kind }) => {
    const found = composeService(plan, kind)
    return found ? [`services.service(${quote(found.name)})`] : []
  })

const composeService = ({ existing }: InitPlan, kind: ServiceKind): ComposeServiceFound | undefined =>
  existing.compose?.services.find((one) => one.kind === kind)

const composeName = ({ existing }: InitPlan, { folder, name }: Component): string =>
  existing.compose?.services.find(({ context }) => context === folder)?.name ?? name

function valueText(value: EnvValue, plan: InitPlan, writer: Writer): string {
  switch (value.kind) {
    case 'text':
      return quote(value.text)
    case 'generated':
      return `${writer.use('generated')}(${quote(value.name)})`
    case 'component': {
      const target = writer.name(value.component)
      return value.value === 'url' ? `${writer.use('text')}\`http://\${${target}.address}\`` : `${target}.${value.value}`
    }
    case 'service': {
      const found = composeService(plan, value.service)
      if (found) return composeValue(found, value.service, value.value, writer)
      const service = writer.name(plan.services.find(({ kind }) => kind === value.service)?.name ?? value.service)
      return serviceValue(service, value.service, value.value, writer)
    }
  }
}

const jdbc: Partial<Record<ServiceKind, string>> = { postgres: 'postgresql', mysql: 'mysql' }

/** A value that the API's service has a property for, or that is put together of several. */
function serviceValue(service: string, kind: ServiceKind, value: ServiceValue, writer: Writer): string {
  const part = (name: string): string => `\${${service}.${name}}`
  if (value === 'jdbc') return `${writer.use('text')}\`jdbc:${jdbc[kind]}://${part('address')}/${part('database')}\``
  if (value === 'ado')
    return `${writer.use('text')}\`Host=${part('host')};Port=${part('port')};Database=${part('database')};Username=${part('user')};Password=${part('password')}\``
  return `${service}.${value}`
}

/** The same of a service of a Compose file, whose user and password stand there. */
function composeValue(
  { name, environment }: ComposeServiceFound,
  kind: ServiceKind,
  value: ServiceValue,
  writer: Writer,
): string {
  const service = `services.service(${quote(name)})`
  const { user, password, database } = composeCredentials(kind, environment)
  const at = `\${${service}.address}`
  const template = (body: string): string => `${writer.use('text')}\`${body}\``
  const login = password === '' ? '' : `${user}:${password}@`
  switch (value) {
    case 'url':
      return {
        postgres: template(`postgres://${login}${at}/${database}`),
        mysql: template(`mysql://${login}${at}/${database}`),
        mongodb: template(`mongodb://${login}${at}/${database}${login === '' ? '' : '?authSource=admin'}`),
        redis: template(`redis://${at}`),
        rabbitmq: template(`amqp://${login}${at}`),
        kafka: `${service}.address`,
        minio: template(`http://${at}`),
      }[kind]
    case 'jdbc':
      return template(`jdbc:${jdbc[kind]}://${at}/${database}`)
    case 'ado':
      return template(
        `Host=\${${service}.host};Port=\${${service}.port};Database=${database};Username=${user};Password=${password}`,
      )
    case 'brokers':
    case 'address':
      return `${service}.address`
    case 'host':
    case 'port':
      return `${service}.${value}`
    case 'user':
      return quote(user)
    case 'password':
      return quote(password)
    case 'database':
    case 'bucket':
      return quote(database)
  }
}

function composeCredentials(
  kind: ServiceKind,
  environment: Readonly<Record<string, string>>,
): Record<'user' | 'password' | 'database', string> {
  const first = (names: readonly string[], otherwise: string): string =>
    names.map((name) => environment[name]).find((value) => value !== undefined) ?? otherwise
  const standard = {
    postgres: 'postgres',
    mysql: 'root',
    mongodb: '',
    redis: '',
    rabbitmq: 'guest',
    kafka: '',
    minio: 'minioadmin',
  }[kind]
  const user = first(
    ['POSTGRES_USER', 'MYSQL_USER', 'MARIADB_USER', 'MONGO_INITDB_ROOT_USERNAME', 'RABBITMQ_DEFAULT_USER', 'MINIO_ROOT_USER'],
    standard,
  )
  return {
    user,
    password: first(
      [
        'POSTGRES_PASSWORD',
        ...(user === 'root' ? ['MYSQL_ROOT_PASSWORD', 'MARIADB_ROOT_PASSWORD'] : []),
        'MYSQL_PASSWORD',
        'MARIADB_PASSWORD',
        'MONGO_INITDB_ROOT_PASSWORD',
        'RABBITMQ_DEFAULT_PASS',
        'MINIO_ROOT_PASSWORD',
      ],
      kind === 'rabbitmq' || kind === 'minio' ? standard : '',
    ),
    database: first(
      ['POSTGRES_DB', 'MYSQL_DATABASE', 'MARIADB_DATABASE', 'MONGO_INITDB_DATABASE'],
      kind === 'postgres' ? user : 'app',
    ),
  }
}

/** Manifests, charts and kustomizations, with the images that they use. */
function objectsOf({ existing, components, services }: InitPlan, built: readonly Component[], writer: Writer): readonly string[] {
  const taken = new Set([...components, ...services].map(({ name }) => name))
  const named = ({ name, folder }: Objects, standard: string): string => {
    const wanted = (/^(overlays|base|dev|development|local|chart|charts|k8s|manifests|)$/.test(name) ? standard : name)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
    let unique = folder === '' ? standard : wanted
    for (let i = 2; taken.has(unique); i++) unique = `${wanted}-${i}`
    taken.add(unique)
    return quote(unique)
  }
  const images = (objects: Objects, also = ''): string => {
    const used = built.filter(({ image }) => objects.images.includes(image)).map(({ name }) => writer.name(name))
    const parts = [also, used.length === 0 ? '' : `images: [${used.join(', ')}]`].filter((part) => part !== '')
    return parts.length === 0 ? '' : `, { ${parts.join(', ')} }`
  }
  return [
    ...existing.manifests.map(
      (one) =>
        `${writer.use('manifests')}(${named(one, 'manifests')}, ${quote(`${one.folder === '' ? '' : `${one.folder}/`}*.y*ml`)}${images(one)})`,
    ),
    ...existing.kustomizations.map(
      (one) => `${writer.use('kustomize')}(${named(one, 'kustomization')}, ${quote(one.folder || '.')}${images(one)})`,
    ),
    ...existing.charts.map(
      (one) =>
        `${writer.use('helm')}(${named(one, 'chart')}${images(one, `chart: ${quote(`./${one.folder}`.replace(/\/$/, ''))}`)})`,
    ),
  ]
}

function rulesText(live: readonly LiveLine[], writer: Writer): string {
  return `[\n${live.map((line) => indent(`${ruleText(line, writer)},`)).join('\n')}\n]`
}

function ruleText(line: LiveLine, writer: Writer): string {
  const on = (globs: readonly string[] | undefined): string => (globs === undefined ? '' : `{ on: ${strings(globs)} }`)
  const call = (...args: readonly string[]): string => `${writer.use(line.rule)}(${args.filter((arg) => arg !== '').join(', ')})`
  switch (line.rule) {
    case 'sync': {
      const more = [
        line.include === undefined ? '' : `include: ${strings(line.include)}`,
        line.exclude === undefined ? '' : `exclude: ${strings(line.exclude)}`,
      ].filter((part) => part !== '')
      return call(quote(line.from), quote(line.to), more.length === 0 ? '' : `{ ${more.join(', ')} }`)
    }
    case 'run':
      return call(typeof line.command === 'string' ? quote(line.command) : `[${line.command.map(quote).join(', ')}]`, on(line.on))
    case 'restart':
      return call(on(line.on))
    case 'rebuildOn':
    case 'ignore':
      return call(...line.paths.map(quote))
  }
}

const strings = (values: readonly string[]): string =>
  values.length === 1 ? quote(values[0] as string) : `[${values.map(quote).join(', ')}]`

/** Those that others refer to come first; where that is a circle, the order stays. */
function ordered(components: readonly Component[]): readonly Component[] {
  const result: Component[] = []
  const visit = (one: Component, above: readonly Component[]): void => {
    if (result.includes(one) || above.includes(one)) return
    for (const value of Object.values(one.env)) {
      const target = value.kind === 'component' ? components.find(({ name }) => name === value.component) : undefined
      if (target) visit(target, [...above, one])
    }
    result.push(one)
  }
  for (const one of components) visit(one, [])
  return result
}

const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&').replaceAll('\n', '\\n')}'`
const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name))
const indent = (text: string, by = 2): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(by))

function list(items: readonly string[], depth: number): string {
  const line = `[${items.join(', ')}]`
  return line.length <= 100
    ? line
    : `[\n${items.map((item) => `${' '.repeat(depth + 2)}${item},`).join('\n')}\n${' '.repeat(depth)}]`
}

const importLine = (names: readonly string[]): string => {
  const line = `import { ${names.join(', ')} } from 'devloop'`
  return line.length <= 130 ? line : `import {\n${names.map((name) => `  ${name},`).join('\n')}\n} from 'devloop'`
}
