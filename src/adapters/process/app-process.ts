// The main process of one app: started, watched until it is ready, replaced, and started again with a growing pause when it ends.
import { access, constants } from 'node:fs/promises'
import { delimiter, resolve as resolvePath } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DevloopError, isDevloopError, toErrorInfo, type ErrorInfo } from '../../errors/devloop-error.js'
import type { Command, ReloadSignal } from '../../model/plan.js'
import type { ProcessEnd, ProcessRunner, RunningProcess } from '../../ports/process-runner.js'
import { createTurns } from './in-turn.js'
import { tailOf } from './log-ring.js'
import { accepts, isFree } from './port-table.js'
import { untilTaken } from './takes-signal.js'

export interface AppProcessOptions {
  /** Name of the resource. */
  readonly name: string
  readonly command: Command
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Where it listens on this machine; the first decides when it is ready. Empty = ready once started. */
  readonly ports: readonly number[]
  /** It runs to its end: that makes it ready, and is an error only with another exit code than 0. */
  readonly job?: { readonly retries: number } | undefined
  readonly processes: ProcessRunner
  /** A line of its output. */
  readonly onLine: (line: string) => void
  /** `state` has changed. */
  readonly onChange: () => void
}

export interface AppProcessState {
  readonly phase: 'pending' | 'running' | 'succeeded' | 'failed'
  readonly ready: boolean
  /** How often it was started again after it had ended by itself. */
  readonly restarts: number
  /** Milliseconds since 1970. */
  readonly startedAt?: number
  /** Why it is not ready, in words. */
  readonly message?: string
  /** Of the last end or failed start; stays until it is ready, or started again by somebody. */
  readonly error?: ErrorInfo
}

export interface AppProcess {
  readonly state: AppProcessState
  /** Start it, or start it anew. Resolves like `restart`. */
  start(): Promise<void>
  /**
   * End the process and start a new one at once. Resolves when that is ready, has ended, or has run for a second.
   * @throws DevloopError app/start when it could not be started; it is tried again with a growing pause all the same
   */
  restart(): Promise<void>
  /**
   * Send the process a signal, if it takes it. A string command is its shell, which most shells replace by the command.
   * @throws DevloopError signal/failed
   */
  signal(name: ReloadSignal): Promise<void>
  /** End it for good, with everything it started. */
  stop(graceMs: number): Promise<void>
}

/** A restart is waited for by somebody who just saved a file, so it is less patient than an orderly stop. */
const restartGraceMs = 1000
const settleMs = 1000
const maxPauseMs = 30_000
/** Having run for this long, a process that ends is started again as soon as the first time. */
const steadyMs = 60_000

