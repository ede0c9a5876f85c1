// The `serve` of one local: started, followed until it is ready and from then on, and started again as its policy says.
import { DevloopError, isAbort, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import type { LocalSpec } from '../model/plan.js'
import { saidLevel } from '../model/said-level.js'
import type { ProcessEnd, RunningProcess } from '../ports/process-runner.js'
import { commandText } from './command-text.js'
import type { ControlContext } from './context.js'
import { localContext, localEnv } from './local-env.js'
import { awaitLine, followReadiness, type ReadinessTurn } from './local-readiness.js'

export interface LocalServe {
  /**
   * End what serves and start it anew. Resolves once the new one is started; with no `serve`, once the old one has ended.
   * @param why `ended`: it ended by itself, and this is the next try
   */
  start(local: LocalSpec, why: 'asked for' | 'ended'): Promise<void>
  /** End it for good. */
  stop(): Promise<void>
}

/** Pause before a `serve` that ended by itself is started again: doubled each time. Milliseconds. */
const [firstPause, longestPause] = [1000, 30_000]
/** Having run for so long, one that ends begins with the first pause again. */
const steadyMs = 60_000
/** One that ended by itself and has no probe is called ready when it has run for so long. */
const provenMs = 1000
const tailLines = 20

export function createLocalServe(context: ControlContext, name: string): LocalServe {
  const { store, ports, log, onDefect } = context
  let serving: RunningProcess | undefined
  let following = new AbortController()
  let stopped = false
  /** How often in a row it ended by itself. */
  let ends = 0

  const told = (error: ErrorInfo): void => log({ resource: name, source: 'local', level: 'error', text: error.message })
  const say = (text: string): void => log({ resource: name, source: 'local', level: 'info', text })
  const failed = (local: LocalSpec, error: ErrorInfo, exitCode?: number): void => {
    told(error)
    const again = local.restart === 'always' || (local.restart === 'on-failure' && exitCode !== 0)
    const retryAt = again ? Date.now() + Math.min(longestPause, firstPause * 2 ** Math.min(ends, 10)) : undefined
    ends++
    store.dispatch({ type: 'local/serve', resource: name, serve: 'failed', error, ...(retryAt === undefined ? {} : { retryAt }) })
  }

  const onTurn = (local: LocalSpec, turn: ReadinessTurn): void => {
    const state = store.state().resources[name]?.local
    if (turn.ready) {
      if (state?.serve === 'unready') say('it is ready again')
      store.dispatch({ type: 'local/serve', resource: name, serve: 'ready' })
      return
    }
    const seconds = (local.ready?.withinMs ?? 0) / 1000
    const error = new DevloopError(
      'local/unready',
      turn.late ? `${name} is not ready, ${seconds} s after its start` : `${name} is not ready any more`,
      { where: local.at, why: turn.answer },
    ).info
    told({ ...error, message: `${error.message}: ${turn.answer}` })
    store.dispatch({ type: 'local/serve', resource: name, serve: 'unready', error })
  }

  /** Call it ready when it is. Rejects with an AbortError when the signal says so. */
  const follow = async (local: LocalSpec, env: Record<string, string>, signal: AbortSignal): Promise<void> => {
    const probe = local.ready
    if (!probe) {
      if (ends > 0) await pause(provenMs, signal)
      if (!signal.aborted) onTurn(local, { ready: true })
      return
    }
    const turn = (one: ReadinessTurn): void => void (signal.aborted || onTurn(local, one))
    const options = { probe, ask: ports.readiness.ask, surroundings: { cwd: local.cwd, env }, onTurn: turn }
    if (probe.check.kind !== 'log') await followReadiness(options, signal)
  }

  const launch = async (local: LocalSpec, command: NonNullable<LocalSpec['serve']>): Promise<void> => {
    const tail: string[] = []
    const abort = new AbortController()
    following = abort
    let started: RunningProcess
    try {
      const env = localEnv(localContext(context, local.name), local.env)
      const line =
        local.ready?.check.kind === 'log'
          ? awaitLine({ probe: local.ready, onTurn: (turn) => void (abort.signal.aborted || onTurn(local, turn)) }, abort.signal)
          : undefined
      line?.done.catch(unlessAborted)
      started = await ports.processes.spawn({
        command,
        cwd: local.cwd,
        env,
        onLine(text) {
          tail.push(text)
          if (tail.length > tailLines) tail.shift()
          log({ resource: name, source: 'serve', level: saidLevel(text), text })
          line?.line(text)
        },
      })
      serving = started
      follow(local, env, abort.signal).catch(unlessAborted)
    } catch (thrown) {
      abort.abort()
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      return failed(local, error)
    }
    const startedAt = Date.now()
    void started.ended.then((end) => {
      if (serving !== started || stopped) return
      serving = undefined
      abort.abort()
      if (Date.now() - startedAt >= steadyMs) ends = 0
      failed(local, endError(local, command, end, tail), end.exitCode)
    })
  }

  const endError = (local: LocalSpec, command: string | readonly string[], end: ProcessEnd, tail: readonly string[]): ErrorInfo =>
    new DevloopError(
      'local/failed',
      `${name}: \`${commandText(command)}\` ended by itself (${end.exitCode === undefined ? end.signal : `exit code ${end.exitCode}`})`,
      { where: local.at, why: tail.join('\n') },
    ).info

  const unlessAborted = (thrown: unknown): void => {
    if (!isAbort(thrown)) onDefect(thrown)
  }

  return {
    async start(local, why) {
      // first forgotten, so that its end is not taken for one by itself
      const old = serving
      serving = undefined
      following.abort()
      if (why === 'asked for') ends = 0
      await old?.stop()
      if (stopped) return
      if (local.serve === undefined) {
        if (old || why === 'ended') store.dispatch({ type: 'local/serve', resource: name, serve: 'none' })
        return
      }
      // what it ended with stays told until it is ready
      const error = why === 'ended' ? store.state().resources[name]?.local?.error : undefined
      store.dispatch({ type: 'local/serve', resource: name, serve: 'starting', ...(error ? { error } : {}) })
      if (why === 'ended') say(`starting ${commandText(local.serve)} again`)
      await launch(local, local.serve)
    },
    async stop() {
      stopped = true
      following.abort()
      await serving?.stop()
    },
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
