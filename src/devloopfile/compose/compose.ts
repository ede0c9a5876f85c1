// From Compose files to what the API makes of them: the services that are to run, with their images.
import { dirname, join, resolve } from 'node:path'
import { didYouMean, listed } from '../../errors/did-you-mean.js'
import type { ErrorInfo, SourcePosition } from '../../errors/devloop-error.js'
import { toLabel } from '../plan/fields.js'
import { buildParts, contextOf, derivedParts, ignoredBy, type BuildParts } from './build-image.js'
import { addressed, BadFile, readEnvironment, type Peer } from './environment.js'
import { loadProject, type ComposeHost, type ComposeProject } from './load-project.js'
import { readMounts, type Mounts } from './mounts.js'
import type { MapNode, Node } from './node.js'
import { ComposeStop, createComposeProblems, type ComposeProblems } from './problems.js'
import { bool, mapping, text, type Reader } from './read.js'
import type { Composed, ComposedImage, ComposedRule, ComposedService } from './result.js'
import {
  checkService,
  plainOptions,
  readAliases,
  readCommand,
  readFiles,
  readPorts,
  type ServicePorts,
} from './service-options.js'
import { watchRules } from './watch-rules.js'

export interface ComposeRequest {
  /** Files as they were given, relative to `at`; a folder stands for its default file and override. */
  readonly files: readonly string[]
  /** Only these, and what they depend on. Undefined = all. */
  readonly services?: readonly string[] | undefined
  readonly except: readonly string[]
  readonly profiles: readonly string[]
  /** Services that run to their end, beside those that the files wait for. */
  readonly jobs: readonly string[]
  /** Where `compose` is called. */
  readonly at: SourcePosition
}

/** What is wrong with the files: every problem that was found. */
export class ComposeError extends Error {
  readonly problems: readonly ErrorInfo[]

  constructor(problems: readonly ErrorInfo[]) {
    super(problems[0]?.message)
    this.problems = problems
  }
}

/** @throws ComposeError */
export function composeProject(request: ComposeRequest, host: ComposeHost): Composed {
  const problems = createComposeProblems()
  try {
    const files = findFiles(request, host, problems)
    const project = loadProject(files, { host, problems })
    const composed = composeServices(project, request, host, problems)
    if (problems.errors().length === 0) return composed
  } catch (thrown) {
    if (!(thrown instanceof ComposeStop) && !(thrown instanceof BadFile)) throw thrown
  }
  throw new ComposeError(problems.errors())
}

const defaults = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']
const overrides = ['compose.override.yaml', 'compose.override.yml', 'docker-compose.override.yaml', 'docker-compose.override.yml']

function findFiles({ files, at }: ComposeRequest, host: ComposeHost, problems: ComposeProblems): readonly string[] {
  return files.flatMap((given) => {
    const path = resolve(dirname(at.file), given)
    const kind = host.look(path)
    if (kind === 'file') return [path]
    const found = kind === 'folder' ? defaults.find((name) => host.look(join(path, name)) === 'file') : undefined
    if (found !== undefined) {
      const over = overrides.find((name) => host.look(join(path, name)) === 'file')
      return [join(path, found), ...(over === undefined ? [] : [join(path, over)])]
    }
    problems.error(kind === 'folder' ? `There is no Compose file in '${given}'.` : `There is no Compose file '${given}'.`, {
      at,
      code: 'devloopfile/file',
      why: kind === 'folder' ? `Looked for were ${listed(defaults)} in ${path}.` : `It was looked for at ${path}.`,
      help: 'Correct the path: it is relative to the file that this call stands in.',
    })
    throw new ComposeStop()
  })
}

/** A service on its way to an app. */
interface Part {
  readonly service: string
  readonly name: string
  readonly node: MapNode
  readonly reader: Reader
  readonly ports: ServicePorts
}

