// `rebuildAfter`: when something was done, whoever comes after it is done again.
import { imagesOf } from '../model/plan.js'
import type { ResourceState, State } from '../model/state.js'
import { hasBegun } from './comes-after.js'
import { isActive } from './graph-status.js'
import { builtImages } from './resource-images.js'
import { forceImages, isManual, withReason } from './reduce-pending.js'

/** @param done the resource that was deployed with something new or, a local, has run well */
export function doAgain(state: State, done: ResourceState): State {
  const { plan } = state
  if (!plan) return state
  const kept = new Set(builtImages(state, done.name))
  let next = state
  for (const spec of Object.values(plan.resources)) {
    const resource = next.resources[spec.name]
    // who has not begun finds it done
    if (!resource || !spec.rebuildAfter.includes(done.name) || !isActive(resource) || !hasBegun(resource)) continue
    const reason = `${done.name} ${done.local ? 'has run' : 'was deployed'}`
    const { local } = resource
    const put = (changed: ResourceState): State => ({ ...next, resources: { ...next.resources, [spec.name]: changed } })
    if (isManual(next, resource)) next = put(withReason(resource, reason))
    else if (local) next = put({ ...resource, local: { ...local, wanted: local.wanted + 1 } })
    else {
      // an image that both use was just built for the other: again would go round for ever where builds differ each time
      const images = imagesOf(spec).flatMap((name) => (kept.has(name) ? [] : (next.images[name] ?? [])))
      next = { ...put({ ...resource, forced: resource.forced + 1 }), images: forceImages(next.images, images) }
    }
  }
  return next
}
