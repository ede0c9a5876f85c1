// What a container of an image is brought to: the image's own overlay, above those of the images it is built on.
import { heldByImage } from '../model/drift.js'
import type { ImageSpec, LiveRule } from '../model/plan.js'
import { absent, type Wanted } from '../model/tree.js'
import type { ImageFiles } from '../store/large.js'

/** One image in a container. */
export interface Layer {
  readonly spec: ImageSpec
  readonly files: ImageFiles
}

/** The image itself first, then those that it is built on: what stands earlier hides what stands later. */
export type Layers = readonly [Layer, ...Layer[]]

export interface LayeredPath {
  readonly wanted: Wanted
  /** Path in the context of `layer`; '' where no sync rule leads there. */
  readonly source: string
  readonly layer: Layer
  /** Whether the image that the container was started from may hold something else. */
  readonly drifted: boolean
}

/** What a path of the container must hold, and where that comes from. */
export function lookUp(path: string, layers: Layers): LayeredPath {
  let drifted = false
  let none: { source: string; layer: Layer } | undefined
  for (const layer of layers) {
    const { files } = layer
    const overlaid = files.drift.overlay.get(path)
    drifted ||= overlaid !== undefined
    const found = overlaid ?? inImage(path, files)
    if (found.wanted.kind !== 'absent') return { wanted: found.wanted, source: found.source, layer, drifted }
    // the rules of the image that lost the file say what follows
    if (found.source !== '' && (!none || (overlaid && !none.layer.files.drift.overlay.has(path))))
      none = { source: found.source, layer }
  }
  return { wanted: absent, source: none?.source ?? '', layer: none?.layer ?? layers[0], drifted }
}

const inImage = (path: string, { record, rules }: ImageFiles): { wanted: Wanted; source: string } => {
  const { held, source } = heldByImage(path, record?.tree ?? new Map(), rules)
  return { wanted: held, source }
}

/** Container paths that some overlay speaks of. */
export const overlaidPaths = (layers: Layers): ReadonlySet<string> =>
  new Set(layers.flatMap(({ files }) => [...files.drift.overlay.keys()]))

/** Paths and folders of the container that sync rules lead to. */
export const syncRoots = (layers: Layers): string[] =>
  layers.flatMap(({ spec }) => spec.live.flatMap((rule) => (rule.kind === 'sync' ? [rule.to] : [])))

/** A rule that is carried out in order, once the files are there. */
export type StepRule = Extract<LiveRule, { kind: 'run' | 'notify' }>

/** The steps in the order in which they are carried out: those of the lowest image first. */
export const stepRules = (layers: Layers): readonly StepRule[] =>
  [...layers]
    .reverse()
    .flatMap(({ spec }) => spec.live.flatMap((rule) => (rule.kind === 'run' || rule.kind === 'notify' ? [rule] : [])))

/** Of some container paths, those that no sync rule leads to. */
export const strayPaths = (paths: Iterable<string>, layers: Layers): string[] =>
  [...paths].filter((path) => {
    if (!path.startsWith('/')) return false
    const { drifted, source } = lookUp(path, layers)
    return !drifted && source === ''
  })
