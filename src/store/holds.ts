// Why a resource is not being worked on: the words.
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { Hold } from '../model/hold.js'
import type { DisabledBy, ResourceState, State } from '../model/state.js'
import { isDeployHeld, isTargetDue } from './graph-status.js'
import { newestKey, targetsOf } from './resource-status.js'

export const retryText = (
  what: string,
  attempt: { retryAt?: number; error?: ErrorInfo } | null | undefined,
  now: number,
): string =>
  attempt?.retryAt === undefined
    ? `${what}; a change or a trigger tries again`
    : `${what}; tried again in ${Math.max(1, Math.ceil((attempt.retryAt - now) / 1000))} s`

export const runtimeText = (state: State): string =>
  state.session.runtime === 'process'
    ? 'the process runtime is starting'
    : state.runtime.status === 'lost'
      ? 'the connection to the cluster is lost'
      : 'not connected to the cluster yet'

export function disabledText({ session }: State, name: string, by: DisabledBy): string {
  const back = `\`devloop enable ${name}\` starts it`
  switch (by) {
    case 'request':
      return `it was disabled; ${back}`
    case 'plan':
      return `it is disabled in the Devloopfile; ${back}`
    case 'watch':
      return `devloop watches ${session.only.join(', ')} only; ${back}`
  }
}

export const unstartedText = (name: string): string =>
  `it does not start by itself (\`auto: false\`); \`devloop trigger ${name}\` starts it`

/** A resource that somebody needs, and why it will not become ready by itself. */
export function neededText(state: State, name: string): string {
  const resource = state.resources[name]
  if (resource?.disabled) return `${name}, which is disabled`
  return resource?.started === false ? `${name}, which does not start by itself (\`auto: false\`)` : name
}

/** A config whose values a resource cannot be deployed with yet. */
export const changingText = (state: State, name: string): string =>
  isActiveByName(state, name)
    ? `it takes values from ${name}, which is being brought up to date`
    : `it needs ${neededText(state, name)}`

const isActiveByName = ({ resources }: State, name: string): boolean =>
  resources[name]?.disabled === null && resources[name].started

/** What waits for a trigger; undefined = nothing. */
export function pendingText(state: State, resource: ResourceState): string | undefined {
  const { pending } = resource
  const wait = 'until it is triggered'
  if (pending) {
    const files = pending.pathCount === 1 ? pending.paths[0] : `${pending.pathCount} changed files`
    const what = [
      ...(pending.pathCount > 0 ? [`${files} ${pending.pathCount === 1 ? 'waits' : 'wait'}`] : []),
      ...pending.reasons,
    ]
    return what.length === 0 ? `changes wait ${wait}` : `${what.join('; ')}: nothing is done ${wait}`
  }
  const newest = isDeployHeld(state, resource) ? newestKey(state, resource) : undefined
  return newest !== undefined && newest !== resource.appliedKey ? `a newer image waits ${wait}` : undefined
}

/** Why a resource that nobody works on and nothing else holds is not ready. */
export function stillStarting(state: State, resource: ResourceState): [Hold['code'], string] {
  const { local, observed } = resource
  if (local) {
    if (local.run === 'failed') return ['failed', 'its `run` failed; a change or a trigger tries again']
    if (local.serve === 'failed') return ['failed', 'its `serve` ended; a change or a trigger starts it again']
    return ['starting', 'its `serve` is not ready yet']
  }
  const targets = targetsOf(state, resource.name)
  const failed = targets.find((target) => target.status === 'failed' && target.retryAt === undefined)
  if (failed) return ['failed', `live sync into ${failed.pod} failed; a change or a trigger tries again`]
  if (observed?.rolledOut) {
    const due = targets.some((target) => {
      const image = state.images[target.image]
      return image !== undefined && isTargetDue(state, target, image, resource.restarts)
    })
    if (due) return ['sync', 'its containers are being brought to what was saved']
  }
  if (observed?.asleep !== undefined) return ['asleep', `${observed.asleep}; a save or a trigger wakes it`]
  return ['starting', observed?.message ?? 'its pods are not ready yet']
}
