// The image of a service: its build, and the folders that are mounted over it.
import { join, relative, resolve } from 'node:path'
import { compileDockerignore, dockerignoreFiles } from '../../model/dockerignore.js'
import { isRemote } from './canonical.js'
import { buildKeys } from './keys.js'
import type { ComposeHost, ComposeProject } from './load-project.js'
import { plain } from './merge.js'
import { commonFolder, type LiveMount, type Mounts } from './mounts.js'
import type { MapNode, Node } from './node.js'
import { bool, checkKeys, items, mapping, text, texts, type Reader } from './read.js'
import type { ComposedRule } from './result.js'
import { serviceUser } from './user.js'

export interface BuildParts {
  readonly context: string
  readonly options: Readonly<Record<string, unknown>>
  readonly live: readonly ComposedRule[]
}

/** Folder of a build, if it is one that can be built. */
export function contextOf(reader: Reader, build: MapNode): string | undefined {
  const context = text(reader, 'build.context', build.entries.get('context')) ?? '.'
  if (!isRemote(context)) return context
  return reader.problems.error(`${reader.what} is built from ${context}.`, {
    at: build.entries.get('context')?.at ?? build.at,
    code: 'compose/unsupported',
    why: 'A build context is a folder of this machine.',
    help: 'Check the repository out beside this one, or name an image that is built already.',
  })
}

/** Whether a path of a context is left out by its .dockerignore. */
export function ignoredBy(host: ComposeHost, context: string, dockerfile: string | undefined): (path: string) => boolean {
  for (const file of dockerignoreFiles(context, dockerfile)) {
    const content = host.read(file)
    if (content === undefined) continue
    try {
      const ignores = compileDockerignore(content, file)
      return (path) => path !== '' && ignores(path, true)
    } catch {
      // what is wrong with it is told by whoever builds
      return () => false
    }
  }
  return () => false
}

/** Options of `image` for a service with `build`. */
export function buildParts(
  reader: Reader,
  build: MapNode,
  context: string,
  service: MapNode,
  mounts: Mounts,
  project: ComposeProject,
  host: ComposeHost,
): BuildParts {
  const { entries } = build
  const get = (key: string): string | undefined => text(reader, `build.${key}`, entries.get(key))
  checkKeys(reader, 'build', build, buildKeys.keys())
  for (const [key, treatment] of buildKeys) {
    const node = entries.get(key)
    if (!node || typeof treatment !== 'object' || !('error' in treatment) || (node.kind === 'scalar' && node.text === 'false'))
      continue
    const why = treatment.error
    reader.problems.error(`${reader.what}: \`build.${key}\` cannot be followed.`, {
      at: node.at,
      code: 'compose/unsupported',
      why,
    })
  }
  const inline = get('dockerfile_inline')
  const path = resolve(context, get('dockerfile') ?? 'Dockerfile')
  const target = get('target')
  const common = { context, ...buildOptions(reader, build, project) }
  const plainFile = inline === undefined ? (entries.has('dockerfile') ? { dockerfile: path } : {}) : { dockerfile: { inline } }
  if (mounts.live.length === 0)
    return { context, live: [], options: { ...common, ...plainFile, ...(target === undefined ? {} : { target }) } }
  const content = inline ?? host.read(path)
  // a Dockerfile that is not there is told by whoever makes the image
  if (content === undefined) return { context, live: mountRules(mounts, context), options: { ...common, ...plainFile } }
  const owner = serviceUser(service) ?? lastUser(content, target)
  const stage = target === undefined ? '' : `\nFROM ${target} AS devloop-mounts`
  const dockerfile = { inline: `${content.trimEnd()}\n${stage}\n${copies(mounts.live, context, owner)}\n` }
  return {
    context,
    live: mountRules(mounts, context),
    options: { ...common, dockerfile, ...(target === undefined ? {} : { target: 'devloop-mounts' }) },
  }
}

/** Options of `image` for a service that has an image alone, and folders of this machine in it. */
export function derivedParts(reference: string, service: MapNode, mounts: Mounts): BuildParts {
  const context = commonFolder(mounts.live.map(({ source }) => source))
  const inline = `FROM ${reference}\n${copies(mounts.live, context, serviceUser(service))}\n`
  return { context, live: mountRules(mounts, context), options: { context, dockerfile: { inline } } }
}

const copies = (mounts: readonly LiveMount[], context: string, owner: string | undefined): string =>
  mounts
    .map(({ source, target, isFile }) => {
      const from = relative(context, source) || '.'
      return `COPY ${owner === undefined ? '' : `--chown=${owner} `}${JSON.stringify([from, isFile ? target : `${target}/`])}`
    })
    .join('\n')

function mountRules({ live, masks }: Mounts, context: string): readonly ComposedRule[] {
  const rules: ComposedRule[] = []
  for (const { source, target, isFile, at } of live) {
    const from = relative(context, source)
    if (!isFile) {
      // what the image itself has there must not be covered by what is on this machine
      for (const mask of masks.filter((one) => one.startsWith(`${target}/`))) {
        rules.push({ rule: 'ignore', args: [join(from, mask.slice(target.length + 1))], at })
      }
    }
    rules.push({ rule: 'sync', args: [from === '' ? '.' : from, target, {}], at })
  }
  return rules
}

