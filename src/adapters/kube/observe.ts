// Tells about the pods and workloads of one project's instance: whole states, soon after each change, only when they differ.
import type { DevloopError, ErrorInfo } from '../../errors/devloop-error.js'
import type { Observed, ObservedEvent, RuntimeOptions } from '../../ports/runtime.js'
import type { KubeConnection } from './connection.js'
import { ownedSelector } from './labels.js'
import { createCrashTails } from './observe-crash.js'
import { watchEvents } from './observe-events.js'
import { observePod, type PodRecord } from './observe-pod.js'
import { observeResource, workloadKey } from './observe-resource.js'
import type { KubeEvent, Pod, Workload } from './observe-shapes.js'
import { isWorkloadKind, observeWorkload, workloadPaths, type WorkloadKind, type WorkloadRecord } from './observe-workload.js'
import { watchList } from './watch.js'

/** Something of a resource that was, or is going to be, applied. */
export interface ExpectedObject {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

export interface Observer {
  /** Begin to tell. Once. */
  start(
    onObserved: (observed: Observed) => void,
    onLost: (error: ErrorInfo | null) => void,
    onEvent: (event: ObservedEvent) => void,
  ): void
  /** A resource is about to be deployed as these objects: what is needed to see them is watched from now on. */
  deploying(resource: string, objects: readonly ExpectedObject[]): void
  /** It was deployed: it is told again at once, and is rolled out only with these templates. */
  deployed(resource: string, templates: readonly string[]): void
  /** It was removed. */
  removed(resource: string): void
}

/** Changes that come within this many milliseconds are told as one. */
const gatherMs = 3

interface Entry {
  readonly resource: string
  readonly pods: Map<string, PodRecord>
  readonly workloads: Map<string, WorkloadRecord>
  readonly done: Map<string, string | undefined>
  /** Keys of everything that was applied, of whatever kind. */
  applied: ReadonlySet<string>
  expected: ReadonlySet<string> | undefined
  templates: readonly string[] | undefined
  told: string | undefined
}

/** What to observe instead of what carries devloop's labels. */
export type Adopted = (kind: WorkloadKind | 'Pod', object: Pod & Workload) => (Pod & Workload) | undefined

/**
 * @param log for what is worth a line in the log and nothing more
 * @param adopt gives an object as if devloop had labelled it; undefined = it is no concern of this observer
 */
export function createObserver(
  connection: KubeConnection,
  options: Pick<RuntimeOptions, 'project' | 'instance'>,
  signal: AbortSignal,
  log: (message: string) => void = () => undefined,
  adopt?: Adopted,
): Observer {
  const labelSelector = adopt ? undefined : ownedSelector(options)
  const shown: Adopted = adopt ?? ((_kind, object) => object)
  const entries = new Map<string, Entry>()
  /** Watches that run, by `kind namespace`; true once listed. */
  const watches = new Map<string, boolean>()
  const lost = new Map<string, DevloopError>()
  const dirty = new Set<string>()
  /** Resource of each pod and workload, to find them again when they go. */
  const resourceOf = new Map<string, string>()
  let tell: ((observed: Observed) => void) | undefined
  let tellLost: (error: ErrorInfo | null) => void = () => undefined
  let timer: NodeJS.Timeout | undefined
  let tellEvent: (event: ObservedEvent) => void = () => undefined
  const involved = ({ kind = '', namespace = '', name = '', uid = '' }: KubeEvent['involvedObject']): string | undefined => {
    const key = workloadKey(kind, namespace, name)
    const known = resourceOf.get(uid) ?? resourceOf.get(key)
    return known ?? [...entries.values()].find(({ applied }) => applied.has(key))?.resource
  }
  const events = watchEvents(
    connection,
    {
      resourceOf: involved,
      onProblem(object) {
        const resource = involved(object)
        if (resource !== undefined) touch(resource)
      },
      onEvent: (event) => tellEvent(event),
    },
    signal,
  )
  const tails = createCrashTails(
    connection,
    (uid) => {
      const resource = resourceOf.get(uid)
      if (resource !== undefined) touch(resource)
    },
    signal,
  )
  signal.addEventListener('abort', () => clearTimeout(timer))

  function entryOf(resource: string): Entry {
    let entry = entries.get(resource)
    if (!entry) {
      entry = {
        resource,
        pods: new Map(),
        workloads: new Map(),
        done: new Map(),
        applied: new Set(),
        expected: undefined,
        templates: undefined,
        told: undefined,
      }
      entries.set(resource, entry)
    }
    return entry
  }

  function touch(resource: string): void {
    dirty.add(resource)
    if (!signal.aborted && tell) timer ??= setTimeout(flush, gatherMs)
  }

  function flush(): void {
    timer = undefined
    for (const resource of dirty) {
      const entry = entries.get(resource)
      // Before the pods of the first list are in, a state would only be half of one.
      if (!entry || !watches.get(`Pod ${connection.namespace}`)) continue
      dirty.delete(resource)
      const pods = new Map([...entry.pods].map(([uid, record]) => [uid, tails.addTo(uid, record)]))
      const observed = observeResource({ ...entry, pods, listed: isListed(entry) }, (uid) => events.problemOf(uid))
      const text = JSON.stringify(observed)
      if (text === entry.told) continue
      entry.told = text
      if (entry.pods.size + entry.workloads.size === 0 && entry.expected === undefined) entries.delete(resource)
      tell?.(observed)
    }
  }

  function isListed(entry: Entry): boolean {
    const needed = new Set([...(entry.expected ?? [])].map((key) => key.slice(0, key.indexOf('/'))))
    for (const { pod, owner } of entry.pods.values()) {
      const kind = makerOf(owner)
      if (kind) needed.add(`${kind} ${pod.namespace}`)
    }
    return [...needed].every((key) => watches.get(key) ?? false)
  }

  /** Run a watch for a kind in a namespace, once. */
  function watch(kind: WorkloadKind | 'Pod', namespace: string): void {
    const key = `${kind} ${namespace}`
    if (watches.has(key) || signal.aborted) return
    watches.set(key, false)
    if (kind === 'Pod') events.watch(namespace)
    const { group, plural } = kind === 'Pod' ? { group: 'api/v1', plural: 'pods' } : workloadPaths[kind]
    const what = `watch ${plural} in ${namespace}`
    const seen = new Set<string>()
    void watchList<Pod & Workload>(
      connection,
      {
        path: `/${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`,
        ...(labelSelector === undefined ? {} : { labelSelector }),
        what,
        onList(listed) {
          const objects = listed.flatMap((object) => shown(kind, object) ?? [])
          const now = new Set(objects.map((object) => idOf(kind, object)))
          for (const id of seen) if (!now.has(id)) drop(kind, id)
          seen.clear()
          for (const id of now) seen.add(id)
          for (const object of objects) put(kind, object)
          watches.set(key, true)
          for (const resource of entries.keys()) touch(resource)
        },
        onChange(type, changed) {
          const id = idOf(kind, changed)
          const object = type === 'DELETED' ? undefined : shown(kind, changed)
          if (!object) {
            seen.delete(id)
            drop(kind, id)
          } else {
            seen.add(id)
            put(kind, object)
          }
        },
        onLost(error) {
          const before = lost.size
          if (error) lost.set(key, error)
          else lost.delete(key)
          if (error && before === 0) tellLost(error.info)
          if (lost.size === 0 && before > 0) tellLost(null)
        },
        onBadLine: (line) =>
          log(`${what}: a line that is not an event was dropped and the list is read anew: ${line.slice(0, 200)}`),
      },
      signal,
    )
  }

  function put(kind: WorkloadKind | 'Pod', object: Pod & Workload): void {
    const id = idOf(kind, object)
    const earlier = resourceOf.get(id)
    if (kind === 'Pod') {
      const record = observePod(object, earlier === undefined ? undefined : entries.get(earlier)?.pods.get(id))
      if (earlier !== undefined && earlier !== record.resource) drop(kind, id)
      entryOf(record.resource).pods.set(id, record)
      resourceOf.set(id, record.resource)
      const maker = makerOf(record.owner)
      if (maker) watch(maker, record.pod.namespace)
      if (record.pod.ready) events.forget(id)
      touch(record.resource)
      return
    }
    const record = observeWorkload(kind, object)
    if (earlier !== undefined && earlier !== record?.resource) drop(kind, id)
    if (!record) return
    entryOf(record.resource).workloads.set(id, record)
    if (!record.lacksPods) events.forget(record.uid)
    if (kind === 'Job' && record.rolledOut) entryOf(record.resource).done.set(id, record.template)
    resourceOf.set(id, record.resource)
    touch(record.resource)
  }

  function drop(kind: WorkloadKind | 'Pod', id: string): void {
    const resource = resourceOf.get(id)
    if (resource === undefined) return
    resourceOf.delete(id)
    const entry = entries.get(resource)
    if (kind === 'Pod') {
      entry?.pods.delete(id)
      events.forget(id)
      tails.forget(id)
    } else {
      const gone = entry?.workloads.get(id)
      if (gone) events.forget(gone.uid)
      entry?.workloads.delete(id)
    }
    touch(resource)
  }

  return {
    start(onObserved, onLost, onEvent) {
      tellEvent = onEvent
      tell = onObserved
      tellLost = onLost
      watch('Pod', connection.namespace)
      for (const entry of entries.values()) touch(entry.resource)
    },
    deploying(resource, objects) {
      const expected = new Set<string>()
      for (const { kind, namespace, name } of objects) {
        watch('Pod', namespace)
        if (isWorkloadKind(kind)) watch(kind, namespace)
        if (kind === 'Pod' || isWorkloadKind(kind)) expected.add(workloadKey(kind, namespace, name))
      }
      entryOf(resource).expected = expected
      entryOf(resource).applied = new Set(objects.map(({ kind, namespace, name }) => workloadKey(kind, namespace, name)))
      // a Job that is gone is made anew
      for (const key of entryOf(resource).done.keys())
        if (!entryOf(resource).workloads.has(key)) entryOf(resource).done.delete(key)
      touch(resource)
    },
    deployed(resource, templates) {
      const entry = entryOf(resource)
      entry.templates = templates
      touch(resource)
      // told before the deploy counts as done: what was told of the earlier templates must not pass for these
      clearTimeout(timer)
      if (tell && !signal.aborted) flush()
    },
    removed(resource) {
      const entry = entries.get(resource)
      if (!entry) return
      entry.expected = undefined
      entry.done.clear()
      entry.templates = undefined
      touch(resource)
    },
  }
}

/** Pods are told apart by uid (a StatefulSet gives a new pod the old name), workloads by name. */
const idOf = (kind: string, { metadata }: Pod & Workload): string =>
  kind === 'Pod' ? metadata.uid : workloadKey(kind, metadata.namespace ?? '', metadata.name)

/** The kind that speaks for the pods of a controller: a ReplicaSet is only the hand of its Deployment. */
function makerOf(owner: string | undefined): WorkloadKind | undefined {
  if (owner === 'ReplicaSet') return 'Deployment'
  return owner !== undefined && isWorkloadKind(owner) ? owner : undefined
}
