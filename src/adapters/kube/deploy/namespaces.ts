// Namespaces that are not there yet, or on their way out.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { managedBy, managedByLabel } from '../labels.js'
import { readObject, waitUntilGone } from './cluster-objects.js'

/**
 * Do something in a namespace; make the namespace when the answer is that there is none, and try again. A namespace that is being
 * deleted is waited for first.
 * @throws DevloopError cluster/namespace when it cannot be made
 */
export async function inNamespace<T>(connection: KubeConnection, namespace: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const status = statusOf(error)
    const terminating =
      status?.code === 403 && (status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false)
    const missing = status?.code === 404 && status.details?.kind === 'namespaces'
    if (!terminating && !missing) throw error
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
    const live = terminating ? await readObject(connection, path) : undefined
    if (live) await waitUntilGone(connection, path, live)
    await makeNamespace(connection, namespace)
    return await work()
  }
}

async function makeNamespace(connection: KubeConnection, name: string): Promise<void> {
  try {
    // a plain create: members of a tenant may do that, but neither read nor apply namespaces
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { [managedByLabel]: managedBy } } }
    await connection.request('POST', '/api/v1/namespaces', { body, query: { fieldManager: 'devloop' } })
  } catch (error) {
    const status = statusOf(error)
    if (status?.reason === 'AlreadyExists') return
    throw new DevloopError('cluster/namespace', `Namespace ${name} does not exist and could not be made.`, {
      why: status?.message,
      help: `Ask an administrator to run \`kubectl create namespace ${name}\`, or name another one with --namespace.`,
      cause: error,
    })
  }
}
