// Asking something on this machine whether it is ready.
import type { ReadinessCheck } from '../model/plan.js'

/** What can be asked; a line of output is not asked for but waited for. */
export type AskedCheck = Exclude<ReadinessCheck, { readonly kind: 'log' }>

export interface AskOptions {
  /** For the answer, in milliseconds. */
  readonly timeoutMs: number
  /** Where a command runs, and its whole environment. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export interface Answer {
  readonly ready: boolean
  /** What it said, in words such as `GET http://127.0.0.1:80/ answered 503 Service Unavailable`. May have several lines. */
  readonly text: string
}

export interface Readiness {
  /** Ask once. Whatever goes wrong is an answer; it rejects with an AbortError only. */
  ask(check: AskedCheck, options: AskOptions, signal: AbortSignal): Promise<Answer>
}
