// Follows the output of every container of the current pods.
import { isAbort, toErrorInfo } from '../errors/devloop-error.js'
import type { ContainerState, PodState, ResourceState } from '../model/state.js'
import { currentPods } from '../store/resource-status.js'
import type { ControlContext, Controller } from './context.js'

/** What a container said last may still be on its way when it is not seen any more. Milliseconds. */
const lastWordsMs = 3000

interface Following {
  readonly abort: AbortController
  readonly done: Promise<void>
  leave?: NodeJS.Timeout
}

export function createLogsController({ store, runtime, log, onDefect }: ControlContext): Controller {
  const startedAt = Date.now()
  const stopping = new AbortController()
  /** By container id. */
  const following = new Map<string, Following>()
  /** Ended by themselves: told whole, not to be followed again. */
  const finished = new Set<string>()

  const follow = (resource: ResourceState, pod: PodState, container: ContainerState): void => {
    const open = runtime.current
    if (!open) return
    const abort = new AbortController()
    const source = pod.containers.length > 1 ? `${pod.name}/${container.name}` : pod.name
    const target = { containerId: container.containerId, namespace: pod.namespace, pod: pod.name, container: container.name }
    const done = open
      .logs(
        target,
        startedAt,
        (line) => log({ resource: resource.name, source, level: 'info', text: line.text, at: line.at }),
        AbortSignal.any([abort.signal, stopping.signal]),
      )
      .then(() => void finished.add(container.containerId))
      .catch((thrown: unknown) => {
        if (isAbort(thrown) || abort.signal.aborted || stopping.signal.aborted) return
        finished.add(container.containerId)
        const error = toErrorInfo(thrown)
        if (error.code === 'defect') onDefect(thrown)
        log({ resource: resource.name, source, level: 'warn', text: `its log cannot be read: ${error.message}` })
      })
      .finally(() => {
        clearTimeout(following.get(container.containerId)?.leave)
        following.delete(container.containerId)
      })
    following.set(container.containerId, { abort, done })
  }

  const look = (): void => {
    if (stopping.signal.aborted || !runtime.current) return
    const wanted = new Set<string>()
    for (const resource of Object.values(store.state().resources)) {
      for (const pod of currentPods(resource)) {
        for (const container of pod.containers) {
          // without a start time there has been no output yet
          if (!container.containerId || container.startedAt === undefined) continue
          wanted.add(container.containerId)
          if (!following.has(container.containerId) && !finished.has(container.containerId)) follow(resource, pod, container)
        }
      }
    }
    for (const [id, one] of following) if (!wanted.has(id)) one.leave ??= setTimeout(() => one.abort.abort(), lastWordsMs)
    for (const id of finished) if (!wanted.has(id)) finished.delete(id)
  }
  const unsubscribe = store.subscribe(look)
  return {
    async stop() {
      unsubscribe()
      stopping.abort()
      await Promise.allSettled([...following.values()].map((one) => one.done))
    },
  }
}
