// What one run of `devloop ci` came to.
import type { ErrorInfo } from '../errors/devloop-error.js'

/** Also the content of the file that `devloop ci --json` writes. */
export interface CiReport {
  readonly project: string
  readonly runtime: 'kubernetes' | 'process'
  /** Of devloop. */
  readonly version: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly durationMs: number
  readonly outcome: 'passed' | 'failed' | 'interrupted'
  /** What is wrong with no single resource: the Devloopfile, the cluster, the time limit. */
  readonly problems: readonly ErrorInfo[]
  /** In the order of the plan. */
  readonly resources: readonly CiResource[]
}

export interface CiResource {
  readonly name: string
  /** As in the Devloopfile, such as `app`. */
  readonly type: string
  /** `waiting`: neither ready nor failed when the run ended. `skipped`: it was not to run. */
  readonly outcome: 'passed' | 'failed' | 'waiting' | 'skipped'
  /** Why it waits, or is skipped. */
  readonly reason?: string
  /** Why it failed. */
  readonly error?: ErrorInfo
  /** From the start of the run until it was ready first. */
  readonly readyMs?: number
}

/** Limits given on the command line, which win over those of the Devloopfile. */
export interface CiLimits {
  readonly timeoutMs?: number
  readonly readinessTimeoutMs?: number
  readonly graceMs?: number
}
