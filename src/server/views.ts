// The state as clients see it. Views that did not change keep their identity.
import { relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { percentiles } from '../model/latency.js'
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import { failureText, linksOf } from '../model/link.js'
import { forwardsOf, imagesOf, type ResourceSpec } from '../model/plan.js'
import type {
  ChangeState,
  ContainerState,
  ImageState,
  PendingState,
  PodState,
  ResourceState,
  State,
  TargetState,
} from '../model/state.js'
import type {
  ChangeView,
  DebugView,
  EndpointView,
  ImageView,
  ContainerView,
  LinkView,
  PodView,
  ResourceStatus,
  ResourceView,
  SessionView,
  TargetView,
  View,
} from '../protocol/messages.js'
import { buildReason, isBuildFailed, isCutOff, isInSync } from '../store/image-status.js'
import { isActive, isAtRest, isBuildHeld } from '../store/graph-status.js'
import type { NextWork } from '../store/next-work.js'
import { currentPods, hasSync, ignoresReadiness, isServing, renderKey, targetsOf, wantedKey } from '../store/resource-status.js'
import { builtImages } from '../store/resource-images.js'
import type { SecretMask } from '../store/secret-mask.js'
import type { Store } from '../store/store.js'
import type { WorkFeed } from '../store/work-feed.js'
import { maskTexts } from './mask-view.js'
import type { ViewSource } from './view-source.js'

export function createViewSource(store: Store, work: WorkFeed, project: () => string, mask: SecretMask): ViewSource {
  let seen: { state: State; work: NextWork; secrets: number } | undefined
  let views: ReadonlyMap<string, View> = new Map()
  /** What the views are before secrets are taken out, so that only views that changed are looked through. */
  let raw: ReadonlyMap<string, View> = new Map()
  let seq = 0
  const changes = new WeakMap<ChangeState, ChangeView>()

  const refresh = (): void => {
    const state = store.state()
    const next = work.current()
    if (seen?.state === state && seen.work === next && seen.secrets === mask.version) return
    const learned = seen?.secrets !== mask.version
    seen = { state, work: next, secrets: mask.version }
    const fresh = new Map<string, View>()
    const whole = new Map<string, View>()
    const add = (view: View): void => {
      const key = `${view.kind}/${view.name}`
      const old = raw.get(key)
      const same = old && (old === view || isDeepStrictEqual(old, view)) ? old : view
      whole.set(key, same)
      const shown = views.get(key)
      if (same === old && shown && !learned) return void fresh.set(key, shown)
      const masked = maskTexts(same, (text) => mask.text(text))
      fresh.set(key, shown && isDeepStrictEqual(shown, masked) ? shown : masked)
    }
    add(sessionView(state, project()))
    Object.keys(state.resources).forEach((name, order) => add(resourceView(state, next, name, order)))
    for (const name of Object.keys(state.removals)) if (!state.resources[name]) add(removalView(state, name))
    for (const image of Object.values(state.images)) add(imageView(image))
    for (const change of Object.values(state.changes)) {
      const known = changes.get(change) ?? changeView(change, state)
      changes.set(change, known)
      add(known)
    }
    const same = fresh.size === views.size && [...fresh].every(([key, view]) => views.get(key) === view)
    raw = whole
    if (same) return
    views = fresh
    seq++
  }
  return {
    views() {
      refresh()
      return views
    },
    seq() {
      refresh()
      return seq
    },
    subscribe: (callback) => work.subscribe(callback),
  }
}

function todayView({ today }: State): Pick<SessionView, 'today'> {
  const [synced, rebuilt] = [percentiles(today.synced), percentiles(today.rebuilt)]
  return synced || rebuilt ? { today: { ...optional('synced', synced), ...optional('rebuilt', rebuilt) } } : {}
}

function sessionView(state: State, project: string): SessionView {
  const { session, runtime, devloopfile } = state
  return {
    kind: 'session',
    name: 'session',
    project: state.plan?.name ?? project,
    instance: session.instance,
    version: session.version,
    pid: session.pid,
    startedAt: session.startedAt,
    phase: session.phase,
    args: session.args,
    only: session.only,
    ...optional('choices', state.plan?.choices),
    runtime: {
      kind: session.runtime,
      state: runtime.status,
      ...optional('context', runtime.context),
      ...optional('namespace', runtime.namespace),
      ...optional('error', runtime.error),
    },
    devloopfile: {
      file: devloopfile.file,
      state: devloopfile.status,
      generation: devloopfile.generation,
      ...optional('loadMs', devloopfile.loadMs),
      ...optional('error', devloopfile.error),
    },
    ...todayView(state),
    problems: Object.values(state.problems),
    ...(Object.keys(state.warnings).length > 0 ? { warnings: Object.values(state.warnings) } : {}),
    ready:
      state.plan !== null &&
      devloopfile.status === 'ok' &&
      devloopfile.loaded === devloopfile.wanted &&
      Object.values(state.resources).every((resource) => resource.ready || isAtRest(state, resource)),
  }
}

function resourceView(state: State, { holds }: NextWork, name: string, order: number): ResourceView {
  const resource = state.resources[name] as ResourceState
  const spec = state.plan?.resources[name] as ResourceSpec
  const hold = holds[name]
  const built = builtImages(state, name)
  const images = built.flatMap((image) => state.images[image] ?? [])
  const targets = targetsOf(state, name)
  const removal = state.removals[name]
  const activity = isActive(resource) ? activityOf(state, resource, images, targets) : undefined
  // what is wrong with pods whose readiness does not count is told without making the resource fail
  const ignored = ignoresReadiness(state, name) && resource.ready
  const error = resource.ready
    ? undefined
    : isActive(resource)
      ? errorOf(state, resource, images, targets)
      : resource.disabled
        ? removal?.error
        : undefined
  const last = Object.values(state.changes).findLast(
    (one) => one.resources.includes(name) || one.images.some(({ image, action }) => action !== 'none' && built.includes(image)),
  )
  const status: ResourceStatus = resource.disabled
    ? removal
      ? 'removing'
      : 'disabled'
    : resource.ready
      ? 'ready'
      : error
        ? 'failed'
        : activity
          ? 'updating'
          : hold?.code === 'asleep'
            ? 'pending'
            : resource.appliedKey !== null || resource.local?.run === 'ok'
              ? 'starting'
              : 'pending'
  return {
    kind: 'resource',
    name,
    type: spec.kind,
    order,
    status,
    ready: resource.ready,
    ...optional('activity', activity ?? (status === 'starting' ? resource.observed?.message : undefined)),
    ...optional('hold', resource.ready && hold?.code !== 'pending' ? undefined : hold),
    ...optional('disabled', resource.disabled ?? undefined),
    ...optional('pending', resource.pending ? pendingView(state, resource.pending) : undefined),
    ...optional('error', error),
    warnings: [
      ...(spec.warnings ?? []),
      ...resource.warnings,
      ...targets.flatMap(conflictWarnings),
      ...(ignored && resource.observed?.error ? [resource.observed.error] : []),
      ...images.flatMap((image) => image.syncBlocked ?? []),
      ...images.flatMap((image) => heldError(image) ?? []).filter((held) => held !== error),
    ],
    images: imagesOf(spec),
    needs: spec.needs,
    rebuildAfter: spec.rebuildAfter,
    labels: spec.labels,
    auto: spec.auto,
    trigger: spec.trigger,
    endpoints: endpointsOf(state, resource, spec),
    ...optional('links', linkViews(state, name)),
    ...optional('debug', debugView(state, resource, spec)),
    pods: (resource.observed?.pods ?? []).map((pod) => podView(state, resource, pod)),
    ...optional('lastChange', last && lastChangeOf(resource, last)),
    since: resource.since,
  }
}

/** A change as it concerns one resource: what a local makes of it is the local's own affair. */
function lastChangeOf(
  { local }: ResourceState,
  { id, at, outcome, liveMs }: ChangeState,
): NonNullable<ResourceView['lastChange']> {
  if (!local) return { id, at, outcome, ...optional('liveMs', liveMs) }
  const failed = local.run === 'failed' || local.serve === 'failed' || local.serve === 'unready'
  return { id, at, outcome: local.done < local.wanted || local.run === 'running' ? 'pending' : failed ? 'failed' : 'live' }
}

function activityOf(
  state: State,
  resource: ResourceState,
  images: readonly ImageState[],
  targets: readonly TargetState[],
): string | undefined {
  const building = images.find((image) => image.build?.status === 'running')
  if (building?.build) {
    const { stage, steps } = building.build
    const step = steps.findLast((one) => one.state === 'running')
    return stage === 'push' ? `pushing ${building.name}` : `building ${building.name}${step ? ` ${step.name}` : ''}`
  }
  if (resource.rendered?.status === 'running')
    return state.plan?.resources[resource.name]?.kind === 'config' ? 'reading its values' : 'rendering'
  if (resource.deploy?.status === 'running') return 'deploying'
  if (resource.local?.run === 'running') return 'running'
  if (resource.local?.serve === 'starting') return 'starting'
  if (targets.some((target) => target.status === 'syncing')) return 'syncing'
  return undefined
}

/** The error nearest to its cause. */
function errorOf(
  state: State,
  resource: ResourceState,
  images: readonly ImageState[],
  targets: readonly TargetState[],
): ErrorInfo | undefined {
  const now = Date.now()
  for (const image of images) {
    // what is held stays as it is: that is wrong only where something is to be built
    if (image.sources?.error && !(image.sources.held && buildReason(image) === undefined)) return image.sources.error
    if (
      image.build?.status === 'failed' &&
      buildReason(image) !== undefined &&
      (isBuildFailed(image, now) || image.build.retryAt !== undefined || isBuildHeld(state, image))
    )
      return image.build.error
  }
  const { sources, rendered, deploy, local, observed } = resource
  if (sources?.error) return sources.error
  if (rendered?.error && rendered.key === renderKey(state, resource)) return rendered.error
  if (deploy?.status === 'failed' && deploy.key === wantedKey(state, resource)) return deploy.error
  // told until something succeeds, but where live sync cannot be used (a warning: the save is built instead) and where nothing
  // can be reached (the session's error)
  const lost = state.runtime.status !== 'connected'
  const target = targets.find((one) => one.error && !state.images[one.image]?.syncBlocked && !(lost && isCutOff(one)))
  if (target) return target.error
  if (local?.error) return local.error
  return observed?.error
}

function endpointsOf(state: State, resource: ResourceState, spec: ResourceSpec): EndpointView[] {
  if (spec.kind === 'local') {
    if (spec.port === undefined) return []
    return [
      {
        name: String(spec.port),
        url: `http://localhost:${spec.port}`,
        state: resource.local?.serve === 'ready' ? 'listening' : 'waiting',
      },
    ]
  }
  const { exposed } = resource.observed ?? {}
  const forwarded = forwardsOf(spec).map(({ local, name, isDebug }): EndpointView => {
    const forward = state.forwards[local]
    const listening = forward?.status === 'listening' && currentPods(resource).some((pod) => isServing(state, resource, pod))
    return {
      name,
      url: `${isDebug ? 'tcp' : 'http'}://localhost:${forward?.opened ?? local}`,
      state: forward?.status === 'failed' ? 'failed' : listening ? 'listening' : 'waiting',
      ...optional('error', forward?.error),
    }
  })
  if (!exposed) return forwarded
  const { kind, ...outside } = exposed
  return [...forwarded, { name: kind, ...outside }]
}

function linkViews(state: State, name: string): LinkView[] | undefined {
  const tried = state.links[name] ?? []
  const links = state.plan ? linksOf(state.plan, name) : []
  if (links.length === 0) return undefined
  return links.map(({ to, host, port }) => {
    const address = `${host}:${port}`
    const outcome = tried.find((one) => one.to === to && one.address === address)?.outcome
    if (!outcome) return { to, address, state: 'unknown', why: 'it was not tried yet' }
    if (outcome.state === 'ok') return { to, address, state: 'ok' }
    return { to, address, state: outcome.state, why: outcome.state === 'failed' ? failureText(outcome) : outcome.why }
  })
}

function debugView(state: State, resource: ResourceState, spec: ResourceSpec): DebugView | undefined {
  if (spec.kind !== 'app' || !spec.debug) return undefined
  const { language, local } = spec.debug
  const running = currentPods(resource).flatMap((pod) => {
    const container = pod.containers.find(({ name }) => name === spec.name)
    return container?.running ? [{ pod, container }] : []
  })
  const newest = running.toSorted((a, b) => a.pod.createdAt - b.pod.createdAt).at(-1)
  const replaced = newest && state.targets[newest.container.containerId]?.replaced
  return {
    language,
    host: 'localhost',
    port: state.forwards[local]?.opened ?? local,
    ...(newest ? { process: `${newest.pod.name}:${newest.container.restarts}.${replaced ?? 0}` } : {}),
  }
}

function podView(state: State, resource: ResourceState, pod: PodState): PodView {
  return {
    name: pod.name,
    phase: pod.phase,
    current: currentPods(resource).includes(pod),
    ready: pod.ready,
    restarts: pod.containers.reduce((sum, one) => sum + one.restarts, 0),
    containers: pod.containers.map(containerView),
    targets: pod.containers.flatMap((one) => {
      const target = state.targets[one.containerId]
      // two resources may have one pod: it is deployed by the one, and the other is attached to it
      return target?.resource === resource.name && hasSync(state, target.image) ? [targetView(state, target)] : []
    }),
  }
}

const containerView = ({ name, kind, running, exitCode, restarts, error }: ContainerState): ContainerView => ({
  name,
  kind: kind ?? 'main',
  state: running ? 'running' : exitCode === undefined ? 'waiting' : 'ended',
  ...optional('exitCode', exitCode),
  restarts,
  ...optional('error', error),
})

function targetView(state: State, target: TargetState): TargetView {
  const image = state.images[target.image] as ImageState
  const synced = isInSync(target, image)
  return {
    container: target.container,
    image: target.image,
    state: target.status === 'synced' ? (synced ? 'in-sync' : 'behind') : isUnknown(target) ? 'unknown' : target.status,
    behind: synced ? 0 : (target.differing ?? 0),
    ...optional('transport', target.transport),
    ...optional('returns', target.returns),
    ...optional('error', target.error ?? heldError(image)),
  }
}

/** Whether what a target holds has to be asked first: the stream that told was lost, and none is open yet. */
const isUnknown = (target: TargetState): boolean =>
  isCutOff(target) || (target.acked === null && target.reached !== undefined && target.differing === undefined && !target.error)

/** Why containers of an image keep files that are gone with their folder. */
const heldError = ({ sources }: ImageState): ErrorInfo | undefined => (sources?.held ? sources.error : undefined)

/** What is synced both ways and was changed on both sides, and what cannot come back at all. */
function conflictWarnings({ pod, container, returns }: TargetState): ErrorInfo[] {
  const { error, conflicts } = returns ?? {}
  if (error) return [error]
  if (!conflicts) return []
  const { count, first } = conflicts
  const message =
    count === 1 ? `${pod}: ${first[0]?.message}` : `${count} paths are left alone in ${pod}/${container} and locally.`
  return [new DevloopError('sync/conflict', message, count === 1 ? {} : { why: first.map((one) => one.message).join('\n') }).info]
}

const removalView = (state: State, name: string): ResourceView => ({
  kind: 'resource',
  name,
  type: 'app',
  order: Number.MAX_SAFE_INTEGER,
  status: 'removing',
  ready: false,
  ...optional('error', state.removals[name]?.error),
  warnings: [],
  images: [],
  needs: [],
  rebuildAfter: [],
  labels: [],
  auto: true,
  trigger: 'auto',
  endpoints: [],
  pods: [],
  since: state.session.startedAt,
})

function imageView(image: ImageState): ImageView {
  const { build, record } = image
  const reason = buildReason(image)
  return {
    kind: 'image',
    name: image.name,
    state:
      build?.status === 'running'
        ? 'building'
        : build?.status === 'failed' && reason !== undefined
          ? 'failed'
          : !image.sources || !image.recordChecked
            ? 'unknown'
            : reason === undefined
              ? 'built'
              : 'pending',
    ...optional('ref', record?.ref),
    ...optional('builtAt', record?.builtAt),
    ...optional('reason', build?.reason ?? reason),
    ...optional('stage', build?.status === 'running' ? build.stage : undefined),
    steps: (build?.steps ?? []).map(({ id: _id, ...step }) => step),
    ...optional('context', build?.context),
    ...optional('bases', image.bases?.names),
    files: image.sources?.files ?? 0,
    overlay: image.drift.overlay,
    ...optional('buildMs', build?.finishedAt === undefined ? undefined : build.finishedAt - build.startedAt),
    ...optional('error', build?.status === 'failed' && reason !== undefined ? build.error : undefined),
  }
}

const pendingView = (state: State, { paths, pathCount, reasons }: PendingState): NonNullable<ResourceView['pending']> => ({
  paths: paths.map((path) => shownPath(state, path)),
  pathCount,
  reasons,
})

/** Relative to the project where it is below it. */
function shownPath({ plan }: State, path: string): string {
  const root = plan?.root
  return root && path.startsWith(`${root}/`) ? relative(root, path) : path
}

function changeView(change: ChangeState, state: State): ChangeView {
  const { id, paths, ...rest } = change
  return {
    ...rest,
    kind: 'change',
    name: id,
    paths: paths.map((path) => shownPath(state, path)),
    images: change.images.map(({ revision: _revision, ...one }) => one),
  }
}

/** A field that is there only when it has a value. */
const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]: V })
