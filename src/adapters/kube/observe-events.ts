// Warning events of pods, for what a pod's own status does not say. Watched only while some pod does not become ready.
import type { KubeConnection } from './connection.js'
import type { KubeEvent } from './observe-shapes.js'
import { watchList } from './watch.js'

export interface PodProblem {
  readonly pod: string
  readonly reason: string
  readonly message: string
  /** The pod cannot start as long as this lasts; else it is only a hint why it is not ready. */
  readonly blocks: boolean
}

export interface PodEvents {
  /** Namespaces with pods that are not ready without saying why, at this moment; call whenever that may have changed. */
  wanted(namespaces: ReadonlySet<string>): void
  /** The newest warning about a pod. */
  problemOf(uid: string): PodProblem | undefined
  /** Pods that are gone need no memory. */
  forget(uid: string): void
}

/** Most starts take no longer than this, and need no events. */
const patienceMs = 2_000
const idleMs = 30_000

const blocking = new Set([
  'FailedMount',
  'FailedAttachVolume',
  'FailedCreatePodSandBox',
  'FailedCreatePodContainer',
  'NetworkNotReady',
])
/** Said better by the pod's status, or said of a pod that is being replaced anyway. */
const idle = new Set([
  'BackOff',
  'Failed',
  'FailedScheduling',
  'FailedKillPod',
  'FailedPreStopHook',
  'NodeNotReady',
  'InspectFailed',
  'ErrImageNeverPull',
])

/** @param onProblem called with a pod's uid when there is news of it */
export function watchPodEvents(connection: KubeConnection, onProblem: (uid: string) => void, signal: AbortSignal): PodEvents {
  const problems = new Map<string, PodProblem>()
  const watches = new Map<string, AbortController>()
  const timers = new Map<string, { readonly to: 'open' | 'close'; readonly timer: NodeJS.Timeout }>()
  signal.addEventListener('abort', () => {
    for (const { timer } of timers.values()) clearTimeout(timer)
    for (const watch of watches.values()) watch.abort()
  })

  const take = (event: KubeEvent): void => {
    const { uid, name = '' } = event.involvedObject
    const reason = event.reason ?? ''
    if (uid === undefined || idle.has(reason)) return
    problems.set(uid, { pod: name, reason, message: event.message ?? '', blocks: blocking.has(reason) })
    onProblem(uid)
  }

  const open = (namespace: string): void => {
    const controller = new AbortController()
    watches.set(namespace, controller)
    void watchList<KubeEvent>(
      connection,
      {
        path: `/api/v1/namespaces/${namespace}/events`,
        fieldSelector: 'type=Warning,involvedObject.kind=Pod',
        what: `watch events in ${namespace}`,
        onList: (events) => events.toSorted((a, b) => timeOf(a) - timeOf(b)).forEach(take),
        onChange: (type, event) => {
          if (type !== 'DELETED') take(event)
        },
        // Hints only: without them all else is as true as before.
        onLost: () => undefined,
      },
      controller.signal,
    )
  }

  const schedule = (namespace: string, to: 'open' | 'close'): void => {
    const planned = timers.get(namespace)
    if (planned?.to === to) return
    clearTimeout(planned?.timer)
    timers.delete(namespace)
    if ((to === 'open') === watches.has(namespace)) return
    const timer = setTimeout(
      () => {
        timers.delete(namespace)
        if (to === 'open') return open(namespace)
        watches.get(namespace)?.abort()
        watches.delete(namespace)
      },
      to === 'open' ? patienceMs : idleMs,
    )
    timers.set(namespace, { to, timer: timer.unref() })
  }

  return {
    wanted(namespaces) {
      if (signal.aborted) return
      for (const namespace of namespaces) schedule(namespace, 'open')
      for (const namespace of [...watches.keys(), ...timers.keys()]) if (!namespaces.has(namespace)) schedule(namespace, 'close')
    },
    problemOf: (uid) => problems.get(uid),
    forget: (uid) => void problems.delete(uid),
  }
}

const timeOf = (event: KubeEvent): number =>
  Date.parse(
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '',
  ) || 0
