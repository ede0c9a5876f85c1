// Which images a resource is made of.
import { imagesOf } from '../model/plan.js'
import type { State } from '../model/state.js'

/** Names of the built images of a resource, in this runtime. */
export const resourceImages = (state: State, name: string): readonly string[] => {
  const spec = state.plan?.resources[name]
  return spec ? imagesOf(spec) : []
}

/** Names of the built images of a resource, and of those that they are built on. */
export const builtImages = (state: State, name: string): readonly string[] => [
  ...new Set(resourceImages(state, name).flatMap((image) => [image, ...(state.images[image]?.bases?.names ?? [])])),
]
