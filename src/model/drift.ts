// How a context differs from what its image was built from: what needs a rebuild, and the overlay that live sync brings
// to containers. Kept up path by path, so that a save costs what changed and not what there is.
import type { CompiledLiveRules } from './live-rules.js'
import { absent, sameEntry, type Entry, type Tree, type Wanted } from './tree.js'

/** What one container path must be, and which path of the context it comes from. */
export interface OverlayEntry {
  readonly wanted: Wanted
  readonly source: string
}

export interface Drift {
  /** Paths that need a rebuild, with the reason. */
  readonly rebuild: Map<string, string>
  readonly overlay: Map<string, OverlayEntry>
}

/** The drift between a whole tree and the tree of a record. */
export function computeDrift(tree: Tree, built: Tree, rules: CompiledLiveRules): Drift {
  const drift: Drift = { rebuild: new Map(), overlay: new Map() }
  updateDrift(drift, tree.keys(), tree, built, rules)
  updateDrift(drift, built.keys(), tree, built, rules)
  return drift
}

/** Bring a drift up to date after `paths` may have changed in `tree`. */
export function updateDrift(drift: Drift, paths: Iterable<string>, tree: Tree, built: Tree, rules: CompiledLiveRules): void {
  for (const path of paths) {
    const now = tree.get(path)
    const differs = !sameEntry(now, built.get(path))
    if (!differs && !drift.rebuild.has(path) && drift.overlay.size === 0) continue
    const verdict = rules.classify(path)
    if (verdict.action === 'rebuild') {
      if (differs) drift.rebuild.set(path, verdict.why)
      else drift.rebuild.delete(path)
    } else if (verdict.action === 'sync') {
      for (const to of verdict.to) {
        if (rules.isContested(to)) settle(drift, to, tree, built, rules)
        else if (differs) drift.overlay.set(to, { wanted: now ?? absent, source: path })
        else if (drift.overlay.get(to)?.source === path) drift.overlay.delete(to)
      }
    }
  }
}

/** A container path that several files lead to holds the one that comes first of those that are there. */
function settle({ overlay }: Drift, path: string, tree: Tree, built: Tree, rules: CompiledLiveRules): void {
  const [now, then] = [heldByImage(path, tree, rules), heldByImage(path, built, rules)]
  if (sameEntry(entryOf(now.held), entryOf(then.held))) overlay.delete(path)
  else overlay.set(path, { wanted: now.held, source: (now.held.kind === 'absent' ? then : now).source })
}

const entryOf = (wanted: Wanted): Entry | undefined => (wanted.kind === 'absent' ? undefined : wanted)

/**
 * What a container path holds in an image as it was built, as far as sync rules and the context tell. `source` is the path of the
 * context that is synced there, also when the image held nothing there; '' when none is.
 */
export function heldByImage(path: string, built: Tree, rules: CompiledLiveRules): { held: Wanted; source: string } {
  const sources = rules.sourcesOf(path)
  for (const source of sources) {
    const held = built.get(source)
    if (held) return { held, source }
  }
  return { held: absent, source: sources[0] ?? '' }
}

/** Container folders, deepest first, that may be left empty by deletes: those whose source folder is gone too. */
export function emptiedFolders(deleted: readonly { path: string; source: string }[], tree: Tree): string[] {
  const folders = new Map<string, string>()
  for (const { path, source } of deleted) {
    let [to, from] = [parent(path), parent(source)]
    // as long as both sides have the same folder names we are inside of the rule's folder
    while (from && to && !folders.has(to)) {
      folders.set(to, from)
      if (base(to) !== base(from)) break
      ;[to, from] = [parent(to), parent(from)]
    }
  }
  if (folders.size === 0) return []
  const living = new Set<string>()
  for (const path of tree.keys()) for (let dir = parent(path); dir && !living.has(dir); dir = parent(dir)) living.add(dir)
  return [...folders]
    .filter(([, from]) => !living.has(from))
    .map(([to]) => to)
    .sort((a, b) => b.length - a.length)
}

const parent = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
