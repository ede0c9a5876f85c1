// Copies what a user passes at the moment of the call, so that a later change of the object changes nothing.
import { types } from 'node:util'
import { insideOf } from './values.js'

/** Marks what cannot be part of a plan; across copies of devloop. */
export const otherKey = Symbol.for('devloop.other')

/** Stands for something that cannot be part of a plan: says in words what it was. */
export interface Other {
  readonly [otherKey]: string
}

const other = (what: string): Other => Object.freeze({ [otherKey]: what })

/** Deeper than any plan is. */
const maxDepth = 60

/** Plain data copied and frozen; values of devloop as they are; anything else as an Other, which says what it was. */
export function snapshot(value: unknown, above: readonly object[] = []): unknown {
  if (value === null || ['undefined', 'string', 'number', 'boolean'].includes(typeof value)) return value
  if (typeof value === 'bigint') return other(`the bigint ${value}n`)
  if (typeof value === 'symbol') return other('a symbol')
  if (typeof value === 'function') return other(value.name ? `the function ${value.name}` : 'a function')
  const object = value as object
  if (insideOf(object)) return object
  if (above.includes(object)) return other('an object that contains itself')
  if (above.length >= maxDepth) return other('an object nested too deeply')
  const path = [...above, object]
  if (Array.isArray(object)) return Object.freeze(Array.from(object, (item) => snapshot(item, path)))
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== null && prototype !== Object.prototype) return other(nameOf(object))
  return Object.freeze(Object.fromEntries(Object.entries(object).map(([key, item]) => [key, snapshot(item, path)])))
}

function nameOf(object: object): string {
  if (types.isPromise(object)) return 'a Promise (put await before it)'
  const name = (object.constructor as { name?: string } | undefined)?.name
  return name ? `an instance of ${name}` : 'an object of a class'
}
