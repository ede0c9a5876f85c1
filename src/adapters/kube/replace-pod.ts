// Throwing a pod away so that its controller makes a new one.
import { DevloopError } from '../../errors/devloop-error.js'
import type { KubeConnection } from './connection.js'
import { statusOf } from './errors.js'
import type { Pod } from './observe-shapes.js'

/**
 * Delete exactly this pod; one that is gone or replaced already is no error.
 * @throws DevloopError cluster/* also when nothing would make a new one
 */
export async function replacePod(
  connection: KubeConnection,
  pod: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`
  const what = `delete pod ${pod.name} in ${pod.namespace}`
  try {
    const { metadata } = (await connection.request('GET', path, { what, signal })) as Pod
    if (metadata.deletionTimestamp !== undefined) return
    if (!metadata.ownerReferences?.some((owner) => owner.controller)) {
      throw new DevloopError(
        'cluster/error',
        `The pod ${pod.name} in ${pod.namespace} has no controller that would make a new one.`,
        {
          help: 'Deploy it by a Deployment or another workload, or trigger its resource.',
        },
      )
    }
    await connection.request('DELETE', path, {
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: metadata.uid } },
      what,
      signal,
    })
  } catch (thrown) {
    const status = statusOf(thrown)
    if (status?.code !== 404 && status?.code !== 409) throw thrown
  }
}
