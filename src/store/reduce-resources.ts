// What happens to resources.
import { isDeepStrictEqual } from 'node:util'
import { imagesOf } from '../model/plan.js'
import type { DeployState, LocalState, RemovalState, RenderedState, ResourceState, State } from '../model/state.js'
import type { Action } from './actions.js'
import { syncTargets } from './reduce-targets.js'
import { builtImages } from './resource-status.js'

type ResourceAction = Extract<Action, { resource: string }>

export function reduceResource(state: State, action: ResourceAction): State {
  if (action.type.startsWith('removal/')) return reduceRemoval(state, action as Extract<Action, { type: `removal/${string}` }>)
  const resource = state.resources[action.resource]
  if (!resource) return state
  const next = withResource(state, resource, action)
  if (next === resource) return state
  let changed: State = { ...state, resources: { ...state.resources, [resource.name]: next } }
  if (action.type === 'request/trigger') changed = forceImages(changed, resource.name)
  return next.observed === resource.observed ? changed : syncTargets(changed)
}

function withResource(state: State, resource: ResourceState, action: ResourceAction): ResourceState {
  const { deploy, local } = resource
  switch (action.type) {
    case 'deploy/started':
      return {
        ...resource,
        deploy: {
          status: 'running',
          key: action.key,
          forced: resource.forced,
          startedAt: action.at,
          attempts: deploy?.status === 'failed' && deploy.key === action.key ? deploy.attempts + 1 : 1,
        },
      }
    case 'deploy/finished': {
      // through a connection that is gone: what it did is not known to be in this cluster
      if (action.runtime !== state.runtime.generation || !deploy) return { ...resource, deploy: null }
      return {
        ...resource,
        deploy: endDeploy(deploy, { status: 'done', finishedAt: action.at, attempts: 0 }),
        appliedKey: deploy.key,
        forcedDone: deploy.forced,
        templates: action.templates,
        warnings: action.warnings,
      }
    }
    case 'deploy/failed':
      return {
        ...resource,
        deploy:
          deploy &&
          endDeploy(deploy, {
            status: 'failed',
            finishedAt: action.at,
            error: action.error,
            ...(action.retryAt === undefined ? {} : { retryAt: action.retryAt }),
          }),
      }
    case 'resource/sources':
      if (resource.sources?.hash === action.hash && isDeepStrictEqual(resource.sources.error, action.error)) return resource
      return { ...resource, sources: { hash: action.hash, ...(action.error ? { error: action.error } : {}) } }
    case 'render/started':
    case 'render/finished':
    case 'render/failed':
    case 'render/cancelled':
      return { ...resource, rendered: reduceRendered(resource.rendered, action) }
    case 'resource/observed':
      return { ...resource, observed: action.observed }
    case 'local/changed':
      return local ? { ...resource, local: { ...local, wanted: local.wanted + 1 } } : resource
    case 'local/running':
      return local ? { ...resource, local: { ...withoutError(local), run: 'running', startedAt: action.at } } : resource
    case 'local/ran':
      return local
        ? {
            ...resource,
            local: {
              ...withoutError(local),
              run: action.error ? 'failed' : 'ok',
              done: action.wanted,
              ...(action.error ? { error: action.error } : {}),
            },
          }
        : resource
    case 'local/serve':
      return local
        ? {
            ...resource,
            local: {
              ...withoutRetry(action.serve === 'failed' || local.run === 'failed' ? local : withoutError(local)),
              serve: action.serve,
              ...(action.error ? { error: action.error } : {}),
              ...(action.retryAt === undefined ? {} : { retryAt: action.retryAt }),
            },
          }
        : resource
    case 'request/trigger':
      return { ...resource, forced: resource.forced + 1, local: local && { ...local, wanted: local.wanted + 1 } }
    case 'request/restart':
      return { ...resource, restarts: resource.restarts + 1 }
    default:
      return resource
  }
}

function reduceRendered(
  old: RenderedState | null,
  action: Extract<ResourceAction, { type: `render/${string}` }>,
): RenderedState | null {
  const { key } = action
  if (action.type === 'render/started') {
    const attempts = old?.status === 'failed' && old.key === key ? old.attempts + 1 : 1
    return { status: 'running', key, startedAt: action.at, attempts }
  }
  // of one that was overtaken
  if (old?.key !== key) return old
  if (action.type === 'render/cancelled') return null
  const { startedAt, attempts } = old
  if (action.type === 'render/finished')
    return { status: 'done', key, output: action.output, startedAt, finishedAt: action.at, attempts: 0 }
  const { error, retryAt } = action
  return {
    status: 'failed',
    key,
    startedAt,
    finishedAt: action.at,
    error,
    ...(retryAt === undefined ? {} : { retryAt }),
    attempts,
  }
}

const endDeploy = (deploy: DeployState, end: Partial<DeployState>): DeployState => ({ ...deploy, ...end })

function withoutError<T extends { error?: unknown }>(value: T): Omit<T, 'error'> & T {
  const { error: _error, ...rest } = value
  return rest as Omit<T, 'error'> & T
}

function withoutRetry({ retryAt: _at, ...rest }: LocalState): LocalState {
  return rest
}

/** A trigger builds the images of a resource in any case, and gives live sync another try. */
function forceImages(state: State, resource: string): State {
  const spec = state.plan?.resources[resource]
  if (!spec) return state
  const images = { ...state.images }
  const own = imagesOf(spec)
  for (const name of builtImages(state, resource)) {
    const image = images[name]
    // others may be built on the same base: it is only tried again
    if (image && (own.includes(name) || image.build?.status === 'failed'))
      images[name] = { ...image, forced: image.forced + 1, syncBlocked: null }
  }
  return { ...state, images }
}

function reduceRemoval(state: State, action: Extract<Action, { type: `removal/${string}` }>): State {
  const old = state.removals[action.resource]
  if (!old) return state
  if (action.type === 'removal/finished') {
    const { [action.resource]: _gone, ...removals } = state.removals
    return { ...state, removals }
  }
  const removal: RemovalState =
    action.type === 'removal/started'
      ? { name: old.name, status: 'running', attempts: old.attempts + 1 }
      : { ...old, status: 'failed', error: action.error, ...(action.retryAt === undefined ? {} : { retryAt: action.retryAt }) }
  return { ...state, removals: { ...state.removals, [old.name]: removal } }
}
