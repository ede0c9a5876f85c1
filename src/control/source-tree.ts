// One watched folder (or file) with the tree of what is in it, kept up from hints. Says which paths really changed.
import { setTimeout } from 'node:timers/promises'
import { sameEntry, type Entry, type Tree } from '../model/tree.js'
import type { SourceFiles } from '../ports/source-files.js'
import type { WatchRoot } from '../ports/file-watcher.js'

export interface SourceTree {
  readonly root: WatchRoot
  readonly tree: Map<string, Entry>
  /** Guarded folders that are empty or gone, of which the tree still has what they held; the outermost. */
  readonly held: ReadonlySet<string>
  /** Read everything. Paths whose content is other than before; everything, the first time. */
  scan(signal: AbortSignal): Promise<SourceChanges>
  /**
   * Look at hinted absolute paths; those that are not below the root are passed over.
   * @param rested whether nothing has happened to them for as long as a second look would wait
   */
  look(paths: Iterable<string>, signal: AbortSignal, rested?: boolean): Promise<SourceChanges>
  /** Hold each guarded folder in which nothing is, though something is known to have been: a process before this one has seen it. */
  keep(known: Tree): void
}

export interface SourceChanges {
  /** Relative to the root. */
  readonly changed: readonly string[]
  /** The root itself is gone, or it emptied out at once: nothing was taken over, so that nothing is deleted by mistake. */
  readonly missing: boolean
}

/** What must not be emptied by mistake. */
export interface Guard {
  /** Relative to the root, '' = the root itself; outer ones first. */
  readonly folders: readonly string[]
  /** Whether somebody has said that a folder is meant to be empty. */
  readonly isMeant: (folder: string) => boolean
  /** Whether devloop itself has deleted a path, since a container did. */
  readonly isReturned: (path: string) => boolean
}

const none: SourceChanges = { changed: [], missing: false }

/**
 * Some editors save by emptying a file, or moving it away, and writing it anew, and a new file is made before it is written. A file
 * that is suddenly there and empty, or gone, is looked at again so much later, so that the moment between is not taken for what was
 * meant. Milliseconds.
 */
export const secondLook = 25

/** What comes back is waited for until nothing more has come for so long, in milliseconds, and so often. */
const comingBack = { ms: 100, tries: 50 }

/**
 * @param guard keeps the old entries of a folder that vanishes, becomes something else, or loses several files and has none left.
 *   They are taken for deleted when there is a file again, or when it is meant. The last file of a folder may go.
 */
