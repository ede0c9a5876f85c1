// Whether a resource is deployed as wanted and ready, told from the state. Pure.
import { deployKey } from '../model/keys.js'
import { hasSources, isPrepared, isRendered } from '../model/plan.js'
import type { PodState, ResourceState, State, TargetState } from '../model/state.js'
import { dueBuild, isActive, isDeployHeld, isTargetDue } from './graph-status.js'
import { isSettled } from './image-status.js'
import { resourceImages } from './resource-images.js'

/** What needs the cluster for itself. */
const wordOf = {
  manifests: 'manifests need',
  kustomize: 'a kustomization needs',
  helm: 'a Helm chart needs',
  custom: 'a custom deploy needs',
  attach: 'an attached workload needs',
} as const

/** Why a resource cannot run in this runtime at all. */
export function unsupported(state: State, name: string): string | undefined {
  const spec = state.plan?.resources[name]
  if (state.session.runtime === 'kubernetes' || !spec || spec.kind === 'local') return undefined
  if (spec.kind === 'config') {
    const from = spec.sources.find((source) => source.kind === 'secret')
    return from && `it takes values from the Secret ${from.namespace}/${from.name} of a cluster: run without --runtime process`
  }
  if (spec.kind !== 'app') return `${wordOf[spec.kind]} a cluster: run without --runtime process`
  const mounted = spec.volumes?.find((volume) => volume.kind === 'config')
  if (spec.process && mounted)
    return `${mounted.config} is mounted at ${mounted.path}, and on this machine nothing is mounted: take its values by \`envFrom\``
  return spec.process ? undefined : 'it has no `process` setting, so it runs on a cluster only'
}

/**
 * The key that a resource must be deployed under; undefined while an image that it uses is not built. What waits for a trigger changes
 * nothing in it.
 */
export const wantedKey = (state: State, resource: ResourceState): string | undefined =>
  isDeployHeld(state, resource) ? (resource.appliedKey ?? undefined) : newestKey(state, resource)

/** As wantedKey, with everything that is built and declared by now. */
export function newestKey(state: State, resource: ResourceState): string | undefined {
  const { redeploy } = resource.observed ?? {}
  const refs: string[] = redeploy === undefined ? [] : [redeploy]
  for (const name of resourceImages(state, resource.name)) {
    const image = state.images[name]
    if (!image?.record || !isSettled(image) || dueBuild(state, image) !== undefined) return undefined
    // what was asked for is being built or has failed, and only what came later waits
    if (image.forced > image.forcedDone) return undefined
    refs.push(image.record.ref)
  }
  for (const name of usedConfigs(state, resource)) {
    const config = state.resources[name]
    if (!isSettledConfig(state, config)) return undefined
    refs.push(`${name}=${config.digest}`)
  }
  const spec = state.plan?.resources[resource.name]
  if (!hasSources(spec)) return deployKey(resource.specKey, refs)
  const { sources, rendered } = resource
  if (!sources || sources.error) return undefined
  if (!isPrepared(spec)) return deployKey(resource.specKey, [sources.hash, ...refs])
  if (rendered?.output === undefined || rendered.key !== renderKey(state, resource)) return undefined
  return deployKey(resource.specKey, [rendered.output, ...refs])
}

/** Names of the configs that a resource is deployed with. */
function usedConfigs({ plan }: State, { name, rendered }: ResourceState): readonly string[] {
  const spec = plan?.resources[name]
  const names = isRendered(spec)
    ? (rendered?.configs ?? [])
    : spec?.kind === 'app' || spec?.kind === 'manifests' || spec?.kind === 'config'
      ? spec.needs
      : []
  return names.filter((one) => plan?.resources[one]?.kind === 'config')
}

/** Of the configs that a resource is deployed with, one that is about to change or was not deployed yet; undefined = none. */
export const changingConfig = (state: State, resource: ResourceState): string | undefined =>
  usedConfigs(state, resource).find((name) => !isSettledConfig(state, state.resources[name]))

/**
 * Whether a config has the values that it is to have. One that fails counts too: what it had before stays until it is mended, and nobody
 * waits for that.
 */
function isSettledConfig(state: State, config: ResourceState | undefined): config is ResourceState & { readonly digest: string } {
  if (config?.digest === undefined) return false
  const key = wantedKey(state, config)
  if (key === config.appliedKey) return true
  const { sources, rendered, deploy } = config
  if (sources?.error) return true
  // one that is tried again has failed before
  const fails = (one: { readonly status: string; readonly attempts: number } | null): boolean =>
    one !== null && (one.status === 'failed' || (one.status === 'running' && one.attempts > 1))
  if (rendered?.key === renderKey(state, config) && fails(rendered)) return true
  return key !== undefined && deploy?.key === key && fails(deploy)
}

