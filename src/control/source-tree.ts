// One watched folder (or file) with the tree of what is in it, kept up from hints. Says which paths really changed.
import { setTimeout } from 'node:timers/promises'
import { sameEntry, type Entry } from '../model/tree.js'
import type { SourceFiles } from '../ports/source-files.js'
import type { WatchRoot } from '../ports/file-watcher.js'

export interface SourceTree {
  readonly root: WatchRoot
  readonly tree: Map<string, Entry>
  /** Read everything. Paths whose content is other than before; everything, the first time. */
  scan(signal: AbortSignal): Promise<SourceChanges>
  /** Look at hinted absolute paths; those that are not below the root are passed over. */
  look(paths: Iterable<string>, signal: AbortSignal): Promise<SourceChanges>
}

export interface SourceChanges {
  /** Relative to the root. */
  readonly changed: readonly string[]
  /** The root itself is gone, or it emptied out at once: nothing was taken over, so that nothing is deleted by mistake. */
  readonly missing: boolean
}

const none: SourceChanges = { changed: [], missing: false }

/**
 * Some editors save by emptying a file, or moving it away, and writing it anew. A file that is suddenly empty or gone is looked at
 * again so much later, so that the moment between is not taken for what was meant. Milliseconds.
 */
const secondLook = 25

/**
 * @param guarded keep the old tree when the root vanishes or empties
 */
export function createSourceTree(root: WatchRoot, files: SourceFiles, guarded: boolean): SourceTree {
  const tree = new Map<string, Entry>()
  /** The last look was not taken over, so that hints alone no longer tell all that changed. */
  let halted = false
  const prefix = root.path.endsWith('/') ? root.path : `${root.path}/`

  const scan = async (signal: AbortSignal): Promise<SourceChanges> => {
    const found = await files.scan(root.path, root.ignored, signal)
    halted = guarded && tree.size > 0 && (found.missing || found.tree.size === 0)
    if (halted) return { changed: [], missing: true }
    const changed: string[] = []
    for (const path of tree.keys()) {
      if (found.tree.has(path)) continue
      changed.push(path)
      tree.delete(path)
    }
    for (const [path, entry] of found.tree) {
      if (sameEntry(tree.get(path), entry)) continue
      changed.push(path)
      tree.set(path, entry)
    }
    return { changed, missing: guarded && found.missing }
  }

  return {
    root,
    tree,
    scan,
    async look(paths, signal) {
      const relative = new Set<string>()
      for (const path of paths) {
        if (path === root.path) relative.add('')
        else if (path.startsWith(prefix)) relative.add(path.slice(prefix.length))
        // an event above the root: the root itself may have come, gone or been replaced
        else if (prefix.startsWith(`${path}/`)) return scan(signal)
      }
      if (relative.size === 0) return none
      if (halted) return scan(signal)
      const isFile = tree.has('')
      if (relative.has('') && !isFile) return scan(signal)
      const found = await files.look(root.path, [...relative], root.ignored, signal)
      const between = [...relative].filter((path) => mayBeBetween(tree.get(path), found.get(path)))
      if (between.length > 0) {
        await setTimeout(secondLook, undefined, { signal })
        for (const [path, entry] of await files.look(root.path, between, root.ignored, signal)) found.set(path, entry)
      }
      const changed = [...vanished(tree, relative, found)]
      halted = guarded && changed.length > 0 && changed.length === tree.size && ![...found.values()].some(Boolean)
      if (halted) return { changed: [], missing: true }
      for (const path of changed) tree.delete(path)
      for (const [path, entry] of found) {
        if (!entry || sameEntry(tree.get(path), entry)) continue
        changed.push(path)
        tree.set(path, entry)
      }
      return { changed, missing: false }
    },
  }
}

const mayBeBetween = (before: Entry | undefined, now: Entry | undefined): boolean =>
  before?.kind === 'file' && before.size > 0 && (now === undefined || (now.kind === 'file' && now.size === 0))

/** Paths of the tree that a look shows to be gone: looked at, or below a folder that was looked at, and not found. */
function vanished(
  tree: ReadonlyMap<string, Entry>,
  looked: ReadonlySet<string>,
  found: ReadonlyMap<string, Entry | undefined>,
): Set<string> {
  const gone = new Set<string>()
  const folders = new Set<string>()
  for (const path of looked) {
    if (tree.has(path)) {
      if (!found.get(path)) gone.add(path)
    } else if (!found.get(path)) {
      folders.add(path)
    }
  }
  // a file that became a folder is gone as a file, too, and a folder that became a file has lost what was in it
  for (const path of looked) if (found.get(path) && !tree.has(path)) folders.add(path)
  if (folders.size === 0) return gone
  for (const path of tree.keys()) {
    if (!found.get(path) && isBelow(path, folders)) gone.add(path)
  }
  return gone
}

function isBelow(path: string, folders: ReadonlySet<string>): boolean {
  if (folders.has('')) return true
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    if (folders.has(path.slice(0, end))) return true
  return false
}
