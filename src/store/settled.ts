// What became of a resource that somebody asked for: a pure function of the state.
import type { ResourceState, State } from '../model/state.js'
import { dueBuild } from './graph-status.js'
import { isBuildFailed } from './image-status.js'
import type { NextWork } from './next-work.js'
import { resourceImages } from './resource-images.js'

/** `shaky`: nothing more is done, and its pods or its `serve` are not ready, which may pass or not. */
export type Settled = 'working' | 'ready' | 'failed' | 'shaky'

/** @param now for what is tried again later: that has failed */
export function settledAs(state: State, { holds }: NextWork, name: string, now: number): Settled {
  const resource = state.resources[name]
  if (!resource || resource.disabled) return 'failed'
  if (isBusy(state, resource, now)) return 'working'
  const code = holds[name]?.code
  if (code === 'failed' || code === 'unsupported') return 'failed'
  const isTaken = resource.local ? resource.local.done === resource.local.wanted : resource.forced <= resource.forcedDone
  if (!isTaken) return 'working'
  if (resource.ready) return 'ready'
  return code === 'starting' ? 'shaky' : 'working'
}

/** Whether something runs for it, or is to run and has not failed. */
function isBusy(state: State, resource: ResourceState, now: number): boolean {
  const { local, rendered, deploy, name } = resource
  if (local) return local.run === 'running' || local.serve === 'starting'
  if (rendered?.status === 'running' || deploy?.status === 'running') return true
  return resourceImages(state, name).some((one) => {
    const image = state.images[one]
    if (!image || image.sources?.error) return false
    return image.build?.status === 'running' || (dueBuild(state, image) !== undefined && !isBuildFailed(image, now))
  })
}
