// The values that the API's functions return: opaque to users, readable by the collector, and loud when put into a plain string.
import type { ErrorInfo, SourcePosition } from '../../errors/devloop-error.js'
import type { ServiceKind } from '../../model/plan.js'
import type { ResourceType, RuleType } from '../declaration.js'
import { callPosition, type ApiFunction } from './session.js'

/** What is behind a value. Symbol.for, so that two copies of devloop in one thread understand each other. */
export const valueKey = Symbol.for('devloop.value')

export type Inside =
  | { readonly kind: 'image'; readonly name: unknown; readonly options: unknown; readonly at: SourcePosition }
  | { readonly kind: 'rule'; readonly rule: RuleType; readonly args: readonly unknown[]; readonly at: SourcePosition }
  | {
      readonly kind: 'resource'
      readonly type: ResourceType
      readonly name: unknown
      readonly source: unknown
      readonly options: unknown
      readonly warnings?: readonly ErrorInfo[]
      /** The helper that made this app. */
      readonly service?: ServiceKind
      readonly at: SourcePosition
    }
  | { readonly kind: 'text'; readonly parts: readonly TextPiece[] }
  | { readonly kind: 'devloopfile'; readonly body: unknown; readonly at: SourcePosition }

export type TextPiece =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'generated'
      readonly name: unknown
      /** The service that is made with it: it comes along. */
      readonly of?: object
      readonly at: SourcePosition
    }
  | { readonly kind: 'sealed'; readonly text: string }
  | { readonly kind: 'config'; readonly resource: object; readonly key: unknown; readonly at: SourcePosition }
  | {
      readonly kind: 'address'
      readonly resource: object
      readonly port: unknown
      readonly part: 'address' | 'host' | 'port'
      readonly at: SourcePosition
    }

/** What the value is, or undefined for anything that is no value of devloop. */
export const insideOf = (value: unknown): Inside | undefined =>
  typeof value === 'object' && value !== null ? (value as { [valueKey]?: Inside })[valueKey] : undefined

/** Marks UsageError across copies of devloop. */
export const usageErrorKey = Symbol.for('devloop.usage-error')

/** A mistake in the use of the API that is known at the call. The loader reports it with its position and no more. */
export class UsageError extends Error {
  override readonly name = 'DevloopfileError'
  readonly help: string
  readonly at: SourcePosition
  /** Whether a file is the trouble, and not a value. */
  readonly file: boolean
  readonly [usageErrorKey] = true

  /** @param api the function that the user called: the position is that of its call */
  constructor(message: string, help: string, api: ApiFunction, file = false) {
    super(message)
    this.help = help
    this.file = file
    this.at = callPosition(api)
  }
}

/**
 * Make a value: frozen, with `members` as its public properties, and throwing when it is made a string.
 * @param what names it in messages, such as `app 'db'`
 * @param help what to write instead
 */
export function makeValue<T>(inside: Inside, members: PropertyDescriptorMap, what: string, help: string): T {
  const refuse = (api: ApiFunction): never => {
    throw new UsageError(
      `${what.charAt(0).toUpperCase()}${what.slice(1)} was put into a plain string, which would lose what it refers to.`,
      help,
      api,
    )
  }
  const value = Object.create(null, {
    ...members,
    [valueKey]: { value: inside },
    [Symbol.toPrimitive]: { value: toPrimitive },
    toString: { value: toString },
    toJSON: { value: toJSON },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: () => `[${what}]` },
  }) as object
  function toPrimitive(): never {
    return refuse(toPrimitive)
  }
  function toString(): never {
    return refuse(toString)
  }
  function toJSON(): never {
    return refuse(toJSON)
  }
  return Object.freeze(value) as T
}

/** `app 'db'`, and `app` where the name is not even a string. */
export const called = (kind: string, name: unknown): string => (typeof name === 'string' ? `${kind} '${name}'` : kind)
