// Whether the cluster admits pods as a template makes them, asked by a dry run: workloads are admitted whatever their pods are.
import type { KubeObject } from '../../../model/plan.js'
import { podBearing } from '../../../model/pod-bearing.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'

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
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'devloop-try-', labels: metadata?.labels, annotations: metadata?.annotations },
    spec: { ...spec, volumes: [...((spec.volumes ?? []) as object[]), ...claimed(workload)] },
  }
  try {
    await connection.request('POST', `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`, {
      body: pod,
      query: { dryRun: 'All' },
      what: `try a pod of ${workload.metadata.name}`,
      signal,
    })
    return undefined
  } catch (error) {
    const status = statusOf(error)
    if (!status) throw error
    return status.message
  }
}

/** Stand-ins for the volumes that a StatefulSet's pods get of their own. */
const claimed = ({ spec }: KubeObject): readonly object[] => {
  const templates = (spec as { volumeClaimTemplates?: readonly { metadata?: { name?: string } }[] } | undefined)
    ?.volumeClaimTemplates
  return (templates ?? []).map(({ metadata }) => ({ name: metadata?.name, emptyDir: {} }))
}
