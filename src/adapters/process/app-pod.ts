// One deploy of one app: the "pod" of the process runtime. Its container is a stage folder with a process in it.
import { randomBytes, randomUUID } from 'node:crypto'
import { constants } from 'node:os'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import type { AppSpec, Command } from '../../model/plan.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import type { ObservedContainer, ObservedPod } from '../../ports/runtime.js'
import { createAppProcess, type AppProcess } from './app-process.js'
import { createLogRing, tailOf, type LogRing } from './log-ring.js'

export interface AppPodOptions {
  readonly app: AppSpec & { readonly process: NonNullable<AppSpec['process']> }
  readonly template: string
  /** Stays the same as long as the files do, whatever process runs in them. */
  readonly containerId: string
  /** The stage; undefined for an app whose image devloop does not build: then there is nothing to sync into. */
  readonly stage: string | undefined
  readonly ref: string
  /** What runs: the app's command, or that under its debugger. */
  readonly command: Command
  /** Where its debugger listens. */
  readonly debugPort?: number | undefined
  /** Working folder. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Port of this machine by port name. */
  readonly ports: Readonly<Record<string, number>>
  readonly processes: ProcessRunner
  readonly onChange: () => void
}

export interface AppPod {
  readonly options: AppPodOptions
  readonly name: string
  readonly process: AppProcess
  readonly log: LogRing
  /** Aborted when the pod is gone. */
  readonly gone: AbortSignal
  /** Run a command in the container. Aborting ends it. @throws DevloopError local/start, AbortError */
  run(command: Command, onLine: (line: string) => void, signal: AbortSignal): Promise<{ exitCode: number }>
  /** Run the app's prepare command. @throws DevloopError app/prepare with the end of its output, AbortError */
  prepare(command: Command, signal: AbortSignal): Promise<void>
  observed(): ObservedPod
  /** Why it is not ready; undefined when it is. */
  message(): string | undefined
  /** End the process and everything that runs in the container; the pod is gone then. */
  end(graceMs: number): Promise<void>
}

/** TERM to KILL for a command that was called off. */
const runGraceMs = 2000

export function createAppPod(options: AppPodOptions): AppPod {
  const { app, processes, cwd, env } = options
  const name = `${app.name}-${randomBytes(3).toString('hex')}`
  const uid = randomUUID()
  const createdAt = Date.now()
  const gone = new AbortController()
  const log = createLogRing()
  let preparing: string | undefined

  const main = createAppProcess({
    name: app.name,
    command: options.command,
    cwd,
    env,
    ports: Object.values(options.ports),
    job: app.job,
    processes,
    onLine: (line) => log.add(line),
    onChange: options.onChange,
  })

  const run: AppPod['run'] = async (command, onLine, signal) => {
    const ended = AbortSignal.any([signal, gone.signal])
    ended.throwIfAborted()
    const running = await processes.spawn({ command, cwd, env, onLine })
    const stop = (): void => void running.stop(runGraceMs)
    ended.addEventListener('abort', stop)
    if (ended.aborted) stop()
    const end = await running.ended
    ended.removeEventListener('abort', stop)
    ended.throwIfAborted()
    // as a shell tells of a command that was ended by a signal
    return { exitCode: end.exitCode ?? 128 + (constants.signals[end.signal as NodeJS.Signals] ?? 0) }
  }

  return {
    options,
    name,
    process: main,
    log,
    gone: gone.signal,
    run,
    async prepare(command, signal) {
      preparing = typeof command === 'string' ? command : command.join(' ')
      options.onChange()
      const lines: string[] = []
      const onLine = (line: string): void => {
        lines.push(line)
        if (lines.length > 40) lines.splice(0, 20)
        log.add(line)
      }
      try {
        const { exitCode } = await run(command, onLine, signal)
        if (exitCode === 0) return
        throw new DevloopError('app/prepare', `The prepare step of ${app.name} failed with exit code ${exitCode}: ${preparing}`, {
          why: tailOf(lines),
        })
      } catch (thrown) {
        if (!isDevloopError(thrown) || thrown.code === 'app/prepare') throw thrown
        throw new DevloopError('app/prepare', `The prepare step of ${app.name}: ${thrown.message}`, {
          why: thrown.info.why,
          help: thrown.info.help,
          cause: thrown,
        })
      } finally {
        preparing = undefined
        options.onChange()
      }
    },
    observed() {
      const { state } = main
      const container: ObservedContainer = {
        name: app.name,
        containerId: options.containerId,
        image: 'built' in app.image ? app.image.built : undefined,
        ref: options.ref,
        // its files can be written whether the process is up or about to be started again; not while they are prepared
        running: state.phase !== 'pending' && !gone.signal.aborted,
        restartable: true,
        restarts: state.restarts,
        // what prepare wrote belongs to the container's output, so it has started with that
        startedAt: state.restarts > 0 ? (state.startedAt ?? createdAt) : createdAt,
        ...(state.error ? { error: state.error } : {}),
      }
      return {
        name,
        namespace: '',
        uid,
        template: options.template,
        phase: gone.signal.aborted ? 'terminating' : state.phase,
        ready: state.ready && !gone.signal.aborted,
        createdAt,
        containers: [container],
      }
    },
    message: () => (preparing === undefined ? main.state.message : `prepares: ${preparing}`),
    async end(graceMs) {
      gone.abort()
      await main.stop(graceMs)
      log.close()
    },
  }
}