/**
 * What a rendering, or the values of a config, is made from: spec, files, version of the cluster. A trigger renders again: what comes from elsewhere may be newer.
 * Undefined while the files are not read.
 */
export function renderKey(state: State, resource: ResourceState): string | undefined {
  const { specKey, sources, forced } = resource
  return sources && !sources.error ? [specKey, sources.hash, state.runtime.version ?? '', forced].join(' ') : undefined
}

/** Pods of the newest deploy that are not on their way out. */
export const currentPods = (resource: ResourceState): readonly PodState[] =>
  (resource.observed?.pods ?? []).filter(
    (pod) => pod.phase !== 'terminating' && pod.template !== undefined && resource.templates.includes(pod.template),
  )

/** Whether a resource counts as ready whatever its pods say. */
export const ignoresReadiness = (state: State, name: string): boolean => state.plan?.resources[name]?.readiness === 'ignore'

/** Whether connections may go to a pod. */
export const isServing = (state: State, resource: ResourceState, pod: PodState): boolean =>
  pod.phase === 'running' && (pod.ready || ignoresReadiness(state, resource.name))

/** Containers of a resource that live sync keeps up. */
export const targetsOf = (state: State, resource: string): readonly TargetState[] =>
  Object.values(state.targets).filter((target) => target.resource === resource)

/** Whether the pod of a target is to stay: nothing newer has been deployed, or is about to be. */
export function isStaying(state: State, target: TargetState): boolean {
  const resource = state.resources[target.resource]
  if (!resource || resource.deploy?.status === 'running' || resource.appliedKey !== wantedKey(state, resource)) return false
  return currentPods(resource).some((pod) => pod.name === target.pod)
}

/**
 * Whether a pod holds what devloop brings it to, or never will: a container that has just taken the place of another holds the
 * content of its image until it is written to.
 */
export function isBroughtUp(state: State, pod: PodState): boolean {
  return pod.containers.every(({ image: name, containerId }) => {
    const image = name === undefined ? undefined : state.images[name]
    if (!image || !hasSync(state, image.name) || image.syncBlocked || dueBuild(state, image) !== undefined) return true
    const target = state.targets[containerId]
    if (!target) return false
    // a stream that could not be opened is opened again soon; any other failure may stay
    return target.acked !== null || (target.status === 'failed' && target.error?.code !== 'sync/disconnected')
  })
}

/** Ready: deployed as wanted, rolled out and Ready, overlay acknowledged, restart done; for a local: run ended well, serve answers. */
export function isReady(state: State, resource: ResourceState): boolean {
  const { local } = resource
  if (!isActive(resource)) return false
  if (local)
    return (
      local.done === local.wanted &&
      (local.run === 'ok' || local.run === 'none') &&
      (local.serve === 'ready' || !hasServe(state, resource.name))
    )
  if (resource.appliedKey === null || resource.appliedKey !== wantedKey(state, resource)) return false
  if (resource.deploy?.status === 'running' || state.runtime.status !== 'connected') return false
  const ignored = ignoresReadiness(state, resource.name)
  if (!ignored && resource.templates.length > 0 && !(resource.observed?.rolledOut ?? false)) return false
  if (!ignored && resource.observed?.asleep !== undefined) return false
  for (const pod of currentPods(resource)) {
    // an earlier try of a Job that is done
    if (pod.job && pod.phase === 'failed') continue
    if (!ignored && pod.phase !== 'succeeded' && !pod.ready) return false
    for (const container of pod.containers) {
      if (!container.image || pod.phase === 'succeeded') continue
      const [target, image] = [state.targets[container.containerId], state.images[container.image]]
      if (!image || image.syncBlocked) continue
      if (!hasSync(state, image.name)) continue
      if (!target || isTargetDue(state, target, image, resource.restarts)) return false
    }
  }
  return true
}

const hasServe = (state: State, name: string): boolean => {
  const spec = state.plan?.resources[name]
  return spec?.kind === 'local' && spec.serve !== undefined
}

/** Whether live sync has anything to do for an image. */
export const hasSync = (state: State, image: string): boolean =>
  state.images[image]?.bases?.sync === true || (state.plan?.images[image]?.live.some((rule) => rule.kind === 'sync') ?? false)
