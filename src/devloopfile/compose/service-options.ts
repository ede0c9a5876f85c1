// The options of an app that a service comes to, but for its image, its environment and whom it needs.
import { isIP } from 'node:net'
import { join } from 'node:path'
import { toLabel } from '../plan/fields.js'
import { deployKeys, serviceKeys, type Treatment } from './keys.js'
import type { ComposeProject } from './load-project.js'
import { readHealthcheck } from './healthcheck.js'
import type { MountOption } from './mounts.js'
import type { MapNode, Node } from './node.js'
import { exposedPorts, readPort, type PublishedPort } from './ports.js'
import { bool, checkKeys, duration, items, mapping, number, size, text, texts, whole, type Reader } from './read.js'
import { shellWords } from './shell-words.js'
import { serviceUser } from './user.js'

/** Ports that debuggers listen on: not where a service answers, and only while somebody debugs. */
const debuggers = new Set([5005, 5678, 9003, 9229, 9230, 2345, 40_000])

export interface ServicePorts {
  readonly names: ReadonlyMap<number, string>
  readonly options: Readonly<Record<string, unknown>>
  /** Whether it is to be ready when its first port accepts connections. */
  readonly listens: boolean
}

/** Report what cannot be followed, and what there is not. */
export function checkService(reader: Reader, service: MapNode): void {
  checkKeys(reader, '', service, serviceKeys.keys())
  told(reader, '', service, serviceKeys)
  const deploy = mapping(reader, 'deploy', service.entries.get('deploy'))
  if (deploy) checkKeys(reader, 'deploy', deploy, deployKeys.keys())
  const { problems, what } = reader
  const refuse = (key: string, node: Node | undefined, why: string): void => {
    if (node) problems.error(`${what} asks for \`${key}\`.`, { at: node.at, code: 'compose/unsupported', why })
  }
  const get = (key: string): Node | undefined => service.entries.get(key)
  const has = (key: string, ...values: string[]): Node | undefined => {
    const node = get(key)
    return node?.kind === 'scalar' &&
      values.some((value) => (value.endsWith(':') ? node.text.startsWith(value) : node.text === value))
      ? node
      : undefined
  }
  refuse(
    'privileged',
    bool(reader, 'privileged', get('privileged')) ? get('privileged') : undefined,
    'The containers of devloop have no power over their node.',
  )
  const devices = get('devices')
  refuse(
    'devices',
    devices?.kind === 'list' && devices.items.length > 0 ? devices : undefined,
    "What runs in a cluster has no part in this machine's devices.",
  )
  const namespaces = "What runs in a cluster has no part in this machine's namespaces, and each service is a pod of its own."
  refuse('network_mode: host', has('network_mode', 'host'), namespaces)
  const shared = has('network_mode', 'service:', 'container:')
  refuse(`network_mode: ${shared?.kind === 'scalar' ? shared.text : ''}`, shared, namespaces)
  for (const key of ['pid', 'ipc']) {
    const node = has(key, 'host', 'service:', 'container:')
    refuse(`${key}: ${node?.kind === 'scalar' ? node.text : ''}`, node, namespaces)
  }
  const none = has('network_mode', 'none')
  if (none)
    problems.warn(reader.service, `${what}: \`network_mode: none\` is not followed.`, {
      at: none.at,
      why: 'It has the network of the cluster.',
      help: 'Forbid it with a NetworkPolicy.',
    })
}

function told(reader: Reader, path: string, node: MapNode, keys: ReadonlyMap<string, Treatment>): void {
  for (const [key, treatment] of keys) {
    const value = node.entries.get(key)
    if (!value || typeof treatment !== 'object' || isEmpty(value)) continue
    const name = path === '' ? key : `${path}.${key}`
    if ('error' in treatment) {
      reader.problems.error(`${reader.what}: \`${name}\` cannot be followed.`, {
        at: value.at,
        code: 'compose/unsupported',
        why: treatment.error,
      })
    } else {
      reader.problems.warn(reader.service, `${reader.what}: \`${name}\` is not followed.`, {
        at: value.at,
        why: treatment.warning,
        help: 'Remove it where that is well.',
      })
    }
  }
}

const isEmpty = (node: Node): boolean =>
  node.kind === 'list'
    ? node.items.length === 0
    : node.kind === 'map'
      ? node.entries.size === 0
      : node.value === null || node.text === 'false'

