// Brings a namespace that devloop made to what the Devloopfile says of it. What the user may not change there is told, and no failure.
import { isAbort, isDevloopError } from '../../../errors/devloop-error.js'
import type { KubeObject } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { deleteObject, readObject, waitUntilGone, type LiveObject } from '../deploy/cluster-objects.js'
import { covers } from '../deploy/covers.js'
import { statusOf } from '../errors.js'
import { expiresAnnotation, fieldManager, managedBy, managedByLabel } from '../labels.js'
import { expiryOf, isDue } from './expiry.js'
import { optionalKinds, sandboxPath } from './sandbox-places.js'
import { podSecurityLabels, sandboxName, sandboxObjects, type SandboxRequest } from './sandbox-objects.js'

/**
 * Apply the objects of a sandbox. Where nothing differs, nothing is changed.
 * @param live the namespace as it was read; undefined = it was just made, or may not be read
 * @returns what could not be done, for the user
 * @throws DevloopError cluster/unreachable and the like, when the cluster does not answer; AbortError
 */
export async function applySandbox(
  connection: KubeConnection,
  request: SandboxRequest,
  live: LiveObject | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { namespace } = request
  const warnings: string[] = []
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      signal.throwIfAborted()
      await work()
    } catch (thrown) {
      if (isAbort(thrown) || !isDevloopError(thrown) || !statusOf(thrown)) throw thrown
      const { message, why } = thrown.info
      warnings.push(`the namespace ${namespace} is not as cluster.sandbox says: ${message}${why === undefined ? '' : ` ${why}`}`)
    }
  }
  const objects = sandboxObjects(request)
  if (live) await attempt(() => bringLabels(connection, request, live))
  for (const object of objects) await attempt(() => bring(connection, object, namespace))
  for (const kind of optionalKinds) {
    if (objects.every((object) => object.kind !== kind))
      await attempt(() => takeAway(connection, sandboxPath(kind, namespace, sandboxName)))
  }
  return warnings
}

async function bring(connection: KubeConnection, object: KubeObject, namespace: string): Promise<void> {
  const path = sandboxPath(object.kind, namespace, object.metadata.name)
  const what = `give the namespace ${namespace} its ${object.kind} ${object.metadata.name}`
  const apply = (): Promise<unknown> =>
    connection.request('PATCH', path, {
      body: object,
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager, force: true, fieldValidation: 'Strict' },
      what,
    })
  try {
    await apply()
  } catch (thrown) {
    const code = statusOf(thrown)?.code
    if (code === 403 && (await isAsWanted(connection, path, object))) return
    // the role of a binding cannot be changed
    if (code !== 422 || object.kind !== 'RoleBinding') throw thrown
    const old = await readObject(connection, path)
    if (!old) throw thrown
    await deleteObject(connection, path, old)
    await waitUntilGone(connection, path, old)
    await apply()
  }
}

/** An administrator may have given the same. Of what may not be read either, such as rights, nobody can tell: then it counts as given. */
async function isAsWanted(connection: KubeConnection, path: string, object: KubeObject): Promise<boolean> {
  try {
    const live = await readObject(connection, path)
    return live !== undefined && covers(live, object)
  } catch (thrown) {
    if (statusOf(thrown)?.code === 403) return object.kind === 'RoleBinding'
    throw thrown
  }
}

async function takeAway(connection: KubeConnection, path: string): Promise<void> {
  try {
    const old = await readObject(connection, path)
    if (old?.metadata.labels?.[managedByLabel] === managedBy) await deleteObject(connection, path, old)
  } catch (thrown) {
    // what an administrator gave stays
    if (statusOf(thrown)?.code !== 403) throw thrown
  }
}

async function bringLabels(connection: KubeConnection, { namespace, settings }: SandboxRequest, live: LiveObject): Promise<void> {
  const labels = podSecurityLabels(settings)
  if (covers(live.metadata.labels ?? {}, labels)) return
  await patchNamespace(connection, namespace, { labels }, `set the pod security of the namespace ${namespace}`)
}

/**
 * Put off when a namespace may be deleted, if that is due. Whoever may not change it leaves it as it is.
 * @param expires what it says now
 * @returns what it says then
 */
export async function renewNamespace(
  connection: KubeConnection,
  { namespace, settings }: Pick<SandboxRequest, 'namespace' | 'settings'>,
  expires: string | undefined,
): Promise<string | undefined> {
  const now = Date.now()
  const later = expiryOf(settings, now)
  if (later === undefined || !isDue(expires, settings, now)) return expires
  try {
    await patchNamespace(
      connection,
      namespace,
      { annotations: { [expiresAnnotation]: later } },
      `put off the end of ${namespace}`,
    )
    return later
  } catch (thrown) {
    if (statusOf(thrown)?.code === 403) return expires
    throw thrown
  }
}

const patchNamespace = (connection: KubeConnection, name: string, metadata: object, what: string): Promise<unknown> =>
  connection.request('PATCH', `/api/v1/namespaces/${encodeURIComponent(name)}`, {
    body: { metadata },
    contentType: 'application/merge-patch+json',
    query: { fieldManager },
    what,
  })
