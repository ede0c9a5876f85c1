// How the pods of a workload's newest template are told from older ones, where devloop did not label them.
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeConnection } from '../connection.js'
import { readObject, type LiveObject } from '../deploy/cluster-objects.js'
import type { Meta } from '../observe-shapes.js'

/** Milliseconds for a controller to look at a change. */
const limitMs = 15_000

/** The id of the template that a pod was made from, as its maker noted it. */
export const podTemplate = ({ labels, ownerReferences, uid }: Meta): string =>
  labels?.['pod-template-hash'] ??
  labels?.['controller-revision-hash'] ??
  ownerReferences?.find((owner) => owner.controller)?.uid ??
  uid

/** The id of the pods of the newest template; undefined for what makes no pods of its own. @throws DevloopError cluster/* */
export async function currentTemplate(connection: KubeConnection, path: string): Promise<string | undefined> {
  const started = performance.now()
  for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
    const live = await readObject(connection, path)
    if (!live) return undefined
    const { observedGeneration, updateRevision } = (live.status ?? {}) as { observedGeneration?: number; updateRevision?: string }
    if (live.kind === 'Pod' || live.kind === 'Job' || live.kind === 'ReplicaSet') return live.metadata.uid
    const looked = (observedGeneration ?? 0) >= Number(live.metadata.generation ?? 0)
    if (live.kind === 'StatefulSet') {
      if (looked && updateRevision !== undefined) return updateRevision
    } else if (live.kind === 'Deployment') {
      const found = looked ? await newest(connection, live, 'replicasets', 'pod-template-hash') : undefined
      if (found !== undefined) return found
    } else if (live.kind === 'DaemonSet') {
      const found = looked ? await newest(connection, live, 'controllerrevisions', 'controller-revision-hash') : undefined
      if (found !== undefined) return found
    } else return undefined
    if (performance.now() - started > limitMs) return undefined
    await sleep(pause)
  }
}

type Revision = LiveObject & { revision?: number; metadata: { ownerReferences?: readonly { uid: string }[] } }

/** The hash of the newest revision that a workload has made. */
async function newest(
  connection: KubeConnection,
  workload: LiveObject,
  plural: string,
  label: string,
): Promise<string | undefined> {
  const { namespace = 'default', uid } = workload.metadata
  const list = (await connection.request('GET', `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/${plural}`)) as {
    items: Revision[]
  }
  const number = (one: Revision): number =>
    one.revision ?? Number(one.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0)
  const own = list.items.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
  const wanted = workload.metadata.annotations?.['deployment.kubernetes.io/revision']
  const [first] = own.sort((a, b) => number(b) - number(a))
  // the controller writes the revision into both
  if (wanted !== undefined && first && number(first) < Number(wanted)) return undefined
  return first?.metadata.labels?.[label]
}
