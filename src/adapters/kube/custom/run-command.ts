// Runs a command of a custom deploy, with a kubeconfig that leads to the guarded cluster and nowhere else.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DevloopError, isDevloopError, type SourcePosition } from '../../../errors/devloop-error.js'
import type { Command } from '../../../model/plan.js'
import type { ProcessRunner } from '../../../ports/process-runner.js'
import type { KubeConnection } from '../connection.js'

export interface CustomRun {
  readonly resource: string
  readonly project: string
  /** `apply` or `delete`. */
  readonly what: string
  readonly command: Command
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly at: SourcePosition | undefined
  /** Gets the lines of stderr. */
  readonly onOutput: (line: string) => void
}

/** Never cut but by its time limit. @returns what it printed on stdout. @throws DevloopError custom/failed */
export async function runCommand(processes: ProcessRunner, connection: KubeConnection, run: CustomRun): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-custom-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const stdout: string[] = []
  const tail: string[] = []
  const failed = (message: string, why: string): DevloopError =>
    new DevloopError('custom/failed', `The ${run.what} command of ${run.resource} ${message}.`, { why, where: run.at })
  try {
    await writeFile(kubeconfig, connection.kubeconfig(), { mode: 0o600 })
    const running = await processes
      .spawn({
        command: run.command,
        cwd: run.cwd,
        env: {
          ...inherited(),
          ...run.env,
          KUBECONFIG: kubeconfig,
          DEVLOOP_NAMESPACE: connection.namespace,
          DEVLOOP_PROJECT: run.project,
          DEVLOOP_RESOURCE: run.resource,
        },
        onLine: (line) => stdout.push(line),
        onErrorLine: (line) => {
          tail.push(line)
          if (tail.length > 20) tail.shift()
          run.onOutput(line)
        },
      })
      .catch((thrown: unknown) => {
        if (!isDevloopError(thrown)) throw thrown
        throw failed('could not be started', [thrown.message, thrown.info.why].filter(Boolean).join(' '))
      })
    let late = false
    const timer = setTimeout(() => {
      late = true
      void running.stop(1000)
    }, run.timeoutMs)
    const { exitCode, signal } = await running.ended
    clearTimeout(timer)
    const output = (tail.length > 0 ? tail : stdout.slice(-20)).join('\n')
    if (late) throw failed(`took longer than ${run.timeoutMs / 1000} seconds`, output)
    if (exitCode !== 0)
      throw failed(exitCode === undefined ? `was ended by ${signal}` : `failed with exit code ${exitCode}`, output)
    return stdout.length === 0 ? '' : `${stdout.join('\n')}\n`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const inherited = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