/** Ports, and how they are forwarded. */
export function readPorts(reader: Reader, service: MapNode): ServicePorts {
  const { problems, what } = reader
  const published = items(reader, 'ports', service.entries.get('ports')).flatMap((node) =>
    node.kind === 'map' ? (readPort(reader, node) ?? []) : [],
  )
  const exposed = exposedPorts(reader, service.entries.get('expose'))
  const isDebugger = ({ target }: PublishedPort): boolean => debuggers.has(target)
  const tcp = [...published, ...exposed].filter(({ protocol }) => protocol === 'tcp')
  const ordered = [...tcp.filter((one) => !isDebugger(one)), ...tcp.filter(isDebugger)]
  const names = new Map<number, string>()
  for (const { target, name } of ordered) {
    if (names.has(target)) continue
    const own = name !== undefined && /^(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) && name.length <= 15
    names.set(target, own && ![...names.values()].includes(name) ? name : `p${target}`)
  }
  const forward: Record<string, unknown> = {}
  for (const { target, protocol, published: local, hostIp, at } of published) {
    if (protocol === 'udp') {
      problems.warn(reader.service, `${what}: the port ${target}/udp is not forwarded to this machine.`, {
        at,
        why: 'Kubernetes forwards TCP only. Other services reach it.',
        help: 'Use it from within the cluster.',
      })
      continue
    }
    if (!local) continue
    if (hostIp !== undefined && !['', '0.0.0.0', '::', '127.0.0.1', '::1', 'localhost'].includes(hostIp)) {
      problems.warn(reader.service, `${what}: the port ${local.first} is opened at 127.0.0.1 only.`, {
        at,
        why: `The file names ${hostIp}.`,
        help: 'Remove the address.',
      })
    }
    const port = names.get(target) as string
    if (port in forward) {
      problems.warn(reader.service, `${what}: the port ${target} is forwarded once, not to ${local.first} too.`, {
        at,
        help: 'Remove one of the two.',
      })
      continue
    }
    forward[port] = local.first === local.last ? local.first : { local: local.first, fallback: 'next-free' }
  }
  const udp = [...published, ...exposed].some(({ protocol }) => protocol === 'udp')
  const ports = Object.fromEntries([...names].map(([target, name]) => [name, target]))
  return {
    names,
    listens: published.some((one) => one.protocol === 'tcp' && !isDebugger(one)),
    options: {
      ...(names.size > 0 ? { ports } : {}),
      ...(Object.keys(forward).length > 0 ? { forward } : {}),
      // others reach it on ports that no file names
      ...(names.size === 0 || udp ? { headless: true } : {}),
    },
  }
}

/** Everything else that is plain. */
export function plainOptions(reader: Reader, service: MapNode, { listens }: ServicePorts, job: boolean): Record<string, unknown> {
  const get = (key: string): Node | undefined => service.entries.get(key)
  const options: Record<string, unknown> = { portVariables: false }
  const entrypoint = readCommand(reader, 'entrypoint', get('entrypoint'))
  const command = readCommand(reader, 'command', get('command'))
  const deploy = mapping(reader, 'deploy', get('deploy'))
  const replicas = whole(reader, 'scale', get('scale')) ?? whole(reader, 'deploy.replicas', deploy?.entries.get('replicas'))
  const workdir = text(reader, 'working_dir', get('working_dir'))
  const restart = text(reader, 'restart', get('restart')) ?? restartCondition(reader, deploy)
  const healthcheck = readHealthcheck(reader, service)
  if (entrypoint && entrypoint.length > 0) options.command = entrypoint
  if (command && command.length > 0) options[entrypoint?.length === 0 ? 'command' : 'args'] = command
  if (replicas !== undefined) options.replicas = replicas
  if (workdir !== undefined) options.workdir = workdir
  const user = text(reader, 'user', get('user'))
  const numbers = serviceUser(service)
  if (numbers !== undefined) options.user = numbers
  else if (user !== undefined && user !== '') {
    reader.problems.warn(reader.service, `${reader.what}: it runs as the image's user, and not as '${user}'.`, {
      at: (get('user') as Node).at,
      why: 'Kubernetes knows no names of users.',
      help: 'Write the number that the image has for that user.',
    })
  }
  if (job) {
    const [, tries] = /^on-failure(?::(\d+))?$/.exec(restart ?? '') ?? []
    options.job = { retries: restart?.startsWith('on-failure') ? Number(tries ?? 6) : 0 }
  } else {
    if (healthcheck !== undefined) options.probe = healthcheck
    else if (!listens) options.probe = false
    const mode = text(reader, 'deploy.mode', deploy?.entries.get('mode'))
    if (restart === 'no' || restart === 'none') {
      reader.problems.warn(reader.service, `${reader.what}: it is started again whenever it ends.`, {
        at: (get('restart') ?? deploy ?? service).at,
        why: `\`restart: ${restart}\` is followed for services that run to their end only.`,
        help: `If it does, say so: compose(file, { apps: { '${reader.service ?? ''}': { job: true } } }).`,
      })
    }
    if (mode === 'global') {
      reader.problems.warn(reader.service, `${reader.what}: \`deploy.mode: global\` is not followed.`, {
        at: (deploy as MapNode).at,
        why: 'It runs as often as `replicas` says.',
        help: 'Use manifests with a DaemonSet.',
      })
    }
  }
  const pod = podOptions(reader, service, deploy)
  if (Object.keys(pod).length > 0) options.pod = pod
  return options
}

