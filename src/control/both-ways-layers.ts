// Which paths of a container are synced both ways, and where on the local side they belong.
import { bothWaysRoots } from '../model/live-rules.js'
import { lookUp, type Layer, type Layers } from './sync-layers.js'
import type { Wanted } from '../model/tree.js'

/** Where a container path comes back to. */
export interface LocalPlace {
  readonly layer: Layer
  /** Path in the context of the layer's image. */
  readonly source: string
  /** The outermost folder of its rule, as a path in the context. */
  readonly within: string
}

/** Undefined = nothing comes back from there. */
export function localPlace(path: string, layers: Layers): LocalPlace | undefined {
  for (const layer of layers) {
    const { rules } = layer.files
    const source = rules.returnsTo(path)
    if (source !== undefined) return { layer, source, within: withinOf(layer, source) }
    // what an upper image brings hides what a lower one would
    if (rules.sourcesOf(path).length > 0) return undefined
  }
  return undefined
}

function withinOf({ spec }: Layer, source: string): string {
  const rule = spec.live.find((one) => one.kind === 'sync' && one.bothWays && (one.from === '' || isIn(source, one.from)))
  return rule?.kind === 'sync' && rule.from !== '' ? rule.from : '.'
}

/** Folders, or single files, of the container, without those that lie in another. */
export function bothWaysPlaces(layers: Layers): string[] {
  const roots = [...new Set(layers.flatMap(({ spec }) => bothWaysRoots(spec).map((root) => root.replace(/\/+$/, '') || '/')))]
  return roots.filter((root) => !roots.some((other) => other !== root && isIn(root, other)))
}

/** Folders of the container that rules leave out whole, as far as their patterns are plain. */
export function skippedFolders(layers: Layers): string[] {
  const places = bothWaysPlaces(layers)
  return layers.flatMap(({ spec, files }) => {
    const patterns = spec.live.flatMap((rule) =>
      rule.kind === 'ignore' ? rule.patterns : rule.kind === 'sync' ? (rule.exclude ?? []) : [],
    )
    return patterns.flatMap((pattern) => {
      const folder = /^([^*?[\]{}()!]+)\/\*\*(?:\/\*)?$/.exec(pattern)?.[1]
      if (folder === undefined) return []
      return spec.live.flatMap((rule) => {
        if (rule.kind !== 'sync' || !rule.bothWays || !(rule.from === '' || isIn(folder, rule.from))) return []
        const to = rule.to.replace(/\/+$/, '') + (rule.from === '' ? `/${folder}` : folder.slice(rule.from.length))
        // another rule may want what this one leaves out
        const probe = `${to}/.probe/x`
        return files.rules.returnsTo(probe) === undefined && places.some((place) => isIn(to, place) && to !== place) ? [to] : []
      })
    })
  })
}

/** Container paths that some local file leads to, and comes back to. */
export function localPaths(layers: Layers): Set<string> {
  const found = new Set<string>()
  for (const { spec, files } of layers) {
    const folders = spec.live.flatMap((rule) => (rule.kind === 'sync' && rule.bothWays ? [rule.from] : []))
    if (folders.length === 0) continue
    for (const path of files.tree.keys()) {
      if (!folders.some((folder) => folder === '' || isIn(path, folder))) continue
      for (const to of files.rules.classify(path).to) if (localPlace(to, layers)) found.add(to)
    }
  }
  return found
}

/** What the local side holds at a container path. */
export const localEntry = (path: string, layers: Layers): Wanted => lookUp(path, layers).wanted

const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)
