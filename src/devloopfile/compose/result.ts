// What Compose files come to: images and apps, as the API's own functions would be called.
import type { ErrorInfo, SourcePosition } from '../../errors/devloop-error.js'
import type { RuleType } from '../declaration.js'

export interface Composed {
  readonly images: readonly ComposedImage[]
  /** Those that are to run, in the order of the files. */
  readonly services: readonly ComposedService[]
}

/** Arguments of `image`. */
export interface ComposedImage {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
  readonly live: readonly ComposedRule[]
  readonly at: SourcePosition
}

/** Arguments of a live rule. */
export interface ComposedRule {
  readonly rule: RuleType
  readonly args: readonly unknown[]
  readonly at: SourcePosition
}

/** Arguments of `app`. */
export interface ComposedService {
  /** As the file has it. */
  readonly service: string
  /** Of the resource. */
  readonly name: string
  /** Index of an image, or a reference. */
  readonly image: number | string
  /** All that is plain data. */
  readonly options: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | readonly ComposedText[]>>
  /** Services that must be ready before it is started. */
  readonly needs: readonly string[]
  /** Services whose change starts it again. */
  readonly rebuildAfter: readonly string[]
  /** Its command, for a process of this machine; undefined = the file says none. */
  readonly command: readonly string[] | undefined
  readonly warnings: readonly ErrorInfo[]
  readonly at: SourcePosition
}

/** A piece of a variable: a text, or where a service answers. */
export type ComposedText =
  | string
  | { readonly service: string; readonly port: string | undefined; readonly part: 'address' | 'host' | 'port' }
