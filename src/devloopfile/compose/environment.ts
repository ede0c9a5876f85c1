// Variables of a service: those of its env files, and its own; what names another service becomes its address.
import { basename } from 'node:path'
import { parseDotenv } from '../../model/dotenv.js'
import type { ComposeHost, ComposeProject } from './load-project.js'
import type { MapNode } from './node.js'
import { bool, items, mapping, text, type Reader } from './read.js'
import type { ComposedText } from './result.js'

/** By name, in the order of the files. */
export function readEnvironment(
  reader: Reader,
  service: MapNode,
  project: ComposeProject,
  host: ComposeHost,
): Record<string, string> {
  const env: Record<string, string> = {}
  for (const node of items(reader, 'env_file', service.entries.get('env_file'))) {
    const entry = mapping(reader, 'env_file', node)
    const path = entry && text(reader, 'env_file.path', entry.entries.get('path'))
    if (!entry || path === undefined) continue
    let content: string | undefined
    try {
      content = host.read(path)
    } catch (error) {
      reader.problems.error(`${reader.what}: the env file ${path} cannot be read.`, {
        at: entry.at,
        code: 'devloopfile/file',
        why: (error as Error).message,
      })
      continue
    }
    if (content === undefined) {
      if (bool(reader, 'env_file.required', entry.entries.get('required')) === false) continue
      const help = 'Create it, correct the path, or write required: false.'
      reader.problems.error(`${reader.what}: there is no env file '${basename(path)}'.`, {
        at: entry.at,
        code: 'devloopfile/file',
        why: `It was looked for at ${path}.`,
        help,
      })
      continue
    }
    const values = parseDotenv(content, {
      raw: text(reader, 'env_file.format', entry.entries.get('format')) === 'raw',
      get: project.variable,
      fail: (message, help, line) => {
        reader.problems.error(`${basename(path)}: ${message}`, { at: { file: path, line }, help })
        throw new BadFile()
      },
    } satisfies Parameters<typeof parseDotenv>[1])
    for (const [name, value] of values) if (value !== undefined) env[name] = value
  }
  for (const [name, node] of mapping(reader, 'environment', service.entries.get('environment'))?.entries ?? []) {
    const value =
      node.kind === 'scalar' && node.value === null ? project.variable(name) : text(reader, `environment.${name}`, node)
    if (value !== undefined) env[name] = value
  }
  return env
}

/** An env file that cannot be read any further; why is among the problems. */
export class BadFile extends Error {}

/** What others know of a service. */
export interface Peer {
  readonly service: string
  /** Port names by number. */
  readonly ports: ReadonlyMap<number, string>
}

const place = /HOST|SERVER|ADDR|ENDPOINT|URL|URI|BROKER|UPSTREAM|DSN/i

/**
 * `redis://cache:6379` with the service `cache` and its port 6379 is the address of that: the same text in a cluster, and on this machine
 * where its process listens. A variable that is only the name of a service is its host, if it is called like one (`DB_HOST`); the
 * variable beside it (`DB_PORT`) is then its port.
 */
export function addressed(
  env: Readonly<Record<string, string>>,
  peers: readonly Peer[],
): Record<string, string | readonly ComposedText[]> {
  const byName = new Map(peers.flatMap((peer) => (peer.ports.size > 0 ? [[peer.service, peer] as const] : [])))
  if (byName.size === 0) return { ...env }
  const names = [...byName.keys()]
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(`(?<![\\w.-])(${names.join('|')}):(\\d+)(?!\\d)`, 'g')
  const result: Record<string, string | readonly ComposedText[]> = {}
  for (const [name, value] of Object.entries(env)) {
    const host = place.test(name) ? byName.get(value) : undefined
    if (host) {
      result[name] = [{ service: host.service, port: undefined, part: 'host' }]
      continue
    }
    const pieces: ComposedText[] = []
    let done = 0
    for (const found of value.matchAll(pattern)) {
      const [whole, service = '', number] = found
      const port = byName.get(service)?.ports.get(Number(number))
      if (port === undefined) continue
      pieces.push(value.slice(done, found.index), { service, port, part: 'address' })
      done = found.index + whole.length
    }
    result[name] = done === 0 ? value : [...pieces, value.slice(done)].filter((piece) => piece !== '')
  }
  for (const [name, value] of Object.entries(env)) {
    if (!name.endsWith('_PORT')) continue
    const host = byName.get(env[`${name.slice(0, -'PORT'.length)}HOST`] ?? '')
    const port = host?.ports.get(Number(value))
    if (host && port !== undefined) result[name] = [{ service: host.service, port, part: 'port' }]
  }
  return result
}