export function createSourceTree(root: WatchRoot, files: SourceFiles, guard?: Guard): SourceTree {
  const tree = new Map<string, Entry>()
  const held = new Set<string>()
  const prefix = root.path.endsWith('/') ? root.path : `${root.path}/`

  /** What is in a folder now. */
  const inFolder = async (folder: string, signal: AbortSignal): Promise<string[]> => {
    if (folder === '') return [...(await files.scan(root.path, root.ignored, signal)).tree.keys()]
    const found = await files.look(root.path, [folder], root.ignored, signal)
    return [...found].flatMap(([path, entry]) => (entry && isIn(path, folder) ? [path] : []))
  }

  /** What comes back comes file by file: what is not back yet must not be taken for deleted. */
  const cameBack = async (signal: AbortSignal): Promise<void> => {
    for (let tries = 0, before = -1; tries < comingBack.tries; tries++) {
      let now = 0
      for (const folder of held) now += (await inFolder(folder, signal)).length
      if (now === 0 || now === before) return
      before = now
      await setTimeout(comingBack.ms, undefined, { signal })
    }
  }

  /** Take out of what is about to be taken over what must not be emptied by mistake. Says anew what is held. */
  const keepHeld = async (gone: Set<string>, found: Map<string, Entry | undefined>, signal: AbortSignal): Promise<void> => {
    const next: string[] = []
    if (guard && gone.size > 0)
      for (const folder of guard.folders) {
        if (isInAny(folder, next) || guard.isMeant(folder)) continue
        const lost = countIn(gone, folder, (path) => !guard.isReturned(path))
        if (lost === 0 || hasIn(found, folder, (entry) => entry !== undefined)) continue
        if (hasIn(tree, folder, (_entry, path) => !gone.has(path))) continue
        if (lost === 1 && !found.get(folder) && (await isFolder(folder, signal))) continue
        next.push(folder)
      }
    held.clear()
    for (const folder of next) held.add(folder)
    if (next.length === 0) return
    for (const path of gone) if (isInAny(path, next)) gone.delete(path)
    // what stands in its place, or in that of a folder above it, would empty it, too
    for (const path of found.keys()) if (next.some((folder) => path === folder || isIn(folder, path))) found.delete(path)
  }

  const isFolder = async (folder: string, signal: AbortSignal): Promise<boolean> => {
    const path = folder === '' ? root.path : `${prefix}${folder}`
    const ignored = (name: string, isDirectory: boolean): boolean =>
      name !== '' && root.ignored(folder === '' ? name : `${folder}/${name}`, isDirectory)
    return !(await files.scan(path, ignored, signal)).missing
  }

  const takeOver = (gone: ReadonlySet<string>, found: ReadonlyMap<string, Entry | undefined>): string[] => {
    const changed = [...gone]
    for (const path of gone) tree.delete(path)
    for (const [path, entry] of found) {
      if (!entry || sameEntry(tree.get(path), entry)) continue
      changed.push(path)
      tree.set(path, entry)
    }
    return changed
  }

  const scan = async (signal: AbortSignal): Promise<SourceChanges> => {
    if (held.size > 0) await cameBack(signal)
    const read = async () => {
      const found = await files.scan(root.path, root.ignored, signal)
      return { ...found, gone: new Set([...tree.keys()].filter((path) => !found.tree.has(path))) }
    }
    let now = await read()
    // of a folder that is just being deleted, only a part may be gone
    for (let before = 0; guard && now.gone.size > 1 && now.gone.size !== before;) {
      before = now.gone.size
      await setTimeout(secondLook, undefined, { signal })
      now = await read()
    }
    const found = new Map<string, Entry | undefined>(now.tree)
    await keepHeld(now.gone, found, signal)
    return { changed: takeOver(now.gone, found), missing: guard !== undefined && (now.missing || held.has('')) }
  }

  return {
    root,
    tree,
    held,
    scan,
    async look(paths, signal, rested = false) {
      const relative = new Set<string>()
      for (const path of paths) {
        if (path === root.path) relative.add('')
        else if (path.startsWith(prefix)) relative.add(path.slice(prefix.length))
        // an event above the root: the root itself may have come, gone or been replaced
        else if (prefix.startsWith(`${path}/`)) return scan(signal)
      }
      if (relative.size === 0) return none
      // hints alone no longer tell all that changed there
      if (held.has('')) return scan(signal)
      if (held.size > 0) await cameBack(signal)
      for (const folder of held) relative.add(folder)
      const isFile = tree.has('')
      if (relative.has('') && !isFile) return scan(signal)
      const found = await files.look(root.path, [...relative], root.ignored, signal)
      const between = rested ? [] : [...relative].filter((path) => mayBeBetween(tree.get(path), found.get(path)))
      if (between.length > 0) {
        await setTimeout(secondLook, undefined, { signal })
        for (const [path, entry] of await files.look(root.path, between, root.ignored, signal)) found.set(path, entry)
      }
      const gone = vanished(tree, relative, found)
      await keepHeld(gone, found, signal)
      return { changed: takeOver(gone, found), missing: held.has('') }
    },
    keep(known) {
      for (const folder of guard?.folders ?? []) {
        if (isInAny(folder, [...held]) || guard?.isMeant(folder) || hasIn(tree, folder)) continue
        const lost = [...known].filter(([path]) => isIn(path, folder) && !root.ignored(path, false))
        if (lost.length === 0) continue
        held.add(folder)
        tree.delete(folder)
        for (const [path, entry] of lost) tree.set(path, entry)
      }
    },
  }
}

/** Whether a path is in a folder, at any depth; '' = the root, which everything is in but itself. */
export const isIn = (path: string, folder: string): boolean => (folder === '' ? path !== '' : path.startsWith(`${folder}/`))

const isInAny = (path: string, folders: readonly string[]): boolean => folders.some((folder) => isIn(path, folder))

function countIn(paths: Iterable<string>, folder: string, counts: (path: string) => boolean): number {
  let count = 0
  for (const path of paths) if (isIn(path, folder) && counts(path)) count++
  return count
}

/** Whether any entry is in a folder. @param counts which entries do; default: all */
export function hasIn<T>(
  entries: Iterable<readonly [string, T]>,
  folder: string,
  counts: (entry: T, path: string) => boolean = () => true,
): boolean {
  for (const [path, entry] of entries) if (isIn(path, folder) && counts(entry, path)) return true
  return false
}

const mayBeBetween = (before: Entry | undefined, now: Entry | undefined): boolean =>
  now === undefined ? before?.kind === 'file' && before.size > 0 : isEmptyFile(now) && !(before && isEmptyFile(before))

const isEmptyFile = (entry: Entry): boolean => entry.kind === 'file' && entry.size === 0

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
