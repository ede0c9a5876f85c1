// Evaluating the Devloopfile.
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { Plan } from '../model/plan.js'

/** What the Devloopfile is told about its surroundings. */
export interface PlanContext {
  /** Name of the user, as a DNS label. */
  readonly user: string
  /** What stood after `--` on the command line. */
  readonly args: readonly string[]
  readonly runtime: 'kubernetes' | 'process'
}

/** Folders and files whose change makes another load necessary. */
export interface PlanInput {
  /** Absolute path of a file or folder to watch; it need not exist. */
  readonly root: string
  /** Whether a path below `root` (relative, '' = the root itself) is an input. */
  readonly matches: (path: string) => boolean
}

export type PlanLoad =
  | { readonly ok: true; readonly plan: Plan; readonly inputs: readonly PlanInput[]; readonly loadMs: number }
  | { readonly ok: false; readonly error: ErrorInfo; readonly inputs: readonly PlanInput[] }

export interface PlanLoader {
  /** Never rejects but with an AbortError. `onLog` gets what the Devloopfile prints. */
  load(context: PlanContext, onLog: (line: string) => void, signal: AbortSignal): Promise<PlanLoad>
  close(): Promise<void>
}
