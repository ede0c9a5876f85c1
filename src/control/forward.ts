// Ports of this machine that lead to the ready pod. A port is opened once and kept; each connection looks for the pod anew
// and waits a while for one during a rollout.
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { DevloopError, isAbort, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import { forwardsOf, type ForwardSpec, type Plan } from '../model/plan.js'
import type { ForwardState, PodState } from '../model/state.js'
import type { Store } from '../store/store.js'
import { currentPods, isBroughtUp, isServing, unsupported } from '../store/resource-status.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { carry } from './forward-connection.js'
import { createSlots } from './slots.js'

/** How long a connection waits for a pod that takes it, the time not counted in which the cluster cannot be reached. Milliseconds. */
const patience = 60_000
/** How often that is looked at. Milliseconds. */
const patienceStep = 1000
/** How soon a taken port is tried again. Milliseconds. */
const retryTaken = 3000

/** What a pod said last may still be on its way when it is gone. Milliseconds. */
const lastWordsMs = 500
/**
 * How many connections are dialled at once, and for how long one that gets no answer counts: all that have waited for the end of an
 * outage would else ask the API server in the same moment. Milliseconds.
 */
const dialling = { limit: 16, holdMs: 1000 }
/** Connections that may wait to be taken when this process gets no time: more are refused or dropped by the system. */
const backlog = 4096
/** How many ports behind a taken one are tried. */
const fallbacks = 100

interface Wanted {
  readonly resource: string
  readonly name: string
  readonly port: number
  readonly local: number
  readonly fallback: ForwardSpec['fallback']
}

interface Open {
  wanted: Wanted
  /** The port, where it is not the wanted one. */
  readonly opened?: number
  readonly server: Server
  readonly sockets: Set<Socket>
}

export function createForwardController(context: ControlContext): Controller {
  const { store, runtime, log, onDefect } = context
  const stopping = new AbortController()
  const open = new Map<number, Open>()
  const failedAt = new Map<number, number>()
  /** By local port: uid of the pod that answered last. */
  const answered = new Map<number, string>()
  const slots = createSlots(dialling.limit, dialling.holdMs)
  let timer: NodeJS.Timeout | undefined

  const set = (wanted: Wanted, status: ForwardState['status'], more: { opened?: number; error?: ErrorInfo } = {}): void => {
    const { fallback: _fallback, ...forward } = wanted
    store.dispatch({ type: 'forward/set', forward: { ...forward, status, ...more } })
  }

  const serve = (wanted: Wanted, sockets: Set<Socket>): Server =>
    createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      void connect(open.get(wanted.local)?.wanted ?? wanted, socket).catch((thrown: unknown) => {
        const left = socket.destroyed
        socket.destroy()
        if (left || isAbort(thrown)) return
        const error = toErrorInfo(thrown)
        if (error.code === 'defect') onDefect(thrown)
        log({
          resource: wanted.resource,
          source: 'forward',
          level: 'warn',
          text: `localhost:${wanted.local}: ${error.message}${error.why ? ` ${error.why}` : ''}`,
        })
      })
    })

  const listen = async (wanted: Wanted, others: ReadonlySet<number>): Promise<void> => {
    const last = wanted.fallback === undefined ? wanted.local : Math.min(wanted.local + fallbacks, 65_535)
    let problem: NodeJS.ErrnoException | undefined
    for (let port = wanted.local; port <= last; port++) {
      if (port !== wanted.local && others.has(port)) continue
      const sockets = new Set<Socket>()
      const server = serve(wanted, sockets)
      problem = await bind(server, port)
      if (!problem) {
        // such as no more file descriptors: whoever connects waits, and the port stays
        server.on('error', (error) => log({ resource: wanted.resource, source: 'forward', level: 'warn', text: error.message }))
        failedAt.delete(wanted.local)
        const opened = port === wanted.local ? {} : { opened: port }
        open.set(wanted.local, { wanted, server, sockets, ...opened })
        set(wanted, 'listening', opened)
        return
      }
      if (problem.code !== 'EADDRINUSE') break
    }
    const error = (await notOpened(context, wanted, problem)).info
    if (!failedAt.has(wanted.local)) log({ resource: wanted.resource, source: 'forward', level: 'error', text: error.message })
    failedAt.set(wanted.local, Date.now())
    set(wanted, 'failed', { error })
    timer ??= setTimeout(() => {
      timer = undefined
      drain.poke()
    }, retryTaken)
  }

  const connect = async (wanted: Wanted, socket: Socket): Promise<void> => {
    const gone = new AbortController()
    socket.once('close', () => gone.abort())
    const signal = AbortSignal.any([gone.signal, stopping.signal])
    // a timer of its own: that of AbortSignal.timeout would outlive the connection
    const late = new AbortController()
    let left = patience
    const limit = setInterval(() => {
      // one step each time, whatever the clock says: the machine may have slept
      if (store.state().runtime.status === 'connected') left -= patienceStep
      if (left <= 0) late.abort()
    }, patienceStep)
    const waiting = AbortSignal.any([signal, late.signal])
    let tries = 0
    let pod: PodState | undefined
    const dial = async () => {
      pod = await readyPod(wanted, tries++, waiting)
      const done = await slots.take(signal)
      try {
        if (!pod || !runtime.current) throw new DevloopError('forward/failed', `no pod of ${wanted.resource} became ready`)
        const remote = await runtime.current.dial(pod, wanted.port, signal)
        endWithPod(store, pod, remote)
        return remote
      } finally {
        done()
      }
    }
    try {
      await carry(socket, dial, waiting)
    } finally {
      clearInterval(limit)
    }
    if (pod) answered.set(wanted.local, pod.uid)
  }

  /**
   * A ready pod, at once or when there is one; undefined when the signal says enough. First the one that answered last, at each
   * further try another: not every pod of a resource need listen on the port.
   */
  const readyPod = (wanted: Wanted, tries: number, signal: AbortSignal): Promise<PodState | undefined> =>
    new Promise((resolve) => {
      const end = (pod: PodState | undefined): void => {
        unsubscribe()
        signal.removeEventListener('abort', abort)
        resolve(pod)
      }
      const abort = (): void => end(undefined)
      const look = (): void => {
        const pods = candidates(context, wanted.resource)
        const first = pods.findIndex((pod) => pod.uid === answered.get(wanted.local))
        const pod = pods[(Math.max(0, first) + tries) % pods.length]
        // while nothing can be reached, a try a connection four times a second helps nobody
        if (pod && runtime.current && store.state().runtime.status === 'connected') end(pod)
      }
      const unsubscribe = store.subscribe(look)
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
      else look()
    })

  const close = async ({ server, sockets, wanted }: Open): Promise<void> => {
    open.delete(wanted.local)
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }

  const drain = createDrain(async () => {
    if (stopping.signal.aborted) return
    const wanted = wantedForwards(context, store.state().plan)
    for (const [local, one] of open) {
      const next = wanted.get(local)
      // also when the port that was taken instead is now another forward's own
      if (!next || (one.opened !== undefined && wanted.has(one.opened))) {
        await close(one)
      } else if (next.resource !== one.wanted.resource || next.port !== one.wanted.port || next.name !== one.wanted.name) {
        one.wanted = next
        set(next, 'listening', one.opened === undefined ? {} : { opened: one.opened })
      }
    }
    for (const local of Object.keys(store.state().forwards).map(Number))
      if (!wanted.has(local)) store.dispatch({ type: 'forward/removed', local })
    for (const one of wanted.values()) {
      const failed = failedAt.get(one.local)
      if (open.has(one.local) || (failed !== undefined && Date.now() - failed < retryTaken - 50)) continue
      await listen(one, new Set(wanted.keys()))
    }
  }, onDefect)

  const unsubscribe = store.subscribe(() => {
    const { plan, resources } = store.state()
    const off = Object.values(resources).flatMap((one) => (one.disabled ? [one.name] : []))
    if (plan === seen && off.join(' ') === disabled) return
    seen = plan
    disabled = off.join(' ')
    drain.poke()
  })
  let seen: Plan | null = null
  /** Names of the resources whose ports are closed. */
  let disabled = ''
  return {
    async stop() {
      unsubscribe()
      clearTimeout(timer)
      stopping.abort()
      await drain.stop()
      await Promise.allSettled([...open.values()].map(close))
    },
  }
}

