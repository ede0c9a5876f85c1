// Volumes of a service: what becomes a volume, what is brought as files, and what of a build context is kept up by live rules.
import { basename, isAbsolute, join, relative, sep } from 'node:path'
import { toLabel } from '../plan/fields.js'
import type { ComposeHost, ComposeProject } from './load-project.js'
import type { MapNode, Node } from './node.js'
import { bool, mapping, size, text, wrongNode, type Reader } from './read.js'

/** A value of an app's `volumes` option. */
export type MountOption =
  | { readonly volume: string; readonly readOnly?: true }
  | { readonly empty: true | 'memory'; readonly size?: string }
  | { readonly files: string; readonly secret?: true; readonly mode?: number }
  | { readonly text: string; readonly secret?: true; readonly mode?: number }

/** A folder or file of this machine that is part of the image, and kept up. */
export interface LiveMount {
  /** Absolute. */
  readonly source: string
  readonly target: string
  readonly isFile: boolean
  readonly at: Node['at']
}

export interface Mounts {
  readonly volumes: Readonly<Record<string, MountOption>>
  readonly live: readonly LiveMount[]
  /** Paths in the container that a live mount must not cover. */
  readonly masks: readonly string[]
}

export interface MountContext {
  readonly reader: Reader
  readonly host: ComposeHost
  readonly project: ComposeProject
  /** Name of the resource. */
  readonly name: string
  /** The build context; undefined = the service has an image alone. */
  readonly context: string | undefined
  /** Whether the container's own files cannot be written. */
  readonly readOnly: boolean
  /** Whether the build leaves a path of the context out. */
  readonly ignored: (path: string) => boolean
}

/** What is brought as a ConfigMap: what is larger is put into an image. */
const maxBytes = 500 * 1024
const maxFiles = 100

export function readMounts(service: MapNode, context: MountContext): Mounts {
  const { reader } = context
  const volumes: Record<string, MountOption> = {}
  const live: LiveMount[] = []
  const given = service.entries.get('volumes')
  const entries = (given?.kind === 'list' ? given.items : []).flatMap((node) =>
    node.kind === 'map' ? readMount(reader, node) : [],
  )
  for (const mount of entries) if (mount.type === 'bind') addBind(mount, context, volumes, live)
  const masks: string[] = []
  for (const mount of entries) {
    if (mount.type === 'bind') continue
    const covering = live.find(({ target, isFile }) => !isFile && isBelow(mount.target, target))
    if (mount.type === 'volume' && (covering || isImagesOwn(mount, context))) masks.push(mount.target)
    else if (mount.type === 'tmpfs')
      volumes[mount.target] = { empty: 'memory', ...(mount.size === undefined ? {} : { size: mount.size }) }
    else addNamed(mount, context, volumes)
  }
  addTmpfs(service, reader, volumes)
  const shm = size(reader, 'shm_size', service.entries.get('shm_size'))
  if (shm !== undefined) volumes['/dev/shm'] = { empty: 'memory', size: shm }
  return { volumes, live, masks }
}

/**
 * Docker fills a new volume with what the image has at its path, Kubernetes hides that. So a volume without a name, or of dependencies
 * that the build installed, is what it looks like: a folder of the container.
 */
const isImagesOwn = ({ source, target, type }: Mount, { context, readOnly }: MountContext): boolean =>
  type === 'volume' &&
  !readOnly &&
  (source === undefined || (context !== undefined && /\/(?:node_modules|vendor|\.?venv|site-packages)$/.test(target)))

interface Mount {
  readonly type: 'bind' | 'volume' | 'tmpfs'
  readonly source: string | undefined
  readonly target: string
  readonly readOnly: boolean
  readonly size: string | undefined
  readonly at: Node['at']
}

function readMount(reader: Reader, node: MapNode): readonly Mount[] {
  const get = (key: string): string | undefined => text(reader, `volumes.${key}`, node.entries.get(key))
  const type = get('type') ?? 'volume'
  const [source, target] = [get('source'), get('target')]
  if (target === undefined || target === '') {
    reader.problems.error(`${reader.what}: a volume has no \`target\`.`, {
      at: node.at,
      help: 'Write the path in the container.',
    })
    return []
  }
  if (!target.startsWith('/') || target === '/') {
    wrongNode(reader, 'volumes.target', 'an absolute path in the container, below `/`', node.entries.get('target') ?? node)
    return []
  }
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs') {
    const help = 'Use a volume, a folder or a file of this machine, or tmpfs.'
    reader.problems.error(`${reader.what}: a volume of the type '${type}' cannot be mounted.`, {
      at: node.at,
      code: 'compose/unsupported',
      help,
    })
    return []
  }
  const readOnly = bool(reader, 'volumes.read_only', node.entries.get('read_only')) ?? false
  const tmpfs = mapping(reader, 'volumes.tmpfs', node.entries.get('tmpfs'))?.entries.get('size')
  const clean = target.replace(/(?<=.)\/+$/, '')
  return [{ type, source, target: clean, readOnly, size: size(reader, 'volumes.tmpfs.size', tmpfs), at: node.at }]
}

