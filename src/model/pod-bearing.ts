// Which kinds make pods, and where in their objects the template of those pods stands.
import type { KubeObject } from './plan.js'

export interface Container {
  name: string
  image?: string
  imagePullPolicy?: string
  command?: string[]
  args?: string[]
  restartPolicy?: string
  env?: readonly object[]
  [key: string]: unknown
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string>; [key: string]: unknown }
  spec: { containers?: Container[]; initContainers?: Container[]; [key: string]: unknown }
  [key: string]: unknown
}

export interface PodBearing {
  /** The very one of the object: a change of it changes the object. A bare pod is its own. */
  readonly template: PodTemplate
  /** Whether the pods run on until somebody stops them. */
  readonly runsOn: boolean
}

const longRunning = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController'])

/** The pod template of a workload; undefined for any other kind. */
export function podBearing(object: KubeObject): PodBearing | undefined {
  const spec = object.spec as { template?: PodTemplate; jobTemplate?: { spec?: { template?: PodTemplate } } } | undefined
  const group = object.apiVersion.split('/')[0]
  if (object.apiVersion === 'v1' && object.kind === 'Pod' && spec) {
    const pod = object as unknown as PodTemplate
    return { template: pod, runsOn: (pod.spec.restartPolicy ?? 'Always') === 'Always' }
  }
  if (group !== 'apps' && group !== 'batch' && object.apiVersion !== 'v1') return undefined
  const template =
    object.kind === 'CronJob'
      ? spec?.jobTemplate?.spec?.template
      : longRunning.has(object.kind) || object.kind === 'Job'
        ? spec?.template
        : undefined
  return template?.spec ? { template, runsOn: longRunning.has(object.kind) } : undefined
}

/** The containers that can run a built image: init containers first. Ephemeral ones are not made by templates. */
export const containersOf = ({ spec }: PodTemplate): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
]
