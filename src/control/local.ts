// Commands on this machine: runs `run` to its end, then keeps `serve` going.
import { connect } from 'node:net'
import { DevloopError, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import type { LocalSpec, TextValue } from '../model/plan.js'
import type { RunningProcess } from '../ports/process-runner.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain, type Drain } from './drain.js'

/** How often a starting `serve` is asked whether it accepts connections. Milliseconds. */
const askEvery = 50

export function createLocalController(context: ControlContext): Controller {
  const { store, work, onDefect } = context
  const workers = new Map<string, LocalWorker>()
  const drain = createDrain(async () => {
    const { plan } = store.state()
    for (const [name, worker] of workers) {
      if (plan?.resources[name]?.kind === 'local') continue
      workers.delete(name)
      await worker.stop()
    }
    for (const one of work.current().work) {
      if (one.kind !== 'run-local') continue
      let worker = workers.get(one.resource)
      if (!worker) workers.set(one.resource, (worker = createLocalWorker(context, one.resource)))
      worker.drain.poke()
    }
    for (const worker of workers.values()) worker.look()
  }, onDefect)
  const unsubscribe = work.subscribe(drain.poke)
  return {
    async stop() {
      unsubscribe()
      await drain.stop()
      await Promise.allSettled([...workers.values()].map((one) => one.stop()))
    },
  }
}

interface LocalWorker {
  readonly drain: Drain
  /** Notice a newer change and a request to restart. */
  look(): void
  stop(): Promise<void>
}

function createLocalWorker(context: ControlContext, name: string): LocalWorker {
  const { store, work, ports, log, onDefect } = context
  const stopping = new AbortController()
  let running: RunningProcess | undefined
  let serving: RunningProcess | undefined
  let runFor = 0
  let restarts = store.state().resources[name]?.restarts ?? 0
  let restart = false

  const spec = (): LocalSpec | undefined => {
    const found = store.state().plan?.resources[name]
    return found?.kind === 'local' ? found : undefined
  }
  const line = (source: string) => (text: string) => log({ resource: name, source, level: 'info', text })
  const failed = (error: ErrorInfo): void => log({ resource: name, source: 'local', level: 'error', text: error.message })

  /** @returns the problem, if any; 'overtaken' when a newer change ended it */
  const runOnce = async (local: LocalSpec): Promise<ErrorInfo | 'overtaken' | undefined> => {
    if (local.run === undefined) return undefined
    const tail: string[] = []
    const tell = line('run')
    try {
      running = await ports.processes.spawn({
        command: local.run,
        cwd: local.cwd,
        env: environment(context, local.env),
        onLine: (text) => (tail.push(text), tail.length > 20 && tail.shift(), tell(text)),
      })
      const { exitCode, signal } = await running.ended
      if (restart || wanted() !== runFor) return 'overtaken'
      if (exitCode === 0) return undefined
      return new DevloopError(
        'local/failed',
        `${name}: \`${text(local.run)}\` ${exitCode === undefined ? `was ended by ${signal}` : `failed with exit code ${exitCode}`}`,
        { where: local.at, why: tail.join('\n') },
      ).info
    } catch (thrown) {
      return operational(thrown)
    } finally {
      running = undefined
    }
  }

  const operational = (thrown: unknown): ErrorInfo => {
    const error = toErrorInfo(thrown)
    if (error.code === 'defect') onDefect(thrown)
    return error
  }
  const wanted = (): number => store.state().resources[name]?.local?.wanted ?? 0

  const serve = async (local: LocalSpec): Promise<void> => {
    // first forgotten, so that its end is not taken for one by itself
    const old = serving
    serving = undefined
    await old?.stop()
    if (local.serve === undefined || stopping.signal.aborted) return
    store.dispatch({ type: 'local/serve', resource: name, serve: 'starting' })
    const tail: string[] = []
    const tell = line('serve')
    let started: RunningProcess
    try {
      started = await ports.processes.spawn({
        command: local.serve,
        cwd: local.cwd,
        env: environment(context, local.env),
        onLine: (text) => (tail.push(text), tail.length > 20 && tail.shift(), tell(text)),
      })
    } catch (thrown) {
      const error = operational(thrown)
      failed(error)
      store.dispatch({ type: 'local/serve', resource: name, serve: 'failed', error })
      return
    }
    serving = started
    void started.ended.then(({ exitCode, signal }) => {
      if (serving !== started || stopping.signal.aborted) return
      serving = undefined
      const error = new DevloopError(
        'local/failed',
        `${name}: \`${text(local.serve ?? '')}\` ended by itself (${exitCode === undefined ? signal : `exit code ${exitCode}`})`,
        { where: local.at, why: tail.join('\n') },
      ).info
      failed(error)
      store.dispatch({ type: 'local/serve', resource: name, serve: 'failed', error })
    })
    // one that never listens must not keep a newer change from starting it again
    const current = (): boolean => serving === started && !stopping.signal.aborted && !restart && wanted() === runFor
    if (await answers(local, current)) store.dispatch({ type: 'local/serve', resource: name, serve: 'ready' })
  }

  const drain = createDrain(async () => {
    const local = spec()
    if (!local || stopping.signal.aborted) return
    const due = work.current().work.some((one) => one.kind === 'run-local' && one.resource === name)
    if (restart && !due) {
      restart = false
      await serve(local)
      return
    }
    if (!due) return
    restart = false
    runFor = wanted()
    store.dispatch({ type: 'local/running', resource: name })
    log({
      resource: name,
      source: 'local',
      level: 'info',
      text: local.run === undefined ? `starting ${text(local.serve ?? '')}` : `running ${text(local.run)}`,
    })
    const error = await runOnce(local)
    if (stopping.signal.aborted) return
    if (error === 'overtaken') {
      // the newer reason is still wanted; ending the run for this one makes room for it
      store.dispatch({ type: 'local/ran', resource: name, wanted: runFor })
      return
    }
    if (error) failed(error)
    // told first: what serves now is of before the change
    else if (local.serve !== undefined) store.dispatch({ type: 'local/serve', resource: name, serve: 'starting' })
    store.dispatch({ type: 'local/ran', resource: name, wanted: runFor, ...(error ? { error } : {}) })
    if (!error) await serve(local)
  }, onDefect)

  return {
    drain,
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
      await Promise.allSettled([running?.stop(), serving?.stop()])
      await drain.stop()
      await serving?.stop()
    },
  }
}