function composeServices(
  project: ComposeProject,
  request: ComposeRequest,
  host: ComposeHost,
  problems: ComposeProblems,
): Composed {
  const chosen = choose(project, request, host, problems)
  const jobs = new Set(request.jobs)
  for (const name of chosen) {
    for (const [need, condition] of dependsOn(project.services.get(name) as MapNode)) {
      if (conditionOf(condition) === 'service_completed_successfully') jobs.add(need)
    }
  }
  const parts = chosen.map((service): Part => {
    const node = project.services.get(service) as MapNode
    const reader: Reader = { problems, service, what: `service '${service}'` }
    checkService(reader, node)
    return { service, name: resourceName(reader, service, node), node, reader, ports: readPorts(reader, node) }
  })
  const peers = parts.map(({ service, ports }): Peer => ({ service, ports: ports.names }))
  const links = linkAliases(parts)
  const images = createImageTable()
  const built = buildImages(parts, project, host, images)
  const services = parts.map((part, index): ComposedService => {
    const { service, name, node, reader, ports } = part
    const { mounts, image } = built[index] as Built
    const job = jobs.has(service)
    const aliases = [...new Set([...readAliases(reader, node, name), ...(links.get(service) ?? [])])]
    const volumes = { ...mounts.volumes, ...readFiles(reader, node, project) }
    const options = {
      ...(job ? { ...ports.options, headless: false } : ports.options),
      ...plainOptions(reader, node, ports, job),
      ...(aliases.length > 0 ? { aliases } : {}),
      ...(Object.keys(volumes).length > 0 ? { volumes } : {}),
    }
    const { needs, rebuildAfter } = readNeeds(part, new Set(chosen), project)
    const env = addressed(
      readEnvironment(reader, node, project, host),
      peers.filter((peer) => peer.service !== service),
    )
    const command = [
      ...(readCommand(reader, 'entrypoint', node.entries.get('entrypoint')) ?? []),
      ...(readCommand(reader, 'command', node.entries.get('command')) ?? []),
    ]
    return {
      service,
      name,
      image,
      options,
      env,
      needs,
      rebuildAfter,
      command: command.length > 0 ? command : undefined,
      warnings: [],
      at: node.at,
    }
  })
  return {
    images: images.list(),
    services: services.map((one, index) => ({ ...one, warnings: problems.warningsOf(one.service, index === 0) })),
  }
}

/** The services that are to run, in the order of the files. */
function choose(
  project: ComposeProject,
  request: ComposeRequest,
  host: ComposeHost,
  problems: ComposeProblems,
): readonly string[] {
  const { services, except, at } = request
  const all = project.services
  for (const name of [...(services ?? []), ...except]) {
    if (all.has(name)) continue
    problems.error(`There is no service '${name}'.`, {
      at,
      why: `Services: ${listed([...all.keys()])}.`,
      help: didYouMean(name, all.keys()) ?? 'Correct the name.',
    })
  }
  const profiles = new Set([...request.profiles, ...(host.env.COMPOSE_PROFILES ?? '').split(',').filter(Boolean)])
  const active = (name: string): boolean => {
    const own = all.get(name)?.entries.get('profiles')
    const list = own?.kind === 'list' ? own.items.flatMap((item) => (item.kind === 'scalar' ? [item.text] : [])) : []
    return list.length === 0 || profiles.has('*') || list.some((profile) => profiles.has(profile))
  }
  const chosen = new Set<string>()
  const visit = (name: string): void => {
    if (chosen.has(name) || except.includes(name) || !all.has(name)) return
    chosen.add(name)
    // what depends on an inactive one is told where it is read
    for (const [need] of dependsOn(all.get(name) as MapNode)) if (active(need)) visit(need)
  }
  for (const name of services ?? [...all.keys()].filter(active)) visit(name)
  if (chosen.size === 0 && problems.errors().length === 0) {
    problems.error('The Compose file has no service to run.', {
      at,
      why: all.size > 0 ? `All have profiles, or are left out: ${listed([...all.keys()])}.` : undefined,
      help: all.size > 0 ? "Name a profile: compose(file, { profiles: ['...'] })." : 'Write services: with a name for each.',
    })
  }
  return [...all.keys()].filter((name) => chosen.has(name))
}

