// Warning events of the cluster: told for what belongs to a resource, and kept as a hint of why a pod is not ready.
import type { DevloopError } from '../../errors/devloop-error.js'
import type { ObservedEvent } from '../../ports/runtime.js'
import type { KubeConnection } from './connection.js'
import { eventWords, type EventWords } from './event-words.js'
import type { KubeEvent } from './observe-shapes.js'
import { watchList } from './watch.js'

export interface PodProblem extends EventWords {
  readonly pod: string
  readonly message: string
}

export interface ClusterEvents {
  /** Events of this namespace are watched from now on; those that are there already are of no interest. */
  watch(namespace: string): void
  /** The newest warning about a pod, or about pods that a workload cannot make, by uid. */
  problemOf(uid: string): PodProblem | undefined
  /** Of a pod that is ready (again) or a workload that has its pods, or of what is gone. */
  forget(uid: string): void
}

export interface EventOptions {
  /** Of the resource that something belongs to; undefined = to none. */
  readonly resourceOf: (object: KubeEvent['involvedObject']) => string | undefined
  /** There is news of a pod. */
  readonly onProblem: (object: KubeEvent['involvedObject']) => void
  readonly onEvent: (event: ObservedEvent) => void
}

/** An event about a pod may come before the pod itself. Milliseconds. */
const strangerMs = 1_000

export function watchEvents(connection: KubeConnection, options: EventOptions, signal: AbortSignal): ClusterEvents {
  const problems = new Map<string, PodProblem>()
  const namespaces = new Set<string>()

  /** @param repeated it was told before: it goes on */
  const take = (event: KubeEvent, repeated: boolean, again = false): void => {
    const { uid, kind = '', name = '' } = event.involvedObject
    const resource = options.resourceOf(event.involvedObject)
    if (resource === undefined) {
      if (!again && kind === 'Pod') setTimeout(() => !signal.aborted && take(event, repeated, true), strangerMs).unref()
      return
    }
    const message = event.message ?? ''
    const words = eventWords(event.reason ?? '', message)
    if (!repeated)
      options.onEvent({
        resource,
        text: `${kind} ${name} ${words.words}${message === '' ? '' : `: ${message}`}`,
        at: timeOf(event),
      })
    if (uid === undefined || words.idle || (kind !== 'Pod' && event.reason !== 'FailedCreate')) return
    problems.set(uid, { ...words, pod: name, message })
    options.onProblem(event.involvedObject)
  }

  return {
    watch(namespace) {
      if (namespaces.has(namespace) || signal.aborted) return
      namespaces.add(namespace)
      /** Version of each event that is known, by uid; undefined = the first list is still to come. */
      let known: Map<string, string | undefined> | undefined
      void watchList<KubeEvent>(
        connection,
        {
          path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`,
          fieldSelector: 'type=Warning',
          what: `watch events in ${namespace}`,
          onList(events) {
            const before = known
            known = new Map(events.map(({ metadata }) => [metadata.uid, metadata.resourceVersion]))
            // after a gap only what happened in it is news; no clock is needed to tell
            const news = before ? events.filter(({ metadata }) => before.get(metadata.uid) !== metadata.resourceVersion) : []
            news.sort((a, b) => timeOf(a) - timeOf(b)).forEach((event) => take(event, before?.has(event.metadata.uid) ?? false))
          },
          onChange(type, event) {
            if (type === 'DELETED') return void known?.delete(event.metadata.uid)
            const repeated = known?.has(event.metadata.uid) ?? false
            known?.set(event.metadata.uid, event.metadata.resourceVersion)
            take(event, repeated)
          },
          // Hints only: without them all else is as true as before.
          onLost: (_error: DevloopError | null) => undefined,
        },
        signal,
      )
    },
    problemOf: (uid) => problems.get(uid),
    forget: (uid) => void problems.delete(uid),
  }
}

const timeOf = (event: KubeEvent): number =>
  Date.parse(
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '',
  ) || Date.now()
