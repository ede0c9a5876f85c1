// The order in which objects are applied: what others stand on comes first. Deleting goes the other way.
import type { KubeObject } from '../../../model/plan.js'

const ranks: Readonly<Record<string, number>> = {
  Namespace: 0,
  CustomResourceDefinition: 1,
  StorageClass: 2,
  PriorityClass: 2,
  ResourceQuota: 2,
  LimitRange: 2,
  NetworkPolicy: 2,
  PersistentVolume: 2,
  PersistentVolumeClaim: 2,
  ServiceAccount: 2,
  Secret: 2,
  ConfigMap: 2,
  ClusterRole: 2,
  ClusterRoleBinding: 2,
  Role: 2,
  RoleBinding: 2,
  Service: 2,
  PodDisruptionBudget: 2,
  Pod: 4,
  ReplicationController: 4,
  ReplicaSet: 4,
  Deployment: 4,
  StatefulSet: 4,
  DaemonSet: 4,
  Job: 4,
  CronJob: 4,
  HorizontalPodAutoscaler: 5,
  // once they are there, the cluster asks the workload behind them
  APIService: 5,
  ValidatingWebhookConfiguration: 5,
  MutatingWebhookConfiguration: 5,
}

/** Lower is applied earlier; the same rank in any order. Custom objects stand between the basics and the workloads. */
const rankOf = (object: Pick<KubeObject, 'kind'>): number => (Object.hasOwn(ranks, object.kind) ? (ranks[object.kind] ?? 3) : 3)

/** Group in rising rank; the order within a rank is kept. */
export function byRank<T>(items: readonly T[], kindOf: (item: T) => Pick<KubeObject, 'kind'>): readonly (readonly T[])[] {
  const groups = new Map<number, T[]>()
  for (const item of items) {
    const rank = rankOf(kindOf(item))
    const group = groups.get(rank)
    if (group) group.push(item)
    else groups.set(rank, [item])
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group)
}
