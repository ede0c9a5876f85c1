// What `devloop doctor` finds, and what its checks share.
import type { KubeFacts } from '../../adapters/kube/kube-facts.js'
import type { ErrorInfo } from '../../errors/devloop-error.js'
import type { MissingRight } from '../../model/missing-right.js'
import type { Plan } from '../../model/plan.js'

/** `failed`: something that is needed is missing. `warning`: it may be missing. `skipped`: it could not be looked at, or is not needed. */
export type FindingStatus = 'ok' | 'warning' | 'failed' | 'skipped'

export interface Finding {
  /** Name of the check, such as `registry`. */
  readonly check: string
  readonly status: FindingStatus
  /** In one line. */
  readonly text: string
  /** What is wrong, why, and what to do. */
  readonly error?: ErrorInfo
  /** Of the check `rights`. */
  readonly missing?: readonly MissingRight[]
}

export interface DoctorReport {
  /** Whether no check failed. */
  readonly ok: boolean
  readonly checks: readonly Finding[]
}

export interface DoctorOptions {
  /** The Devloopfile; undefined = there is none. */
  readonly file: string | undefined
  readonly context?: string
  readonly namespace?: string
  /** What the Devloopfile gets as `args`. */
  readonly args: readonly string[]
}

/** What earlier checks found out for later ones. */
export interface Room {
  readonly options: DoctorOptions
  plan?: Plan
  kube?: KubeFacts
  namespace?: string
}

/** One question. What it throws is its finding. */
export interface Check {
  readonly name: string
  run(room: Room, signal: AbortSignal): Promise<Omit<Finding, 'check'>>
}

export const ok = (text: string): Omit<Finding, 'check'> => ({ status: 'ok', text })
export const skipped = (text: string): Omit<Finding, 'check'> => ({ status: 'skipped', text })
