// Ports of services: the short and the long form, ranges, addresses of this machine.
import { list as listNode, map, scalar, type MapNode, type Node } from './node.js'
import { text, wrongNode, type Reader } from './read.js'

export interface PublishedPort {
  /** In the container. */
  readonly target: number
  readonly protocol: 'tcp' | 'udp'
  /** On this machine; `several` = any free one from `first` to `last`. Undefined = any. */
  readonly published?: { readonly first: number; readonly last: number }
  readonly hostIp?: string
  readonly name?: string
  readonly at: Node['at']
}

const short = /^(?:(?:(\[[0-9a-fA-F:.]+\]|[^:]*):)?(\d+(?:-\d+)?)?:)?(\d+(?:-\d+)?)(?:\/(tcp|udp|sctp))?$/

/** A port of a file in the long form; a range of ports is one for each. */
export function publishedPorts(reader: Reader, node: Node): readonly Node[] {
  if (node.kind === 'map') return [node]
  const [, ip, from, to = '', protocol] = (node.kind === 'scalar' && short.exec(node.text.trim())) || []
  if (to === '') {
    wrongNode(reader, 'ports', "a port such as '8080:80', '127.0.0.1:8080:80' or '53:53/udp'", node)
    return []
  }
  const targets = rangeOf(to)
  const published = from === undefined ? undefined : rangeOf(from)
  if (published && targets.length > 1 && published.length !== targets.length) {
    wrongNode(reader, 'ports', 'as many ports of this machine as of the container', node)
    return []
  }
  return targets.map((target, index) => {
    const local = !published ? undefined : targets.length === 1 ? from : String(published[index])
    const entries: (readonly [string, string | number | undefined])[] = [
      ['target', target],
      ['published', local],
      ['host_ip', ip === undefined || ip === '' ? undefined : ip.replace(/^\[|\]$/g, '')],
      ['protocol', protocol],
    ]
    return map(
      entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, scalar(value, node.at)] as const])),
      node.at,
    )
  })
}

function rangeOf(range: string): readonly number[] {
  const [first = 0, last = first] = range.split('-').map(Number)
  return Array.from({ length: Math.min(Math.max(1, last - first + 1), 65_535) }, (_, index) => first + index)
}

/** A port in its long form. */
export function readPort(reader: Reader, node: MapNode): PublishedPort | undefined {
  const get = (key: string): string | undefined => text(reader, `ports.${key}`, node.entries.get(key))
  const target = Number(get('target'))
  if (!isPort(target)) return wrongNode(reader, 'ports.target', 'a port from 1 to 65535', node.entries.get('target') ?? node)
  const published = get('published')
  const range = published === undefined || published === '' ? undefined : rangeOf(published)
  if (range && !(isPort(range[0]) && isPort(range.at(-1)))) {
    return wrongNode(reader, 'ports.published', 'a port from 1 to 65535', node.entries.get('published') ?? node)
  }
  const protocol = get('protocol') ?? 'tcp'
  if (protocol !== 'tcp' && protocol !== 'udp') {
    return wrongNode(reader, 'ports.protocol', 'tcp or udp', node.entries.get('protocol') ?? node)
  }
  const [hostIp, name] = [get('host_ip'), get('name')]
  return {
    target,
    protocol,
    // 0 means any
    ...(range && range[0] !== 0 ? { published: { first: range[0] as number, last: range.at(-1) as number } } : {}),
    ...(hostIp === undefined ? {} : { hostIp }),
    ...(name === undefined ? {} : { name }),
    at: node.at,
  }
}

const isPort = (port: number | undefined): boolean => port !== undefined && Number.isInteger(port) && port >= 0 && port <= 65_535

/** Ports of `expose`, which may be ranges and name a protocol. */
export function exposedPorts(reader: Reader, node: Node | undefined): readonly PublishedPort[] {
  if (!node) return []
  const all = node.kind === 'list' ? node : listNode([node], node.at)
  return all.items.flatMap((item) => {
    const [, range, protocol = 'tcp'] =
      (item.kind === 'scalar' && /^(\d+(?:-\d+)?)(?:\/(tcp|udp))?$/.exec(item.text.trim())) || []
    if (range === undefined) {
      wrongNode(reader, 'expose', "a port such as '3000' or '3000-3005'", item)
      return []
    }
    return rangeOf(range).map((target) => ({ target, protocol: protocol as 'tcp' | 'udp', at: item.at }))
  })
}
