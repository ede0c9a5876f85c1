// What happens to images.
import type { BuildState, ImageState, State } from '../model/state.js'
import type { Action } from './actions.js'
import { holdImage } from './reduce-pending.js'
import { syncTargets } from './reduce-targets.js'

type ImageAction = Extract<Action, { image: string }>

export function reduceImage(state: State, action: ImageAction): State {
  const image = state.images[action.image]
  // the image left the plan while the work for it ended
  if (!image) return state
  if (action.type === 'change/stage') return state
  const next = withImage(image, action)
  if (next === image) return state
  let changed: State = { ...state, images: { ...state.images, [image.name]: next } }
  // the first reading of the sources is no change of them
  if (action.type === 'image/sources' && image.sources) changed = holdImage(changed, next)
  return next.record?.digest === image.record?.digest ? changed : syncTargets(changed)
}

function withImage(image: ImageState, action: Exclude<ImageAction, { type: 'change/stage' }>): ImageState {
  switch (action.type) {
    case 'image/sources': {
      const revision = (image.sources?.revision ?? 0) + 1
      const rebuildRevision = action.needsRebuild ? revision : (image.sources?.rebuildRevision ?? revision)
      const sources = {
        revision,
        rebuildRevision,
        files: action.files,
        ...(action.bases && action.bases.length > 0 ? { bases: action.bases } : {}),
        stale: false,
        ...(action.held && action.held.length > 0 ? { held: action.held } : {}),
        ...(action.error ? { error: action.error } : {}),
      }
      // another Dockerfile may make live sync possible again
      const syncBlocked = image.inputs === null || image.inputs === action.inputs ? image.syncBlocked : null
      const { meantEmpty = [], ...rest } = image
      const meant = meantEmpty.filter((folder) => action.held?.includes(folder))
      return {
        ...rest,
        inputs: action.inputs,
        sources,
        drift: action.drift,
        syncBlocked,
        ...(meant.length > 0 ? { meantEmpty: meant } : {}),
      }
    }
    case 'image/record':
      return { ...image, record: action.record, drift: action.drift }
    case 'image/checked':
      return { ...image, recordChecked: true, record: action.exists ? image.record : null }
    case 'image/sync-blocked':
      return { ...image, syncBlocked: action.error, drift: action.drift }
    case 'build/started':
      return { ...image, build: startBuild(image, action.reason, action.at) }
    case 'build/progress':
      if (image.build?.status !== 'running') return image
      return {
        ...image,
        build: {
          ...image.build,
          stage: action.stage ?? image.build.stage,
          steps: action.steps ?? image.build.steps,
          ...(action.context ? { context: action.context } : {}),
        },
      }
    case 'build/finished':
      return {
        ...image,
        build: endBuild(image, { status: 'done', finishedAt: action.at, attempts: 0 }),
        forcedDone: image.build?.forced ?? image.forced,
        record: action.record,
        recordChecked: true,
        drift: action.drift,
      }
    case 'build/failed':
      return {
        ...image,
        build: endBuild(image, {
          status: 'failed',
          finishedAt: action.at,
          error: action.error,
          ...(action.retryAt === undefined ? {} : { retryAt: action.retryAt }),
        }),
      }
    case 'build/cancelled':
      return { ...image, build: endBuild(image, { status: 'cancelled', finishedAt: action.at }) }
  }
}

/** Let go what is held of some images: it is meant to be empty. */
export function confirmEmpty(state: State, names: readonly string[]): State {
  const images = { ...state.images }
  for (const name of names) {
    const image = images[name]
    if (image?.sources?.held) images[name] = { ...image, meantEmpty: image.sources.held }
  }
  return { ...state, images }
}

const startBuild = (image: ImageState, reason: string, at: number): BuildState => ({
  status: 'running',
  revision: image.sources?.revision ?? 0,
  inputs: image.inputs ?? '',
  ...(image.bases ? { bases: image.bases.key } : {}),
  forced: image.forced,
  reason,
  startedAt: at,
  stage: 'context',
  steps: [],
  attempts: image.build?.status === 'failed' && image.build.revision === image.sources?.revision ? image.build.attempts + 1 : 1,
})

const endBuild = (image: ImageState, end: Partial<BuildState>): BuildState | null => image.build && { ...image.build, ...end }
