// Ports of this machine that lead to the ready pod. A port is opened once and kept; each connection looks for the pod anew
// and waits a while for one during a rollout.
import { createServer, type Server, type Socket } from 'node:net'
import { DevloopError, isAbort, toErrorInfo } from '../errors/devloop-error.js'
import type { Plan } from '../model/plan.js'
import type { ForwardState, PodState } from '../model/state.js'
import { currentPods, isBroughtUp, unsupported } from '../store/resource-status.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { carry } from './forward-connection.js'

/** How long a connection waits for a ready pod. Milliseconds. */
const patience = 30_000
/** How soon a taken port is tried again. Milliseconds. */
const retryTaken = 3000

interface Wanted {
  readonly resource: string
  readonly name: string
  readonly port: number
  readonly local: number
}

interface Open {
  wanted: Wanted
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
  let timer: NodeJS.Timeout | undefined

  const set = (wanted: Wanted, status: ForwardState['status'], error?: DevloopError): void =>
    store.dispatch({ type: 'forward/set', forward: { ...wanted, status, ...(error ? { error: error.info } : {}) } })

  const listen = (wanted: Wanted): Promise<void> =>
    new Promise((resolve) => {
      const sockets = new Set<Socket>()
      const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
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
      server.on('error', (error: NodeJS.ErrnoException) => {
        open.delete(wanted.local)
        const taken = error.code === 'EADDRINUSE'
        const problem = new DevloopError(
          taken ? 'forward/port-taken' : 'forward/failed',
          taken ? `port ${wanted.local} of this machine is in use` : `port ${wanted.local} cannot be opened`,
          { why: error.message },
        )
        if (!failedAt.has(wanted.local))
          log({ resource: wanted.resource, source: 'forward', level: 'error', text: problem.message })
        failedAt.set(wanted.local, Date.now())
        set(wanted, 'failed', problem)
        timer ??= setTimeout(() => {
          timer = undefined
          drain.poke()
        }, retryTaken)
        resolve()
      })
      server.listen({ host: '127.0.0.1', port: wanted.local }, () => {
        failedAt.delete(wanted.local)
        open.set(wanted.local, { wanted, server, sockets })
        set(wanted, 'listening')
        resolve()
      })
    })

  const connect = async (wanted: Wanted, socket: Socket): Promise<void> => {
    const gone = new AbortController()
    socket.once('close', () => gone.abort())
    const signal = AbortSignal.any([gone.signal, stopping.signal])
    const waiting = AbortSignal.any([signal, AbortSignal.timeout(patience)])
    let tries = 0
    let pod: PodState | undefined
    const dial = async () => {
      pod = await readyPod(wanted, tries++, waiting)
      if (!pod || !runtime.current) throw new DevloopError('forward/failed', `no pod of ${wanted.resource} became ready`)
      return runtime.current.dial(pod, wanted.port, signal)
    }
    await carry(socket, dial, waiting)
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
        if (pod && runtime.current) end(pod)
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
      if (!next) {
        await close(one)
      } else if (next.resource !== one.wanted.resource || next.port !== one.wanted.port || next.name !== one.wanted.name) {
        one.wanted = next
        set(next, 'listening')
      }
    }
    for (const local of Object.keys(store.state().forwards).map(Number))
      if (!wanted.has(local)) store.dispatch({ type: 'forward/removed', local })
    for (const one of wanted.values()) {
      const failed = failedAt.get(one.local)
      if (open.has(one.local) || (failed !== undefined && Date.now() - failed < retryTaken - 50)) continue
      await listen(one)
    }
  }, onDefect)

  const unsubscribe = store.subscribe(() => {
    if (store.state().plan !== seen) {
      seen = store.state().plan
      drain.poke()
    }
  })
  let seen: Plan | null = null
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

function wantedForwards({ store }: ControlContext, plan: Plan | null): Map<number, Wanted> {
  const wanted = new Map<number, Wanted>()
  for (const spec of Object.values(plan?.resources ?? {})) {
    if (spec.kind === 'local' || unsupported(store.state(), spec.name)) continue
    for (const { local, port } of spec.forward) {
      const number = typeof port === 'number' ? port : spec.kind === 'app' ? spec.ports[port] : undefined
      if (number !== undefined) wanted.set(local, { resource: spec.name, name: String(port), port: number, local })
    }
  }
  return wanted
}

/** The ready pods of the newest deploy that hold what was saved; while there is none, those of an earlier that still serve. */
function candidates({ store }: ControlContext, name: string): readonly PodState[] {
  const state = store.state()
  const resource = state.resources[name]
  if (!resource) return []
  const serving = (resource.observed?.pods ?? []).filter((pod) => pod.ready && pod.phase === 'running')
  const current = currentPods(resource)
  const newest = serving.filter((pod) => current.includes(pod) && isBroughtUp(state, pod))
  return newest.length > 0 ? newest : serving.filter((pod) => !current.includes(pod))
}
