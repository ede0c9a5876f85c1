// From Compose files to one project: env files, includes, several files over each other, services that extend others.
import { basename, dirname, join, resolve } from 'node:path'
import type { SourcePosition } from '../../errors/devloop-error.js'
import { didYouMean } from '../../errors/did-you-mean.js'
import { absolute, canonicalService } from './canonical.js'
import { parseDotenv } from '../../model/dotenv.js'
import { topLevelKeys } from './keys.js'
import { merge } from './merge.js'
import { map, readYaml, withEntry, type MapNode, type Node, type ReadOptions } from './node.js'
import { ComposeStop, type ComposeProblems } from './problems.js'
import { checkKeys, items, mapping, text, texts, type Reader } from './read.js'
import { interpolate } from '../../model/variables.js'

/** What loading needs of its surroundings. Reading and looking are noted: a change there loads everything again. */
export interface ComposeHost {
  readonly yaml: ReadOptions['yaml']
  readonly env: Readonly<Record<string, string | undefined>>
  /** Undefined = there is no such file. @throws the file system's error */
  read(file: string): string | undefined
  /** Undefined = there is nothing, or it may not be looked at. */
  look(path: string): 'file' | 'folder' | undefined
  /** Names in a folder; none when it cannot be read. */
  names(folder: string): readonly string[]
  /** Size of all files below a folder, counted up to a limit. */
  size(folder: string, limit: number): { readonly bytes: number; readonly files: number }
}

export interface ComposeProject {
  readonly name: string
  /** The folder of the first file. */
  readonly root: string
  /** In canonical form, in the order of the files. */
  readonly services: ReadonlyMap<string, MapNode>
  readonly volumes: ReadonlyMap<string, Node>
  readonly secrets: ReadonlyMap<string, Node>
  readonly configs: ReadonlyMap<string, Node>
  /** Variables as the files see them. */
  readonly variable: (name: string) => string | undefined
}

const sections = ['services', 'volumes', 'secrets', 'configs'] as const
type Sections = Record<(typeof sections)[number], Map<string, Node>>

export interface LoadOptions {
  readonly host: ComposeHost
  readonly problems: ComposeProblems
}

/**
 * @param files absolute paths; later ones are laid over earlier ones
 * @throws ComposeStop when a file cannot be read as one; why is among the problems
 */
export function loadProject(files: readonly string[], options: LoadOptions): ComposeProject {
  const root = dirname(files[0] as string)
  return projectOf(files, root, [join(root, '.env')], (name) => options.host.env[name], options, [])
}

function projectOf(
  files: readonly string[],
  root: string,
  envFiles: readonly string[],
  outer: (name: string) => string | undefined,
  options: LoadOptions,
  above: readonly string[],
): ComposeProject {
  const { host, problems } = options
  const own = readEnvFiles(envFiles, outer, options)
  const variable = (name: string): string | undefined => outer(name) ?? own.get(name)
  const documents = files.map((file) => readDocument(file, variable, options))
  const reader: Reader = { problems, service: undefined, what: basename(files[0] as string) }

  const extended = (document: Document, name: string, path: readonly string[]): MapNode | undefined => {
    const service = document.services.get(name)
    if (!service) return undefined
    const extend = service.entries.get('extends')
    const bare = withEntry(service, 'extends', undefined)
    if (!extend || extend.tag === 'reset') return bare
    const what: Reader = { problems, service: name, what: `service '${name}'` }
    const from =
      extend.kind === 'scalar'
        ? extend.text
        : text(what, 'extends.service', mapping(what, 'extends', extend)?.entries.get('service'))
    if (from === undefined)
      return (
        problems.error(`service '${name}': \`extends\` names no service.`, {
          at: extend.at,
          help: 'Write extends: { service: ... }.',
        }) ?? bare
      )
    const file = extend.kind === 'map' ? text(what, 'extends.file', extend.entries.get('file')) : undefined
    const other = file === undefined ? document : readDocument(absolute(document.base, file), variable, options, extend.at)
    const key = `${other.file} ${from}`
    if (path.includes(key))
      return problems.error(`service '${name}' extends itself.`, { at: extend.at, help: 'Remove one of the `extends`.' }) ?? bare
    const base = extended(other, from, [...path, key])
    if (!base) {
      const help = didYouMean(from, other.services.keys())
      problems.error(`service '${name}' extends '${from}', and there is no such service in ${basename(other.file)}.`, {
        at: extend.at,
        help,
      })
      return bare
    }
    return merge(base, bare) as MapNode
  }

  const all: Sections = { services: new Map(), volumes: new Map(), secrets: new Map(), configs: new Map() }
  let name: string | undefined
  for (const document of documents) {
    name = text(reader, 'name', document.top.entries.get('name')) ?? name
    for (const include of items(reader, 'include', document.top.entries.get('include'))) {
      addIncluded(all, includedProject(include, document, variable, options, [...above, ...files]), include.at, options)
    }
    for (const service of document.services.keys()) {
      const node = extended(document, service, [`${document.file} ${service}`])
      const merged = node && merge(all.services.get(service), node)
      if (merged) all.services.set(service, merged)
      else all.services.delete(service)
    }
    for (const section of ['volumes', 'secrets', 'configs'] as const) {
      for (const [key, node] of mapping(reader, section, document.top.entries.get(section))?.entries ?? []) {
        const placed = section === 'volumes' ? node : absoluteFile(node, document.base)
        const merged = merge(all[section].get(key), placed)
        if (merged) all[section].set(key, merged)
      }
    }
  }
  const fallback = host.env.COMPOSE_PROJECT_NAME ?? own.get('COMPOSE_PROJECT_NAME') ?? basename(root)
  return { ...all, services: all.services as Map<string, MapNode>, name: name ?? fallback, root, variable }
}

