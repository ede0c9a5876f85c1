// What to do next, and why everything else is waiting: one pure function of the state.
import type { Hold } from '../model/hold.js'
import type { ParallelSettings } from '../model/plan.js'
import type { ImageState, ResourceState, State } from '../model/state.js'
import { waitsForEarlier } from './comes-after.js'
import { dueBuild, isActive } from './graph-status.js'
import {
  changingText,
  disabledText,
  neededText,
  pendingText,
  retryText,
  runtimeText,
  stillStarting,
  unstartedText,
} from './holds.js'
import { isBuildFailed, isSettled } from './image-status.js'
import { preparingText, renderNeed } from './render-work.js'
import { resourceImages } from './resource-images.js'
import { changingConfig, unsupported, wantedKey } from './resource-status.js'

export type Work =
  | { readonly kind: 'reload' }
  | { readonly kind: 'build'; readonly image: string; readonly reason: string }
  | { readonly kind: 'render'; readonly resource: string; readonly key: string }
  | { readonly kind: 'deploy'; readonly resource: string; readonly key: string }
  | { readonly kind: 'remove'; readonly resource: string }
  | { readonly kind: 'run-local'; readonly resource: string; readonly wanted: number }
  /** Start its `serve` again, which ended by itself. */
  | { readonly kind: 'serve-local'; readonly resource: string }

export interface NextWork {
  readonly work: readonly Work[]
  /** By resource name. Each that is not ready has one, unless it is being deployed or run, or named by the work. */
  readonly holds: Readonly<Record<string, Hold>>
  /** Look again then, although nothing may have happened: something is tried again. Milliseconds since 1970. */
  readonly wakeAt?: number
}

/** Before there is a plan, nothing runs. */
const noSlots: ParallelSettings = { builds: 0, deploys: 0, locals: 0 }

