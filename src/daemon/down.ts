// Deletes what a project deployed, with no daemon running.
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { realpath } from 'node:fs/promises'
import { machineId } from '../adapters/disk/machine-id.js'
import { stateDir as userStateDir } from '../adapters/disk/xdg.js'
import { createDevloopfileLoader } from '../devloopfile/load-devloopfile.js'
import { DevloopError } from '../errors/devloop-error.js'
import { instanceId } from '../model/instance.js'
import type { Plan } from '../model/plan.js'
import { runtimeOpener } from './runtimes.js'

export interface DownOptions {
  /** The Devloopfile. */
  readonly file: string
  readonly context?: string
  readonly namespace?: string
}

/** @returns the names of the deleted objects. @throws DevloopError devloopfile/*, cluster/* */
export async function removeDeployed(options: DownOptions, signal: AbortSignal): Promise<readonly string[]> {
  const file = await realpath(options.file)
  const user = userInfo().username
  const instance = instanceId({ devloopfile: file, user, machine: machineId() })
  const plan = await loadPlan(file, user, signal)
  const open = await runtimeOpener('kubernetes', () => {})(
    {
      project: plan.name,
      instance,
      cluster: plan.cluster,
      stateDir: join(userStateDir(process.env), instance),
      ...(options.context === undefined ? {} : { context: options.context }),
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    },
    signal,
  )
  try {
    const deployed = new Set(await open.deployed(signal))
    // resources before those that they need
    const order = [...Object.keys(plan.resources).reverse(), ...deployed].filter((name) => deployed.delete(name))
    const gone: string[] = []
    for (const name of order) gone.push(...(await open.remove(name, signal)))
    return gone
  } finally {
    await open.close()
  }
}

/** The plan of a Devloopfile, for a cluster. @throws DevloopError devloopfile/* */
export async function loadPlan(file: string, user: string, signal: AbortSignal, args: readonly string[] = []): Promise<Plan> {
  const loader = createDevloopfileLoader({ file })
  try {
    const loaded = await loader.load({ user, args, runtime: 'kubernetes' }, () => {}, signal)
    if (loaded.ok) return loaded.plan
    const { code, message, ...rest } = loaded.error
    throw new DevloopError(code, message, rest)
  } finally {
    await loader.close()
  }
}
