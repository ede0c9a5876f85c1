// A round of housekeeping of the running daemon, for the controller and for whoever asks for one. Rounds never overlap.
import { DevloopError } from '../errors/devloop-error.js'
import { neededByRecords } from '../model/prune.js'
import type { ControlContext } from './context.js'
import { prune, type PruneReport, type PruneRequest } from './prune.js'

/** Whether somebody waits for something: nothing is removed then. */
export function isBusy({ store, work }: ControlContext): boolean {
  const { session, images, resources, targets } = store.state()
  return (
    session.phase !== 'running' ||
    work.current().work.length > 0 ||
    Object.values(images).some((one) => one.build?.status === 'running') ||
    Object.values(resources).some((one) => one.deploy?.status === 'running') ||
    Object.values(targets).some((one) => one.status === 'syncing')
  )
}

/**
 * @throws DevloopError request/refused when there is no plan or no cluster, or the Devloopfile wants everything kept
 */
export async function pruneRound(
  context: ControlContext,
  options: Pick<PruneRequest, 'dryRun' | 'busy' | 'onRemoved'>,
  signal: AbortSignal,
): Promise<PruneReport> {
  const { store, ports, pruning } = context
  while (pruning.current) await pruning.current.catch(() => {})
  signal.throwIfAborted()
  const { plan, images, resources, session } = store.state()
  const runtime = context.runtime.current
  if (!plan) throw new DevloopError('request/refused', 'No plan is in force yet.', { help: 'Correct the Devloopfile.' })
  if (!runtime) throw new DevloopError('request/refused', 'What runs in the cluster cannot be asked for: it is not connected.')
  if (plan.settings.prune === false) throw keepsAll()
  const { prune: settings } = plan.settings
  const built = Object.values(images).flatMap((one) => (one.record ? [one.record.ref] : []))
  const round = ports.stateFiles.loadRecords(session.runtime).then((records) =>
    prune(
      {
        plan,
        settings,
        instance: session.instance,
        runtime,
        ports,
        // what is not in use now has its record on disk only
        wanted: [...neededByRecords(records, new Set(Object.keys(plan.images))), ...built],
        namespaces: Object.values(resources).flatMap((one) => one.observed?.pods.map((pod) => pod.namespace) ?? []),
        ...options,
      },
      signal,
    ),
  )
  pruning.current = round
  try {
    return await round
  } finally {
    pruning.current = null
  }
}

export const keepsAll = (): DevloopError =>
  new DevloopError('request/refused', 'The Devloopfile wants all images kept.', {
    help: 'Remove `settings.prune: false` from it.',
  })
