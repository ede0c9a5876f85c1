// From all that is kept of one resource's pods and workloads to the one thing that is told of it. Pure.
import { DevloopError, type ErrorInfo } from '../../errors/devloop-error.js'
import type { Observed } from '../../ports/runtime.js'
import type { PodProblem } from './observe-events.js'
import type { PodRecord } from './observe-pod.js'
import type { WorkloadRecord } from './observe-workload.js'

export interface ResourceRecord {
  readonly resource: string
  /** By uid. */
  readonly pods: ReadonlyMap<string, PodRecord>
  /** By workloadKey. */
  readonly workloads: ReadonlyMap<string, WorkloadRecord>
  /** Jobs that were seen done, with their templates: some are deleted soon after. By workloadKey. */
  readonly done?: ReadonlyMap<string, string | undefined>
  /** Keys of the workloads and bare pods that the last deploy in this process applied; undefined = there was none. */
  readonly expected: ReadonlySet<string> | undefined
  /** As in Deployed.templates of that deploy. */
  readonly templates: readonly string[] | undefined
  /** Whether every list that may hold something of this resource was seen. */
  readonly listed: boolean
}

/** Names a workload or bare pod among all of a cluster. */
export const workloadKey = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`

/** @param problemOf what the cluster's events say of a pod, by uid */
export function observeResource(record: ResourceRecord, problemOf: (uid: string) => PodProblem | undefined): Observed {
  const { resource, expected, templates } = record
  const pods = [...record.pods.values()].sort((a, b) => a.pod.createdAt - b.pod.createdAt || (a.pod.name < b.pod.name ? -1 : 1))
  const workloads = [...record.workloads]
    .filter(([key]) => expected === undefined || expected.has(key))
    .map(([, workload]) => workload)
  const newest = templates ?? workloads.flatMap(({ template }) => template ?? [])
  const current = pods.filter(
    ({ pod }) =>
      pod.phase !== 'terminating' && (newest.length === 0 || (pod.template !== undefined && newest.includes(pod.template))),
  )

  const wasDone = (key: string): boolean => {
    const template = record.done?.get(key)
    return template !== undefined && newest.includes(template)
  }

  const open: string[] = []
  if (!record.listed) open.push('its state is not known yet')
  for (const workload of workloads) {
    if (!workload.rolledOut) open.push(workload.message ?? `${workload.name} is not rolled out`)
    else if (templates && workload.template !== undefined && !templates.includes(workload.template))
      open.push(`${workload.name}: its change is not seen yet`)
  }
  for (const { pod, owner } of current) {
    if (owner === undefined && !pod.ready && pod.phase !== 'succeeded') open.push(`pod/${pod.name} is not ready`)
  }
  for (const key of expected ?? []) {
    const [kind = '', place = ''] = key.split(' ')
    const there =
      kind === 'Pod'
        ? current.some(({ pod }) => place === `${pod.namespace}/${pod.name}`)
        : record.workloads.has(key) || wasDone(key)
    if (!there) open.push(`${kind.toLowerCase()}/${place.slice(place.indexOf('/') + 1)} is not seen yet`)
  }

  // The newest pod tells best; what the pods say is nearer to the cause than what their workload says of them.
  const fromPods = firstOf(current.toReversed(), (record) => (isSuperseded(record, current) ? undefined : record.error))
  const unready = current.filter(({ pod }) => !pod.ready && pod.phase !== 'succeeded')
  const problem = fromPods ? undefined : firstOf(unready.toReversed(), ({ pod }) => problemOf(pod.uid))
  const fromEvent = problem?.blocks
    ? new DevloopError(problem.code, `The pod ${problem.pod} ${problem.words}.`, { why: problem.message, help: problem.help })
        .info
    : undefined
  const refused = firstOf(workloads, ({ uid, name, lacksPods }) => {
    const found = lacksPods ? problemOf(uid) : undefined
    return found && makesNone(name, found)
  })
  const failedJob = firstOf(workloads, ({ error }) => (error?.code === 'job/failed' ? error : undefined))
  const error: ErrorInfo | undefined =
    (failedJob && withTry(failedJob, fromPods)) ??
    fromPods ??
    fromEvent ??
    firstOf(workloads, (workload) => workload.error) ??
    refused
  const asleep = firstOf(workloads, (workload) => workload.asleep)
  const message =
    open[0] === undefined ? undefined : [open[0], problem && `It ${problem.words}: ${problem.message}`].filter(Boolean).join('. ')
  return {
    resource,
    pods: pods.map(({ pod }) => pod),
    rolledOut: open.length === 0,
    ...(asleep === undefined ? {} : { asleep }),
    ...(message === undefined ? {} : { message }),
    ...(error === undefined ? {} : { error }),
  }
}

/** What keeps a workload from making its pods, in the cluster's own words. */
const makesNone = (name: string, { code, words, message, help }: PodProblem): ErrorInfo =>
  new DevloopError(/forbidden|denied/.test(message) ? 'cluster/denied' : code, `${name} ${words}.`, { why: message, help }).info

/** The end of a Job, with what its last try ended with. */
const withTry = (job: ErrorInfo, pod: ErrorInfo | undefined): ErrorInfo =>
  pod ? { ...job, why: [job.why, pod.message, pod.why].filter(Boolean).join('\n') } : job

/** A failed pod that its controller has made another for: a Job's earlier try, or one that was evicted. */
const isSuperseded = ({ pod, owner }: PodRecord, current: readonly PodRecord[]): boolean =>
  pod.phase === 'failed' &&
  owner !== undefined &&
  current.some(
    (other) => other.pod.template === pod.template && other.pod.phase !== 'failed' && other.pod.createdAt >= pod.createdAt,
  )

function firstOf<T, R>(list: readonly T[], pick: (item: T) => R | undefined): R | undefined {
  for (const item of list) {
    const found = pick(item)
    if (found !== undefined) return found
  }
  return undefined
}