function dependsOn(node: MapNode): readonly (readonly [string, Node])[] {
  const links = node.entries.get('links')
  const linked =
    links?.kind === 'list'
      ? links.items.flatMap((item) => (item.kind === 'scalar' ? [[item.text.split(':')[0] ?? '', item] as const] : []))
      : []
  const given = node.entries.get('depends_on')
  return [...linked, ...(given?.kind === 'map' ? given.entries : [])]
}

const conditionOf = (node: Node): string => {
  const condition = node.kind === 'map' ? node.entries.get('condition') : undefined
  return condition?.kind === 'scalar' ? condition.text : 'service_started'
}

const conditions = ['service_started', 'service_healthy', 'service_completed_successfully']

function readNeeds(
  { node, reader }: Part,
  chosen: ReadonlySet<string>,
  project: ComposeProject,
): { readonly needs: readonly string[]; readonly rebuildAfter: readonly string[] } {
  const { problems, what } = reader
  const needs = new Set<string>()
  const rebuildAfter: string[] = []
  for (const [need, settings] of dependsOn(node)) {
    const condition = conditionOf(settings)
    if (!conditions.includes(condition))
      problems.error(`${what}: there is no condition '${condition}'.`, {
        at: settings.at,
        help: `Use one of ${listed(conditions)}.`,
      })
    const optional = settings.kind === 'map' && bool(reader, 'depends_on.required', settings.entries.get('required')) === false
    const other = project.services.get(need)
    if (!other || !chosen.has(need)) {
      if (optional) continue
      const message = other
        ? `${what} depends on '${need}', which is not to run.`
        : `${what} depends on '${need}', and there is no such service.`
      problems.error(message, {
        at: settings.at,
        why: other ? 'Its profiles are not active, or it is left out.' : undefined,
        help: other
          ? 'Activate its profile, or write required: false.'
          : (didYouMean(need, project.services.keys()) ?? 'Correct the name.'),
      })
      continue
    }
    if (condition === 'service_healthy' && !other.entries.has('healthcheck')) {
      problems.warn(reader.service, `${what} waits for '${need}' to be healthy, which has no \`healthcheck\`.`, {
        at: settings.at,
        why: 'A health check of its image is not known to Kubernetes: it counts when it accepts connections, or runs.',
        help: `Give '${need}' a healthcheck.`,
      })
    }
    needs.add(need)
    if (settings.kind === 'map' && bool(reader, 'depends_on.restart', settings.entries.get('restart'))) rebuildAfter.push(need)
  }
  return { needs: [...needs], rebuildAfter }
}

/** Other names that services give each other by `links`. */
function linkAliases(parts: readonly Part[]): ReadonlyMap<string, readonly string[]> {
  const aliases = new Map<string, string[]>()
  for (const { node, reader } of parts) {
    const links = node.entries.get('links')
    for (const item of links?.kind === 'list' ? links.items : []) {
      const [service = '', alias] = (text(reader, 'links', item) ?? '').split(':')
      if (alias !== undefined && alias !== service && toLabel(alias) === alias)
        aliases.set(service, [...(aliases.get(service) ?? []), alias])
    }
  }
  return aliases
}

function resourceName(reader: Reader, service: string, node: MapNode): string {
  const label = toLabel(service)
  const name = /^[a-z]/.test(label) ? label : `s-${label}`
  if (name !== service) {
    reader.problems.warn(reader.service, `${reader.what} is called '${name}'.`, {
      at: node.at,
      why: 'A name in the cluster has lower-case letters, digits and `-` only, and begins with a letter.',
      help: `Let others reach it by '${name}'.`,
    })
  }
  return name
}

