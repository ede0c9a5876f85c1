// What is too large for the state, and is referred to from there by revision and counts. Owned as the comments say.
import type { BuildRecord } from '../model/build-record.js'
import type { Drift } from '../model/drift.js'
import type { CompiledLiveRules } from '../model/live-rules.js'
import type { ConfigRead } from '../model/config-values.js'
import type { ManifestObject, SealedTexts } from '../model/plan.js'
import type { PlanInput } from '../model/plan-input.js'
import type { DriftState } from '../model/state.js'
import type { Entry, Wanted } from '../model/tree.js'

/** All that goes with one image. */
export interface ImageFiles {
  /** Written by the watch controller only, which also moves the revision in the state. */
  readonly tree: Map<string, Entry>
  /** Written by the watch controller (from disk) and the build controller. */
  record: BuildRecord | null
  /** The tree against the record; written by whoever changes one of them. */
  drift: Drift
  readonly rules: CompiledLiveRules
  /** Folders that are empty or gone, of which the tree still has what they held; '' = the context. Written by the watch controller. */
  readonly held: ReadonlySet<string>
  /**
   * Hold what is in a record and gone from the tree as a whole folder. Before the drift from that record is computed.
   * @returns what tells the state, to be called after it has the record; undefined = nothing is new
   */
  readonly keep: (record: BuildRecord) => (() => void) | undefined
  /** What .dockerignore keeps out of the context. */
  readonly ignored: (path: string, isDirectory: boolean) => boolean
}

export interface Large {
  /** By image name. */
  readonly images: Map<string, ImageFiles>
  /** What the plan in force, or the failed attempt after it, was made from. Written by the reload controller. */
  planInputs: readonly PlanInput[]
  /** The secret texts that the plan in force refers to. Written by the reload controller. */
  sealed: SealedTexts
  /** By config: what its files and its command held when they were last read well. Written by the render controller. */
  readonly read: Map<string, ConfigRead>
  /** By resource: the objects that were rendered for it last. Written by the render controller. */
  readonly rendered: Map<string, readonly ManifestObject[]>
  /**
   * By absolute path: what is coming back from a container, or came back last, and from which pod. Written by the live-sync controller, which takes
   * out what did not come back; the watch controller takes out what it has seen.
   */
  readonly returns: Map<string, { readonly entry: Wanted; readonly pod: string }>
  /** By target and container path: what is left alone on both sides, in words. Written by the live-sync controller. */
  readonly conflicts: Map<string, ReadonlyMap<string, string>>
}

export const createLarge = (): Large => ({
  images: new Map(),
  planInputs: [],
  sealed: {},
  read: new Map(),
  rendered: new Map(),
  returns: new Map(),
  conflicts: new Map(),
})

/** The counts of a drift, for the state. */
export const driftState = (drift: Drift): DriftState => {
  const first = drift.rebuild.entries().next().value
  return { rebuild: drift.rebuild.size, overlay: drift.overlay.size, ...(first ? { why: `${first[0]}: ${first[1]}` } : {}) }
}
