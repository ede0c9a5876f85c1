// Where a command runs that a user wants beside a resource.
import type { ControlContext } from '../control/context.js'
import { DevloopError } from '../errors/devloop-error.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import type { ContainerState, PodState } from '../model/state.js'
import type { ExecPlace } from '../protocol/messages.js'
import { currentPods } from '../store/resource-status.js'

/** @throws DevloopError request/refused */
export function execPlace({ store, runtime }: ControlContext, resource: string, wanted: string | undefined): ExecPlace {
  const state = store.state()
  const found = state.resources[resource]
  const open = runtime.current
  if (found?.local)
    throw new DevloopError('request/refused', `${resource} is a command on this machine and has no container`, {
      help: 'Run the command in a shell of your own.',
    })
  if (!found || !open) throw new DevloopError('request/refused', `nothing is connected that ${resource} could run in`)
  const current = currentPods(found)
  // the newest that serves is meant; while it starts or crashes, whatever of it runs
  const pods = [...(current.length > 0 ? current : (found.observed?.pods ?? []))]
    .filter((pod) => pod.phase === 'running' || pod.phase === 'pending')
    .sort((a, b) => Number(b.ready) - Number(a.ready) || b.createdAt - a.createdAt)
  for (const pod of pods) {
    const container = containerOf(pod, wanted)
    if (!container?.running) continue
    const workplace = open.workplace(pod.name)
    if (workplace) return { runtime: 'process', ...workplace }
    return {
      runtime: 'kubernetes',
      context: open.info.context ?? '',
      server: open.info.server ?? '',
      contexts: state.plan?.cluster.contexts ?? [],
      namespace: pod.namespace,
      pod: pod.name,
      container: container.name,
    }
  }
  const names = [...new Set(pods.flatMap((pod) => pod.containers.map(({ name }) => name)))]
  if (wanted !== undefined && pods.length > 0 && !names.includes(wanted))
    throw new DevloopError('request/refused', `${resource} has no container ${JSON.stringify(wanted)}`, {
      why: `There are ${listed(names)}.`,
      help: didYouMean(wanted, names) ?? 'Name one of them with --container.',
    })
  throw new DevloopError('request/refused', `no container of ${resource} runs now`, {
    why: found.observed?.error?.message ?? found.observed?.message,
    help: 'See `devloop status` for what it waits for.',
  })
}

/** The named one; else the one that runs an image of the project; else the first of the pod's own. */
function containerOf({ containers }: PodState, wanted: string | undefined): ContainerState | undefined {
  if (wanted !== undefined) return containers.find((one) => one.name === wanted)
  const own = containers.filter((one) => one.kind === undefined)
  return own.find((one) => one.image !== undefined) ?? own[0]
}
