// Evaluating the Devloopfile.
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { Choices, Plan, SealedTexts } from '../model/plan.js'
import type { PlanInput } from '../model/plan-input.js'

/** What the Devloopfile is told about its surroundings. */
export interface PlanContext {
  /** Name of the user; the loader makes a DNS label of it. */
  readonly user: string
  /** What stood after `--` on the command line. */
  readonly args: readonly string[]
  readonly runtime: 'kubernetes' | 'process'
  /** Which way to take of resources that can be made in two; undefined = what the Devloopfile prefers. */
  readonly choices?: Choices
}

export type PlanLoad =
  | {
      readonly ok: true
      readonly plan: Plan
      /** The secret texts that the plan refers to. For no log, state or client. */
      readonly sealed: SealedTexts
      readonly inputs: readonly PlanInput[]
      readonly loadMs: number
    }
  | { readonly ok: false; readonly error: ErrorInfo; readonly inputs: readonly PlanInput[] }

export interface PlanLoader {
  /** Never rejects but with an AbortError. `onLog` gets what the Devloopfile prints. */
  load(context: PlanContext, onLog: (line: string) => void, signal: AbortSignal): Promise<PlanLoad>
  close(): Promise<void>
}
