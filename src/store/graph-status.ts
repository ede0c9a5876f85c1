// How a resource stands in the graph: whether it is enabled and may start, what it comes after, what waits for a trigger. Pure.
import type { Acked, DisabledBy, ImageState, ResourceState, State, TargetState } from '../model/state.js'
import { buildReason, isBehind } from './image-status.js'
import { builtImages } from './resource-images.js'
import { select, withNeeds } from './selectors.js'

/** Whether devloop works on a resource: it is enabled, and may start. */
export const isActive = (resource: ResourceState): boolean => resource.disabled === null && resource.started

/** Whether nothing is to be done for a resource, and nothing of it is in the cluster that should not be. */
export const isAtRest = (state: State, resource: ResourceState): boolean =>
  resource.disabled !== null ? state.removals[resource.name] === undefined : !resource.started

/** Whose word it is that a resource is disabled, by requests, command line and plan; null = nobody's. */
export function disabledBy(state: State): (name: string) => DisabledBy | null {
  const { plan, switches, session } = state
  const asked = plan && session.only.length > 0 ? new Set(withNeeds(plan, select(plan, session.only).names)) : undefined
  return (name) => {
    const switched = switches[name]
    if (switched !== undefined) return switched ? null : 'request'
    if (asked) return asked.has(name) ? null : 'watch'
    return plan?.resources[name]?.enabled === false ? 'plan' : null
  }
}

/** Whether what is in the cluster of a resource (one that may have left the plan) is no concern of this run. */
export function isLeftAlone({ resources, session }: State, name: string): boolean {
  if (session.others !== 'left' || session.only.length === 0) return false
  const resource = resources[name]
  return resource === undefined || resource.disabled === 'watch'
}

/** The resources that use an image, or one that is built on it, and are worked on. */
const activeUsers = (state: State, image: string): readonly ResourceState[] =>
  Object.values(state.resources).filter((resource) => isActive(resource) && builtImages(state, resource.name).includes(image))

/** An image, and those that it is built on. */
const withBases = (state: State, image: string): readonly string[] => [image, ...(state.images[image]?.bases?.names ?? [])]

/** Whether anything that is worked on needs an image. */
export const isImageNeeded = (state: State, image: string): boolean => activeUsers(state, image).length > 0

/** Whether a request to build in any case stands, and is not the one that a build is for. */
const isAskedFor = ({ forced, forcedDone, build }: ImageState): boolean =>
  forced > (build?.status === 'running' || build?.status === 'failed' ? build.forced : forcedDone)

/** Whether a build for what changed in an image waits for a trigger: everybody who uses it wants to be asked. */
export function isBuildHeld(state: State, image: ImageState): boolean {
  if (isAskedFor(image) || (!image.record && image.build?.status !== 'failed')) return false
  const users = activeUsers(state, image.name)
  const names = withBases(state, image.name)
  const waits = ({ pending }: ResourceState): boolean => names.some((name) => pending?.images[name] !== undefined)
  return users.length > 0 && users.every(waits)
}

/** Why an image must be built now: as buildReason, but without what waits for a trigger. */
export const dueBuild = (state: State, image: ImageState): string | undefined =>
  isBuildHeld(state, image) ? undefined : buildReason(image)

/** Whether a deploy of a resource waits for a trigger. What was never deployed through this connection is, without being asked. */
export const isDeployHeld = (state: State, resource: ResourceState): boolean =>
  state.plan?.resources[resource.name]?.trigger === 'manual' &&
  resource.appliedKey !== null &&
  resource.forced <= resource.forcedDone

/** The newest revision of an image that a resource may be brought to: what waits for a trigger comes later. */
export function releasedRevision(state: State, resource: ResourceState, image: string): number {
  const newest = state.images[image]?.sources?.revision ?? 0
  const waiting = resource.pending?.images[image]
  return waiting === undefined ? newest : Math.min(newest, waiting - 1)
}

/** Whether a target has everything but what waits for a trigger. One that never had anything is brought up in any case. */
export function isSyncHeld(state: State, target: TargetState): boolean {
  const [resource, image] = [state.resources[target.resource], state.images[target.image]]
  const pending = resource?.pending
  if (!resource || !image || !pending) return false
  const names = withBases(state, target.image)
  if (names.every((name) => pending.images[name] === undefined)) return false
  const reached = target.reached?.digest === image.record?.digest ? target.reached : undefined
  // what failed for good is not tried again by a save that waits
  const tried: Partial<Acked> =
    target.retryAt === undefined && target.failedRevision !== undefined
      ? { revision: target.failedRevision, ...(target.failedBases ? { bases: target.failedBases } : {}) }
      : {}
  const revisionOf = (held: Partial<Acked> | undefined, name: string): number =>
    (name === target.image ? held?.revision : held?.bases?.[name]) ?? -1
  return names.every(
    (name) => Math.max(revisionOf(reached, name), revisionOf(tried, name)) >= releasedRevision(state, resource, name),
  )
}

/** Whether a target has to be worked on now: it is behind, or owes a restart. */
export const isTargetDue = (state: State, target: TargetState, image: ImageState, restarts: number): boolean =>
  isSyncHeld(state, target) ? target.restartable && target.restartsDone < restarts : isBehind(target, image, restarts)
