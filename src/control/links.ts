// Tries the links between apps from inside the consumers' containers: when a consumer or what it uses has changed, often while one
// leads nowhere, and now and then while all is well. Nobody waits for it.
import { isAbort, isDevloopError } from '../errors/devloop-error.js'
import { failureText, linksOf, type Link, type LinkOutcome } from '../model/link.js'
import type { ContainerState, LinkState, PodState, State } from '../model/state.js'
import { isActive } from '../store/graph-status.js'
import { currentPods } from '../store/resource-status.js'
import type { ControlContext, Controller } from './context.js'
import { createSlots } from './slots.js'

/** When all links of a consumer are tried again, by what came of the last try; `costly` where one took an exec. Milliseconds. */
const again = { failed: 3_000, ok: 60_000, unknown: 120_000, costly: 120_000 } as const
/** How long changes of pods are gathered: they come in rows. Milliseconds. */
const restMs = 200
/** How many consumers are tried at once, and for how long one that gives no answer counts. */
const trying = { limit: 4, holdMs: 15_000 } as const

interface Consumer {
  /** What the last try was made with; another one is due when it is different. */
  seen: string
  /** Of the next try. Milliseconds since 1970. */
  due: number
  running: boolean
}

/** Where links are tried from. */
interface Place {
  readonly pod: PodState
  readonly container: ContainerState
}

