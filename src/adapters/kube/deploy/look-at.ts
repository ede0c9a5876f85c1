// What is there of the objects that are to be applied, before anything is written.
import type { KubeConnection } from '../connection.js'
import { instanceLabel, projectLabel } from '../labels.js'
import { belongsToOther } from './apply-errors.js'
import type { ApplyTarget } from './apply-object.js'
import { isOwn, readObject } from './cluster-objects.js'
import { inParallel } from './in-parallel.js'
import type { ObjectRef } from './inventory.js'
import type { KindLookup } from './kinds.js'
import { refPath } from './remove-objects.js'
import type { Owner, RenderedObject } from './rendered.js'

/** @throws DevloopError cluster/conflict for what belongs to another working copy, cluster/* */
export const lookAt = (
  connection: KubeConnection,
  rendered: readonly RenderedObject[],
  refs: readonly ObjectRef[],
  owner: Owner,
  signal: AbortSignal,
): Promise<readonly ApplyTarget[]> =>
  inParallel([...rendered.keys()], async (index) => {
    const item = rendered[index] as RenderedObject
    const path = refPath(refs[index] as ObjectRef)
    const live = await readObject(connection, path, signal)
    const labels = live?.metadata.labels
    const claimed = labels?.[projectLabel] !== undefined || labels?.[instanceLabel] !== undefined
    if (live && claimed && !isOwn(live, owner)) throw belongsToOther(item, live)
    return { rendered: item, path, live, owner }
  })

export function refOf(object: RenderedObject['object'], kindOf: KindLookup): ObjectRef {
  const { apiVersion, kind, plural, namespaced } = kindOf(object)
  const { name, namespace } = object.metadata
  return { apiVersion, kind, plural, namespaced, name, ...(namespaced && namespace ? { namespace } : {}) }
}
