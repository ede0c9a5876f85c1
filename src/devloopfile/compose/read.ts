// Reads typed values out of nodes: what is of the wrong kind is told with its place, and undefined then.
import { didYouMean } from '../../errors/did-you-mean.js'
import { describeNode, type MapNode, type Node } from './node.js'
import type { ComposeProblems } from './problems.js'
import { durationSeconds, sizeQuantity } from './units.js'

/** One service, or another part of a file, that is being read. */
export interface Reader {
  readonly problems: ComposeProblems
  /** Name of the service for warnings. Undefined = it concerns all. */
  readonly service: string | undefined
  /** Such as `service 'web'`. */
  readonly what: string
}

/** Report a value of another kind. @param expected such as `a number` */
export const wrongNode = (reader: Reader, key: string, expected: string, node: Node, help?: string): undefined =>
  reader.problems.error(`${reader.what}: \`${key}\` must be ${expected}.`, {
    at: node.at,
    why: `Received ${describeNode(node)}.`,
    help,
  })

const isNothing = (node: Node | undefined): boolean =>
  node === undefined || (node.kind === 'scalar' && (node.value === null || node.tag === 'reset'))

export function text(reader: Reader, key: string, node: Node | undefined): string | undefined {
  if (!node || isNothing(node)) return undefined
  return node.kind === 'scalar' ? node.text : wrongNode(reader, key, 'a text', node)
}

export function bool(reader: Reader, key: string, node: Node | undefined): boolean | undefined {
  const value = text(reader, key, node)
  if (value === undefined || node === undefined) return undefined
  if (/^(?:true|yes|on|1)$/i.test(value)) return true
  return /^(?:false|no|off|0)$/i.test(value) ? false : wrongNode(reader, key, 'true or false', node)
}

export function number(reader: Reader, key: string, node: Node | undefined): number | undefined {
  const value = text(reader, key, node)
  if (value === undefined || node === undefined) return undefined
  const found = Number(value)
  return value.trim() !== '' && Number.isFinite(found) && found >= 0 ? found : wrongNode(reader, key, 'a number from 0 up', node)
}

export function whole(reader: Reader, key: string, node: Node | undefined): number | undefined {
  const found = number(reader, key, node)
  return found === undefined || Number.isInteger(found) || !node ? found : wrongNode(reader, key, 'a whole number', node)
}

export function duration(reader: Reader, key: string, node: Node | undefined): number | undefined {
  const value = text(reader, key, node)
  if (value === undefined || node === undefined) return undefined
  return durationSeconds(value) ?? wrongNode(reader, key, 'a duration such as 10s or 1m30s', node)
}

export function size(reader: Reader, key: string, node: Node | undefined): string | undefined {
  const value = text(reader, key, node)
  if (value === undefined || node === undefined) return undefined
  return sizeQuantity(value) ?? wrongNode(reader, key, 'a size such as 512m or 1gb', node)
}

/** A list of texts; one text stands for a list of one. */
export function texts(reader: Reader, key: string, node: Node | undefined): readonly string[] {
  if (!node || isNothing(node)) return []
  if (node.kind === 'scalar') return [node.text]
  if (node.kind === 'map') {
    wrongNode(reader, key, 'a list', node)
    return []
  }
  return node.items.flatMap((item) => text(reader, key, item) ?? [])
}

export function mapping(reader: Reader, key: string, node: Node | undefined): MapNode | undefined {
  if (!node || isNothing(node)) return undefined
  return node.kind === 'map' ? node : wrongNode(reader, key, 'a mapping', node)
}

export function items(reader: Reader, key: string, node: Node | undefined): readonly Node[] {
  if (!node || isNothing(node)) return []
  if (node.kind === 'list') return node.items
  wrongNode(reader, key, 'a list', node)
  return []
}

/** Report the keys that there are not; extensions (`x-...`) are everybody's own. */
export function checkKeys(reader: Reader, path: string, node: MapNode, known: Iterable<string>): void {
  const names = [...known]
  for (const [key, value] of node.entries) {
    if (key.startsWith('x-') || names.includes(key)) continue
    const help = didYouMean(key, names) ?? 'Remove it, or begin its name with x- if it is an extension.'
    reader.problems.error(`${reader.what}: there is no \`${path === '' ? key : `${path}.${key}`}\`.`, { at: value.at, help })
  }
}
