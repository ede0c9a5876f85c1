// Enabling and disabling: by request, by the command line, by the plan.
import type { LocalState, RemovalState, ResourceState, State } from '../model/state.js'
import { disabledBy, isLeftAlone } from './graph-status.js'
import { syncTargets } from './reduce-targets.js'
import { unsupported } from './resource-status.js'

/** A local that has not run yet. @param after what it was before, if anything */
export const newLocal = (after?: LocalState): LocalState => ({
  read: after?.read ?? false,
  wanted: (after?.wanted ?? 0) + 1,
  done: after?.done ?? 0,
  run: 'none',
  serve: 'none',
})

/** Requests to enable (true) or disable (false); what is enabled also starts. */
export function switchResources(state: State, names: readonly string[], on: boolean, at: number): State {
  const switches = { ...state.switches }
  const resources = { ...state.resources }
  for (const name of names) {
    switches[name] = on
    const resource = resources[name]
    if (resource && on) resources[name] = { ...resource, started: true }
  }
  return settleSwitches({ ...state, switches, resources }, at)
}

/** Bring every resource in line with whether it is enabled now. */
export function settleSwitches(state: State, at: number): State {
  const wanted = disabledBy(state)
  const resources: Record<string, ResourceState> = {}
  const removals: Record<string, RemovalState> = { ...state.removals }
  let changed = false
  for (const [name, resource] of Object.entries(state.resources)) {
    const disabled = wanted(name)
    resources[name] = resource
    if (disabled === resource.disabled) continue
    changed = true
    if (disabled === null) {
      resources[name] = { ...resource, disabled, since: at }
      // one that runs goes on to its end; then what it deleted is deployed again
      if (removals[name]?.status !== 'running') delete removals[name]
    } else if (resource.disabled !== null) {
      resources[name] = { ...resource, disabled }
    } else {
      resources[name] = disable({ ...resource, disabled, since: at }, state.plan?.resources[name]?.auto ?? true)
      if (isLeftAlone({ ...state, resources }, name)) continue
      if (!resource.local && unsupported(state, name) === undefined) removals[name] ??= { name, status: 'pending', attempts: 0 }
    }
  }
  return changed ? syncTargets({ ...state, resources, removals }) : state
}

/** What it was asked for, or waits for, is of no concern any more: enabling starts it anew. */
const disable = (resource: ResourceState, auto: boolean): ResourceState => ({
  ...resource,
  local: resource.local && newLocal(resource.local),
  started: auto,
  pending: null,
  forcedDone: resource.forced,
  everReady: false,
})

/** Nothing of a resource is in the cluster any more, or soon will not be. */
export const undeployed = ({ digest: _digest, ...resource }: ResourceState): ResourceState => ({
  ...resource,
  appliedKey: null,
  templates: [],
  deploy: null,
  warnings: [],
  everReady: false,
})