function addNamed(mount: Mount, { reader, project }: MountContext, volumes: Record<string, MountOption>): void {
  const { source, target, readOnly, at } = mount
  if (source === undefined) {
    volumes[target] = { empty: true }
    return
  }
  const declared = project.volumes.get(source)
  if (!declared) {
    reader.problems.error(`${reader.what} mounts the volume '${source}', which \`volumes\` does not declare.`, {
      at,
      help: `Declare it at the top level, or write './${source}' for a folder.`,
    })
    return
  }
  const settings = declared.kind === 'map' ? declared.entries : undefined
  for (const key of ['external', 'driver_opts', 'driver'] as const) {
    const node = settings?.get(key)
    if (!node || (node.kind === 'scalar' && ['false', 'local', ''].includes(node.text))) continue
    const why = 'It becomes a volume of the cluster, which is empty at first.'
    reader.problems.warn(reader.service, `\`volumes.${source}.${key}\` is not followed.`, {
      at: node.at,
      why,
      help: 'Fill the volume in the cluster.',
    })
  }
  const named = settings?.get('name')
  const name = toLabel(named?.kind === 'scalar' ? named.text : `${project.name}-${source}`)
  volumes[target] = { volume: name, ...(readOnly ? { readOnly: true } : {}) }
}

function addBind(mount: Mount, context: MountContext, volumes: Record<string, MountOption>, live: LiveMount[]): void {
  const { reader, host, project } = context
  const { source, target, readOnly, at } = mount
  if (source === undefined) {
    reader.problems.error(`${reader.what}: a bind mount has no \`source\`.`, { at, help: 'Write the path on this machine.' })
    return
  }
  if (/(?:^|\/)(?:docker|podman|containerd)\.sock$/.test(source)) {
    reader.problems.error(`${reader.what} mounts the socket of a container engine.`, {
      at,
      code: 'compose/unsupported',
      why: 'There is no such engine in a pod, and what it would start would not be in the cluster.',
    })
    return
  }
  if (/^\/(?:dev|proc|sys|lib\/modules|usr\/src|boot)(?:\/|$)/.test(source)) {
    reader.problems.error(`${reader.what} mounts ${source} of this machine.`, {
      at,
      code: 'compose/unsupported',
      why: 'What runs in a cluster has no part in the devices and the kernel of this machine.',
    })
    return
  }
  const outside = source !== project.root && !isBelow(source, project.root)
  const kind = host.look(source)
  if (kind === undefined || (kind === 'folder' && host.names(source).length === 0)) {
    const label = toLabel(`${project.name}-${context.name}-${basename(source)}`)
    volumes[target] = { volume: label, ...(readOnly ? { readOnly: true } : {}) }
    reader.problems.warn(
      reader.service,
      `${reader.what}: ${outside ? source : relative(project.root, source)} is mounted as a volume of the cluster.`,
      {
        at,
        why: kind === undefined ? 'There is no such file or folder, or it cannot be read.' : 'The folder is empty here.',
        help: 'What the container writes there stays in the cluster. Name a volume to say that it is meant.',
      },
    )
    return
  }
  const inContext = context.context !== undefined && (source === context.context || isBelow(source, context.context))
  if (inContext && !context.ignored(relative(context.context as string, source))) {
    live.push({ source, target, isFile: kind === 'file', at })
    return
  }
  const asFiles = (): void => {
    volumes[target] = { files: source, ...(outside ? { secret: true } : {}) }
  }
  if (kind === 'file') return asFiles()
  const { bytes, files } = host.size(source, maxBytes)
  const small = bytes <= maxBytes && files <= maxFiles
  // a folder that is written to must be one of the image; scripts for a database are only read
  if (small && (readOnly || outside || target === '/docker-entrypoint-initdb.d')) return asFiles()
  if (context.context === undefined && !outside) {
    live.push({ source, target, isFile: false, at })
    return
  }
  if (small) {
    asFiles()
    reader.problems.warn(reader.service, `${reader.what}: ${target} can only be read.`, {
      at,
      why: `${source} is not in the build context, so it is brought as files.`,
      help: 'Mount a folder of the build context, or let it be read-only.',
    })
    return
  }
  reader.problems.error(`${reader.what} mounts ${source}, which is too large to be brought as files.`, {
    at,
    code: 'compose/unsupported',
    why: `It is not in the build context, and holds more than ${maxBytes / 1024} kB or ${maxFiles} files.`,
    help: 'Put it into the build context, or use a named volume.',
  })
}

function addTmpfs(service: MapNode, reader: Reader, volumes: Record<string, MountOption>): void {
  const node = service.entries.get('tmpfs')
  for (const item of node?.kind === 'list' ? node.items : []) {
    const value = text(reader, 'tmpfs', item)
    if (value === undefined) continue
    const [path = '', options = ''] = value.split(':')
    const limit = /(?:^|,)size=([^,]+)/.exec(options)?.[1]
    const amount =
      limit === undefined ? undefined : size(reader, 'tmpfs', { kind: 'scalar', value: limit, text: limit, at: item.at })
    volumes[path] = { empty: 'memory', ...(amount === undefined ? {} : { size: amount }) }
  }
}

export const isBelow = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)

/** The folder that holds all of these. */
export function commonFolder(paths: readonly string[]): string {
  const [first = '/', ...rest] = paths
  const parts = first.split(sep)
  while (parts.length > 1 && !rest.every((path) => path === parts.join(sep) || isBelow(path, parts.join(sep)))) parts.pop()
  const folder = parts.join(sep) || sep
  return isAbsolute(folder) ? folder : join(sep, folder)
}