interface Built {
  readonly mounts: Mounts
  readonly image: number | string
}

/** The images of all services; those that are built alike are one. */
function buildImages(parts: readonly Part[], project: ComposeProject, host: ComposeHost, images: ImageTable): readonly Built[] {
  const prefix = repositoryName(project.name)
  const named = new Map<string, number>()
  const ready = parts.map((part) => {
    const { node, reader, service, name } = part
    const build = mapping(reader, 'build', node.entries.get('build'))
    const context = build && contextOf(reader, build)
    const dockerfile = build && text(reader, 'build.dockerfile', build.entries.get('dockerfile'))
    const ignored = context === undefined ? () => false : ignoredBy(host, context, resolve(context, dockerfile ?? 'Dockerfile'))
    const readOnly = bool(reader, 'read_only', node.entries.get('read_only')) ?? false
    const mounts = readMounts(node, { reader, host, project, name, context, readOnly, ignored })
    const reference = text(reader, 'image', node.entries.get('image'))
    const watched = watchRules(reader, mapping(reader, 'develop', node.entries.get('develop')), build ? context : undefined, host)
    if (build && context !== undefined) {
      const made = buildParts(reader, build, context, node, mounts, project, host)
      const index = images.add(
        reference === undefined ? `${prefix}/${repositoryName(service)}` : repositoryName(withoutTag(reference)),
        made,
        watched,
        build.at,
      )
      if (reference !== undefined) named.set(reference, index)
      return { part, mounts, reference: undefined, index }
    }
    return { part, mounts, reference, index: undefined }
  })
  return ready.map(({ part: { reader, node, service }, mounts, reference, index }): Built => {
    if (index !== undefined) return { mounts, image: index }
    if (reference === undefined) {
      if (!node.entries.has('build'))
        reader.problems.error(`${reader.what} has neither \`image\` nor \`build\`.`, {
          at: node.at,
          help: 'Give it one of them.',
        })
      return { mounts, image: '' }
    }
    const known = named.get(reference)
    if (mounts.live.length > 0)
      return {
        mounts,
        image: images.add(`${prefix}/${repositoryName(service)}`, derivedParts(reference, node, mounts), [], node.at),
      }
    return { mounts, image: known ?? reference }
  })
}

const withoutTag = (reference: string): string => {
  const path = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const [first = '', ...rest] = path.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? rest.join('/') : path
}

/** The nearest name of a repository. */
const repositoryName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9/._-]+/g, '-')
    .replaceAll(/[._-]{2,}/g, '-')
    .replaceAll(/^[-._/]+|[-._/]+$/g, '') || 'compose'

interface ImageTable {
  /** Index of the image: that of one which is built alike, if there is one. */
  add(name: string, parts: BuildParts, watched: readonly ComposedRule[], at: SourcePosition): number
  list(): readonly ComposedImage[]
}

function createImageTable(): ImageTable {
  const images: { readonly key: string; readonly image: ComposedImage; readonly live: ComposedRule[] }[] = []
  return {
    add(name, { options, live }, watched, at) {
      const key = JSON.stringify(options)
      let index = images.findIndex((one) => one.key === key)
      if (index < 0) {
        let free = name
        for (let count = 2; images.some(({ image }) => image.name === free); count++) free = `${name}-${count}`
        index = images.push({ key, image: { name: free, options, live: [], at }, live: [] }) - 1
      }
      const rules = images[index]?.live ?? []
      for (const rule of [...live, ...watched]) if (!rules.some((one) => sameRule(one, rule))) rules.push(rule)
      return index
    },
    list: () => images.map(({ image, live }) => ({ ...image, live })),
  }
}

const sameRule = (a: ComposedRule, b: ComposedRule): boolean =>
  a.rule === b.rule && JSON.stringify(a.args) === JSON.stringify(b.args)
