// A new plan comes into force: what stayed the same keeps its state.
import { isDeepStrictEqual } from 'node:util'
import { specKey } from '../model/keys.js'
import { imagesOf, type ImageSpec, type Plan, type ResourceSpec } from '../model/plan.js'
import type { DisabledBy, ImageState, RemovalState, ResourceState, State } from '../model/state.js'
import { hasBegun } from './comes-after.js'
import { disabledBy, isActive, isLeftAlone } from './graph-status.js'
import { withReason } from './reduce-pending.js'
import { newLocal } from './reduce-switches.js'
import { unsupported } from './resource-status.js'

export function applyPlan(state: State, plan: Plan, at: number): State {
  const images: Record<string, ImageState> = {}
  // a container that is declared anew may be one that can be written to
  const redeclared = new Set(
    Object.values(plan.resources).flatMap((spec) =>
      state.resources[spec.name]?.specKey === specKey(plan, spec) ? [] : imagesOf(spec),
    ),
  )
  for (const spec of Object.values(plan.images)) {
    const old = state.images[spec.name]
    const unchanged = old && sameImage(state.plan?.images[spec.name], spec)
    images[spec.name] = !old
      ? newImage(spec.name)
      : unchanged
        ? redeclared.has(spec.name) && old.syncBlocked
          ? { ...old, syncBlocked: null }
          : old
        : { ...old, sources: old.sources && { ...old.sources, stale: true }, syncBlocked: null }
  }
  const disabled = disabledBy({ ...state, plan })
  const resources: Record<string, ResourceState> = {}
  const removals: Record<string, RemovalState> = { ...state.removals }
  for (const spec of Object.values(plan.resources)) {
    const old = state.resources[spec.name]
    const key = specKey(plan, spec)
    resources[spec.name] =
      old && (old.local === null) === (spec.kind !== 'local')
        ? changedResource(old, spec, key)
        : newResource(spec, key, at, disabled(spec.name), state)
    if (!resources[spec.name]?.disabled && removals[spec.name]?.status !== 'running') delete removals[spec.name]
  }
  for (const [name, old] of Object.entries(state.resources)) {
    if (isLeftAlone(state, name)) continue
    if (!resources[name] && !old.local) removals[name] = { name, status: 'pending', attempts: 0 }
    if (resources[name]?.local && !old.local) removals[name] = { name, status: 'pending', attempts: 0 }
  }
  const next = { ...state, plan, images, resources, removals }
  // a resource that cannot run in this runtime has nothing deployed by it either
  for (const name of Object.keys(removals)) if (plan.resources[name] && unsupported(next, name)) delete removals[name]
  return next
}

const newImage = (name: string): ImageState => ({
  name,
  inputs: null,
  sources: null,
  record: null,
  recordChecked: false,
  drift: { rebuild: 0, overlay: 0 },
  build: null,
  forced: 0,
  forcedDone: 0,
  syncBlocked: null,
})

/** @param before the state so far: whether the user has asked for this one by name */
const newResource = (
  spec: ResourceSpec,
  key: string,
  at: number,
  disabled: DisabledBy | null,
  { switches, session }: State,
): ResourceState => ({
  name: spec.name,
  specKey: key,
  deploy: null,
  appliedKey: null,
  templates: [],
  warnings: [],
  observed: null,
  sources: null,
  rendered: null,
  local: spec.kind === 'local' ? newLocal() : null,
  disabled,
  started: spec.auto || (disabled === null && (switches[spec.name] === true || session.only.length > 0)),
  pending: null,
  completed: 0,
  forced: 0,
  forcedDone: 0,
  restarts: 0,
  everReady: false,
  since: at,
  ready: false,
})

function changedResource(old: ResourceState, spec: ResourceSpec, key: string): ResourceState {
  const { local, pending } = old
  const again = local && { ...local, wanted: local.wanted + 1, read: false }
  if (spec.trigger === 'manual' && isActive(old) && hasBegun(old))
    return old.specKey === key
      ? old
      : withReason({ ...old, specKey: key, sources: null }, 'its declaration in the Devloopfile has changed')
  const started = old.started || spec.auto
  // what waited for a trigger need not any more
  if (old.specKey === key && !pending) return started === old.started ? old : { ...old, started }
  const forced = (pending?.reasons.length ?? 0) > 0 ? old.forced + 1 : old.forced
  // which files count may be others now; they are read anew
  const sources = old.specKey === key ? old.sources : null
  return { ...old, specKey: key, started, pending: null, sources, forced, local: again }
}

/** Whether two declarations of an image say the same, wherever they stand. */
export const sameImage = (a: ImageSpec | undefined, b: ImageSpec): boolean =>
  a !== undefined && isDeepStrictEqual(withoutAt(a), withoutAt(b))

const withoutAt = ({ at: _at, live, ...rest }: ImageSpec): unknown => ({
  ...rest,
  live: live.map(({ at: _place, ...rule }) => rule),
})
