// Compares what a container holds with what it must hold: every path that sync rules lead to, not only what was sent.
import { sameEntry, type Wanted } from '../model/tree.js'
import { lookUp, overlaidPaths, type Layers } from './sync-layers.js'

/** One path that is not as it should be. */
export interface PathDifference {
  /** In the container. */
  readonly path: string
  readonly wanted: Wanted
  readonly found: Wanted
}

export interface Verified {
  /** How many paths were compared. */
  readonly checked: number
  readonly differences: readonly PathDifference[]
  /** Paths that the container could not tell. */
  readonly unknown: readonly string[]
}

/** Every path that the container must hold something at, or nothing where devloop may have written before. */
export function verifiedPaths(layers: Layers, written: Iterable<string>): Set<string> {
  const paths = new Set([...overlaidPaths(layers), ...written])
  for (const { files } of layers)
    for (const path of files.tree.keys()) for (const to of files.rules.classify(path).to) paths.add(to)
  return paths
}

/** @param found what the container said, without what it could not tell */
export function compare(paths: Iterable<string>, found: ReadonlyMap<string, Wanted>, layers: Layers): Verified {
  const differences: PathDifference[] = []
  const unknown: string[] = []
  let checked = 0
  for (const path of paths) {
    const held = found.get(path)
    const { wanted } = lookUp(path, layers)
    checked++
    if (!held) unknown.push(path)
    else if (!sameEntry(held, wanted)) differences.push({ path, wanted, found: held })
  }
  return { checked, differences, unknown }
}
