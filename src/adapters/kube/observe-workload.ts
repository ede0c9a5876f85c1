// Whether a workload says that its newest template is rolled out, and why not.
import { DevloopError, type ErrorInfo } from '../../errors/devloop-error.js'
import { fieldManager, projectLabel, resourceLabel, templateLabel } from './labels.js'
import type { Condition, Workload } from './observe-shapes.js'

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'ReplicaSet' | 'Job'

/** Where each kind is listed below a namespace. */
export const workloadPaths: Readonly<Record<WorkloadKind, { readonly group: string; readonly plural: string }>> = {
  Deployment: { group: 'apis/apps/v1', plural: 'deployments' },
  StatefulSet: { group: 'apis/apps/v1', plural: 'statefulsets' },
  DaemonSet: { group: 'apis/apps/v1', plural: 'daemonsets' },
  ReplicaSet: { group: 'apis/apps/v1', plural: 'replicasets' },
  Job: { group: 'apis/batch/v1', plural: 'jobs' },
}

export const isWorkloadKind = (kind: string): kind is WorkloadKind => Object.hasOwn(workloadPaths, kind)

/** What is kept of a workload. */
export interface WorkloadRecord {
  readonly resource: string
  readonly uid: string
  /** For people, such as `deployment/api`. */
  readonly name: string
  /** Of the pods that it makes now. */
  readonly template: string | undefined
  readonly rolledOut: boolean
  /** Why it is not. */
  readonly message: string | undefined
  readonly error: ErrorInfo | undefined
  /** It wants pods that are not there, and no condition of it says why: its events may. */
  readonly lacksPods: boolean
  /** Somebody else set its replicas to 0: who, in words. */
  readonly asleep?: string
}

/** Undefined for one that something else made (a Deployment's ReplicaSet, a CronJob's Job): its maker speaks for it. */
export function observeWorkload(kind: WorkloadKind, object: Workload): WorkloadRecord | undefined {
  const { metadata, spec } = object
  if (metadata.ownerReferences?.some((owner) => owner.controller)) return undefined
  const name = `${kind.toLowerCase()}/${metadata.name}`
  const waits = waitsFor(kind, object)
  const error = problemOf(name, object.status?.conditions ?? [])
  return {
    resource: metadata.labels?.[resourceLabel] ?? '',
    uid: metadata.uid,
    name,
    template: spec?.template?.metadata?.labels?.[templateLabel],
    rolledOut: waits === undefined && metadata.deletionTimestamp === undefined,
    message: waits === undefined ? undefined : `${name}: ${waits}`,
    error,
    lacksPods: lacksPods(kind, object),
    ...asleep(name, object),
  }
}

/**
 * Who puts workloads to sleep only sets their replicas; what the applied object itself says of them is not sleep. Nobody owns a 0 that
 * was set by the `scale` subresource: there it counts as absent.
 */
function asleep(name: string, { metadata, spec }: Workload): { readonly asleep?: string } {
  const { labels, managedFields = [] } = metadata
  if (spec?.replicas !== 0 || labels?.[projectLabel] === undefined || managedFields.length === 0) return {}
  const setters = managedFields
    .filter(({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:replicas'] !== undefined)
    .map(({ manager = '' }) => manager)
  if (setters.some((one) => one === fieldManager || one.toLowerCase() === 'helm')) return {}
  return { asleep: `${name} is asleep: ${setters[0] ?? 'somebody'} set its replicas to 0` }
}

/** A Deployment says so itself, by a condition. */
function lacksPods(kind: WorkloadKind, { spec = {}, status = {} }: Workload): boolean {
  if (kind === 'Deployment') return false
  if (kind === 'Job') return !spec.suspend && (status.active ?? 0) === 0 && (status.succeeded ?? 0) < (spec.completions ?? 1)
  if (kind === 'DaemonSet') return (status.updatedNumberScheduled ?? 0) < (status.desiredNumberScheduled ?? 0)
  return (status.replicas ?? 0) < (spec.replicas ?? 1)
}

function waitsFor(kind: WorkloadKind, { metadata, spec = {}, status = {} }: Workload): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'is being deleted'
  if (kind === 'Job') {
    if (isTrue(status.conditions, 'Complete') || spec.suspend) return undefined
    return isTrue(status.conditions, 'Failed') ? 'failed' : `${status.succeeded ?? 0} of ${spec.completions ?? 1} completed`
  }
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'not looked at by its controller yet'
  const onDelete = spec.updateStrategy?.type === 'OnDelete'
  if (kind === 'DaemonSet') {
    const wanted = status.desiredNumberScheduled ?? 0
    return counted(wanted, onDelete ? wanted : status.updatedNumberScheduled, status.numberAvailable)
  }
  const wanted = spec.replicas ?? 1
  if (kind === 'ReplicaSet') return counted(wanted, wanted, status.availableReplicas)
  if (kind === 'StatefulSet') {
    const kept = spec.updateStrategy?.rollingUpdate?.partition ?? 0
    const updated = onDelete ? wanted : Math.min(wanted, (status.updatedReplicas ?? 0) + kept)
    return counted(wanted, updated, status.availableReplicas ?? status.readyReplicas)
  }
  const old = (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    counted(wanted, status.updatedReplicas, status.availableReplicas) ??
    (old > 0 ? `${old} old ${plural(old)} to end` : undefined)
  )
}

function counted(wanted: number, updated = 0, available = 0): string | undefined {
  if (updated < wanted) return `${updated} of ${wanted} new ${plural(wanted)} made`
  if (available < wanted) return `${available} of ${wanted} ${plural(wanted)} ready`
  return undefined
}

function problemOf(name: string, conditions: readonly Condition[]): ErrorInfo | undefined {
  const failure = conditions.find((one) => one.type === 'ReplicaFailure' && one.status === 'True')
  if (failure) {
    const denied = /forbidden/.test(failure.message ?? '')
    return new DevloopError(denied ? 'cluster/denied' : 'pod/config', `${name} cannot make its pods.`, {
      why: failure.message,
      ...(denied ? { help: 'Lower what the pods ask for, or ask an administrator to allow it.' } : {}),
    }).info
  }
  const late = conditions.find(
    (one) => one.type === 'Progressing' && one.status === 'False' && one.reason === 'ProgressDeadlineExceeded',
  )
  if (late)
    return new DevloopError('rollout/timeout', `The rollout of ${name} did not become ready in time.`, { why: late.message }).info
  const failed = conditions.find((one) => one.type === 'Failed' && one.status === 'True')
  if (failed)
    return new DevloopError('job/failed', `${name} failed${failed.reason ? ` (${failed.reason})` : ''}.`, {
      why: failed.message,
    }).info
  return undefined
}

const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditions?.some((one) => one.type === type && one.status === 'True') ?? false

const plural = (count: number): string => (count === 1 ? 'pod' : 'pods')
