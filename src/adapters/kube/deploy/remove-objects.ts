// Deleting what was applied and is wanted no more: only what still carries the labels of its resource.
import type { KubeConnection } from '../connection.js'
import { instanceLabel, keepAnnotation, managedByLabel, projectLabel, resourceLabel, templateLabel } from '../labels.js'
import { appliedAnnotation } from './apply-object.js'
import { deleteObject, isOwn, readObject, type LiveObject } from './cluster-objects.js'
import { inParallel } from './in-parallel.js'
import type { ObjectRef } from './inventory.js'
import { apiPath } from './kinds.js'
import type { Owner } from './rendered.js'
import { byRank } from './ranks.js'

export const refPath = (ref: ObjectRef): string => apiPath(ref, ref.namespace, ref.name)

/**
 * Delete these objects, what stands on others first. Namespaces, volume claims, definitions with objects left, and what is annotated to be
 * kept are let go instead: they stay, without devloop's labels. What is not there, or not this resource's any more, is left alone.
 * @returns the names of what was deleted, such as `deployment/api`
 * @throws DevloopError cluster/*; what could be deleted is deleted
 */
export async function removeObjects(
  connection: KubeConnection,
  refs: readonly ObjectRef[],
  owner: Owner,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const removed: string[] = []
  const failures: unknown[] = []
  const removeOne = async (ref: ObjectRef): Promise<void> => {
    signal?.throwIfAborted()
    const path = refPath(ref)
    const live = await readObject(connection, path)
    if (!live || !isOwn(live, owner) || live.metadata.labels?.[resourceLabel] !== owner.resource) return
    if (await staysOnRemoval(connection, live)) return await letGo(connection, path)
    if (!live.metadata.deletionTimestamp) await deleteObject(connection, path, live)
    removed.push(`${ref.kind.toLowerCase()}/${ref.name}`)
  }
  for (const group of byRank(refs, (ref) => ref).toReversed()) {
    await inParallel(group, removeOne).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
  return removed
}

/** Whether an object is let go instead of deleted: it holds what is not devloop's to lose, or its author asked for it. */
export async function staysOnRemoval(connection: KubeConnection, live: LiveObject): Promise<boolean> {
  if (live.metadata.annotations?.[keepAnnotation] === 'true') return true
  if (live.kind === 'Namespace' || live.kind === 'PersistentVolumeClaim' || live.kind === 'PersistentVolume') return true
  if (live.kind !== 'CustomResourceDefinition') return false
  // with a definition go all objects of its kind, whoever made them
  const { group, names, versions } = live.spec as {
    group: string
    names: { plural: string }
    versions: { name: string; served: boolean }[]
  }
  const version = versions.find(({ served }) => served)
  if (!version) return false
  const left = (await connection.request('GET', `/apis/${group}/${version.name}/${names.plural}`, { query: { limit: 1 } })) as {
    items: unknown[]
  }
  return left.items.length > 0
}

async function letGo(connection: KubeConnection, path: string): Promise<void> {
  const labels = {
    [managedByLabel]: null,
    [projectLabel]: null,
    [instanceLabel]: null,
    [resourceLabel]: null,
    [templateLabel]: null,
  }
  const body = { metadata: { labels, annotations: { [appliedAnnotation]: null } } }
  await connection.request('PATCH', path, {
    body,
    contentType: 'application/merge-patch+json',
    query: { fieldManager: 'devloop' },
  })
}