const restartCondition = (reader: Reader, deploy: MapNode | undefined): string | undefined => {
  const policy = mapping(reader, 'deploy.restart_policy', deploy?.entries.get('restart_policy'))
  return text(reader, 'deploy.restart_policy.condition', policy?.entries.get('condition'))
}

/** A command in words; undefined = none is given, empty = that of the image is dropped. */
export function readCommand(reader: Reader, key: string, node: Node | undefined): readonly string[] | undefined {
  if (!node || (node.kind === 'scalar' && node.value === null)) return undefined
  if (node.kind === 'list') return texts(reader, key, node)
  if (node.kind === 'map') return reader.problems.error(`${reader.what}: \`${key}\` must be a text or a list.`, { at: node.at })
  const words = shellWords(node.text)
  return (
    words ??
    reader.problems.error(`${reader.what}: a quote in \`${key}\` is not closed.`, {
      at: node.at,
      why: `Received '${node.text}'.`,
      help: 'Close it, or write the command as a list.',
    })
  )
}

function podOptions(reader: Reader, service: MapNode, deploy: MapNode | undefined): Record<string, unknown> {
  const get = (key: string): Node | undefined => service.entries.get(key)
  const pod: Record<string, unknown> = {}
  const most = mapping(
    reader,
    'deploy.resources.limits',
    mapping(reader, 'deploy.resources', deploy?.entries.get('resources'))?.entries.get('limits'),
  )
  const cpu = number(reader, 'cpus', get('cpus')) ?? number(reader, 'deploy.resources.limits.cpus', most?.entries.get('cpus'))
  const memory =
    size(reader, 'mem_limit', get('mem_limit')) ?? size(reader, 'deploy.resources.limits.memory', most?.entries.get('memory'))
  const limits = {
    ...(cpu ? { cpu: `${Math.round(cpu * 1000)}m` } : {}),
    ...(memory === undefined || memory === '0Gi' ? {} : { memory }),
  }
  if (Object.keys(limits).length > 0) pod.limits = limits
  const stopTimeout = duration(reader, 'stop_grace_period', get('stop_grace_period'))
  if (stopTimeout !== undefined) pod.stopTimeout = Math.ceil(stopTimeout)
  const hosts: Record<string, string> = {}
  for (const [host, node] of mapping(reader, 'extra_hosts', get('extra_hosts'))?.entries ?? []) {
    const ip = text(reader, `extra_hosts.${host}`, node)?.replace(/^\[|\]$/g, '')
    if (ip !== undefined && isIP(ip) !== 0) hosts[host] = ip
    else {
      reader.problems.warn(reader.service, `${reader.what}: the host ${host} is not known to it.`, {
        at: node.at,
        why: `${ip ?? ''} is no address that a pod could reach.`,
        help: 'Write an IP address.',
      })
    }
  }
  if (Object.keys(hosts).length > 0) pod.hosts = hosts
  const hostname = text(reader, 'hostname', get('hostname'))
  if (hostname !== undefined && toLabel(hostname) === hostname) pod.hostname = hostname
  const [add, drop] = [texts(reader, 'cap_add', get('cap_add')), texts(reader, 'cap_drop', get('cap_drop'))]
  if (add.length + drop.length > 0)
    pod.capabilities = { ...(add.length > 0 ? { add } : {}), ...(drop.length > 0 ? { drop } : {}) }
  if (bool(reader, 'read_only', get('read_only'))) pod.readOnly = true
  if (bool(reader, 'stdin_open', get('stdin_open'))) pod.stdin = true
  if (bool(reader, 'tty', get('tty'))) pod.tty = true
  return pod
}

