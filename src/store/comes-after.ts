// `rebuildAfter`: what a resource waits for, and when it must be done again. Pure.
import type { ResourceState, State } from '../model/state.js'
import { dueBuild, isActive } from './graph-status.js'
import { isBuildFailed, isSettled } from './image-status.js'
import { builtImages } from './resource-images.js'
import { wantedKey } from './resource-status.js'

/** Why a resource may not start because of what it comes after, in words. */
export function waitsForEarlier(state: State, resource: ResourceState, now: number): string | undefined {
  for (const name of state.plan?.resources[resource.name]?.rebuildAfter ?? []) {
    const earlier = state.resources[name]
    // what does not run here changes nothing
    if (!earlier || !isActive(earlier)) continue
    if (isAtWork(state, earlier, now)) return `it comes after ${name}, which is at work`
    if (earlier.completed === 0 && !hasBegun(resource)) return `it comes after ${name}, which is not done yet`
  }
  return undefined
}

/** Whether a resource has been worked on, so that it must be done again when what it comes after has changed. */
export const hasBegun = ({ local, deploy, appliedKey }: ResourceState): boolean =>
  local ? local.run !== 'none' : deploy !== null || appliedKey !== null

/** Whether something is done for a resource, or about to be. */
function isAtWork(state: State, resource: ResourceState, now: number): boolean {
  const { local, deploy } = resource
  if (local) return local.run === 'running' || local.wanted > local.done
  if (deploy?.status === 'running') return true
  const building = builtImages(state, resource.name).some((name) => {
    const image = state.images[name]
    if (!image) return false
    if (image.build?.status === 'running') return true
    return isSettled(image) && dueBuild(state, image) !== undefined && !isBuildFailed(image, now)
  })
  if (building) return true
  const key = wantedKey(state, resource)
  const failed = deploy?.status === 'failed' && deploy.key === key && resource.forced <= deploy.forced
  return key !== undefined && !failed && (key !== resource.appliedKey || resource.forced > resource.forcedDone)
}
