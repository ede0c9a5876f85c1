// Brings one object to what an administrator wants, or only tells what that would change.
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { deleteObject, readObject, waitUntilGone, type LiveObject } from '../deploy/cluster-objects.js'
import { objectName } from '../deploy/rendered.js'
import { statusOf } from '../errors.js'
import { fieldManager } from '../labels.js'

export type Brought = 'created' | 'changed' | 'unchanged'

export interface Bringing {
  readonly connection: KubeConnection
  /** Ask the cluster, and write nothing. */
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

/**
 * By server-side apply, strictly checked. A binding whose role is another is made anew.
 * @param path of the object
 * @throws DevloopError cluster/*; AbortError
 */
export async function bringObject({ connection, dryRun, signal }: Bringing, object: KubeObject, path: string): Promise<Brought> {
  const name = objectName(object)
  const before = await readObject(connection, path, signal)
  const apply = async (): Promise<LiveObject> =>
    (await connection.request('PATCH', path, {
      body: object,
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager, force: true, fieldValidation: 'Strict', ...(dryRun ? { dryRun: 'All' } : {}) },
      what: `${before ? 'change' : 'make'} ${name}${object.metadata.namespace ? ` in ${object.metadata.namespace}` : ''}`,
      signal,
    })) as LiveObject
  try {
    const after = await apply()
    return before ? outcome(before, after) : 'created'
  } catch (thrown) {
    const status = statusOf(thrown)
    // its namespace comes with the same run
    if (dryRun && !before && status?.code === 404 && status.details?.kind === 'namespaces') return 'created'
    // the role of a binding cannot be changed
    if (status?.code !== 422 || !before || object.kind !== 'RoleBinding') throw thrown
    if (dryRun) return 'changed'
    await deleteObject(connection, path, before)
    await waitUntilGone(connection, path, before)
    await apply()
    return 'changed'
  }
}

/** Whether anything of an object is another, beside what the cluster notes of each write. */
export const outcome = (before: LiveObject, after: LiveObject): Brought =>
  isDeepStrictEqual(lasting(before), lasting(after)) ? 'unchanged' : 'changed'

function lasting({ metadata, ...rest }: LiveObject): object {
  const { managedFields: _fields, resourceVersion: _version, generation: _generation, ...kept } = metadata
  return { ...rest, metadata: kept }
}