/** A secret or config whose `file` is absolute. */
function absoluteFile(node: Node, base: string): Node {
  const file = node.kind === 'map' ? node.entries.get('file') : undefined
  if (node.kind !== 'map' || file?.kind !== 'scalar' || file.value === null) return node
  const path = absolute(base, file.text)
  return withEntry(node, 'file', { ...file, value: path, text: path })
}

interface Document {
  readonly file: string
  readonly base: string
  readonly top: MapNode
  readonly services: ReadonlyMap<string, MapNode>
}

function readDocument(
  file: string,
  variable: (name: string) => string | undefined,
  { host, problems }: LoadOptions,
  from?: SourcePosition,
): Document {
  const stop = (
    message: string,
    at: SourcePosition,
    why?: string,
    help?: string,
    code: 'devloopfile/yaml' | 'devloopfile/file' | 'compose/invalid' = 'devloopfile/yaml',
  ): never => {
    problems.error(message, { at, why, help, code })
    throw new ComposeStop()
  }
  let content: string | undefined
  try {
    content = host.read(file)
  } catch (error) {
    stop(`${basename(file)} cannot be read.`, from ?? { file, line: 1 }, (error as Error).message, undefined, 'devloopfile/file')
  }
  if (content === undefined) {
    return stop(
      `There is no Compose file '${basename(file)}'.`,
      from ?? { file, line: 1 },
      `It was looked for at ${file}.`,
      'Correct the path.',
      'devloopfile/file',
    )
  }
  const told = new Set<string>()
  const top = readYaml(content, file, {
    yaml: host.yaml,
    fail: (message, at, why) => stop(message, at, why),
    interpolate: (value, at) =>
      interpolate(value, {
        get: variable,
        unset(name) {
          if (told.has(name)) return
          told.add(name)
          problems.warn(undefined, `The variable ${name} is not set, so it stands for nothing.`, {
            at,
            help: `Set ${name} in .env or in the environment, or write \${${name}:-} when that is meant.`,
          })
        },
        fail: (message, help) => stop(message, at, undefined, help, 'compose/invalid'),
      }),
  })
  const reader: Reader = { problems, service: undefined, what: basename(file) }
  if (top.kind !== 'map') {
    return stop(
      'This is no Compose file: it must be a mapping with `services`.',
      { file, line: 1, column: 1 },
      undefined,
      'Write services: and below it a name for each service.',
    )
  }
  checkKeys(reader, '', top, topLevelKeys.keys())
  for (const [key, treatment] of topLevelKeys) {
    const node = top.entries.get(key)
    if (node && typeof treatment === 'object' && 'error' in treatment) {
      problems.error(`\`${key}\` cannot be followed.`, { at: node.at, why: treatment.error, code: 'compose/unsupported' })
    }
  }
  const base = dirname(file)
  const services = new Map<string, MapNode>()
  for (const [name, node] of mapping(reader, 'services', top.entries.get('services'))?.entries ?? []) {
    const service = mapping({ ...reader, what: 'services' }, name, node)
    if (service) services.set(name, canonicalService({ problems, service: name, what: `service '${name}'` }, service, base))
    else if (node.kind === 'scalar' && node.value === null) services.set(name, map([], node.at))
  }
  return { file, base, top, services }
}

function includedProject(
  include: Node,
  document: Document,
  outer: (name: string) => string | undefined,
  options: LoadOptions,
  above: readonly string[],
): ComposeProject {
  const { problems } = options
  const reader: Reader = { problems, service: undefined, what: 'include' }
  const entries = include.kind === 'map' ? include.entries : new Map([['path', include]])
  const files = texts(reader, 'path', entries.get('path')).map((path) => absolute(document.base, path))
  const [first] = files
  if (first === undefined) {
    problems.error('`include` names no file.', { at: include.at, help: 'Write the path of a Compose file.' })
    throw new ComposeStop()
  }
  if (files.some((file) => above.includes(file))) {
    problems.error(`${basename(first)} includes itself.`, { at: include.at, help: 'Remove one of the includes.' })
    throw new ComposeStop()
  }
  const folder = text(reader, 'project_directory', entries.get('project_directory'))
  const root = folder === undefined ? dirname(first) : resolve(document.base, folder)
  const envFiles = texts(reader, 'env_file', entries.get('env_file')).map((path) => absolute(document.base, path))
  return projectOf(files, root, envFiles.length > 0 ? envFiles : [join(root, '.env')], outer, options, above)
}

function addIncluded(all: Sections, included: ComposeProject, at: SourcePosition, { problems }: LoadOptions): void {
  for (const section of sections) {
    for (const [name, node] of included[section]) {
      if (section === 'services' && all.services.has(name)) {
        problems.error(`The included file has a service '${name}' too.`, {
          at,
          help: 'Name one of them differently, or use several files: compose([a, b]).',
        })
      } else if (!all[section].has(name)) all[section].set(name, node)
    }
  }
}

/** Variables of `.env` files; one that is not there has none. */
function readEnvFiles(
  files: readonly string[],
  outer: (name: string) => string | undefined,
  { host, problems }: LoadOptions,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const file of files) {
    const content = host.read(file)
    if (content === undefined) continue
    const parsed = parseDotenv(content, {
      get: (name) => outer(name) ?? values.get(name),
      fail(message, help, line) {
        problems.error(`${basename(file)}: ${message}`, { at: { file, line }, help })
        throw new ComposeStop()
      },
    })
    for (const [name, value] of parsed) if (value !== undefined) values.set(name, value)
  }
  return values
}
