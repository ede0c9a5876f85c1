// Which resources a person means: by name, or all of a group by `label:NAME`.
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import type { Choices, Plan } from '../model/plan.js'

const group = 'label:'

/** @returns the names, in the order of the plan, and the selectors that mean nothing */
export function select(plan: Plan, selectors: readonly string[]): { names: readonly string[]; unknown: readonly string[] } {
  const chosen = new Set<string>()
  const unknown: string[] = []
  for (const selector of selectors) {
    const found = Object.values(plan.resources).filter((spec) =>
      selector.startsWith(group) ? spec.labels.includes(selector.slice(group.length)) : spec.name === selector,
    )
    if (found.length === 0) unknown.push(selector)
    for (const spec of found) chosen.add(spec.name)
  }
  return { names: Object.keys(plan.resources).filter((name) => chosen.has(name)), unknown }
}

/** Everything that can be selected in a plan: names, then groups. */
export const selectable = (plan: Plan): readonly string[] => [
  ...Object.keys(plan.resources),
  ...new Set(Object.values(plan.resources).flatMap((spec) => spec.labels.map((label) => `${group}${label}`))),
]

/** Some resources and everything that they need, in the order of the plan. */
export function withNeeds(plan: Plan, names: Iterable<string>): readonly string[] {
  const all = new Set<string>()
  const add = (name: string): void => {
    if (all.has(name)) return
    all.add(name)
    for (const need of plan.resources[name]?.needs ?? []) add(need)
  }
  for (const name of names) add(name)
  return Object.keys(plan.resources).filter((name) => all.has(name))
}

/** Why a choice cannot be met: there is no resource of that name that can be made in two ways. Undefined = all can. */
export function noChoice(plan: Plan, choices: Choices = {}): ErrorInfo | undefined {
  const known = Object.keys(plan.choices ?? {})
  const unknown = Object.keys(choices).find((name) => !known.includes(name))
  if (unknown === undefined) return undefined
  const isThere = Object.hasOwn(plan.resources, unknown)
  return new DevloopError(
    'request/unknown-resource',
    isThere ? `${unknown} can be made in one way only` : `there is no resource ${JSON.stringify(unknown)} to choose a way for`,
    {
      why: isThere
        ? 'The Devloopfile does not make it by `either`.'
        : (didYouMean(unknown, known) ?? (known.length > 0 ? `There are ${listed(known)}.` : 'The Devloopfile has no `either`.')),
    },
  ).info
}
