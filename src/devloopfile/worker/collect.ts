// Turns what a Devloopfile returned into a declaration: plain data with everything that it reaches.
import type { SourcePosition } from '../../errors/devloop-error.js'
import { otherKey, snapshot, type Other } from '../api/snapshot.js'
import { insideOf, type Inside, type TextPiece } from '../api/values.js'
import type { Declaration, DeclaredImage, DeclaredResource, DeclaredTextPart, Encoded, Mark } from '../declaration.js'

/** @param at the call of defineDevloop */
export function collect(project: unknown, at: SourcePosition): Declaration {
  const images = createTable()
  const resources = createTable()

  const encode = (value: unknown): Encoded => {
    if (typeof value !== 'object' || value === null) return value as Encoded
    const inside = insideOf(value)
    if (inside) return mark(value, inside)
    if (otherKey in value) return { $devloop: 'other', what: (value as Other)[otherKey] }
    if (Array.isArray(value)) return value.map(encode)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]))
  }
  const mark = (value: object, inside: Inside): Mark => {
    switch (inside.kind) {
      case 'image':
        return { $devloop: 'image', index: images.indexOf(value) }
      case 'resource':
        return { $devloop: 'resource', index: resources.indexOf(value) }
      case 'rule':
        return { $devloop: 'rule', rule: inside.rule, args: inside.args.map(encode), at: inside.at }
      case 'text':
        return { $devloop: 'text', parts: inside.parts.map(encodePart) }
      case 'devloopfile':
        return { $devloop: 'other', what: 'a Devloopfile' }
    }
  }
  const encodePart = (piece: TextPiece): DeclaredTextPart => {
    if (piece.kind === 'literal' || piece.kind === 'sealed') return piece
    if (piece.kind === 'generated') {
      // being in the table is all: what of it is needed, is told by the values that it is made with
      if (piece.of) resources.indexOf(piece.of)
      return { kind: 'generated', name: encode(piece.name), at: piece.at }
    }
    if (piece.kind === 'config') return { ...piece, resource: resources.indexOf(piece.resource), key: encode(piece.key) }
    return { ...piece, resource: resources.indexOf(piece.resource), port: encode(piece.port) }
  }

  const encoded = encode(snapshot(project))
  // Encoding a resource may reach others, which are added to the end of the table meanwhile.
  const declared: DeclaredResource[] = []
  for (const value of resources.values) {
    const inside = insideOf(value)
    if (inside?.kind !== 'resource') continue
    const { type, name, source, options, warnings, service, at } = inside
    declared.push({ type, name: encode(name), source: encode(source), options: encode(options), warnings, service, at })
  }
  const built: DeclaredImage[] = []
  for (const value of images.values) {
    const inside = insideOf(value)
    if (inside?.kind !== 'image') continue
    built.push({ name: encode(inside.name), options: encode(inside.options), at: inside.at })
  }
  return { project: encoded, at, images: built, resources: declared }
}

function createTable(): { readonly values: readonly object[]; indexOf(value: object): number } {
  const values: object[] = []
  const indexes = new Map<object, number>()
  return {
    values,
    indexOf(value) {
      const known = indexes.get(value)
      if (known !== undefined) return known
      indexes.set(value, values.length)
      return values.push(value) - 1
    },
  }
}
