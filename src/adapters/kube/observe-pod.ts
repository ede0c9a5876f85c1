// From a whole pod object to the little that is kept of it.
import { DevloopError, type ErrorInfo } from '../../errors/devloop-error.js'
import type { ObservedContainer, ObservedPod } from '../../ports/runtime.js'
import { agentName } from './agent/put-agent.js'
import { eventWords, schedulingHelp } from './event-words.js'
import { imagesAnnotation, restartableAnnotation, resourceLabel, templateLabel } from './labels.js'
import { containerError } from './observe-container.js'
import type { ContainerStatus, Pod } from './observe-shapes.js'

/** What is kept of a pod. */
export interface PodRecord {
  readonly resource: string
  readonly pod: ObservedPod
  /** What keeps it from running or being ready, most telling first. */
  readonly error: ErrorInfo | undefined
  /** The kind of its controller; undefined for a bare pod. */
  readonly owner: string | undefined
}

/** @param before the record of the same pod from its earlier state */
export function observePod(object: Pod, before: PodRecord | undefined): PodRecord {
  const { metadata, spec, status } = object
  const images = imagesOf(metadata.annotations?.[imagesAnnotation])
  const restartable = new Set((metadata.annotations?.[restartableAnnotation] ?? '').split(',').filter(Boolean))
  const terminating = metadata.deletionTimestamp !== undefined
  const statuses = new Map(
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map((one) => [one.name, one]),
  )
  const containers: ObservedContainer[] = []
  let error: ErrorInfo | undefined
  const inits = (spec?.initContainers ?? []).map((one) => ({
    ...one,
    kind: one.restartPolicy === 'Always' ? ('sidecar' as const) : ('init' as const),
  }))
  const mains = (spec?.containers ?? []).map((one) => ({ ...one, kind: undefined }))
  for (const container of [...inits, ...mains]) {
    const found = statuses.get(container.name)
    const known = before?.pod.containers.find((one) => one.name === container.name)?.error ?? before?.error
    const problem = found && !terminating ? containerError(metadata.name, container, found, known) : undefined
    error ??= problem
    // devloop's own is nobody's business, unless it is in the way
    if (container.name === agentName && container.kind === 'init' && !problem) continue
    const startedAt = timeOf(startOf(found))
    containers.push({
      name: container.name,
      ...(container.kind === undefined ? {} : { kind: container.kind }),
      containerId: found?.containerID ?? '',
      // init containers that only prepare are no targets; those that stay beside the others are
      image: container.kind === 'init' ? undefined : images[container.name],
      ref: container.image ?? '',
      running: found?.state?.running !== undefined,
      restartable: restartable.has(container.name),
      restarts: found?.restartCount ?? 0,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...endOf(found),
      ...(problem === undefined ? {} : { error: problem }),
    })
  }
  const owner = metadata.ownerReferences?.find((one) => one.controller)?.kind
  const condition = (type: string) => status?.conditions?.find((one) => one.type === type)
  return {
    resource: metadata.labels?.[resourceLabel] ?? '',
    pod: {
      name: metadata.name,
      namespace: metadata.namespace ?? '',
      uid: metadata.uid,
      template: metadata.labels?.[templateLabel],
      phase: terminating ? 'terminating' : phaseOf(status?.phase),
      ready: condition('Ready')?.status === 'True' && !terminating,
      ...(owner === 'Job' ? { job: true } : {}),
      createdAt: timeOf(metadata.creationTimestamp) ?? 0,
      containers,
    },
    error: terminating ? undefined : (error ?? podError(object)),
    owner,
  }
}

function podError({ metadata, status }: Pod): ErrorInfo | undefined {
  const scheduled = status?.conditions?.find((one) => one.type === 'PodScheduled')
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return new DevloopError('pod/unschedulable', `No node can take the pod ${metadata.name}.`, {
      why: scheduled.message,
      help: schedulingHelp(scheduled.message ?? ''),
    }).info
  }
  if (status?.phase === 'Failed') {
    return new DevloopError('pod/crashed', `The pod ${metadata.name} failed${status.reason ? ` (${status.reason})` : ''}.`, {
      why: status.message,
      help: status.reason === 'Evicted' ? eventWords('Evicted', '').help : undefined,
    }).info
  }
  return undefined
}

function phaseOf(phase: string | undefined): ObservedPod['phase'] {
  switch (phase) {
    case 'Succeeded':
      return 'succeeded'
    case 'Failed':
      return 'failed'
    // Unknown: the node is not heard of, and what ran there is thought to run still.
    case 'Running':
    case 'Unknown':
      return 'running'
    default:
      return 'pending'
  }
}

function imagesOf(annotation: string | undefined): Readonly<Record<string, string>> {
  if (annotation === undefined) return {}
  try {
    return JSON.parse(annotation) as Record<string, string>
  } catch {
    // Somebody else wrote it: then nothing is known to be ours.
    return {}
  }
}

function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/** How the container that a status names ended, and which one it took the place of. */
function endOf(status: ContainerStatus | undefined): Pick<ObservedContainer, 'exitCode' | 'previous'> {
  const last = status?.lastState?.terminated
  const own = last?.containerID === status?.containerID
  const ended = status?.state?.terminated ?? (own && !status?.state?.running ? last : undefined)
  return {
    ...(ended === undefined ? {} : { exitCode: ended.exitCode }),
    ...(own || !last?.containerID ? {} : { previous: last.containerID }),
  }
}

/** When the container that a status names began to run, be it over or not: it has output from then on. */
function startOf(status: ContainerStatus | undefined): string | undefined {
  const { running, terminated } = status?.state ?? {}
  const last = status?.lastState?.terminated
  return running?.startedAt ?? terminated?.startedAt ?? (last?.containerID === status?.containerID ? last?.startedAt : undefined)
}
