// What a runtime is asked to deploy for one resource of a plan. Pure.
import { asDeployable } from '../model/as-deployable.js'
import type { BuildRecord } from '../model/build-record.js'
import { appsOf } from '../model/keys.js'
import { isSynced, replacesProcess } from '../model/live-rules.js'
import type { ConfigRead } from '../model/config-values.js'
import { imagesOf, isRendered, type ManifestObject, type Plan, type SealedTexts } from '../model/plan.js'
import type { DeployableSpec, DeployRequest } from '../ports/runtime.js'

/** What the plan does not say. */
export interface DeployKnowledge {
  readonly recordOf: (image: string) => BuildRecord | null | undefined
  /** Images of the plan that an image is built on, all the way down. */
  readonly basesOf: (image: string) => readonly string[]
  /** The objects of a resource that a tool makes; undefined = not rendered. */
  readonly rendered: readonly ManifestObject[] | undefined
  /** What was read of a config; undefined = not read. */
  readonly read: ConfigRead | undefined
  readonly sealed: SealedTexts
}

/** @returns undefined for a resource that is not deployed (a local), or is not rendered or read */
export function deployRequest(
  plan: Plan,
  name: string,
  { recordOf, basesOf, rendered, read, sealed }: DeployKnowledge,
): DeployRequest | undefined {
  const spec = plan.resources[name]
  let resource: DeployableSpec
  if (isRendered(spec)) {
    if (!rendered) return undefined
    resource = asDeployable(spec, rendered)
  } else if (!spec || spec.kind === 'local' || (spec.kind === 'config' && !read)) {
    return undefined
  } else {
    resource = spec
  }
  const images: Record<string, BuildRecord> = {}
  for (const image of imagesOf(resource)) {
    const record = recordOf(image)
    if (record) images[image] = record
  }
  /** Names of the images of which, or of what they are built on, the rules say so. */
  const having = (says: typeof isSynced): ReadonlySet<string> =>
    new Set(Object.keys(plan.images).filter((image) => [image, ...basesOf(image)].some((one) => says(plan.images[one]))))
  return {
    resource,
    images,
    restartable: having(replacesProcess),
    synced: having(isSynced),
    agent: plan.settings.agent,
    apps: appsOf(plan),
    sealed,
    ...(spec?.kind === 'config' && read ? { read } : {}),
  }
}