/** Undefined when the server listens, else why it does not. */
const bind = (server: Server, port: number): Promise<NodeJS.ErrnoException | undefined> =>
  new Promise((resolve) => {
    server.once('error', resolve)
    server.listen({ host: '127.0.0.1', port, backlog }, () => {
      server.off('error', resolve)
      resolve(undefined)
    })
  })

async function notOpened(
  { ports }: ControlContext,
  { local, fallback }: Wanted,
  problem: NodeJS.ErrnoException | undefined,
): Promise<DevloopError> {
  const why = problem?.message
  if (problem?.code !== 'EADDRINUSE') return new DevloopError('forward/failed', `port ${local} cannot be opened`, { why })
  const owner = await ports.findPortOwner(local)
  const who = owner ? ` by ${owner.name} (process ${owner.pid})` : ''
  if (fallback)
    return new DevloopError('forward/port-taken', `port ${local} is in use${who}, and so are the next ${fallbacks}`, { why })
  return new DevloopError('forward/port-taken', `port ${local} of this machine is in use${who}`, {
    why,
    help: "Stop what uses it, forward to another port, or let devloop take the next free one: { local, fallback: 'next-free' }.",
  })
}

/**
 * End a connection with its pod: a way into one that is being taken down may stay open and lead nowhere. One that nothing came from
 * was never taken there, for the end of whoever took it would have been told.
 */
