// The containers that live sync keeps up: derived from the pods that were observed and the images that are built.
import type { State, TargetState } from '../model/state.js'
import type { Action } from './actions.js'
import { hasSync } from './resource-status.js'

/** Bring the list of targets up to date with pods and records. Those that stay keep their state. */
export function syncTargets(state: State): State {
  const targets: Record<string, TargetState> = {}
  let same = true
  for (const resource of Object.values(state.resources)) {
    if (resource.disabled) continue
    for (const pod of resource.observed?.pods ?? []) {
      if (pod.phase === 'terminating') continue
      for (const container of pod.containers) {
        const record = container.image === undefined ? undefined : state.images[container.image]?.record
        // a pod of an earlier build is left as it is: its replacement is on the way
        if (!container.image || !container.running || !container.containerId || !record) continue
        if (container.ref !== record.ref && !state.plan?.images[container.image]?.pulled?.attached) continue
        if (!hasSync(state, container.image) && !container.restartable) continue
        const old = state.targets[container.containerId]
        if (!old) same = false
        targets[container.containerId] = old ?? {
          id: container.containerId,
          resource: resource.name,
          image: container.image,
          namespace: pod.namespace,
          pod: pod.name,
          container: container.name,
          restartable: container.restartable,
          status: 'connecting',
          acked: null,
          attempts: 0,
          // what was asked before it started is met by its start
          restartsDone: resource.restarts,
        }
      }
    }
  }
  if (same && Object.keys(targets).length === Object.keys(state.targets).length) return state
  return { ...state, targets }
}

export function patchTarget(state: State, action: Extract<Action, { type: 'target/patch' }>): State {
  const old = state.targets[action.target]
  if (!old) return state
  const patched: Record<string, unknown> = { ...old, ...action.patch }
  for (const [key, value] of Object.entries(patched)) if (value === undefined) delete patched[key]
  if (action.patch.acked) patched.reached = action.patch.acked
  return { ...state, targets: { ...state.targets, [old.id]: patched as unknown as TargetState } }
}
