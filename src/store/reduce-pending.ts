// Manual trigger: what changed is noted on the resource and waits there, until a trigger lets it go.
import { imagesOf } from '../model/plan.js'
import type { ImageState, PendingState, ResourceState, State } from '../model/state.js'
import type { Action } from './actions.js'
import { isActive } from './graph-status.js'
import { buildReason } from './image-status.js'
import { builtImages } from './resource-images.js'
import { newestKey } from './resource-status.js'

/** How many paths are named. */
const kept = 20

const nothing: PendingState = { images: {}, paths: [], pathCount: 0, reasons: [] }

/** Whether changes of a resource wait for a trigger. */
export const isManual = (state: State, resource: ResourceState): boolean =>
  state.plan?.resources[resource.name]?.trigger === 'manual' && isActive(resource)

/** Note a reason for doing it again, in words. */
export function withReason(resource: ResourceState, reason: string): ResourceState {
  const pending = resource.pending ?? nothing
  if (pending.reasons.includes(reason)) return resource
  return { ...resource, pending: { ...pending, reasons: [...pending.reasons, reason] } }
}

/** An image's tree has a new revision: everybody who uses it and wants to be asked keeps what they have. */
export function holdImage(state: State, image: ImageState): State {
  const revision = image.sources?.revision ?? 0
  return mapManual(state, (resource, images) => {
    if (!images.includes(image.name) || resource.pending?.images[image.name] !== undefined) return resource
    const pending = resource.pending ?? nothing
    return { ...resource, pending: { ...pending, images: { ...pending.images, [image.name]: revision } } }
  })
}

/** Note the paths of a change on everybody whom it concerns and who wants to be asked. */
export function notePaths(
  state: State,
  { paths, pathCount, images, resources }: Extract<Action, { type: 'change/seen' }>,
): State {
  const changed = new Set(images.filter((one) => one.action !== 'none').map((one) => one.image))
  return mapManual(state, (resource, used) => {
    if (!resources.includes(resource.name) && !used.some((image) => changed.has(image))) return resource
    const pending = resource.pending ?? nothing
    const fresh = paths.filter((path) => !pending.paths.includes(path))
    return {
      ...resource,
      pending: {
        ...pending,
        paths: [...pending.paths, ...fresh].slice(0, kept),
        // beyond those that are named, the same file saved twice counts twice
        pathCount: pending.pathCount + (paths.length < pathCount ? pathCount : fresh.length),
      },
    }
  })
}

function mapManual(state: State, map: (resource: ResourceState, images: readonly string[]) => ResourceState): State {
  let resources: Record<string, ResourceState> | undefined
  for (const resource of Object.values(state.resources)) {
    if (!isManual(state, resource)) continue
    const next = map(resource, builtImages(state, resource.name))
    if (next === resource) continue
    resources ??= { ...state.resources }
    resources[resource.name] = next
  }
  return resources ? { ...state, resources } : state
}

/**
 * A trigger. What was never started starts. What waits with manual trigger is let go: synced, where live rules cover all of it. Else
 * the whole is done again: images built in any case, deployed; a local runs. Live sync gets another try where it was given up.
 */
export function trigger(state: State, name: string): State {
  const resource = state.resources[name]
  const spec = state.plan?.resources[name]
  if (!resource || !spec || resource.disabled) return state
  const { pending, local } = resource
  const released: ResourceState = { ...resource, started: true, pending: null }
  const put = (next: ResourceState, images = state.images): State => ({
    ...state,
    images,
    resources: { ...state.resources, [name]: next },
  })
  if (!resource.started) return put(released)
  if (local) return put({ ...released, forced: released.forced + 1, local: { ...local, wanted: local.wanted + 1 } })
  // others may be built on the same base: it is only tried again
  const used = builtImages(state, name).flatMap((image) => {
    const found = state.images[image]
    return found && (imagesOf(spec).includes(image) || found.build?.status === 'failed') ? [found] : []
  })
  const whole = pending === null || pending.reasons.length > 0
  if (!whole) {
    const rebuilt = used.filter((image) => image.syncBlocked !== null || buildReason(image) !== undefined)
    const let_go = put(released)
    if (rebuilt.length === 0 && newestKey(let_go, released) === resource.appliedKey) return let_go
    return put({ ...released, forced: released.forced + 1 }, forceImages(state.images, rebuilt))
  }
  return put({ ...released, forced: released.forced + 1 }, forceImages(state.images, used))
}

/** Have some images built in any case. */
export function forceImages(images: State['images'], some: readonly ImageState[]): State['images'] {
  const next = { ...images }
  for (const image of some) next[image.name] = { ...image, forced: image.forced + 1, syncBlocked: null }
  return next
}
