// The resources of a plan as their rights are asked about. Pure.
import { linksOf } from '../model/link.js'
import type { ManifestObject, Plan } from '../model/plan.js'
import type { RightsSubject } from '../ports/runtime.js'
import { deployRequest } from './deploy-request.js'

/**
 * @param names of the resources that are meant
 * @param basesOf images of the plan that an image is built on, all the way down
 * @param rendered the objects of a resource that a tool makes; undefined = not known, so that nothing is asked for it
 */
export function rightsSubjects(
  plan: Plan,
  names: readonly string[],
  basesOf: (image: string) => readonly string[],
  rendered: (resource: string) => readonly ManifestObject[] | undefined,
): readonly RightsSubject[] {
  return names.flatMap((name) => {
    const request = deployRequest(plan, name, {
      recordOf: () => undefined,
      basesOf,
      rendered: rendered(name),
      read: [],
      sealed: {},
    })
    return request
      ? [{ resource: request.resource, synced: request.synced ?? new Set<string>(), linked: linksOf(plan, name).length > 0 }]
      : []
  })
}
