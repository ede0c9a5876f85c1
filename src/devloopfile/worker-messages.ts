// What the main thread and the worker that evaluates a Devloopfile say to each other.
import type { ErrorInfo, SourcePosition } from '../errors/devloop-error.js'
import type { Choices } from '../model/plan.js'
import type { Declaration } from './declaration.js'

/** The one message to a worker. */
export interface Job {
  /** URL of the bundle. */
  readonly bundle: string
  /** Source map of the bundle, as JSON; its sources are absolute paths. */
  readonly map: string
  /** The Devloopfile. */
  readonly file: string
  /** Folders of devloop's own sources: no place of the user's. */
  readonly own: readonly string[]
  /** Which way to take of resources that can be made in two, as far as it is said. */
  readonly choices?: Choices
  readonly context: { readonly user: string; readonly args: readonly string[]; readonly runtime: 'kubernetes' | 'process' }
}

/** From a worker: lines as they come, then one of the others. */
export type WorkerMessage =
  | { readonly type: 'line'; readonly text: string }
  /** A file was asked for. */
  | { readonly type: 'read'; readonly file: string }
  | { readonly type: 'declared'; readonly declaration: Declaration }
  | { readonly type: 'failed'; readonly failure: Failure }

/** Why there is no declaration. */
export type Failure =
  /** A mistake in the use of the API. */
  | {
      readonly kind: 'usage'
      readonly file: boolean
      readonly message: string
      readonly help: string
      readonly at: SourcePosition
    }
  /** Files that it uses are wrong. */
  | { readonly kind: 'problems'; readonly problems: readonly ErrorInfo[] }
  | { readonly kind: 'threw'; readonly message: string; readonly causes: readonly string[]; readonly at?: SourcePosition }
  /** A promise that nobody awaited was rejected. */
  | { readonly kind: 'unhandled'; readonly message: string; readonly causes: readonly string[]; readonly at?: SourcePosition }
  | { readonly kind: 'exit'; readonly code: number; readonly at?: SourcePosition }
  /** The default export is none of defineDevloop. `received` undefined = there is none. */
  | { readonly kind: 'export'; readonly received?: string }

/** Global variable of the worker that stands for `import.meta` in the bundle. */
export const moduleMetaName = '__devloop_meta'
