// Deleting what was applied and is wanted no more: only what still carries the labels of its resource.
import type { RemoveOptions } from '../../../ports/runtime.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { instanceLabel, keepAnnotation, managedByLabel, projectLabel, resourceLabel, templateLabel } from '../labels.js'
import { appliedAnnotation } from './apply-object.js'
import { deleteObject, isOwn, readObject, waitUntilGone, type LiveObject } from './cluster-objects.js'
import { inParallel } from './in-parallel.js'
import type { ObjectRef } from './inventory.js'
import { apiPath } from './kinds.js'
import type { Owner } from './rendered.js'
import { byRank } from './ranks.js'

export const refPath = (ref: ObjectRef): string => apiPath(ref, ref.namespace, ref.name)

/**
 * Delete these objects, what stands on others first. Namespaces, volume claims, definitions with objects left, and what is annotated
 * so, are let go instead: they stay, without devloop's labels. What is not there (nor its kind), or not this resource's any more, is
 * left alone.
 * @returns the names of what was deleted, such as `deployment/api`
 * @throws DevloopError cluster/*; what could be deleted is deleted
 */
export async function removeObjects(
  connection: KubeConnection,
  refs: readonly ObjectRef[],
  owner: Owner,
  signal?: AbortSignal,
  { wait = false, onKept }: RemoveOptions = {},
): Promise<readonly string[]> {
  const removed = new Map<ObjectRef, string>()
  const failures: unknown[] = []
  const removeOne = async (ref: ObjectRef): Promise<void> => {
    signal?.throwIfAborted()
    const path = refPath(ref)
    const live = await readObject(connection, path)
    if (!live || !isOwn(live, owner) || live.metadata.labels?.[resourceLabel] !== owner.resource) return
    const object = `${ref.kind.toLowerCase()}/${ref.name}`
    const why = await whyKept(connection, live)
    if (why !== undefined) {
      await letGo(connection, path)
      onKept?.({ object, why })
      return
    }
    if (!live.metadata.deletionTimestamp) await deleteObject(connection, path, live, wait ? 'first' : 'after')
    if (wait) await waitUntilGone(connection, path, live)
    removed.set(ref, object)
  }
  const groups = byRank(refs, (ref) => ref).toReversed()
  for (const group of groups) {
    await inParallel(group, removeOne).catch((error: unknown) => failures.push(error))
    // what it stands on must stay until it is gone
    if (wait && failures.length > 0) break
  }
  if (failures.length > 0) throw failures[0]
  return groups.flat().flatMap((ref) => removed.get(ref) ?? [])
}

/** Why an object is let go instead of deleted, in words: it holds what is not devloop's to lose, or its author asked for it. */
export async function whyKept(connection: KubeConnection, live: LiveObject): Promise<string | undefined> {
  if (live.metadata.annotations?.[keepAnnotation] === 'true') return `it is annotated with ${keepAnnotation}`
  if (live.kind === 'Namespace') return 'it may hold what others put there'
  if (live.kind === 'PersistentVolumeClaim' || live.kind === 'PersistentVolume') return 'it holds data'
  if (live.kind === 'CustomResourceDefinition' && (await hasObjects(connection, live))) return 'objects of its kind are left'
  return undefined
}

/** With a definition go all objects of its kind, whoever made them. */
async function hasObjects(connection: KubeConnection, definition: LiveObject): Promise<boolean> {
  const { group, names, versions } = definition.spec as {
    group: string
    names: { plural: string }
    versions: { name: string; served: boolean }[]
  }
  const version = versions.find(({ served }) => served)
  if (!version) return false
  try {
    const left = (await connection.request('GET', `/apis/${group}/${version.name}/${names.plural}`, { query: { limit: 1 } })) as {
      items: unknown[]
    }
    return left.items.length > 0
  } catch (error) {
    // not served (its names are taken by another, or it is on its way out): then there are none
    if (statusOf(error)?.code === 404) return false
    throw error
  }
}

/** Take devloop's labels off an object that stays. @param by what goes on managing it: it finds its objects again by its own label */
export async function letGo(connection: KubeConnection, path: string, by?: 'Helm'): Promise<void> {
  const labels = {
    ...(by ? {} : { [managedByLabel]: null }),
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
