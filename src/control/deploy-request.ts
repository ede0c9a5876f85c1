// What a runtime is asked to deploy for one resource of a plan. Pure.
import { asDeployable } from '../model/as-deployable.js'
import type { BuildRecord } from '../model/build-record.js'
import { appsOf } from '../model/keys.js'
import { replacesProcess } from '../model/live-rules.js'
import { imagesOf, isRendered, type ManifestObject, type Plan } from '../model/plan.js'
import type { DeployableSpec, DeployRequest } from '../ports/runtime.js'

/** What the plan does not say. */
export interface DeployKnowledge {
  readonly recordOf: (image: string) => BuildRecord | null | undefined
  /** Images of the plan that an image is built on, all the way down. */
  readonly basesOf: (image: string) => readonly string[]
  /** The objects of a resource that a tool makes; undefined = not rendered. */
  readonly rendered: readonly ManifestObject[] | undefined
}

/** @returns undefined for a resource that is not deployed (a local), or is not rendered */
export function deployRequest(
  plan: Plan,
  name: string,
  { recordOf, basesOf, rendered }: DeployKnowledge,
): DeployRequest | undefined {
  const spec = plan.resources[name]
  let resource: DeployableSpec
  if (isRendered(spec)) {
    if (!rendered) return undefined
    resource = asDeployable(spec, rendered)
  } else if (!spec || spec.kind === 'local') {
    return undefined
  } else {
    resource = spec
  }
  const images: Record<string, BuildRecord> = {}
  for (const image of imagesOf(resource)) {
    const record = recordOf(image)
    if (record) images[image] = record
  }
  return { resource, images, restartable: restartable(plan, basesOf), apps: appsOf(plan) }
}

/** Names of the images whose process must be one that can be started again: by a rule of their own, or of what they are built on. */
function restartable(plan: Plan, basesOf: DeployKnowledge['basesOf']): ReadonlySet<string> {
  const restarts = (name: string): boolean => replacesProcess(plan.images[name])
  return new Set(Object.keys(plan.images).filter((name) => [name, ...basesOf(name)].some(restarts)))
}
