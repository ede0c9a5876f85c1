// Changes: each burst of saves, from its first event to live in the pods.
import type { ChangeImage, ChangeState, DayState, ResourceState, State, TargetState } from '../model/state.js'
import { addLatency, noLatencies } from '../model/latency.js'
import type { Action } from './actions.js'
import { isImageNeeded } from './graph-status.js'
import { ackedRevision, buildReason, failedRevision, isCutOff, isInSync, isSettled, targetsOf } from './image-status.js'
import { builtImages } from './resource-images.js'
import { renderKey, wantedKey } from './resource-status.js'

/** How many changes are kept. */
const kept = 50

export function seeChange(state: State, action: Extract<Action, { type: 'change/seen' }>): State {
  const { id, first, gathered, paths, pathCount, images, resources, cameFrom = [] } = action
  const nothing =
    images.every((one) => one.action === 'none' || !isImageNeeded(state, one.image)) &&
    resources.every((name) => state.resources[name]?.disabled)
  const change: ChangeState = {
    id,
    at: first,
    paths,
    pathCount,
    images,
    resources,
    ...(cameFrom.length > 0 ? { cameFrom } : {}),
    stages: [
      { stage: 'gathered', ms: gathered - first },
      { stage: 'seen', ms: action.at - first },
    ],
    outcome: nothing ? 'nothing' : 'pending',
  }
  const all = [...Object.entries(state.changes), [id, change] as const]
  return { ...state, changes: Object.fromEntries(all.slice(-kept)) }
}

/** Note a stage on every open change that the image's revision holds. */
export function stageChange(state: State, action: Extract<Action, { type: 'change/stage' }>): State {
  return mapOpen(state, (change) => {
    const concerned = change.images.some(
      (one) => one.image === action.image && one.action !== 'none' && one.revision <= action.revision,
    )
    if (!concerned || change.stages.some((one) => one.stage === action.stage && one.detail === action.detail)) return change
    return withStage(change, action.stage, action.at, action.detail)
  })
}

/** Close the changes that are live, failed or overtaken. A failed one may still become live. */
export function settleChanges(state: State, at: number): State {
  let { today } = state
  const settled = mapOpen(state, (change) => {
    const next = settle(state, change, at)
    // one that failed first took as long as somebody took to mend it
    if (next.outcome === 'live' && !change.failed) today = counted(today, next)
    return next
  })
  return today === state.today ? settled : { ...settled, today }
}

/** Only what images are in pods for: a local may take as long as it likes. */
function counted(today: DayState, { at, images, liveMs = 0 }: ChangeState): DayState {
  const actions = images.map((one) => one.action)
  const kind = actions.includes('rebuild') ? 'rebuilt' : actions.includes('sync') ? 'synced' : undefined
  if (!kind) return today
  const day = new Date(at).toDateString()
  const current = today.day === day ? today : { day, synced: noLatencies, rebuilt: noLatencies }
  return { ...current, [kind]: addLatency(current[kind], liveMs) }
}

const settle = (state: State, change: ChangeState, at: number): ChangeState => {
  // what the save does to running apps decides; a local that checks or generates something may take its time
  const images = change.images.filter((one) => one.action !== 'none')
  const outcomes =
    images.length > 0 ? images.map((one) => imageOutcome(state, one)) : change.resources.map((name) => localOutcome(state, name))
  if (outcomes.some((one) => one === 'pending')) return change.outcome === 'pending' ? change : { ...change, outcome: 'pending' }
  if (outcomes.includes('failed')) return change.outcome === 'failed' ? change : { ...change, outcome: 'failed', failed: true }
  if (outcomes.includes('superseded')) return { ...change, outcome: 'superseded' }
  return { ...withStage(change, 'live', at), outcome: 'live', liveMs: at - change.at }
}

type Outcome = 'pending' | 'live' | 'failed' | 'superseded'

function imageOutcome(state: State, { image: name, action, revision }: ChangeImage): Outcome {
  const image = state.images[name]
  if (!image || !isImageNeeded(state, name)) return 'superseded'
  // where live sync cannot be used, what happens in containers says nothing: every save is built
  const targets = image.syncBlocked ? [] : targetsOf(state, name)
  const rebuilt = action === 'rebuild' || image.syncBlocked !== null
  const inSync = (target: TargetState): boolean => {
    const own = state.images[target.image]
    return own !== undefined && isInSync(target, own)
  }
  const failed = targets.some(
    (target) => (failedRevision(target, name) ?? -1) >= revision && !inSync(target) && !isCutOff(target),
  )
  if (failed) return 'failed'
  const { build } = image
  // what was taken back while it was built, or after that failed, needs no build any more: what runs is what is wanted
  const toBuild = build?.status === 'running' || !isSettled(image) || buildReason(image) !== undefined
  if (toBuild && build?.status === 'failed' && build.revision >= revision) return 'failed'
  if (rebuilt) {
    const built = build?.status === 'done' && build.revision >= revision
    if (!built && toBuild) return 'pending'
  } else if (!targets.some((target) => (ackedRevision(target, name) ?? -1) >= revision)) {
    // also live when a build that holds it is rolled out instead
    return build?.status === 'done' && build.revision >= revision && usersReady(state, name) ? 'live' : 'pending'
  }
  const behind = targets.some(
    (target) =>
      target.starting ||
      target.acked?.digest !== state.images[target.image]?.record?.digest ||
      (ackedRevision(target, name) ?? -1) < revision,
  )
  if (behind) return 'pending'
  return !rebuilt || usersReady(state, name) ? 'live' : 'pending'
}

const usersReady = (state: State, image: string): boolean =>
  Object.values(state.resources).every((resource) => !builtImages(state, resource.name).includes(image) || resource.ready)

function localOutcome(state: State, name: string): Outcome {
  const resource = state.resources[name]
  if (!resource) return 'live'
  if (resource.disabled) return 'superseded'
  if (resource.pending) return 'pending'
  if (!resource.local) return deployOutcome(state, resource)
  const { local } = resource
  if (local.done < local.wanted || local.run === 'running' || local.serve === 'starting') return 'pending'
  return local.run === 'failed' || local.serve === 'failed' || local.serve === 'unready' ? 'failed' : 'live'
}

/** Of a change in the files of a kustomization, a chart or a custom deploy. */
function deployOutcome(state: State, resource: ResourceState): Outcome {
  const { sources, rendered, deploy } = resource
  if (sources?.error || (rendered?.status === 'failed' && rendered.key === renderKey(state, resource))) return 'failed'
  const key = wantedKey(state, resource)
  if (key !== undefined && deploy?.status === 'failed' && deploy.key === key) return 'failed'
  return resource.ready ? 'live' : 'pending'
}

const withStage = (change: ChangeState, stage: string, at: number, detail?: string): ChangeState => ({
  ...change,
  stages: [...change.stages, { stage, ms: at - change.at, ...(detail === undefined ? {} : { detail }) }],
})

function mapOpen(state: State, map: (change: ChangeState) => ChangeState): State {
  let changes: Record<string, ChangeState> | undefined
  for (const [id, change] of Object.entries(state.changes)) {
    if (change.outcome !== 'pending' && change.outcome !== 'failed') continue
    const next = map(change)
    if (next === change) continue
    changes ??= { ...state.changes }
    changes[id] = next
  }
  return changes ? { ...state, changes } : state
}
