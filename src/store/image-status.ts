// What an image needs, told from its state. Pure.
import type { ImageState, State, TargetState } from '../model/state.js'

/** Why an image must be built, in words; undefined when what is built can be used (with its overlay). */
export function buildReason(image: ImageState): string | undefined {
  if (image.forced > image.forcedDone) return 'asked for'
  if (!image.record) return 'not built yet'
  if (image.inputs !== image.record.inputs) return 'the Dockerfile or its arguments changed'
  if (image.bases && image.bases.key === null) return image.bases.waiting
  if (image.bases?.key !== image.record.bases) return `${basesText(image)} was built anew`
  if (image.drift.rebuild > 0) return image.drift.why ?? 'a file that no rule covers changed'
  if (image.syncBlocked && image.drift.overlay > 0) return `live sync cannot be used (${image.syncBlocked.code})`
  return undefined
}

const basesText = ({ bases, record }: ImageState): string => {
  const now = bases?.key?.split(' ') ?? []
  const before = record?.bases?.split(' ') ?? []
  const changed = now.find((one) => !before.includes(one)) ?? before.find((one) => !now.includes(one))
  return changed?.split('@')[0] ?? 'an image that it is built on'
}

/** Whether everything is known that a decision about the image needs. */
export const isSettled = (image: ImageState): boolean =>
  image.sources !== null && !image.sources.stale && image.inputs !== null && image.recordChecked

/** Whether a running build is of no use any more, because something that it should hold has changed. */
export function isBuildStale(image: ImageState): boolean {
  const { build, sources } = image
  if (build?.status !== 'running' || !sources) return false
  if (image.syncBlocked && sources.revision > build.revision) return true
  if (image.bases?.key !== build.bases) return true
  return sources.rebuildRevision > build.revision || image.inputs !== build.inputs || image.forced > build.forced
}

/** Whether the newest build failed and nothing has changed since that could help. */
export function isBuildFailed(image: ImageState, now: number): boolean {
  const { build, sources } = image
  if (build?.status !== 'failed' || !sources) return false
  if (build.retryAt !== undefined && build.retryAt <= now) return false
  if (image.bases?.key !== build.bases) return false
  return sources.revision <= build.revision && image.inputs === build.inputs && image.forced <= build.forced
}

/** The targets whose containers run an image, or one that is built on it. */
export const targetsOf = ({ images, targets }: State, image: string): TargetState[] =>
  Object.values(targets).filter(
    (target) => target.image === image || (images[target.image]?.bases?.names.includes(image) ?? false),
  )

/** Whether a target holds what it must. */
export const isInSync = (target: TargetState, image: ImageState): boolean =>
  target.acked !== null &&
  image.sources !== null &&
  target.acked.digest === image.record?.digest &&
  target.acked.revision === image.sources.revision &&
  Object.entries(image.bases?.revisions ?? {}).every(([name, revision]) => target.acked?.bases?.[name] === revision)

/** The revision of an image's sources that a target holds; undefined when none is known, or its image is not built on that one. */
export const ackedRevision = (target: TargetState, image: string): number | undefined =>
  target.image === image ? target.acked?.revision : target.acked?.bases?.[image]

/** The revision of an image's sources at which a target failed. */
export const failedRevision = (target: TargetState, image: string): number | undefined =>
  target.image === image ? target.failedRevision : target.failedBases?.[image]

/** Whether a target only waits for the connection to it: nothing is wrong with what it is to be brought to. */
export const isCutOff = ({ error }: TargetState): boolean =>
  error?.code === 'sync/disconnected' || error?.code === 'cluster/unreachable'

/** Whether a target has to be worked on: it is behind, or owes a restart that was asked for. */
export const isBehind = (target: TargetState, image: ImageState, restarts: number): boolean =>
  !isInSync(target, image) || (target.restartable && target.restartsDone < restarts)
