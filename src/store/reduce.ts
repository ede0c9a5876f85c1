// State and action in, state out. Pure.
import type { DevloopfileState, ImageState, ResourceState, State } from '../model/state.js'
import type { Action } from './actions.js'
import { isLeftAlone } from './graph-status.js'
import { seeChange, settleChanges, stageChange } from './reduce-changes.js'
import { confirmEmpty, reduceImage } from './reduce-images.js'
import { applyPlan } from './reduce-plan.js'
import { reduceResource } from './reduce-resources.js'
import { builtImages } from './resource-images.js'
import { notePaths } from './reduce-pending.js'
import { settleSwitches, switchResources } from './reduce-switches.js'
import { patchTarget, syncTargets } from './reduce-targets.js'
import { isCutOff } from './image-status.js'
import { isReady } from './resource-status.js'
import { settleBases } from './settle-bases.js'

export function reduce(state: State, action: Action): State {
  const next = apply(state, action)
  // progress of a build changes no readiness; it is frequent
  if (next === state || action.type === 'build/progress') return next
  const based = settleBases(next)
  // live sync may have something to do in containers where it had nothing
  const settled = based === next ? next : syncTargets(based)
  return settleChanges(settleReadiness(settled, action.at), action.at)
}

function apply(state: State, action: Action): State {
  switch (action.type) {
    case 'session/phase':
      return { ...state, session: { ...state.session, phase: action.phase } }
    case 'runtime/connecting':
    case 'runtime/connected':
    case 'runtime/lost':
      return reduceRuntime(state, action)
    case 'problem':
      return withProblem(state, 'problems', action)
    case 'warning':
      return withProblem(state, 'warnings', action)
    case 'devloopfile/changed':
      return { ...state, devloopfile: { ...state.devloopfile, wanted: state.devloopfile.wanted + 1 } }
    case 'devloopfile/loading':
      return { ...state, devloopfile: { ...state.devloopfile, status: 'loading' } }
    case 'devloopfile/loaded': {
      const { error: _error, ...rest } = state.devloopfile
      const devloopfile: DevloopfileState = {
        ...rest,
        status: 'ok',
        loaded: action.wanted,
        generation: rest.generation + 1,
        loadMs: action.loadMs,
      }
      return syncTargets(settleSwitches(applyPlan({ ...state, devloopfile }, action.plan, action.at), action.at))
    }
    case 'devloopfile/failed':
      return { ...state, devloopfile: { ...state.devloopfile, status: 'failed', loaded: action.wanted, error: action.error } }
    case 'target/patch':
      return patchTarget(state, action)
    case 'forward/set':
      return { ...state, forwards: { ...state.forwards, [action.forward.local]: action.forward } }
    case 'forward/removed': {
      const { [action.local]: _gone, ...forwards } = state.forwards
      return { ...state, forwards }
    }
    case 'links/tried': {
      const { [action.consumer]: _old, ...others } = state.links
      return { ...state, links: action.links.length > 0 ? { ...others, [action.consumer]: action.links } : others }
    }
    case 'change/seen':
      return seeChange(notePaths(state, action), action)
    case 'change/stage':
      return stageChange(state, action)
    case 'request/confirm-empty':
      return confirmEmpty(state, builtImages(state, action.resource))
    case 'request/enable':
    case 'request/disable':
      return switchResources(state, action.names, action.type === 'request/enable', action.at)
    case 'request/args':
      return {
        ...state,
        session: { ...state.session, args: action.args, ...(action.choices ? { choices: action.choices } : {}) },
        devloopfile: { ...state.devloopfile, wanted: state.devloopfile.wanted + 1 },
      }
    default:
      return 'image' in action ? reduceImage(state, action) : reduceResource(state, action)
  }
}

function reduceRuntime(state: State, action: Extract<Action, { type: `runtime/${string}` }>): State {
  const { error: _error, ...runtime } = state.runtime
  if (action.type === 'runtime/lost') {
    if (runtime.status === 'connecting') return state
    return {
      ...state,
      // what waited for the connection need not wait any longer
      targets: action.error ? state.targets : tryAgain(state.targets),
      runtime: action.error ? { ...runtime, status: 'lost', error: action.error } : { ...runtime, status: 'connected' },
    }
  }
  if (action.type === 'runtime/connecting') {
    return {
      ...state,
      runtime: { status: 'connecting', generation: runtime.generation, ...(action.error ? { error: action.error } : {}) },
    }
  }
  const { context, namespace, platform, version, deployed } = action
  // through a new connection nothing is known to be deployed or running yet, and what failed may succeed
  const resources: Record<string, ResourceState> = {}
  for (const [name, { digest: _digest, ...resource }] of Object.entries(state.resources))
    resources[name] = { ...resource, appliedKey: null, observed: null, templates: [], deploy: unlessFailed(resource.deploy) }
  const images: Record<string, ImageState> = {}
  for (const [name, image] of Object.entries(state.images))
    images[name] = { ...image, recordChecked: false, build: unlessFailed(image.build) }
  const removals = { ...state.removals }
  for (const name of deployed)
    if (state.resources[name]?.disabled !== null && !isLeftAlone(state, name))
      removals[name] ??= { name, status: 'pending', attempts: 0 }
  return syncTargets({
    ...state,
    images,
    resources,
    removals,
    runtime: {
      status: 'connected',
      generation: runtime.generation + 1,
      ...(context === undefined ? {} : { context }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(platform === undefined ? {} : { platform }),
      ...(version === undefined ? {} : { version }),
    },
  })
}

function tryAgain(targets: State['targets']): State['targets'] {
  if (!Object.values(targets).some(isCutOff)) return targets
  return Object.fromEntries(
    Object.entries(targets).map(([id, target]) => {
      const { failedRevision: _revision, retryAt: _at, ...rest } = target
      return [id, isCutOff(target) ? { ...rest, attempts: 0 } : target]
    }),
  )
}

const unlessFailed = <T extends { readonly status: string }>(attempt: T | null): T | null =>
  attempt?.status === 'failed' ? null : attempt

function withProblem(
  state: State,
  field: 'problems' | 'warnings',
  { subject, error }: Extract<Action, { type: 'problem' | 'warning' }>,
): State {
  if (error) return { ...state, [field]: { ...state[field], [subject]: error } }
  if (!state[field][subject]) return state
  const { [subject]: _gone, ...others } = state[field]
  return { ...state, [field]: others }
}

function settleReadiness(state: State, at: number): State {
  let resources: Record<string, ResourceState> | undefined
  for (const [name, resource] of Object.entries(state.resources)) {
    const ready = isReady(state, resource)
    if (ready === resource.ready) continue
    resources ??= { ...state.resources }
    resources[name] = { ...resource, ready, since: at, everReady: resource.everReady || ready }
  }
  return resources ? { ...state, resources } : state
}
