// One form for what Compose lets be written in several, and absolute paths: what merging works on.
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { SourcePosition } from '../../errors/devloop-error.js'
import { list, map, scalar, withEntry, type MapNode, type Node } from './node.js'
import { items, mapping, text, wrongNode, type Reader } from './read.js'
import { publishedPorts } from './ports.js'

/** @param base folder that the paths of the file are relative to */
export function canonicalService(reader: Reader, service: MapNode, base: string): MapNode {
  const change = (node: MapNode, key: string, make: (value: Node) => Node | undefined): MapNode => {
    const value = node.entries.get(key)
    return value && value.tag !== 'reset' ? withEntry(node, key, make(value)) : node
  }
  let result = service
  for (const key of ['environment', 'labels', 'annotations', 'sysctls'])
    result = change(result, key, (node) => pairs(reader, key, node, '='))
  result = change(result, 'extra_hosts', (node) =>
    pairs(reader, 'extra_hosts', node, node.kind === 'list' && listHas(node, '=') ? '=' : ':'),
  )
  for (const key of ['dns', 'dns_search', 'tmpfs', 'expose', 'links']) result = change(result, key, asList)
  result = change(result, 'build', (node) => canonicalBuild(reader, node, base))
  result = change(result, 'env_file', (node) => canonicalEnvFiles(reader, node, base))
  result = change(result, 'depends_on', (node) =>
    byName(node, (name) => map([['condition', scalar('service_started', name.at)]], name.at)),
  )
  result = change(result, 'networks', (node) => byName(node, (name) => scalar(null, name.at)))
  result = change(result, 'volumes', (node) =>
    list(
      items(reader, 'volumes', node).map((one) => canonicalMount(reader, one, base)),
      node.at,
    ),
  )
  result = change(result, 'ports', (node) =>
    list(
      items(reader, 'ports', node).flatMap((one) => publishedPorts(reader, one)),
      node.at,
    ),
  )
  for (const key of ['secrets', 'configs']) {
    result = change(result, key, (node) =>
      list(
        items(reader, key, node).map((one) => (one.kind === 'scalar' ? map([['source', one]], one.at) : one)),
        node.at,
      ),
    )
  }
  result = change(result, 'develop', (node) => canonicalDevelop(reader, node, base))
  return result
}

const listHas = (node: Node, char: string): boolean =>
  node.kind === 'list' && node.items.every((item) => item.kind === 'scalar' && item.text.includes(char))

const asList = (node: Node): Node =>
  node.kind === 'list' ? node : list(node.kind === 'scalar' && node.value === null ? [] : [node], node.at)

/** `[NAME=VALUE]` as a mapping; a name alone has no value. */
export function pairs(reader: Reader, key: string, node: Node, separator: '=' | ':'): Node {
  if (node.kind !== 'list')
    return node.kind === 'map' ? node : (wrongNode(reader, key, 'a mapping or a list', node) ?? map([], node.at))
  const entries = node.items.flatMap((item): (readonly [string, Node])[] => {
    if (item.kind !== 'scalar') {
      wrongNode(reader, key, `a list of NAME${separator}VALUE`, item)
      return []
    }
    const at = item.text.indexOf(separator)
    if (at < 0) return [[item.text, scalar(null, item.at)]]
    return [[item.text.slice(0, at), scalar(item.text.slice(at + 1), item.at)]]
  })
  return map(entries, node.at)
}

function byName(node: Node, make: (name: Node) => Node): Node {
  if (node.kind !== 'list') return node
  return map(
    node.items.flatMap((item) => (item.kind === 'scalar' ? [[item.text, make(item)] as const] : [])),
    node.at,
  )
}

