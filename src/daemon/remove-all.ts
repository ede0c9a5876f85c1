// Takes away what a project deployed: what needs others before what it needs, each as soon as it can go.
import { isAbort, toErrorInfo } from '../errors/devloop-error.js'
import type { Plan } from '../model/plan.js'
import type { Runtime } from '../ports/runtime.js'

/** What goes beside the resources. */
export interface DownChoice {
  /** The values of `generated`, too. */
  readonly deleteGenerated?: boolean
  /** The namespaces, too, that devloop made for the project. */
  readonly deleteNamespace?: boolean
}

/** What was done, or was not; `resource` is empty for what belongs to none. */
export interface DownStep {
  readonly resource: string
  readonly level: 'info' | 'error'
  /** Such as `deleted deployment/api, service/api`. */
  readonly text: string
  /** How many resources are gone, of how many that are meant. */
  readonly done: number
  readonly total: number
}

/**
 * Remove what is deployed. What could not be removed is told, and what it needs stays, too.
 * @param plan for the order; resources that are not in it go first
 * @param only names of the resources that are meant; undefined = all, and what belongs to none of them
 * @returns whether everything was removed that was meant
 * @throws AbortError only
 */
export async function removeAll(
  runtime: Runtime,
  plan: Plan | null,
  { deleteGenerated = false, deleteNamespace = false, only }: DownChoice & { readonly only?: readonly string[] },
  onStep: (step: DownStep) => void,
  signal: AbortSignal,
): Promise<boolean> {
  let well = true
  let [done, total] = [0, 0]
  const tell = (step: Pick<DownStep, 'resource' | 'level' | 'text'>): void => onStep({ ...step, done, total })
  const failed = (resource: string, thrown: unknown): void => {
    if (isAbort(thrown)) throw thrown
    const { message, why, help } = toErrorInfo(thrown)
    well = false
    tell({ resource, level: 'error', text: [message, why, help].filter(Boolean).join(' ') })
  }
  const told = (resource: string, deleted: readonly string[]): void => {
    if (deleted.length > 0) tell({ resource, level: 'info', text: `deleted ${deleted.join(', ')}` })
  }
  const onKept =
    (resource: string) =>
    ({ object, why }: { object: string; why: string }): void =>
      tell({ resource, level: 'info', text: `kept ${object}: ${why}` })

  try {
    const deployed = new Set(await runtime.deployed(signal))
    const meant = [...deployed].filter((name) => only?.includes(name) ?? true)
    total = meant.length
    const dependents = dependentsOf(plan, meant)
    /** Whether a resource is gone, by name. */
    const gone = new Map<string, Promise<boolean>>()
    const remove = async (name: string): Promise<boolean> => {
      const before = await Promise.all((dependents.get(name) ?? []).map(async (one) => ((await goneOnce(one)) ? [] : [one])))
      const left = before.flat()
      if (left.length > 0) {
        well = false
        tell({ resource: name, level: 'error', text: `it stays, because ${left.join(', ')} needs it and could not be removed` })
        return false
      }
      try {
        const deleted = await runtime.remove(name, signal, { wait: true, onKept: onKept(name) })
        done++
        told(name, deleted)
        return true
      } catch (thrown) {
        failed(name, thrown)
        return false
      }
    }
    const goneOnce = (name: string): Promise<boolean> => {
      const known = gone.get(name) ?? remove(name)
      gone.set(name, known)
      return known
    }
    await Promise.all(meant.map(goneOnce))
    if (only === undefined && well)
      told(
        '',
        await runtime.removeShared({ generated: deleteGenerated, namespaces: deleteNamespace }, signal, { onKept: onKept('') }),
      )
  } catch (thrown) {
    failed('', thrown)
  }
  return well
}

/** For each of these resources, those others of them that need it, also by way of others. */
export function dependentsOf(plan: Plan | null, names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>(names.map((name) => [name, []]))
  for (const name of names) {
    const needed = new Set<string>()
    const queue = [name]
    for (const one of queue) {
      for (const need of plan?.resources[one]?.needs ?? []) {
        if (needed.has(need)) continue
        needed.add(need)
        queue.push(need)
      }
    }
    for (const need of needed) dependents.get(need)?.push(name)
  }
  return dependents
}
