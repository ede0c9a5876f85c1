// What `devloop doctor` finds, and what its checks share.
import type { EngineReport } from '../../adapters/docker/examine-engine.js'
import type { KubeFacts } from '../../adapters/kube/kube-facts.js'
import type { ProbeOutcome } from '../../adapters/kube/probe-pod.js'
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
  /** How long it took. Milliseconds. */
  readonly ms: number
  /** What is wrong, why, and what to do. */
  readonly error?: ErrorInfo
  /** Of the check `rights`. */
  readonly missing?: readonly MissingRight[]
}

/** What a check says. */
export type Said = Omit<Finding, 'check' | 'ms'>

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
  /** Whether nothing may be written: no image is built or pushed, and no pod is made. */
  readonly readOnly: boolean
}

/** What earlier checks found out for later ones. */
export interface Room {
  readonly options: DoctorOptions
  /** The state folder of this working copy; '' = there is no Devloopfile, and so none. */
  stateDir: string
  plan?: Plan
  kube?: KubeFacts
  /** The developer's, and whether it is there; undefined = that may not be asked. */
  namespace?: { readonly name: string; readonly exists: boolean | undefined }
  engine?: EngineReport
  /** Reference of the small image that was brought to where nodes pull it. */
  pushed?: string
  /** What the pod came to that was made of it. */
  probe?: ProbeOutcome
}

/** One question. What it throws is its finding. */
export interface Check {
  readonly name: string
  /** Names of the checks before it in the list that it builds on: it begins when these are done, whatever they found. */
  readonly after?: readonly string[]
  /** How long it may take. Milliseconds; default 10,000. */
  readonly limitMs?: number
  run(room: Room, signal: AbortSignal): Promise<Said>
}

export const ok = (text: string): Said => ({ status: 'ok', text })
export const skipped = (text: string): Said => ({ status: 'skipped', text })

/** Why most checks of the cluster are skipped, when they are. */
export const notConnected = 'there is no cluster to ask'

/** Milliseconds as people say them. */
export const inWords = (ms: number): string => {
  if (ms < 1000) return `${Math.max(1, Math.round(ms))} ms`
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 3_600_000)} hours`
}
