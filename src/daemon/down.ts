// Deletes what a project deployed, with no daemon running.
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { realpath } from 'node:fs/promises'
import { machineId } from '../adapters/disk/machine-id.js'
import { stateDir as userStateDir } from '../adapters/disk/xdg.js'
import { createDevloopfileLoader } from '../devloopfile/load-devloopfile.js'
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import { instanceId } from '../model/instance.js'
import type { Choices, Plan, SealedTexts } from '../model/plan.js'
import type { Runtime } from '../ports/runtime.js'
import { removeAll, type DownChoice, type DownStep } from './remove-all.js'
import { runtimeOpener } from './runtimes.js'
import { noChoice } from '../store/selectors.js'

export interface AloneOptions {
  /** The Devloopfile. */
  readonly file: string
  readonly context?: string
  readonly namespace?: string
  /** What the Devloopfile gets as `args`. */
  readonly args: readonly string[]
}

export interface DownOptions extends DownChoice, AloneOptions {
  /** Only these resources; undefined = all. */
  readonly only?: readonly string[]
}

/**
 * @param tell of each step, as it is done
 * @returns whether everything was removed that was meant
 * @throws DevloopError devloopfile/*, cluster/*, request/unknown-resource; AbortError
 */
export async function removeDeployed(
  options: DownOptions,
  tell: (step: DownStep) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const { plan, runtime: open } = await openAlone(options, signal)
  try {
    if (options.only) checkNames(options.only, [...Object.keys(plan.resources), ...(await open.deployed(signal))])
    return await removeAll(open, plan, options, tell, signal)
  } finally {
    await open.close()
  }
}

/**
 * Delete the namespaces of this user, of whatever project, that have not been used for the time that they were given.
 * @returns their names, such as `namespace/shop-ann`
 * @throws DevloopError devloopfile/*, cluster/*; AbortError
 */
export async function removeExpiredNamespaces(options: AloneOptions, signal: AbortSignal): Promise<readonly string[]> {
  const { runtime } = await openAlone(options, signal)
  try {
    return await runtime.removeShared({ generated: false, namespaces: false, expired: true }, signal)
  } finally {
    await runtime.close()
  }
}

async function openAlone(
  options: AloneOptions,
  signal: AbortSignal,
): Promise<{ readonly plan: Plan; readonly runtime: Runtime }> {
  const file = await realpath(options.file)
  const user = userInfo().username
  const instance = instanceId({ devloopfile: file, user, machine: machineId() })
  const plan = await loadPlan(file, user, signal, options.args)
  const runtime = await runtimeOpener('kubernetes', () => {})(
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
  return { plan, runtime }
}

function checkNames(only: readonly string[], known: readonly string[]): void {
  for (const name of only) {
    if (known.includes(name)) continue
    const why = known.length > 0 ? (didYouMean(name, known) ?? `There are ${listed([...new Set(known)])}.`) : 'There are none.'
    throw new DevloopError('request/unknown-resource', `there is no resource ${JSON.stringify(name)}`, { why })
  }
}

/** The plan of a Devloopfile, for a cluster. @throws DevloopError devloopfile/* */
export const loadPlan = async (file: string, user: string, signal: AbortSignal, args: readonly string[] = []): Promise<Plan> =>
  (await loadWithSealed(file, user, signal, args)).plan

/** The same, with the secret texts that it refers to. */
export async function loadWithSealed(
  file: string,
  user: string,
  signal: AbortSignal,
  args: readonly string[],
  choices?: Choices,
): Promise<{ readonly plan: Plan; readonly sealed: SealedTexts }> {
  const loader = createDevloopfileLoader({ file })
  try {
    const loaded = await loader.load({ user, args, runtime: 'kubernetes', ...(choices ? { choices } : {}) }, () => {}, signal)
    const wrong = loaded.ok ? noChoice(loaded.plan, choices) : loaded.error
    if (loaded.ok && !wrong) return loaded
    const { code, message, ...rest } = wrong as ErrorInfo
    throw new DevloopError(code, message, rest)
  } finally {
    await loader.close()
  }
}