/** The work that can start now. What runs already is not repeated. */
export function nextWork(state: State, now: number): NextWork {
  const work: Work[] = []
  const holds: Record<string, Hold> = {}
  let wakeAt: number | undefined
  const wake = (at: number | undefined): void => {
    if (at !== undefined && at > now) wakeAt = Math.min(at, wakeAt ?? at)
  }
  const hold = (resource: string, code: Hold['code'], message: string): void => {
    holds[resource] ??= { code, message }
  }

  if (state.session.phase === 'stopping') {
    for (const name of Object.keys(state.resources)) hold(name, 'stopping', 'devloop is stopping')
    return { work, holds }
  }
  const { devloopfile } = state
  if (devloopfile.loaded < devloopfile.wanted) {
    if (devloopfile.status !== 'loading' || devloopfile.loaded === 0) work.push({ kind: 'reload' })
    // first things first: what a new plan says may make all of this obsolete
    for (const name of Object.keys(state.resources)) hold(name, 'reloading', 'the Devloopfile is being loaded')
    return { work, holds }
  }

  const connected = state.runtime.status === 'connected'
  const slots = state.plan?.settings.parallel ?? noSlots
  const resources = Object.values(state.resources)
  const deploys: { readonly resource: ResourceState; readonly key: string }[] = []
  const locals: ResourceState[] = []
  const builds = new Map<string, BuildCandidate>()

  const planBuild = (image: ImageState, resource: string, useful: boolean): void => {
    // what it is built on comes first, once for all that are built on it
    for (const base of image.bases?.names ?? []) {
      const found = state.images[base]
      if (found && dueBuild(state, found) !== undefined) planBuild(found, resource, useful)
    }
    if (image.sources?.error) return hold(resource, 'failed', image.sources.error.message)
    if (!isSettled(image)) return hold(resource, 'image', `the sources of ${image.name} are being read`)
    const reason = dueBuild(state, image)
    if (reason === undefined) return
    if (image.bases?.key === null) return hold(resource, 'image', image.bases.waiting ?? reason)
    if (image.build?.status === 'running') return hold(resource, 'image', `${image.name} is being built`)
    if (isBuildFailed(image, now)) {
      wake(image.build?.retryAt)
      return hold(resource, 'failed', retryText(`the build of ${image.name} failed`, image.build, now))
    }
    const known = builds.get(image.name)
    if (known) {
      known.users.push(resource)
      known.useful ||= useful
    } else builds.set(image.name, { image, reason, users: [resource], useful })
  }

  /** Why a resource may not be worked on at all, beside its images. */
  const barrier = (resource: ResourceState): [Hold['code'], string] | undefined => {
    const { name, disabled, started, everReady, local } = resource
    if (disabled) return ['disabled', disabledText(state, name, disabled)]
    if (!started) return ['auto', unstartedText(name)]
    const reason = unsupported(state, name)
    if (reason) return ['unsupported', reason]
    const never = everReady ? undefined : impossibleNeed(state, name)
    if (never) return ['needs', never]
    if (!local && !connected) return ['runtime', runtimeText(state)]
    const earlier = waitsForEarlier(state, resource, now)
    if (earlier) return ['after', earlier]
    return undefined
  }

  for (const resource of resources) {
    const { name, local } = resource
    const stop = barrier(resource)
    const blocked = resource.everReady ? undefined : waitsFor(state, name)
    if (stop) {
      hold(name, ...stop)
      continue
    }
    if (local) {
      if (local.run === 'running') continue
      if (local.wanted === local.done) {
        if (local.serve !== 'failed' || local.retryAt === undefined || local.run === 'failed') continue
        wake(local.retryAt)
        if (local.retryAt <= now) work.push({ kind: 'serve-local', resource: name })
        else hold(name, 'failed', `it ended; started again in ${Math.max(1, Math.ceil((local.retryAt - now) / 1000))} s`)
        continue
      }
      if (blocked) hold(name, 'needs', blocked)
      else if (!local.read && isWatching(state, name)) hold(name, 'sources', 'the files that it watches are being read')
      else locals.push(resource)
      continue
    }
    for (const image of resourceImages(state, name)) {
      const found = state.images[image]
      if (found) planBuild(found, name, blocked === undefined)
    }
    const rendering = renderNeed(state, resource, now)
    if (rendering.kind === 'render') {
      work.push({ kind: 'render', resource: name, key: rendering.key })
      const spec = state.plan?.resources[name]
      if (spec) hold(name, 'render', preparingText(spec))
    } else if (rendering.kind === 'wait') {
      hold(name, 'render', rendering.why)
    } else if (rendering.kind === 'failed') {
      wake(rendering.retryAt)
      const { why, retryAt } = rendering
      hold(name, 'failed', retryText(why, retryAt === undefined ? {} : { retryAt }, now))
    }
    const waits = builds.size > 0 && [...builds.values()].some(({ users }) => users.includes(name))
    if (blocked) {
      if (!waits) hold(name, 'needs', blocked)
      continue
    }
    const changing = changingConfig(state, resource)
    if (changing !== undefined) hold(name, 'needs', changingText(state, changing))
    const key = wantedKey(state, resource)
    if (key === undefined || resource.deploy?.status === 'running') continue
    if (key === resource.appliedKey && resource.forced <= resource.forcedDone) continue
    if (state.removals[name]) {
      hold(name, 'removing', 'what it had in the cluster is being deleted')
    } else if (isDeployFailed(state, resource, key, now)) {
      wake(resource.deploy?.retryAt)
      hold(name, 'failed', retryText('the deploy failed', resource.deploy, now))
    } else deploys.push({ resource, key })
  }

  let building = Object.values(state.images).filter((image) => image.build?.status === 'running').length
  for (const { image, reason, users } of inTurn([...builds.values()])) {
    const free = building < slots.builds
    for (const user of users) {
      if (free) hold(user, 'image', `${image.name} is being built`)
      else hold(user, 'slot', `${counted(building, 'other image is', 'other images are')} being built`)
    }
    if (!free) continue
    building++
    work.push({ kind: 'build', image: image.name, reason })
  }
  let deploying = resources.filter((resource) => resource.deploy?.status === 'running').length
  for (const { resource, key } of deploys.sort((a, b) => endOf(a.resource.deploy) - endOf(b.resource.deploy))) {
    if (deploying < slots.deploys) {
      deploying++
      work.push({ kind: 'deploy', resource: resource.name, key })
    } else hold(resource.name, 'slot', `${counted(deploying, 'other resource is', 'other resources are')} being deployed`)
  }
  let running = resources.filter((resource) => resource.local?.run === 'running').length
  for (const { name, local } of locals.sort((a, b) => (a.local?.startedAt ?? 0) - (b.local?.startedAt ?? 0))) {
    if (running < slots.locals) {
      running++
      work.push({ kind: 'run-local', resource: name, wanted: local?.wanted ?? 0 })
    } else hold(name, 'slot', `${counted(running, 'other local is', 'other locals are')} running`)
  }

  if (connected) {
    for (const removal of Object.values(state.removals)) {
      // an apply is never cut: what it leaves is deleted after it
      if (removal.status === 'running' || state.resources[removal.name]?.deploy?.status === 'running') continue
      if (removal.status === 'failed' && (removal.retryAt ?? Infinity) > now) wake(removal.retryAt)
      else work.push({ kind: 'remove', resource: removal.name })
    }
  }
  const named = new Set(work.flatMap((one) => ('resource' in one ? [one.resource] : [])))
  for (const resource of resources) {
    if (named.has(resource.name) || resource.deploy?.status === 'running' || resource.local?.run === 'running') continue
    if (isActive(resource)) {
      const pending = pendingText(state, resource)
      if (pending) hold(resource.name, 'pending', pending)
    }
    if (resource.ready) continue
    const [code, message] = stillStarting(state, resource)
    hold(resource.name, code, message)
  }
  return { work, holds, ...(wakeAt === undefined ? {} : { wakeAt }) }
}

