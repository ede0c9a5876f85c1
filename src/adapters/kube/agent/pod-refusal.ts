// Whether the cluster admits objects, and pods as their templates make them, asked by dry runs: workloads are admitted whatever their pods are.
import type { KubeObject } from '../../../model/plan.js'
import { podBearing } from '../../../model/pod-bearing.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { fieldManager } from '../labels.js'

/**
 * The cluster's words where it refuses a pod of this workload; undefined when it does not, or says nothing of it.
 * @throws DevloopError cluster/unreachable and its like; AbortError
 */
export async function podRefusal(
  connection: KubeConnection,
  workload: KubeObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const bearing = podBearing(workload)
  if (!bearing) return undefined
  const { metadata, spec } = bearing.template
  const namespace = workload.metadata.namespace ?? connection.namespace
  const tried = (account: object): Promise<string | undefined> =>
    refusalOf(
      connection.request('POST', `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`, {
        body: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { generateName: 'devloop-try-', labels: metadata?.labels, annotations: metadata?.annotations },
          spec: { ...spec, ...account, volumes: [...((spec.volumes ?? []) as object[]), ...claimed(workload)] },
        },
        query: { dryRun: 'All' },
        what: `try a pod of ${workload.metadata.name}`,
        signal,
      }),
    )
  const why = await tried({})
  // an account that is still to come, perhaps with the same deploy, hides what would be said of the pod itself
  return why?.includes('error looking up service account')
    ? tried({ serviceAccountName: undefined, serviceAccount: undefined })
    : why
}

/** As podRefusal, of the object itself, by trying to apply it. */
export function objectRefusal(
  connection: KubeConnection,
  object: KubeObject,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return refusalOf(
    connection.request('PATCH', path, {
      body: object,
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager, force: true, dryRun: 'All' },
      what: `try ${object.metadata.name}`,
      signal,
    }),
  )
}

async function refusalOf(answer: Promise<unknown>): Promise<string | undefined> {
  try {
    await answer
    return undefined
  } catch (error) {
    const status = statusOf(error)
    if (!status) throw error
    // what is wrong with the cluster itself, for a moment, says nothing of the object
    return status.code < 500 && status.code !== 429 ? status.message : undefined
  }
}

/** Stand-ins for the volumes that a StatefulSet's pods get of their own. */
const claimed = ({ spec }: KubeObject): readonly object[] => {
  const templates = (spec as { volumeClaimTemplates?: readonly { metadata?: { name?: string } }[] } | undefined)
    ?.volumeClaimTemplates
  return (templates ?? []).map(({ metadata }) => ({ name: metadata?.name, emptyDir: {} }))
}
