// The order in which resources are shown: by label, what is broken first.
import type { ResourceView } from '../../protocol/messages.js'
import { isBroken } from './resource-words.js'
import { resourcesOf, type Views } from './views.js'

export interface ResourceGroup {
  /** The first label of its resources; undefined for those that have none. */
  readonly label: string | undefined
  readonly resources: readonly ResourceView[]
}

/**
 * Each resource once, under its first label. Groups with something broken come first, and in each the broken resources; apart from
 * that all is in the order of the Devloopfile. What is merely at work keeps its place, so that a save moves nothing.
 */
export function resourceGroups(views: Views): ResourceGroup[] {
  const groups = new Map<string | undefined, ResourceView[]>()
  for (const one of resourcesOf(views)) {
    const [label] = one.labels
    const known = groups.get(label)
    if (known) known.push(one)
    else groups.set(label, [one])
  }
  const brokenFirst = <T>(items: readonly T[], broken: (item: T) => boolean): T[] => [
    ...items.filter(broken),
    ...items.filter((item) => !broken(item)),
  ]
  return brokenFirst(
    [...groups].map(([label, resources]) => ({ label, resources: brokenFirst(resources, isBroken) })),
    ({ resources }) => resources.some(isBroken),
  )
}
