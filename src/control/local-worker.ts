// One local: runs `run` to its end, then keeps `serve` going.
import { DevloopError, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import type { LocalSpec } from '../model/plan.js'
import { saidLevel } from '../model/said-level.js'
import type { RunningProcess } from '../ports/process-runner.js'
import { commandText } from './command-text.js'
import type { ControlContext } from './context.js'
import { createDrain } from './drain.js'
import { localContext, localEnv } from './local-env.js'
import { createLocalServe } from './local-serve.js'

export interface LocalWorker {
  /** Do what the next work names. */
  poke(): void
  /** Notice a newer change and a request to restart. */
  look(): void
  stop(): Promise<void>
}

/** Lines of output that an error tells. */
const tailLines = 20

export function createLocalWorker(context: ControlContext, name: string): LocalWorker {
  const { store, work, ports, log, onDefect } = context
  const stopping = new AbortController()
  const serve = createLocalServe(context, name)
  let running: RunningProcess | undefined
  let runFor = 0
  let restarts = store.state().resources[name]?.restarts ?? 0
  let restart = false

  const spec = (): LocalSpec | undefined => {
    const found = store.state().plan?.resources[name]
    return found?.kind === 'local' ? found : undefined
  }
  const wanted = (): number => store.state().resources[name]?.local?.wanted ?? 0
  const isDue = (kind: 'run-local' | 'serve-local'): boolean =>
    work.current().work.some((one) => one.kind === kind && one.resource === name)

  /** @returns the problem, if any; 'overtaken' when a newer change ended it */
  const runOnce = async (local: LocalSpec): Promise<ErrorInfo | 'overtaken' | undefined> => {
    if (local.run === undefined) return undefined
    const tail: string[] = []
    try {
      running = await ports.processes.spawn({
        command: local.run,
        cwd: local.cwd,
        env: localEnv(localContext(context, local.name), local.env),
        onLine(text) {
          tail.push(text)
          if (tail.length > tailLines) tail.shift()
          log({ resource: name, source: 'run', level: saidLevel(text), text })
        },
      })
      const { exitCode, signal } = await running.ended
      if (restart || wanted() !== runFor) return 'overtaken'
      if (exitCode === 0) return undefined
      return new DevloopError(
        'local/failed',
        `${name}: \`${commandText(local.run)}\` ${exitCode === undefined ? `was ended by ${signal}` : `failed with exit code ${exitCode}`}`,
        { where: local.at, why: tail.join('\n') },
      ).info
    } catch (thrown) {
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      return error
    } finally {
      running = undefined
    }
  }

  const drain = createDrain(async () => {
    const local = spec()
    if (!local || stopping.signal.aborted) return
    const due = isDue('run-local')
    if (!due) {
      const again = isDue('serve-local')
      if (!restart && !again) return
      const asked = restart
      restart = false
      await serve.start(local, asked ? 'asked for' : 'ended')
      return
    }
    restart = false
    runFor = wanted()
    store.dispatch({ type: 'local/running', resource: name })
    const what = local.run === undefined ? `starting ${commandText(local.serve ?? '')}` : `running ${commandText(local.run)}`
    log({ resource: name, source: 'local', level: 'info', text: what })
    const error = await runOnce(local)
    if (stopping.signal.aborted) return
    if (error === 'overtaken') {
      // the newer reason is still wanted; ending the run for this one makes room for it
      store.dispatch({ type: 'local/ran', resource: name, wanted: runFor })
      return
    }
    if (error) log({ resource: name, source: 'local', level: 'error', text: error.message })
    // told first: what serves now is of before the change
    else if (local.serve !== undefined) store.dispatch({ type: 'local/serve', resource: name, serve: 'starting' })
    store.dispatch({ type: 'local/ran', resource: name, wanted: runFor, ...(error ? { error } : {}) })
    if (!error) await serve.start(local, 'asked for')
  }, onDefect)

  return {
    poke: drain.poke,
    look() {
      const state = store.state().resources[name]
      if (!state?.local) return
      if (state.restarts > restarts) {
        restarts = state.restarts
        restart = true
        drain.poke()
      }
      if (running && state.local.wanted !== runFor) void running.stop().catch(onDefect)
    },
    async stop() {
      stopping.abort()
      await Promise.allSettled([running?.stop(), serve.stop()])
      await drain.stop()
      await serve.stop()
    },
  }
}
