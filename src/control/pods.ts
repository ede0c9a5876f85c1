// Acts on pods as a whole: replaces those that crashed once there is something newer to try, and those that cannot be
// restarted in place; forgets the journals of containers that are gone.
import { isAbort, toErrorInfo } from '../errors/devloop-error.js'
import type { PodState, ResourceState } from '../model/state.js'
import { releasedRevision } from '../store/graph-status.js'
import { currentPods } from '../store/resource-status.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { placeJournal } from './owed.js'

export function createPodsController({ store, runtime, ports, log, onDefect }: ControlContext): Controller {
  const stopping = new AbortController()
  /** Pod uid to the revisions of its images when it was first seen crashed. */
  const crashed = new Map<string, string>()
  const replaced = new Set<string>()
  const restarted = new Map<string, number>()
  let remembered = ''

  const replace = async (resource: ResourceState, pod: PodState, why: string): Promise<void> => {
    if (replaced.has(pod.uid) || !runtime.current) return
    replaced.add(pod.uid)
    try {
      log({ resource: resource.name, source: 'deploy', level: 'info', text: `replacing ${pod.name}: ${why}` })
      await runtime.current.replacePod(pod, stopping.signal)
    } catch (thrown) {
      if (isAbort(thrown)) return
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      log({ resource: resource.name, source: 'deploy', level: 'warn', text: `${pod.name} was not replaced: ${error.message}` })
    }
  }

  const revisions = (resource: ResourceState, pod: PodState): string =>
    pod.containers
      .flatMap(({ image }) => {
        const names = image === undefined ? [] : [image, ...(store.state().images[image]?.bases?.names ?? [])]
        return names.map((name) => releasedRevision(store.state(), resource, name))
      })
      .join(' ')

  const look = async (resource: ResourceState): Promise<void> => {
    const pods = currentPods(resource)
    for (const pod of pods) {
      const down = pod.containers.some((one) => !one.running && one.error?.code === 'pod/crashed')
      if (!down) crashed.delete(pod.uid)
      else if (!crashed.has(pod.uid)) crashed.set(pod.uid, revisions(resource, pod))
      else if (crashed.get(pod.uid) !== revisions(resource, pod))
        await replace(resource, pod, 'it crashed, and there is something newer to try')
    }
    const done = restarted.get(resource.name) ?? 0
    restarted.set(resource.name, resource.restarts)
    if (resource.restarts <= done) return
    for (const pod of pods)
      if (!pod.containers.some((one) => one.restartable)) await replace(resource, pod, 'a restart was asked for')
  }

  /** Once everything is seen and ready, no container but those in sight can come back. */
  const forget = async (resources: readonly ResourceState[]): Promise<void> => {
    // of what is disabled nothing is left
    const deployed = resources.filter((one) => !one.local && !one.disabled)
    if (
      store.state().runtime.status !== 'connected' ||
      deployed.length === 0 ||
      !deployed.every((one) => one.ready && one.observed)
    )
      return
    const ids = new Set(
      deployed.flatMap((one) =>
        (one.observed?.pods ?? []).flatMap(({ namespace, name: pod, containers }) =>
          containers.flatMap((one) => [one.containerId, placeJournal({ namespace, pod, container: one.name })]),
        ),
      ),
    )
    const key = [...ids].sort().join(' ')
    if (key === remembered) return
    remembered = key
    await ports.stateFiles.keepContainers(ids)
  }

  const drain = createDrain(async () => {
    if (stopping.signal.aborted || !runtime.current) return
    const resources = Object.values(store.state().resources)
    const { plan } = store.state()
    for (const resource of resources) {
      // what something else deploys is not devloop's to replace
      if (resource.observed && plan?.resources[resource.name]?.kind !== 'attach') await look(resource)
    }
    await forget(resources)
  }, onDefect)
  const unsubscribe = store.subscribe(drain.poke)
  return {
    async stop() {
      unsubscribe()
      stopping.abort()
      await drain.stop()
    },
  }
}