interface BuildCandidate {
  readonly image: ImageState
  readonly reason: string
  readonly users: string[]
  /** Whether somebody who waits for nothing else uses it. */
  useful: boolean
}

/** Who waits longest comes first, then what can be used at once, then the order of the plan: so nobody waits for ever. */
const inTurn = (candidates: BuildCandidate[]): BuildCandidate[] =>
  candidates.sort((a, b) => endOf(a.image.build) - endOf(b.image.build) || (a.useful === b.useful ? 0 : a.useful ? -1 : 1))

const endOf = (attempt: { readonly finishedAt?: number } | null): number => attempt?.finishedAt ?? 0

const counted = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`

function waitsFor(state: State, name: string): string | undefined {
  const missing = (state.plan?.resources[name]?.needs ?? []).filter((need) => !state.resources[need]?.everReady)
  return missing.length === 0 ? undefined : `it needs ${missing.map((need) => neededText(state, need)).join(', ')}`
}

const isWatching = (state: State, name: string): boolean => {
  const spec = state.plan?.resources[name]
  return spec?.kind === 'local' && spec.watch.length > 0
}

function impossibleNeed(state: State, name: string): string | undefined {
  const never = state.plan?.resources[name]?.needs.find((need) => unsupported(state, need))
  return never === undefined ? undefined : `it needs ${never}, which cannot run here: ${unsupported(state, never)}`
}

const isDeployFailed = (state: State, resource: ResourceState, key: string, now: number): boolean => {
  const { deploy } = resource
  if (deploy?.status !== 'failed' || resource.forced > deploy.forced) return false
  // something else to deploy is another try, unless that wants a trigger
  if (deploy.key !== key && state.plan?.resources[resource.name]?.trigger !== 'manual') return false
  return deploy.retryAt === undefined || deploy.retryAt > now
}
