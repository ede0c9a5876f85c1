// What of all that builds left behind is not needed any more. Pure: facts in, a choice out.
import type { BuildRecord } from './build-record.js'
import { madeName, type MadeImage, type RanBuild } from './made-image.js'
import type { PruneSettings } from './plan.js'

export interface PruneFacts {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly settings: PruneSettings
  /** Names of the images in the plan: the newest build of each stays, however old. */
  readonly images: ReadonlySet<string>
  /** Address of the API server that `references` is of. */
  readonly cluster: string
  /** Image references in the cluster, and those of what is going to be deployed. */
  readonly references: ReadonlySet<string>
  /** Whether `references` holds those of the whole cluster; else some of its images may run where nobody may look. */
  readonly isWhole: boolean
  /** Names (`repository:tag`) that other instances have made, too. */
  readonly others: ReadonlySet<string>
}

const hour = 3_600_000

/**
 * What the records on disk need: the images that were built, and those that they were built on, also where these were built again since
 * then. Of images that are not in the plan any more, nothing.
 */
export const neededByRecords = (
  records: readonly Pick<BuildRecord, 'image' | 'ref' | 'baseRefs'>[],
  images: ReadonlySet<string>,
): readonly string[] => records.flatMap(({ image, ref, baseRefs = [] }) => (images.has(image) ? [ref, ...baseRefs] : []))

/**
 * The images to remove, oldest first. Kept of each image and cluster are the newest builds up to `keep` that are not too old, the newest
 * one in any case while it is in the plan; and whatever is referred to. Of the names that build commands were given, the newest of each
 * image is kept, while it is in the plan.
 */
export function imagesToRemove(made: readonly MadeImage[], facts: PruneFacts): readonly MadeImage[] {
  const { now, settings, cluster } = facts
  const oldest = now - settings.maxAge * hour
  const references = [...facts.references]
  const used = ({ tag, id }: MadeImage): boolean => references.some((one) => one.includes(tag) || one.endsWith(id))
  const ranks = new Map<string, number>()
  const remove: MadeImage[] = []
  for (const one of made.toSorted((a, b) => b.at - a.at)) {
    const group = JSON.stringify([one.image, one.cluster, one.name])
    const rank = ranks.get(group) ?? 0
    ranks.set(group, rank + 1)
    // what another cluster runs cannot be told from here: there age alone decides
    const here = one.cluster === cluster
    const newest = here && rank === 0 && facts.images.has(one.image)
    // what runs in namespaces that may not be read cannot be told either
    const known = here && facts.isWhole
    const keep = one.name === 'command' ? 1 : settings.keep
    const kept = newest || ((!known || rank < keep) && one.at >= oldest)
    if (!kept && !used(one) && !facts.others.has(madeName(one))) remove.push(one)
  }
  return remove.reverse()
}

/** An entry of an engine's build cache. Times are milliseconds since 1970. */
interface Cached {
  readonly id: string
  readonly createdAt: number
  readonly usedAt: number
}

/**
 * What of an engine's build cache to remove: entries that came into being while a build of ours ran, and that none of the last `keep`
 * builds of the same image has used; or that nobody has used for `maxAge`.
 * @param builds those that ran in this engine
 */
export function cacheToRemove<C extends Cached>(
  entries: readonly C[],
  builds: readonly RanBuild[],
  { now, settings }: Pick<PruneFacts, 'now' | 'settings'>,
): readonly C[] {
  const oldest = now - settings.maxAge * hour
  const begun = new Map<string, number[]>()
  for (const { image, from } of builds) begun.set(image, [...(begun.get(image) ?? []), from])
  const neededSince = new Map(
    [...begun].map(([image, from]) => [image, Math.max(oldest, from.toSorted((a, b) => b - a)[settings.keep - 1] ?? 0)]),
  )
  return entries.filter((entry) => {
    const owners = builds.filter((build) => runsAt(build, entry.createdAt))
    return owners.length > 0 && owners.every((build) => entry.usedAt < (neededSince.get(build.image) ?? 0) - slack)
  })
}

/** The builds worth remembering: the last ones of each image, and those whose cache is still there. */
export function buildsToKeep(
  builds: readonly RanBuild[],
  entries: readonly Cached[],
  settings: PruneSettings,
): readonly RanBuild[] {
  const ranks = new Map<string, number>()
  const kept = new Set<RanBuild>()
  for (const one of builds.toSorted((a, b) => b.from - a.from)) {
    const rank = ranks.get(one.image) ?? 0
    ranks.set(one.image, rank + 1)
    if (rank < settings.keep || entries.some((entry) => runsAt(one, entry.createdAt))) kept.add(one)
  }
  return builds.filter((one) => kept.has(one))
}

/** Milliseconds by which an engine's times may be off. */
const slack = 1000

const runsAt = ({ from, to }: RanBuild, at: number): boolean => at >= from && at <= to
