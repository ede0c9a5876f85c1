// One service over another: what a later file says, or whoever extends a service.
import { list, map, type ListNode, type MapNode, type Node } from './node.js'

/** Lists that are replaced as a whole. */
const replaced = new Set(['command', 'entrypoint', 'healthcheck.test', 'profiles'])

/** Lists whose entries stand for something that there is once. */
const identities: Readonly<Record<string, readonly string[]>> = {
  volumes: ['target'],
  ports: ['target', 'published', 'host_ip', 'protocol'],
  secrets: ['source'],
  configs: ['source'],
  devices: ['target'],
}

/** Both in one, `over` winning. Both are in canonical form. */
export function merge(under: Node | undefined, over: Node, path = ''): Node | undefined {
  if (over.tag === 'reset') return undefined
  if (!under || over.tag === 'override') return over
  if (over.kind === 'scalar' && over.value === null && under.kind !== 'scalar') return under
  if (under.kind === 'map' && over.kind === 'map') return mergeMaps(under, over, path)
  if (under.kind === 'list' && over.kind === 'list' && !replaced.has(path)) return mergeLists(under, over, path)
  return over
}

function mergeMaps(under: MapNode, over: MapNode, path: string): MapNode {
  const entries = new Map(under.entries)
  for (const [key, value] of over.entries) {
    const merged = merge(under.entries.get(key), value, path === '' ? key : `${path}.${key}`)
    if (merged) entries.set(key, merged)
    else entries.delete(key)
  }
  return map(entries, over.at)
}

function mergeLists(under: ListNode, over: ListNode, path: string): ListNode {
  const keys = identities[path]
  const idOf = (node: Node): string =>
    node.kind === 'scalar'
      ? node.text
      : JSON.stringify(node.kind === 'map' && keys ? keys.map((key) => textOf(node.entries.get(key))) : plain(node))
  const all = new Map<string, Node>()
  for (const item of [...under.items, ...over.items]) all.set(idOf(item), item)
  return list([...all.values()], over.at)
}

const textOf = (node: Node | undefined): string | null => (node?.kind === 'scalar' ? node.text : null)

/** A node as plain data, for comparing. */
export function plain(node: Node): unknown {
  if (node.kind === 'scalar') return node.text
  if (node.kind === 'list') return node.items.map(plain)
  return Object.fromEntries([...node.entries].map(([key, value]) => [key, plain(value)]))
}
