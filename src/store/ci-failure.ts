// What a run of `devloop ci` takes for the failure of a resource, and from when on it counts. Pure.
import { errorCodes } from '../errors/codes.js'
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { ContainerState, PodState, ResourceState, State } from '../model/state.js'
import type { CiMemory } from './ci-verdict.js'
import { buildReason, isBuildFailed } from './image-status.js'
import { resourceImages } from './resource-images.js'
import { currentPods, ignoresReadiness, renderKey, wantedKey } from './resource-status.js'

export interface CiFailure {
  readonly error: ErrorInfo
  /** When it counts, with a grace for crashes. Milliseconds since 1970. */
  countsAt(graceMs: number): number
}

/** What often passes by itself right after the start: a node that could not pull or mount something at once. */
const passingMs = 10_000
/** They pass when the cluster has room; until then the resource is not ready, which has its own limit. */
const waitsOut = new Set<ErrorInfo['code']>(['pod/unschedulable'])
const oftenPass = new Set<ErrorInfo['code']>(['pod/image', 'pod/config'])
/** A step in the container that failed will not be repeated without a save. */
const lastWords = new Set<ErrorInfo['code']>(['run/failed', 'run/timeout'])

/** The failure of a resource that must become ready, if there is one. */
export function ciFailure(state: State, resource: ResourceState, memory: CiMemory, now: number): CiFailure | undefined {
  const { name, deploy, local, observed, rendered, sources } = resource
  const startedAt = memory.started[name] ?? now
  const atOnce = (error: ErrorInfo): CiFailure => ({ error, countsAt: () => now })
  const withGrace = (error: ErrorInfo): CiFailure => ({ error, countsAt: (graceMs) => startedAt + graceMs })

  /** One that is tried again may pass. */
  const attempted = (error: ErrorInfo, retryAt: number | undefined, since: number): CiFailure =>
    retryAt === undefined ? atOnce(error) : { error, countsAt: (graceMs) => since + Math.max(graceMs, passingMs) }

  const build = buildError(state, name, now)
  if (build) return atOnce(build)
  if (sources?.error) return atOnce(sources.error)
  if (rendered?.status === 'failed' && rendered.error && rendered.key === renderKey(state, resource))
    return attempted(rendered.error, rendered.retryAt, rendered.startedAt)
  if (deploy?.status === 'failed' && deploy.error && deploy.key === wantedKey(state, resource))
    return attempted(deploy.error, deploy.retryAt, deploy.startedAt)
  if (local) {
    if (local.run === 'failed' && local.done === local.wanted && local.error) return atOnce(local.error)
    // its own time is over, though it is still asked
    if (local.serve === 'unready' && local.error && memory.ready[name] === undefined) return withGrace(local.error)
    if (local.serve === 'failed' && local.error) return local.retryAt === undefined ? atOnce(local.error) : withGrace(local.error)
    // started again after it ended by itself
    if (local.serve === 'starting' && local.error) return withGrace(local.error)
    return undefined
  }
  const step = Object.values(state.targets).find((one) => one.resource === name && one.error && lastWords.has(one.error.code))
  if (step?.error) return atOnce(step.error)
  if (ignoresReadiness(state, name)) return undefined
  const crash = crashOf(resource, memory)
  if (crash) return withGrace(crash)
  const error = observed?.error
  if (!error || resource.ready || waitsOut.has(error.code)) return undefined
  if (error.code === 'job/failed') return atOnce(error)
  // a Job's try that failed: the Job says when it has had enough
  if (error.code === 'pod/crashed' && currentPods(resource).some((pod) => pod.job)) return undefined
  if (!oftenPass.has(error.code)) return withGrace(error)
  return { error, countsAt: (graceMs) => Math.max(startedAt + graceMs, (memory.errors[name] ?? now) + passingMs) }
}

function buildError(state: State, name: string, now: number): ErrorInfo | undefined {
  for (const image of resourceImages(state, name).flatMap((one) => state.images[one] ?? [])) {
    if (image.sources?.error) return image.sources.error
    const { build } = image
    const isLast = buildReason(image) !== undefined && (isBuildFailed(image, now) || build?.retryAt !== undefined)
    if (build?.status === 'failed' && build.error && isLast) return build.error
  }
  return undefined
}

/** A container that ended in this run, beyond the grace or still; tries of Jobs left out. */
function crashOf(resource: ResourceState, memory: CiMemory): ErrorInfo | undefined {
  for (const pod of currentPods(resource)) {
    if (pod.job) continue
    for (const container of pod.containers) {
      if (container.error?.code === 'pod/crashed' || container.error?.code === 'app/exited') return container.error
      const before = memory.restarts[containerKey(pod, container)] ?? container.restarts
      if (container.restarts <= before) continue
      const times = container.restarts - before
      return {
        code: 'pod/crashed',
        message: `${container.name} of ${pod.name} ended and was started again${times > 1 ? `, ${times} times` : ''}.`,
        help: errorCodes['pod/crashed'].help,
      }
    }
  }
  return undefined
}

export const containerKey = (pod: PodState, container: ContainerState): string => `${pod.uid}/${container.name}`

/** Whether a resource is done when a Job is, which takes as long as it takes. */
export function isJob(state: State, resource: ResourceState): boolean {
  const spec = state.plan?.resources[resource.name]
  if (spec?.kind === 'app' && spec.job) return true
  if (spec?.kind === 'manifests' && spec.objects.some(({ object }) => object.kind === 'Job')) return true
  return currentPods(resource).some((pod) => pod.job)
}