export function createLinksController({ store, runtime, dialers, log, onDefect }: ControlContext): Controller {
  const stopping = new AbortController()
  const consumers = new Map<string, Consumer>()
  const under = new Set<Promise<void>>()
  const slots = createSlots(trying.limit, trying.holdMs)
  let timer: NodeJS.Timeout | undefined
  let last: Pick<State, 'plan' | 'resources' | 'runtime' | 'targets'> | undefined

  const reach = async (
    name: string,
    { pod, container }: Place,
    link: Link,
  ): Promise<{ readonly outcome: LinkOutcome; readonly costly?: true }> => {
    const { signal } = stopping
    const { containerId } = container
    try {
      const byStream = dialers.get(containerId)?.(link, signal)
      if (byStream) return { outcome: await byStream }
      if (!runtime.current) return { outcome: { state: 'unknown', why: 'the cluster is not connected' } }
      const from = { containerId, namespace: pod.namespace, pod: pod.name, container: container.name, resource: name }
      return { outcome: await runtime.current.reach(from, link, signal), costly: true }
    } catch (thrown) {
      signal.throwIfAborted()
      // the stream or the container has gone meanwhile: the next try is made with what there is then
      if (isAbort(thrown)) return { outcome: { state: 'unknown', why: 'the try was broken off' } }
      if (isDevloopError(thrown)) return { outcome: { state: 'unknown', why: thrown.message } }
      throw thrown
    }
  }

  const tell = (consumer: string, links: readonly LinkState[]): void => {
    const before = store.state().links[consumer] ?? []
    if (JSON.stringify(before) === JSON.stringify(links)) return
    for (const { to, address, outcome } of links) {
      const old = before.find((one) => one.to === to && one.address === address)?.outcome.state
      if (outcome.state === 'failed' && old !== 'failed')
        log({
          resource: consumer,
          source: 'link',
          level: 'warn',
          text: `the link to ${to} (${address}) fails: ${failureText(outcome)}`,
        })
      else if (outcome.state === 'ok' && old === 'failed')
        log({ resource: consumer, source: 'link', level: 'info', text: `the link to ${to} (${address}) works again` })
    }
    store.dispatch({ type: 'links/tried', consumer, links })
  }

  const attempt = async (name: string, consumer: Consumer, place: Place, links: readonly Link[]): Promise<void> => {
    const done = await slots.take(stopping.signal)
    try {
      const reached = await Promise.all(links.map((link) => reach(name, place, link)))
      const states = new Set(reached.map(({ outcome }) => outcome.state))
      const costly = reached.some((one) => one.costly)
      const way = states.has('failed') ? 'failed' : states.has('unknown') ? 'unknown' : costly ? 'costly' : 'ok'
      // what has changed meanwhile asks for another try sooner
      consumer.due = Math.min(consumer.due, Date.now() + again[way])
      const tried = links.map(({ to, host, port }, index): LinkState => {
        const { outcome } = reached[index] as (typeof reached)[number]
        return { to, address: `${host}:${port}`, outcome }
      })
      // of a consumer that has left meanwhile nothing is kept
      if (consumers.get(name) === consumer) tell(name, tried)
    } finally {
      done()
    }
  }

  /** What there is to try, and what would change the outcome. Undefined = it cannot be tried now. */
  const lookAt = (state: State, name: string, links: readonly Link[]): { place: Place; seen: string } | undefined => {
    const resource = state.resources[name]
    if (!resource || !isActive(resource) || state.runtime.status !== 'connected') return undefined
    const place = placeOf(currentPods(resource), name)
    if (!place) return undefined
    const others = links.map(({ to, host, port }) => {
      const pods = state.resources[to]?.observed?.pods ?? []
      return [host, port, ...pods.map((pod) => `${pod.uid} ${pod.phase} ${pod.ready}`)]
    })
    // a container whose stream has just been opened has a better way to try
    const transport = state.targets[place.container.containerId]?.transport
    return { place, seen: JSON.stringify([place.container.containerId, place.pod.ready, transport, others]) }
  }

  const look = (): void => {
    if (stopping.signal.aborted) return
    const state = store.state()
    const { plan } = state
    const now = Date.now()
    let next = Infinity
    for (const name of Object.keys({ ...state.links, ...Object.fromEntries(consumers) })) {
      if (plan && linksOf(plan, name).length > 0) continue
      consumers.delete(name)
      if (state.links[name]) store.dispatch({ type: 'links/tried', consumer: name, links: [] })
    }
    for (const name of Object.keys(plan?.resources ?? {})) {
      const links = plan ? linksOf(plan, name) : []
      if (links.length === 0) continue
      const found = lookAt(state, name, links)
      if (!found) {
        consumers.delete(name)
        if (state.links[name]) store.dispatch({ type: 'links/tried', consumer: name, links: [] })
        continue
      }
      const consumer = consumers.get(name) ?? { seen: '', due: now, running: false }
      consumers.set(name, consumer)
      if (consumer.seen !== found.seen) {
        consumer.seen = found.seen
        consumer.due = now + restMs
      }
      // the end of a try looks again
      if (consumer.running) continue
      if (consumer.due > now) {
        next = Math.min(next, consumer.due)
        continue
      }
      consumer.running = true
      consumer.due = Infinity
      const one = attempt(name, consumer, found.place, links)
        .catch((thrown: unknown) => {
          if (!isAbort(thrown)) onDefect(thrown)
        })
        .finally(() => {
          under.delete(one)
          consumer.running = false
          look()
        })
      under.add(one)
    }
    clearTimeout(timer)
    if (next < Infinity) timer = setTimeout(look, Math.max(1, next - Date.now()))
  }

  const unsubscribe = store.subscribe(() => {
    const { plan, resources, runtime: connection, targets } = store.state()
    if (last?.plan === plan && last.resources === resources && last.runtime === connection && last.targets === targets) return
    last = { plan, resources, runtime: connection, targets }
    look()
  })
  return {
    async stop() {
      unsubscribe()
      clearTimeout(timer)
      stopping.abort()
      await Promise.allSettled(under)
    },
  }
}

/** The app's own container in a running pod, best of a ready one: what fails to become ready may fail for the link. */
function placeOf(pods: readonly PodState[], name: string): Place | undefined {
  const running = pods.flatMap((pod) => {
    const own = pod.containers.filter(({ kind, running: runs, containerId }) => runs && containerId !== '' && kind === undefined)
    const container = own.find((one) => one.name === name) ?? own[0]
    return container ? [{ pod, container }] : []
  })
  return running.find(({ pod }) => pod.ready) ?? running[0]
}
