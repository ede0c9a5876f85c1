// Follows the output of every container of the resources' pods, one container of a place in a pod after the other.
import { isAbort, toErrorInfo } from '../errors/devloop-error.js'
import type { ContainerState, PodState, ResourceState } from '../model/state.js'
import { saidLevel } from '../model/said-level.js'
import type { LogRequest } from '../ports/runtime.js'
import type { ControlContext, Controller } from './context.js'

/** What a container said last may still be on its way when it is not seen any more. Milliseconds. */
const lastWordsMs = 3000

/** A place in a pod, in which one container follows the other. */
interface Lane {
  readonly resource: string
  readonly source: string
  readonly pod: PodState
  readonly container: string
  /** Ids of the containers that were or will be read. */
  readonly seen: Set<string>
  /** Those to be read, oldest first. */
  readonly queue: (Pick<LogRequest, 'since' | 'previous'> & { readonly containerId: string })[]
  /** Of the newest line that was given. */
  after?: string
  reading?: { readonly abort: AbortController; readonly done: Promise<void> }
  leave?: NodeJS.Timeout | undefined
}

export function createLogsController({ store, runtime, log, onDefect }: ControlContext): Controller {
  const startedAt = Date.now()
  const stopping = new AbortController()
  /** By pod uid and container name. */
  const lanes = new Map<string, Lane>()
  /** Resources that were seen before: what comes to them now came while devloop runs. */
  const met = new Set<string>()
  /** Ids of the containers that were there before. */
  const old = new Set<string>()

  const laneOf = (resource: ResourceState, pod: PodState, container: ContainerState): Lane => {
    const key = `${pod.uid} ${container.name}`
    let lane = lanes.get(key)
    if (!lane) {
      const source = pod.containers.length > 1 ? `${pod.name}/${container.name}` : pod.name
      lane = { resource: resource.name, source, pod, container: container.name, seen: new Set(), queue: [] }
      lanes.set(key, lane)
    }
    return lane
  }

  const add = (lane: Lane, next: Lane['queue'][number]): void => {
    if (lane.seen.has(next.containerId)) return
    lane.seen.add(next.containerId)
    lane.queue.push(next)
  }

  /** Read what comes next, when nothing is being read. */
  const advance = (key: string, lane: Lane): void => {
    const open = runtime.current
    if (lane.reading || stopping.signal.aborted || !open) return
    const next = lane.queue.shift()
    if (!next) return
    const abort = new AbortController()
    const { namespace, name: pod } = lane.pod
    const request: LogRequest = {
      target: { containerId: next.containerId, namespace, pod, container: lane.container },
      since: next.since,
      ...(lane.after === undefined ? {} : { after: lane.after }),
      ...(next.previous ? { previous: true } : {}),
    }
    const about = { resource: lane.resource, source: lane.source, container: lane.container }
    const done = open
      .logs(
        request,
        (line) => {
          if (line.place !== undefined) lane.after = line.place
          log({ ...about, level: saidLevel(line.text), text: line.text, at: line.at })
        },
        AbortSignal.any([abort.signal, stopping.signal]),
      )
      .catch((thrown: unknown) => {
        if (isAbort(thrown) || abort.signal.aborted || stopping.signal.aborted) return
        const error = toErrorInfo(thrown)
        if (error.code === 'defect') onDefect(thrown)
        log({ ...about, level: 'warn', text: `its log cannot be read: ${error.message}` })
      })
      .finally(() => {
        clearTimeout(lane.leave)
        lane.leave = undefined
        delete lane.reading
        if (lanes.get(key) === lane) advance(key, lane)
      })
    lane.reading = { abort, done }
  }

  const look = (): void => {
    if (stopping.signal.aborted || !runtime.current) return
    const there = new Map<string, string>()
    for (const resource of Object.values(store.state().resources)) {
      const pods = resource.observed?.pods ?? []
      if (resource.observed && !met.has(resource.name)) {
        met.add(resource.name)
        for (const pod of pods) for (const { containerId } of pod.containers) old.add(containerId)
      }
      for (const pod of pods) {
        for (const container of pod.containers) {
          // without a start time there has been no output yet
          if (!container.containerId || container.startedAt === undefined) continue
          const before = old.has(container.containerId)
          // which of their words are secret is known when they were deployed
          if (before && resource.appliedKey === null) continue
          const lane = laneOf(resource, pod, container)
          there.set(`${pod.uid} ${container.name}`, container.containerId)
          // what was said before devloop began is of no interest; of what came later, nothing is left out by the clock
          if (container.previous !== undefined && !before)
            add(lane, { containerId: container.previous, previous: true, since: old.has(container.previous) ? startedAt : 0 })
          add(lane, { containerId: container.containerId, since: before ? startedAt : 0 })
        }
      }
    }
    for (const [key, lane] of lanes) {
      advance(key, lane)
      const goesOn = there.has(key)
      if (!goesOn && !lane.reading) lanes.delete(key)
      // another is in its place, or the pod is gone: the end of what is read should be near
      else if (lane.reading && (!goesOn || lane.queue.length > 0))
        lane.leave ??= setTimeout(() => lane.reading?.abort.abort(), lastWordsMs)
    }
  }
  const unsubscribe = store.subscribe(look)
  return {
    async stop() {
      unsubscribe()
      stopping.abort()
      for (const lane of lanes.values()) clearTimeout(lane.leave)
      await Promise.allSettled([...lanes.values()].flatMap((one) => one.reading?.done ?? []))
    },
  }
}
