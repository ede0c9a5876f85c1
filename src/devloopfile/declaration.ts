// What the worker hands to the main thread: the values of a Devloopfile as plain data, not yet checked.
import type { ErrorInfo, SourcePosition } from '../errors/devloop-error.js'
import type { Choices, ServiceKind } from '../model/plan.js'

/** All that the Devloopfile's result reaches. Values refer to each other by index, so that two with one name stay two. */
export interface Declaration {
  /** What the function returned, with values as marks. */
  readonly project: Encoded
  /** The call of defineDevloop. */
  readonly at: SourcePosition
  readonly images: readonly DeclaredImage[]
  /** Which way was taken of each resource that can be made in two. */
  readonly choices?: Choices
  readonly resources: readonly DeclaredResource[]
}

export interface DeclaredImage {
  readonly name: Encoded
  readonly options: Encoded
  readonly at: SourcePosition
}

export interface DeclaredResource {
  readonly type: ResourceType
  readonly name: Encoded
  /** Second argument of `manifests` and `kustomize`, the first of `attach`. */
  readonly source: Encoded
  readonly options: Encoded
  /** What was found wanting where it was declared, and does not keep it from running. */
  readonly warnings?: readonly ErrorInfo[] | undefined
  /** The helper that made this app, such as `postgres`; undefined = `app` itself. */
  readonly service?: ServiceKind | undefined
  readonly at: SourcePosition
}

export type ResourceType = 'app' | 'config' | 'secret' | 'manifests' | 'kustomize' | 'helm' | 'custom' | 'attach' | 'local'
export type RuleType = 'sync' | 'run' | 'notify' | 'restart' | 'rebuildOn' | 'ignore'

/** Plain data, with marks for the values of devloop. */
export type Encoded =
  | null
  | undefined
  | string
  | number
  | boolean
  | readonly Encoded[]
  | { readonly [key: string]: Encoded }
  | Mark

/** Stands for something that is no plain data. */
export type Mark =
  | { readonly $devloop: 'image'; readonly index: number }
  | { readonly $devloop: 'resource'; readonly index: number }
  | { readonly $devloop: 'rule'; readonly rule: RuleType; readonly args: readonly Encoded[]; readonly at: SourcePosition }
  | { readonly $devloop: 'text'; readonly parts: readonly DeclaredTextPart[] }
  /** Something that cannot be part of a plan, in words such as `a function`. */
  | { readonly $devloop: 'other'; readonly what: string }

export type DeclaredTextPart =
  | { readonly kind: 'literal'; readonly text: string }
  /** A text that is secret. */
  | { readonly kind: 'sealed'; readonly text: string }
  | { readonly kind: 'generated'; readonly name: Encoded; readonly at: SourcePosition }
  /** `resource`: index in `resources` of a config or secret. */
  | { readonly kind: 'config'; readonly resource: number; readonly key: Encoded; readonly at: SourcePosition }
  | {
      readonly kind: 'address'
      /** Index in `resources`. */
      readonly resource: number
      readonly port: Encoded
      readonly part: 'address' | 'host' | 'port'
      readonly at: SourcePosition
    }

/** Whether encoded data is a mark. */
export const isMark = (value: Encoded): value is Mark =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && '$devloop' in value