const text = (command: string | readonly string[]): string => (typeof command === 'string' ? command : command.join(' '))

/** Whether the port accepts connections: true as soon as it does, and at once without a port; false when `go` says no. */
async function answers(local: LocalSpec, go: () => boolean): Promise<boolean> {
  if (local.port === undefined) return go()
  const { port } = local
  while (go()) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port })
      socket.once('connect', () => (socket.destroy(), resolve(true)))
      socket.once('error', () => (socket.destroy(), resolve(false)))
    })
    if (accepted) return go()
    await new Promise((resolve) => setTimeout(resolve, askEvery))
  }
  return false
}

/** The daemon's own environment and the local's settings. Addresses of apps are those of their forwards, as seen from here. */
function environment({ store }: ControlContext, env: Readonly<Record<string, TextValue>>): Record<string, string> {
  const { plan } = store.state()
  const resolved: Record<string, string> = {}
  for (const [key, value] of Object.entries(process.env)) if (value !== undefined) resolved[key] = value
  for (const [key, parts] of Object.entries(env)) {
    resolved[key] = parts
      .map((part) => {
        if (part.kind === 'literal') return part.text
        if (part.kind === 'generated')
          throw new DevloopError(
            'request/refused',
            `${key} holds the generated value ${part.name}, which stays in the cluster and cannot be given to a command on this machine`,
          )
        const app = plan?.resources[part.resource]
        const port = app?.kind === 'app' ? (part.port ?? Object.keys(app.ports)[0]) : undefined
        const forward = app?.forward.find(
          (one) => one.port === port || (app.kind === 'app' && port !== undefined && one.port === app.ports[port]),
        )
        if (!forward)
          throw new DevloopError(
            'request/refused',
            `${key} holds the address of ${part.resource}, which is not forwarded to this machine`,
            { help: `Add a forward for its port ${port ?? ''}.` },
          )
        return part.part === 'host' ? '127.0.0.1' : part.part === 'port' ? String(forward.local) : `127.0.0.1:${forward.local}`
      })
      .join('')
  }
  return resolved
}