function canonicalBuild(reader: Reader, node: Node, base: string): Node | undefined {
  const given = node.kind === 'scalar' ? map([['context', node]], node.at) : mapping(reader, 'build', node)
  if (!given) return undefined
  let result = given
  const context = text(reader, 'build.context', result.entries.get('context')) ?? '.'
  const at = result.entries.get('context')?.at ?? given.at
  result = withEntry(result, 'context', scalar(isRemote(context) ? context : absolute(base, context), at))
  for (const key of ['args', 'labels']) {
    const value = result.entries.get(key)
    if (value) result = withEntry(result, key, pairs(reader, `build.${key}`, value, '='))
  }
  const hosts = result.entries.get('extra_hosts')
  if (hosts) result = withEntry(result, 'extra_hosts', pairs(reader, 'build.extra_hosts', hosts, listHas(hosts, '=') ? '=' : ':'))
  return result
}

/** A repository or archive that Docker would fetch. */
export const isRemote = (context: string): boolean =>
  /^(?:https?|git|ssh|oci-layout|docker-image):\/\/|^git@|^github\.com\//.test(context)

function canonicalEnvFiles(reader: Reader, node: Node, base: string): Node {
  const given = node.kind === 'list' ? node.items : [node]
  const files = given.flatMap((item): Node[] => {
    const entry = item.kind === 'scalar' ? map([['path', item]], item.at) : mapping(reader, 'env_file', item)
    const path = entry && text(reader, 'env_file.path', entry.entries.get('path'))
    if (!entry || path === undefined) return []
    return [withEntry(entry, 'path', scalar(absolute(base, path), item.at))]
  })
  return list(files, node.at)
}

/** `source:target:mode` and the long form as one. */
function canonicalMount(reader: Reader, node: Node, base: string): Node {
  if (node.kind !== 'scalar') {
    const entry = mapping(reader, 'volumes', node) ?? map([], node.at)
    const source = entry.entries.get('source')
    const type = text(reader, 'volumes.type', entry.entries.get('type')) ?? 'volume'
    if (type !== 'bind' || source?.kind !== 'scalar') return entry
    return withEntry(entry, 'source', scalar(absolute(base, source.text), source.at))
  }
  const { at } = node
  const parts = node.text.split(':')
  // a drive letter is no source of its own
  if (/^[A-Za-z]$/.test(parts[0] ?? '') && /^[\\/]/.test(parts[1] ?? '') && parts[2]?.startsWith('/')) {
    parts.splice(0, 2, `${parts[0]}:${parts[1]}`)
  }
  const [first = '', second, mode = ''] = parts
  if (parts.length > 3) return wrongNode(reader, 'volumes', 'source:target or source:target:mode', node) ?? scalar(null, at)
  if (second === undefined) return map([entry('type', 'volume', at), entry('target', first, at)], at)
  const bind = /^[./~\\]|^[A-Za-z]:/.test(first)
  return map(
    [
      entry('type', bind ? 'bind' : 'volume', at),
      entry('source', bind ? absolute(base, first) : first, at),
      entry('target', second, at),
      ...(mode.split(',').includes('ro') ? [entry('read_only', true, at)] : []),
    ],
    at,
  )
}

const entry = (key: string, value: string | boolean, at: SourcePosition): readonly [string, Node] => [key, scalar(value, at)]

function canonicalDevelop(reader: Reader, node: Node, base: string): Node {
  const develop = mapping(reader, 'develop', node)
  const watch = develop?.entries.get('watch')
  if (!develop || !watch) return node
  const rules = items(reader, 'develop.watch', watch).map((rule) => {
    const path = rule.kind === 'map' ? rule.entries.get('path') : undefined
    if (rule.kind !== 'map' || path?.kind !== 'scalar') return rule
    return withEntry(rule, 'path', scalar(absolute(base, path.text), path.at))
  })
  return withEntry(develop, 'watch', list(rules, watch.at))
}

/** A path of the file as it is on this machine. */
export function absolute(base: string, path: string): string {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1))
  return isAbsolute(path) ? resolve(path) : resolve(base, path)
}
