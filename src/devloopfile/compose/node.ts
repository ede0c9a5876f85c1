// Data of a Compose file with the place of each value: what YAML gives, aliases and merges followed, variables put in.
import type * as Yaml from 'yaml'
import type { SourcePosition } from '../../errors/devloop-error.js'

export type Node = ScalarNode | ListNode | MapNode

interface Base {
  /** Of a scalar; of the key that a list or mapping stands under. */
  readonly at: SourcePosition
  /** `!reset` and `!override`: what an earlier file says is dropped. */
  readonly tag?: 'reset' | 'override' | undefined
}

export interface ScalarNode extends Base {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** As it is written: a version `1.10` is not `1.1`. */
  readonly text: string
}

export interface ListNode extends Base {
  readonly kind: 'list'
  readonly items: readonly Node[]
}

export interface MapNode extends Base {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, Node>
}

export const scalar = (value: ScalarNode['value'], at: SourcePosition): ScalarNode => ({
  kind: 'scalar',
  value,
  text: value === null ? '' : String(value),
  at,
})
export const list = (items: readonly Node[], at: SourcePosition): ListNode => ({ kind: 'list', items, at })
export const map = (entries: Iterable<readonly [string, Node]>, at: SourcePosition): MapNode => ({
  kind: 'map',
  entries: new Map(entries),
  at,
})

/** A mapping with one entry more, or another. */
export const withEntry = (node: MapNode, key: string, value: Node | undefined): MapNode => {
  const entries = new Map(node.entries)
  if (value) entries.set(key, value)
  else entries.delete(key)
  return { ...node, entries }
}

/** What a node is, in words. */
export const describeNode = (node: Node): string =>
  node.kind === 'map'
    ? 'a mapping'
    : node.kind === 'list'
      ? 'a list'
      : node.value === null
        ? 'nothing'
        : typeof node.value === 'string'
          ? `'${node.text.length > 60 ? `${node.text.slice(0, 57)}...` : node.text}'`
          : node.text

/** What is read of a YAML file, and what can be wrong with it. */
export interface ReadOptions {
  readonly yaml: Pick<
    typeof Yaml,
    'parseDocument' | 'LineCounter' | 'isMap' | 'isSeq' | 'isAlias' | 'isScalar' | 'isNode' | 'isPair'
  >
  /** Puts variables into a text. */
  readonly interpolate: (text: string, at: SourcePosition) => string
  readonly fail: (message: string, at: SourcePosition, why?: string) => never
}

const composeTags: Yaml.Tags = ['!reset', '!override'].flatMap((tag): Yaml.Tags => [
  { tag, resolve: (value: string) => value },
  { tag, collection: 'map' },
  { tag, collection: 'seq' },
])

/** More than any Compose file has: aliases of aliases could grow without end. */
const maxNodes = 200_000

/** @throws what `fail` throws */
export function readYaml(text: string, file: string, options: ReadOptions): Node {
  const { yaml, interpolate, fail } = options
  const lines = new yaml.LineCounter()
  const place = (offset: number | undefined): SourcePosition => {
    const { line, col } = lines.linePos(offset ?? 0)
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const document = yaml.parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    // two tags of Compose's own
    customTags: (tags) => [...tags, ...composeTags],
  })
  const [error] = document.errors
  if (error) fail('This is not valid YAML.', place(error.pos[0]), sentence(error.message))
  let count = 0

  const convert = (given: unknown, above: SourcePosition | undefined, path: readonly unknown[]): Node => {
    if ((count += 1) > maxNodes)
      fail('This is more than a Compose file can hold.', place(0), 'Its aliases stand for too much data.')
    let node = given
    if (yaml.isAlias(node)) {
      const { source } = node
      const at = place(node.range?.[0])
      node = node.resolve(document)
      if (!node) fail(`There is no anchor &${source} before this.`, at)
      if (path.includes(node)) fail(`The anchor &${source} contains itself.`, at)
    }
    if (!yaml.isNode(node)) return scalar(null, above ?? place(0))
    const own = place(node.range?.[0])
    const at = above ?? own
    const tag = node.tag === '!reset' ? ('reset' as const) : node.tag === '!override' ? ('override' as const) : undefined
    const inside = [...path, node]
    if (yaml.isMap(node)) return { kind: 'map', entries: convertMap(node, inside), at, tag }
    if (yaml.isSeq(node)) return { kind: 'list', items: node.items.map((item) => convert(item, undefined, inside)), at, tag }
    if (!yaml.isScalar(node)) return scalar(null, at)
    const value: unknown = node.value
    if (typeof value === 'string') {
      const replaced = value.includes('$') ? interpolate(value, own) : value
      return { kind: 'scalar', value: replaced, text: replaced, at: own, tag }
    }
    const plain = typeof value === 'number' || typeof value === 'boolean' ? value : null
    return { kind: 'scalar', value: plain, text: plain === null ? '' : (node.source ?? String(plain)), at: own, tag }
  }

  const convertMap = (node: Yaml.YAMLMap, path: readonly unknown[]): Map<string, Node> => {
    const own = new Map<string, Node>()
    const merged = new Map<string, Node>()
    for (const pair of node.items) {
      const key = yaml.isScalar(pair.key) ? (pair.key.source ?? String(pair.key.value)) : undefined
      const at = place(yaml.isNode(pair.key) ? pair.key.range?.[0] : undefined)
      if (key === undefined) {
        fail('A key must be a plain text.', at)
      } else if (key === '<<') {
        for (const [name, value] of mergedEntries(pair.value, at, path)) if (!merged.has(name)) merged.set(name, value)
      } else {
        own.set(key, convert(pair.value, at, path))
      }
    }
    return new Map([...merged, ...own])
  }

  /** What `<<` brings: of several mappings, the first that has a key. */
  const mergedEntries = (value: unknown, at: SourcePosition, path: readonly unknown[]): Map<string, Node> => {
    const node = convert(value, at, path)
    const maps = node.kind === 'list' ? node.items : [node]
    const all = new Map<string, Node>()
    for (const one of maps) {
      if (one.kind !== 'map') return fail('`<<` takes a mapping, or a list of mappings.', at, `Received ${describeNode(one)}.`)
      for (const [key, entry] of one.entries) if (!all.has(key)) all.set(key, entry)
    }
    return all
  }

  return convert(document.contents, undefined, [])
}

const sentence = (text: string): string => {
  const first = (text.split('\n')[0] ?? '').replace(/:$/, '')
  return /[.!?]$/.test(first) ? first : `${first}.`
}