function endWithPod(store: Store, pod: PodState, remote: Duplex): void {
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    if (timer || Object.values(store.state().resources).some((one) => one.observed?.pods.some(({ uid }) => uid === pod.uid)))
      return
    timer = setTimeout(() => {
      const silent = !remote.readableDidRead && remote.readableLength === 0
      const error = new DevloopError(silent ? 'forward/refused' : 'forward/failed', `the pod ${pod.name} is gone`)
      remote.destroy(error)
    }, lastWordsMs)
  }
  const unsubscribe = store.subscribe(look)
  remote.once('close', () => {
    unsubscribe()
    clearTimeout(timer)
  })
  look()
}

function wantedForwards({ store }: ControlContext, plan: Plan | null): Map<number, Wanted> {
  const wanted = new Map<number, Wanted>()
  for (const spec of Object.values(plan?.resources ?? {})) {
    if (spec.kind === 'local' || unsupported(store.state(), spec.name) || store.state().resources[spec.name]?.disabled) continue
    for (const { local, port, fallback, name } of forwardsOf(spec)) {
      const number = typeof port === 'number' ? port : spec.kind === 'app' ? spec.ports[port] : undefined
      if (number !== undefined) wanted.set(local, { resource: spec.name, name, port: number, local, fallback })
    }
  }
  return wanted
}

/** The ready pods of the newest deploy that hold what was saved; while there is none, those of an earlier that still serve. */
function candidates({ store }: ControlContext, name: string): readonly PodState[] {
  const state = store.state()
  const resource = state.resources[name]
  if (!resource) return []
  const serving = (resource.observed?.pods ?? []).filter((pod) => isServing(state, resource, pod))
  const current = currentPods(resource)
  const newest = serving.filter((pod) => current.includes(pod) && isBroughtUp(state, pod))
  return newest.length > 0 ? newest : serving.filter((pod) => !current.includes(pod))
}
