// Housekeeping with no daemon running.
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { realpath } from 'node:fs/promises'
import { machineId } from '../adapters/disk/machine-id.js'
import { createStateFiles } from '../adapters/disk/state-files.js'
import { createStateFolders, madeImagesOf } from '../adapters/disk/state-folders.js'
import { stateDir as userStateDir } from '../adapters/disk/xdg.js'
import { prune, type PruneReport } from '../control/prune.js'
import { keepsAll } from '../control/prune-round.js'
import { instanceId } from '../model/instance.js'
import { neededByRecords } from '../model/prune.js'
import { loadPlan } from './down.js'
import { runtimeOpener } from './runtimes.js'

export interface PruneOptions {
  /** The Devloopfile. */
  readonly file: string
  readonly dryRun: boolean
}

/** @throws DevloopError devloopfile/*, cluster/*, request/refused when the Devloopfile wants everything kept; AbortError */
export async function pruneAlone(options: PruneOptions, signal: AbortSignal): Promise<PruneReport> {
  const file = await realpath(options.file)
  const user = userInfo().username
  const instance = instanceId({ devloopfile: file, user, machine: machineId() })
  const root = userStateDir(process.env)
  const stateDir = join(root, instance)
  const plan = await loadPlan(file, user, signal)
  if (plan.settings.prune === false) throw keepsAll()
  const runtime = await runtimeOpener('kubernetes', () => {})(
    { project: plan.name, instance, cluster: plan.cluster, stateDir },
    signal,
  )
  // records name their project by its folder, as the daemon does
  const stateFiles = createStateFiles({ dir: stateDir, project: basename(dirname(file)), instance })
  try {
    const records = await stateFiles.loadRecords('kubernetes')
    return await prune(
      {
        plan,
        settings: plan.settings.prune,
        instance,
        runtime,
        ports: { madeImages: madeImagesOf(stateDir), stateFolders: createStateFolders(root, instance), stateFiles },
        wanted: neededByRecords(records, new Set(Object.keys(plan.images))),
        namespaces: [],
        dryRun: options.dryRun,
        busy: () => false,
      },
      signal,
    )
  } finally {
    await Promise.all([runtime.close(), stateFiles.close()])
  }
}
