// What happens to resources.
import { isDeepStrictEqual } from 'node:util'
import type { DeployState, LocalState, RemovalState, RenderedState, ResourceState, State } from '../model/state.js'
import type { Action } from './actions.js'
import { doAgain } from './reduce-after.js'
import { isManual, trigger, withReason } from './reduce-pending.js'
import { undeployed } from './reduce-switches.js'
import { syncTargets } from './reduce-targets.js'

type ResourceAction = Extract<Action, { resource: string }>

export function reduceResource(state: State, action: ResourceAction): State {
  if (action.type.startsWith('removal/')) return reduceRemoval(state, action as Extract<Action, { type: `removal/${string}` }>)
  const resource = state.resources[action.resource]
  if (!resource) return state
  if (action.type === 'request/trigger') return trigger(state, resource.name)
  const next = withResource(state, resource, action)
  if (next === resource) return state
  let changed: State = { ...state, resources: { ...state.resources, [resource.name]: next } }
  if (next.completed > resource.completed) changed = doAgain(changed, next)
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
        ...(action.digest === undefined ? {} : { digest: action.digest }),
        warnings: action.warnings,
        // the same again, through another connection or after a restart of devloop's, is nothing new
        ...(deploy.key === resource.completedKey && deploy.forced <= resource.forcedDone
          ? {}
          : { completed: resource.completed + 1, completedKey: deploy.key }),
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
    case 'local/read':
      return local && !local.read ? { ...resource, local: { ...local, read: true } } : resource
    case 'local/changed':
      if (!local) return resource
      if (isManual(state, resource)) return withReason(resource, 'a watched file has changed')
      return { ...resource, local: { ...local, wanted: local.wanted + 1 } }
    case 'local/running':
      return local ? { ...resource, local: { ...withoutError(local), run: 'running', startedAt: action.at } } : resource
    case 'local/ran':
      return local
        ? {
            ...resource,
            // one that a newer change has ended has made nothing
            completed: action.error || local.wanted > action.wanted ? resource.completed : resource.completed + 1,
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
    return {
      status: 'done',
      key,
      output: action.output,
      ...(action.configs?.length ? { configs: action.configs } : {}),
      startedAt,
      finishedAt: action.at,
      attempts: 0,
    }
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

function reduceRemoval(state: State, action: Extract<Action, { type: `removal/${string}` }>): State {
  const old = state.removals[action.resource]
  if (!old) return state
  // of one that is disabled, or was enabled again meanwhile, nothing is there any more
  const resource = state.resources[action.resource]
  const resources = resource && !resource.local ? { ...state.resources, [resource.name]: undeployed(resource) } : state.resources
  if (action.type === 'removal/finished') {
    const { [action.resource]: _gone, ...removals } = state.removals
    return { ...state, resources, removals }
  }
  const removal: RemovalState =
    action.type === 'removal/started'
      ? { name: old.name, status: 'running', attempts: old.attempts + 1 }
      : { ...old, status: 'failed', error: action.error, ...(action.retryAt === undefined ? {} : { retryAt: action.retryAt }) }
  return { ...state, resources, removals: { ...state.removals, [old.name]: removal } }
}
