// What the user has chosen to see. The views and the log are not part of it.
import type { Toned } from '../../client/status/tone.js'
import type { LogEntry } from '../../protocol/messages.js'

export interface ScreenState {
  /** Name of a resource; undefined = all of them. */
  readonly selected?: string | undefined
  readonly pane: 'log' | 'details'
  /** Whether the pane has the whole screen. */
  readonly zoom: boolean
  readonly help: boolean
  /** The lowest level of log lines that is shown. */
  readonly level: LogEntry['level']
  /** First line of the details, or of the help, that is shown. */
  readonly scroll: number
  /** Cursor of the log line that is pointed at; undefined = the log is followed. */
  readonly at?: number | undefined
  /** What is looked for in the log; '' = nothing. */
  readonly search: string
  readonly prompt?: Prompt | undefined
  /** Told in place of the keys, until the next one is pressed. */
  readonly notice?: Toned | undefined
}

/** A question in the last line. */
export type Prompt =
  /** `before`: what was looked for before, for Escape. */
  | { readonly kind: 'search'; readonly text: string; readonly before: string }
  /** `before`: what was selected before. */
  | { readonly kind: 'select'; readonly text: string; readonly before: string | undefined }
  | { readonly kind: 'disable'; readonly resource: string }
  /** One of several addresses, by a digit. */
  | { readonly kind: 'address'; readonly purpose: 'open' | 'copy'; readonly urls: readonly string[] }

export const initialState: ScreenState = { pane: 'log', zoom: false, help: false, level: 'info', scroll: 0, search: '' }

/** What a key asks for beside another look. */
export type Effect =
  | { readonly kind: 'request'; readonly method: 'trigger' | 'restart' | 'enable' | 'disable'; readonly resource: string }
  | { readonly kind: 'open'; readonly url: string }
  /** The status page in a browser. */
  | { readonly kind: 'page' }
  /** Into the clipboard of the machine that the terminal runs on. `what` it is, for the notice. */
  | { readonly kind: 'copy'; readonly text: string; readonly what: string }
  | { readonly kind: 'quit' }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
