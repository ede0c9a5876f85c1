// What to do next, and why everything else is waiting: one pure function of the state.
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { ImageState, ResourceState, State } from '../model/state.js'
import { buildReason, isBuildFailed, isSettled } from './image-status.js'
import { renderNeed } from './render-work.js'
import { resourceImages, unsupported, wantedKey } from './resource-status.js'

export type Work =
  | { readonly kind: 'reload' }
  | { readonly kind: 'build'; readonly image: string; readonly reason: string }
  | { readonly kind: 'render'; readonly resource: string; readonly key: string }
  | { readonly kind: 'deploy'; readonly resource: string; readonly key: string }
  | { readonly kind: 'remove'; readonly resource: string }
  | { readonly kind: 'run-local'; readonly resource: string; readonly wanted: number }
  /** Start its `serve` again, which ended by itself. */
  | { readonly kind: 'serve-local'; readonly resource: string }

export interface Hold {
  readonly code: 'reloading' | 'runtime' | 'needs' | 'image' | 'render' | 'failed' | 'slot' | 'unsupported' | 'stopping'
  readonly message: string
}

export interface NextWork {
  readonly work: readonly Work[]
  /** By resource name. */
  readonly holds: Readonly<Record<string, Hold>>
  /** Look again then, although nothing may have happened: something is tried again. Milliseconds since 1970. */
  readonly wakeAt?: number
}

/** How much may run at once. */
export interface Slots {
  readonly builds: number
  readonly deploys: number
}

export const defaultSlots: Slots = { builds: 3, deploys: 8 }

/** The work that can start now. What runs already is not repeated. */
export function nextWork(state: State, now: number, slots: Slots = defaultSlots): NextWork {
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
  let builds = Object.values(state.images).filter((image) => image.build?.status === 'running').length
  let deploys = Object.values(state.resources).filter((resource) => resource.deploy?.status === 'running').length

  const planBuild = (image: ImageState, resource: string): void => {
    // what it is built on comes first, once for all that are built on it
    for (const base of image.bases?.names ?? []) {
      const found = state.images[base]
      if (found && buildReason(found) !== undefined) planBuild(found, resource)
    }
    if (image.sources?.error) return hold(resource, 'failed', image.sources.error.message)
    if (!isSettled(image)) return hold(resource, 'image', `the sources of ${image.name} are being read`)
    const reason = buildReason(image)
    if (reason === undefined) return
    if (image.bases?.key === null) return hold(resource, 'image', image.bases.waiting ?? reason)
    if (image.build?.status === 'running') return hold(resource, 'image', `${image.name} is being built`)
    if (isBuildFailed(image, now)) {
      wake(image.build?.retryAt)
      return hold(resource, 'failed', retryText(`the build of ${image.name} failed`, image.build, now))
    }
    if (work.some((one) => one.kind === 'build' && one.image === image.name))
      return hold(resource, 'image', `${image.name} is being built`)
    if (builds >= slots.builds) return hold(resource, 'slot', `${builds} other images are being built`)
    builds++
    work.push({ kind: 'build', image: image.name, reason })
    hold(resource, 'image', `${image.name} is being built`)
  }

  for (const [name, resource] of Object.entries(state.resources)) {
    const reason = unsupported(state, name)
    if (reason) {
      hold(name, 'unsupported', reason)
      continue
    }
    const never = impossibleNeed(state, name)
    if (never && !resource.everReady) {
      hold(name, 'needs', never)
      continue
    }
    const blocked = resource.everReady ? undefined : waitsFor(state, name)
    if (resource.local) {
      const { local } = resource
      if (local.run === 'running') continue
      if (local.wanted === local.done) {
        if (local.serve !== 'failed' || local.retryAt === undefined || local.run === 'failed') continue
        wake(local.retryAt)
        if (local.retryAt <= now) work.push({ kind: 'serve-local', resource: name })
        else hold(name, 'failed', `it ended; started again in ${Math.max(1, Math.ceil((local.retryAt - now) / 1000))} s`)
        continue
      }
      if (blocked) hold(name, 'needs', blocked)
      else work.push({ kind: 'run-local', resource: name, wanted: local.wanted })
      continue
    }
    if (!connected) {
      hold(name, 'runtime', runtimeText(state))
      continue
    }
    for (const image of resourceImages(state, name)) {
      const found = state.images[image]
      if (found) planBuild(found, name)
    }
    const rendering = renderNeed(state, resource, now)
    if (rendering.kind === 'render') {
      work.push({ kind: 'render', resource: name, key: rendering.key })
      hold(name, 'render', 'its objects are being rendered')
    } else if (rendering.kind === 'wait') {
      hold(name, 'render', rendering.why)
    } else if (rendering.kind === 'failed') {
      wake(rendering.retryAt)
      const { why, retryAt } = rendering
      hold(name, 'failed', retryText(why, retryAt === undefined ? {} : { retryAt }, now))
    }
    if (blocked) {
      hold(name, 'needs', blocked)
      continue
    }
    const key = wantedKey(state, resource)
    if (key === undefined || resource.deploy?.status === 'running') continue
    if (key === resource.appliedKey && resource.forced <= resource.forcedDone) continue
    if (isDeployFailed(resource, key, now)) {
      wake(resource.deploy?.retryAt)
      hold(name, 'failed', retryText('the deploy failed', resource.deploy, now))
    } else if (deploys >= slots.deploys) {
      hold(name, 'slot', `${deploys} other resources are being deployed`)
    } else {
      deploys++
      work.push({ kind: 'deploy', resource: name, key })
    }
  }

  if (connected) {
    for (const removal of Object.values(state.removals)) {
      if (removal.status === 'running') continue
      if (removal.status === 'failed' && (removal.retryAt ?? Infinity) > now) wake(removal.retryAt)
      else work.push({ kind: 'remove', resource: removal.name })
    }
  }
  return { work, holds, ...(wakeAt === undefined ? {} : { wakeAt }) }
}

function waitsFor(state: State, name: string): string | undefined {
  const missing = (state.plan?.resources[name]?.needs ?? []).filter((need) => !state.resources[need]?.everReady)
  return missing.length === 0 ? undefined : `it needs ${missing.join(', ')}`
}

function impossibleNeed(state: State, name: string): string | undefined {
  const never = state.plan?.resources[name]?.needs.find((need) => unsupported(state, need))
  return never === undefined ? undefined : `it needs ${never}, which cannot run here: ${unsupported(state, never)}`
}

const isDeployFailed = (resource: ResourceState, key: string, now: number): boolean => {
  const { deploy } = resource
  if (deploy?.status !== 'failed' || deploy.key !== key || resource.forced > deploy.forced) return false
  return deploy.retryAt === undefined || deploy.retryAt > now
}

const retryText = (what: string, attempt: { retryAt?: number; error?: ErrorInfo } | null | undefined, now: number): string =>
  attempt?.retryAt === undefined
    ? `${what}; a change or a trigger tries again`
    : `${what}; tried again in ${Math.max(1, Math.ceil((attempt.retryAt - now) / 1000))} s`

const runtimeText = (state: State): string =>
  state.session.runtime === 'process'
    ? 'the process runtime is starting'
    : state.runtime.status === 'lost'
      ? 'the connection to the cluster is lost'
      : 'not connected to the cluster yet'
