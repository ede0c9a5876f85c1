// Keeps with each image what it is built on: whether that is built, by which digests, and how new its sources are. Pure.
import { isDeepStrictEqual } from 'node:util'
import type { BasesState, ImageState, State } from '../model/state.js'
import { buildReason, isSettled } from './image-status.js'

/** The state with the bases of every image as they are now. Images whose bases did not change keep their identity. */
export function settleBases(state: State): State {
  const settled: Record<string, ImageState> = {}
  let changed = false
  const settle = (name: string): ImageState | undefined => {
    const image = state.images[name]
    if (settled[name] || !image) return settled[name]
    const bases = basesOf(name)
    const { bases: old, ...rest } = image
    const next = isDeepStrictEqual(old, bases) ? image : { ...rest, ...(bases ? { bases } : {}) }
    changed ||= next !== image
    return (settled[name] = next)
  }
  const basesOf = (name: string): BasesState | undefined => {
    const direct = directBases(state, name)
    if (direct.length === 0) return undefined
    const circle = direct.find((base) => leadsTo(state, base, name))
    if (circle !== undefined)
      return { names: [], key: null, waiting: `${name} and ${circle} are built on each other`, revisions: {}, sync: false }
    return combine(
      direct.map((base) => [base, settle(base)] as const),
      state,
    )
  }
  for (const name of Object.keys(state.images)) settle(name)
  if (!changed) return state
  // in the old order
  return { ...state, images: Object.fromEntries(Object.keys(state.images).map((name) => [name, settled[name] as ImageState])) }
}

/** Names of the images of the plan that an image is directly built on. One that begins from a release of its own name is not. */
const directBases = (state: State, name: string): readonly string[] =>
  (state.images[name]?.sources?.bases ?? []).filter((base) => base !== name && state.images[base] !== undefined)

/** Whether an image is built on another, directly or not. */
function leadsTo(state: State, from: string, to: string): boolean {
  const seen = new Set<string>()
  const pending = [from]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === to) return true
    if (seen.has(name)) continue
    seen.add(name)
    pending.push(...directBases(state, name))
  }
  return false
}

function combine(direct: readonly (readonly [string, ImageState | undefined])[], state: State): BasesState {
  const names = new Set<string>()
  const revisions: Record<string, number> = {}
  const digests: string[] = []
  let waiting: string | undefined
  let sync = false
  for (const [name, image] of direct) {
    names.add(name)
    revisions[name] = image?.sources?.revision ?? 0
    sync ||= state.plan?.images[name]?.live.some((rule) => rule.kind === 'sync') ?? false
    for (const one of image?.bases?.names ?? []) names.add(one)
    Object.assign(revisions, image?.bases?.revisions)
    sync ||= image?.bases?.sync ?? false
    if (image?.record && isSettled(image) && buildReason(image) === undefined) digests.push(`${name}@${image.record.digest}`)
    else waiting ??= image?.bases?.waiting ?? `${name}, which it is built on, has to be built first`
  }
  const key = waiting === undefined ? digests.sort().join(' ') : null
  return { names: [...names], key, ...(waiting === undefined ? {} : { waiting }), revisions, sync }
}