/** The user that a stage of a Dockerfile ends with; undefined = root, or not to be told from the text. */
export function lastUser(dockerfile: string, target: string | undefined): string | undefined {
  const stages: { name: string | undefined; user: string | undefined }[] = []
  for (const line of dockerfile.split('\n')) {
    const [, base = '', name] = /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line) ?? []
    if (base !== '') {
      const from = stages.findLast((stage) => stage.name === base.toLowerCase())
      stages.push({ name: name?.toLowerCase(), user: from?.user })
    }
    const [, user] = /^\s*USER\s+(\S+)/i.exec(line) ?? []
    const stage = stages.at(-1)
    if (user !== undefined && stage) stage.user = user
  }
  const stage = target === undefined ? stages.at(-1) : stages.findLast(({ name }) => name === target.toLowerCase())
  return stage?.user === undefined || stage.user.includes('$') ? undefined : stage.user
}

function buildOptions(reader: Reader, build: MapNode, project: ComposeProject): Record<string, unknown> {
  const { entries } = build
  const options: Record<string, unknown> = {}
  const args = mapping(reader, 'build.args', entries.get('args'))
  // an argument without a value takes it from the environment; without one there, the Dockerfile's default is left
  const given = [...(args?.entries ?? [])].flatMap(([key, node]) => {
    const value = node.kind === 'scalar' && node.value === null ? project.variable(key) : text(reader, `build.args.${key}`, node)
    return value === undefined ? [] : [[key, value] as const]
  })
  if (given.length > 0) options.args = Object.fromEntries(given)
  const hosts = mapping(reader, 'build.extra_hosts', entries.get('extra_hosts'))
  if (hosts) options.extraHosts = textsOf(hosts)
  const labels = mapping(reader, 'build.labels', entries.get('labels'))
  if (labels) options.labels = textsOf(labels)
  const network = text(reader, 'build.network', entries.get('network'))
  if (network !== undefined) options.network = network
  const cacheFrom = texts(reader, 'build.cache_from', entries.get('cache_from')).filter((one) => !one.includes('='))
  if (cacheFrom.length > 0) options.cacheFrom = cacheFrom
  if (bool(reader, 'build.pull', entries.get('pull'))) options.pull = true
  const [platform] = texts(reader, 'build.platforms', entries.get('platforms'))
  if (platform !== undefined) options.platform = platform
  const tags = texts(reader, 'build.tags', entries.get('tags')).flatMap((tag) => /:([\w.-]+)$/.exec(tag)?.[1] ?? [])
  if (tags.length > 0) options.tags = tags
  const ssh = sshOf(reader, entries.get('ssh'))
  if (ssh) options.ssh = ssh
  const secrets = buildSecrets(reader, entries.get('secrets'), project)
  if (Object.keys(secrets).length > 0) options.secrets = secrets
  return options
}

const textsOf = (node: MapNode): Record<string, string> =>
  Object.fromEntries([...node.entries].map(([key, value]) => [key, value.kind === 'scalar' ? value.text : '']))

function sshOf(reader: Reader, node: Node | undefined): true | Record<string, true | string> | undefined {
  if (!node) return undefined
  const given =
    node.kind === 'map'
      ? Object.entries(textsOf(node))
      : texts(reader, 'build.ssh', node).map((one) => {
          const at = one.indexOf('=')
          return at < 0 ? ([one, ''] as const) : ([one.slice(0, at), one.slice(at + 1)] as const)
        })
  return given.length === 0 ? undefined : Object.fromEntries(given.map(([id, path]) => [id, path === '' ? true : path]))
}

function buildSecrets(
  reader: Reader,
  node: Node | undefined,
  project: ComposeProject,
): Record<string, { file: string } | { env: string }> {
  const secrets: Record<string, { file: string } | { env: string }> = {}
  for (const item of items(reader, 'build.secrets', node)) {
    const source =
      item.kind === 'map' ? text(reader, 'build.secrets.source', item.entries.get('source')) : text(reader, 'build.secrets', item)
    const id = (item.kind === 'map' ? text(reader, 'build.secrets.target', item.entries.get('target')) : undefined) ?? source
    if (source === undefined || id === undefined) continue
    const declared = plain(project.secrets.get(source) ?? item) as { file?: string; environment?: string } | string
    const from = typeof declared === 'object' ? declared : {}
    if (from.file !== undefined) secrets[id] = { file: from.file }
    else if (from.environment !== undefined) secrets[id] = { env: from.environment }
    else
      reader.problems.error(`${reader.what}: there is no secret '${source}' with a \`file\` or \`environment\`.`, {
        at: item.at,
        help: 'Declare it in `secrets` at the top level.',
      })
  }
  return secrets
}