export function createAppProcess(options: AppProcessOptions): AppProcess {
  const { name, processes } = options
  const inTurn = createTurns()
  let state: AppProcessState = { phase: 'pending', ready: false, restarts: 0 }
  let wanted = false
  let running: RunningProcess | undefined
  let readiness = new AbortController()
  let pause: NodeJS.Timeout | undefined
  let failures = 0
  let settled: () => void = () => {}

  const set = (next: AppProcessState): void => {
    state = next
    options.onChange()
  }

  const launch = async (): Promise<void> => {
    const { error, restarts } = state
    let lines: string[] = []
    try {
      await checkPorts()
      running = await processes.spawn({
        command: options.command,
        cwd: options.cwd,
        env: options.env,
        onLine(line) {
          if (lines.push(line) > 40) lines = lines.slice(-20)
          options.onLine(line)
        },
      })
    } catch (thrown) {
      const failed = startError(thrown)
      fail(failed.info)
      throw failed
    }
    const started = running
    const startedAt = Date.now()
    readiness = new AbortController()
    set({ phase: 'running', ready: false, restarts, startedAt, ...(error ? { error } : {}), message: waitsFor() })
    void started.ended.then((end) => {
      if (running !== started) return
      running = undefined
      if (Date.now() - startedAt > steadyMs && !options.job) failures = 0
      if (options.job && end.exitCode === 0) succeed(startedAt)
      else fail(exitError(end, lines))
    })
    if (options.job) return
    void untilReady(readiness.signal).then((ready) => {
      if (!ready || running !== started) return
      set({ phase: 'running', ready: true, restarts, startedAt })
      settled()
    })
  }

  const checkPorts = async (): Promise<void> => {
    const free = await Promise.all(options.ports.map(isFree))
    const taken = options.ports.filter((_, index) => !free[index])
    if (taken.length === 0) return
    throw new DevloopError(
      'app/start',
      `${name} was not started: another program listens on 127.0.0.1:${taken[0]}, where ${name} should.`,
      {
        help: 'End the other program; it is tried again by itself.',
      },
    )
  }

  const untilReady = async (signal: AbortSignal): Promise<boolean> => {
    const [port] = options.ports
    if (port === undefined) {
      // one that just ended by itself has to prove itself first
      if (failures > 0) await sleep(settleMs, signal)
      return !signal.aborted
    }
    const begun = Date.now()
    while (!signal.aborted) {
      if (await accepts(port, signal)) return true
      // often at first, when a few milliseconds are what somebody waits for; seldom for one that takes its time
      await sleep(Math.min(Math.max((Date.now() - begun) / 20, 5), 500), signal)
    }
    return false
  }

  const waitsFor = (): string => {
    const [port] = options.ports
    if (options.job) return 'runs'
    return port === undefined ? 'starts' : `waits until it accepts connections on 127.0.0.1:${port} (PORT in its environment)`
  }

  const succeed = (startedAt: number): void => {
    failures = 0
    set({ phase: 'succeeded', ready: true, restarts: state.restarts, startedAt })
    settled()
  }

  /** It does not run: say why, and try again after a pause. */
  const fail = (error: ErrorInfo): void => {
    readiness.abort()
    const pauseMs = Math.min(1000 * 2 ** failures, maxPauseMs)
    const given = options.job && failures >= options.job.retries
    failures += 1
    set({
      phase: 'failed',
      ready: false,
      restarts: state.restarts,
      error,
      message: given ? error.message : `${error.message} It is started again in ${pauseMs / 1000} s.`,
    })
    settled()
    if (!wanted || given) return
    clearTimeout(pause)
    pause = setTimeout(() => {
      const again = inTurn(async () => {
        if (!wanted || running) return
        state = { ...state, restarts: state.restarts + 1 }
        await launch()
      })
      // a failed start is in the state, and has set the next try
      again.catch(() => {})
    }, pauseMs)
  }

  const end = async (graceMs: number): Promise<void> => {
    clearTimeout(pause)
    readiness.abort()
    const ending = running
    running = undefined
    await ending?.stop(graceMs)
  }

  const exitError = (exit: ProcessEnd, lines: readonly string[]): ErrorInfo => {
    const how = exit.exitCode === undefined ? `was ended by ${exit.signal}` : `ended with exit code ${exit.exitCode}`
    return new DevloopError('app/exited', `The process of ${name} ${how}.`, { why: tailOf(lines) }).info
  }

  const startError = (thrown: unknown): DevloopError => {
    if (isDevloopError(thrown) && thrown.code === 'app/start') return thrown
    if (!isDevloopError(thrown))
      return new DevloopError('app/start', `${name} could not be started.`, { why: toErrorInfo(thrown).message, cause: thrown })
    return new DevloopError('app/start', `${name}: ${thrown.message}`, {
      why: thrown.info.why,
      help: thrown.info.help,
      cause: thrown,
    })
  }

  const restart = async (): Promise<void> => {
    const limit = new AbortController()
    await inTurn(async () => {
      settled()
      settled = () => limit.abort()
      if (!wanted) return settled()
      failures = 0
      set({
        phase: state.phase === 'running' ? 'running' : 'pending',
        ready: false,
        restarts: state.restarts,
        message: 'is restarted',
      })
      await end(restartGraceMs)
      if (wanted) await launch()
    })
    await sleep(settleMs, limit.signal)
  }

  return {
    get state() {
      return state
    },
    start() {
      wanted = true
      return restart()
    },
    restart,
    async signal(wish) {
      const failed = (why: string): DevloopError =>
        new DevloopError('signal/failed', `${wish} was not sent to the process of ${name}.`, { why })
      if (!running) throw failed('It does not run.')
      const { pid } = running
      if (!(await untilTaken(pid, wish))) throw failed(`Process ${pid} does not handle that signal, so it would end it.`)
      if (running?.pid !== pid) throw failed('It has ended meanwhile.')
      try {
        process.kill(pid, wish)
      } catch (thrown) {
        throw failed(toErrorInfo(thrown).message)
      }
    },
    async stop(graceMs) {
      wanted = false
      clearTimeout(pause)
      // a process that somebody waits for is ended too
      await Promise.all([end(graceMs), inTurn(() => end(graceMs))])
      settled()
    },
  }
}

/**
 * Look for a command before anything is stopped for its sake.
 * @throws DevloopError app/start
 */
export async function checkCommand(
  name: string,
  command: Command,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const [file] = typeof command === 'string' ? ['/bin/sh'] : command
  if (!file) throw new DevloopError('app/start', `The process command of ${name} is empty.`)
  const places = file.includes('/')
    ? [resolvePath(cwd, file)]
    : (env.PATH ?? '').split(delimiter).map((folder) => resolvePath(folder || cwd, file))
  for (const place of places) {
    const found = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return
  }
  throw new DevloopError('app/start', `${name} could not be started: there is no command \`${file}\`.`, {
    help: file.includes('/')
      ? 'Check the path in `process.command`; it is relative to the working folder.'
      : 'Check `process.command`, and that it is installed and in PATH.',
  })
}

/** Ends early, without an error, with the signal. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal }).catch(() => {})
