// Commands on this machine.
import type { Command } from '../model/plan.js'

export interface SpawnOptions {
  /** A string runs by `sh -c`, an array as it is. */
  readonly command: Command
  readonly cwd: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** Whole lines of stdout and stderr, without the line end. */
  readonly onLine: (line: string) => void
  /** Takes the lines of stderr instead of `onLine`. */
  readonly onErrorLine?: (line: string) => void
}

export interface RunningProcess {
  readonly pid: number
  /** Settles once when it has ended and its output was delivered; never rejects. */
  readonly ended: Promise<ProcessEnd>
  /** SIGTERM to the whole process group, SIGKILL after the grace (default 5,000 ms). Resolves when it has ended. */
  stop(graceMs?: number): Promise<ProcessEnd>
}

export interface ProcessEnd {
  /** Undefined when it was ended by a signal. */
  readonly exitCode?: number
  readonly signal?: string
}

export interface ProcessRunner {
  /** @throws DevloopError local/start when the command or the folder does not exist */
  spawn(options: SpawnOptions): Promise<RunningProcess>
}
