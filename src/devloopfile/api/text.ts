// Texts that keep what they refer to and whether they are secret.
import { callPosition, type ApiFunction } from './session.js'
import { snapshot } from './snapshot.js'
import type { Text } from './types.js'
import { called, insideOf, makeValue, UsageError, type TextPiece } from './values.js'

const help = 'Write text`...` instead of `...`, or give the value itself.'

/**
 * A value that is made once, when it is first used: 32 random letters and digits. It is kept in a Secret of the cluster (never on this
 * machine's disk), stays the same over restarts, and is secret wherever it goes. The same name means the same value.
 *
 * @param name lower-case letters, digits and `-`
 */
export function generated(name: string): Text {
  const at = callPosition(generated)
  return makeText([{ kind: 'generated', name: snapshot(name), at }], `the ${called('generated value', name)}`)
}

/**
 * Tag of a template whose result keeps what it refers to: addresses of apps, generated values, other texts.
 *
 * @example text`postgres://postgres:${password}@${db.address}/shop`
 */
export function text(strings: TemplateStringsArray, ...values: readonly (string | number | boolean | Text)[]): Text {
  const pieces: TextPiece[] = []
  strings.forEach((literal, index) => {
    pieces.push({ kind: 'literal', text: literal })
    if (index < values.length) pieces.push(...piecesOf(values[index], index))
  })
  return makeText(merge(pieces), 'a text')
}

/** What gives a text of a resource. */
const behind = { app: '`.address`, `.host` or `.port`', config: "`.at('KEY')`", secret: "`.at('KEY')`" } as const

function piecesOf(value: unknown, index: number): readonly TextPiece[] {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return [{ kind: 'literal', text: String(value) }]
  const inside = insideOf(value)
  if (inside?.kind === 'text') return inside.parts
  const place = `Value ${index + 1} of the text`
  if (inside?.kind === 'resource' && inside.type in behind) {
    const help = `Write ${behind[inside.type as keyof typeof behind]} behind it.`
    throw new UsageError(`${place} is ${called(inside.type, inside.name)}, which has no text of its own.`, help, text)
  }
  const what = inside
    ? called(inside.kind, 'name' in inside ? inside.name : undefined)
    : value === null
      ? 'null'
      : `of the type ${typeof value}`
  throw new UsageError(`${place} is ${what}, which cannot stand in one.`, 'Use strings, numbers, booleans and texts.', text)
}

/** Neighbouring literals as one, and no empty ones: the same text is the same data however it was put together. */
function merge(pieces: readonly TextPiece[]): readonly TextPiece[] {
  const merged: TextPiece[] = []
  for (const piece of pieces) {
    const last = merged.at(-1)
    if (piece.kind !== 'literal') merged.push(piece)
    else if (last?.kind === 'literal') merged[merged.length - 1] = { kind: 'literal', text: last.text + piece.text }
    else if (piece.text !== '') merged.push(piece)
  }
  return merged
}

const makeText = (parts: readonly TextPiece[], what: string): Text => makeValue({ kind: 'text', parts }, {}, what, help)

/** The text, which brings the service along that its generated values belong to. */
export function textOf(service: object, value: Text): Text {
  const inside = insideOf(value)
  const parts = inside?.kind === 'text' ? inside.parts : []
  return makeText(
    parts.map((part) => (part.kind === 'generated' ? { ...part, of: service } : part)),
    'a value of a service',
  )
}

/** A text that is a value of a config or secret. */
export const configText = (resource: object, kind: 'config' | 'secret', name: unknown, key: unknown, api: ApiFunction): Text =>
  makeText([{ kind: 'config', resource, key, at: callPosition(api) }], `a value of ${called(kind, name)}`)

/** A text that is (part of) the address of an app. */
export function addressText(
  resource: object,
  name: unknown,
  part: 'address' | 'host' | 'port',
  port: unknown,
  api: ApiFunction,
): Text {
  return makeText([{ kind: 'address', resource, port, part, at: callPosition(api) }], `the ${part} of ${called('app', name)}`)
}