/** More names of a service: its container's, its aliases in networks. */
export function readAliases(reader: Reader, service: MapNode, own: string): readonly string[] {
  const networks = service.entries.get('networks')
  const given = [
    ...[service.entries.get('container_name'), service.entries.get('hostname')].flatMap((node) => node ?? []),
    ...(networks?.kind === 'map' ? [...networks.entries.values()] : []).flatMap((network) => {
      const aliases = network.kind === 'map' ? network.entries.get('aliases') : undefined
      return aliases?.kind === 'list' ? aliases.items : []
    }),
  ]
  const names = given.flatMap((node) => {
    const name = text(reader, 'aliases', node)
    if (name === undefined || name === own) return []
    if (toLabel(name) === name && /^[a-z]/.test(name)) return [name]
    reader.problems.warn(reader.service, `${reader.what} is not reached by the name '${name}'.`, {
      at: node.at,
      why: 'A name in the cluster has lower-case letters, digits and `-` only.',
      help: `Call it '${own}'.`,
    })
    return []
  })
  return [...new Set(names)]
}

/** Secrets and configs of a service as what is mounted. */
export function readFiles(reader: Reader, service: MapNode, project: ComposeProject): Record<string, MountOption> {
  const volumes: Record<string, MountOption> = {}
  for (const kind of ['secrets', 'configs'] as const) {
    const folder = kind === 'secrets' ? '/run/secrets' : '/'
    for (const node of items(reader, kind, service.entries.get(kind))) {
      const entry = mapping(reader, kind, node)
      const source = entry && text(reader, `${kind}.source`, entry.entries.get('source'))
      if (!entry || source === undefined) continue
      const target = text(reader, `${kind}.target`, entry.entries.get('target')) ?? source
      const mode = fileMode(text(reader, `${kind}.mode`, entry.entries.get('mode')))
      const path = target.startsWith('/') ? target : join(folder, target)
      const content = contentOf(reader, kind, source, entry, project)
      if (content)
        volumes[path] = { ...content, ...(kind === 'secrets' ? { secret: true } : {}), ...(mode === undefined ? {} : { mode }) }
    }
  }
  return volumes
}

const fileMode = (mode: string | undefined): number | undefined =>
  mode !== undefined && /^0?o?[0-7]{3,4}$/.test(mode) ? Number.parseInt(mode.replace('o', ''), 8) & 0o777 : undefined

function contentOf(
  reader: Reader,
  kind: 'secrets' | 'configs',
  source: string,
  entry: MapNode,
  project: ComposeProject,
): { files: string } | { text: string } | undefined {
  const { problems, what } = reader
  const one = kind === 'secrets' ? 'secret' : 'config'
  const declared = project[kind].get(source)
  if (declared?.kind !== 'map')
    return problems.error(`${what} uses the ${one} '${source}', which \`${kind}\` does not declare.`, {
      at: entry.at,
      help: `Declare it in \`${kind}\` at the top level.`,
    })
  const get = (key: string): string | undefined => text({ ...reader, what: `${one} '${source}'` }, key, declared.entries.get(key))
  const [file, variable, content] = [get('file'), get('environment'), get('content')]
  if (file !== undefined) return { files: file }
  if (content !== undefined) return { text: content }
  if (variable !== undefined) {
    const value = project.variable(variable)
    if (value !== undefined) return { text: value }
    return problems.error(`${one} '${source}': the variable ${variable} is not set.`, {
      at: declared.at,
      help: 'Set it in .env or in the environment of devloop.',
    })
  }
  const why = declared.entries.has('external') ? 'It is kept by a Docker Swarm.' : undefined
  return problems.error(`${one} '${source}' says not where its content is.`, {
    at: declared.at,
    code: 'compose/unsupported',
    why,
    help: 'Give it a `file`, an `environment` or, for a config, its `content`.',
  })
}
