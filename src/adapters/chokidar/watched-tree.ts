// Which directories are watched and for which roots: entered folder by folder, left as a whole. Keeps nothing about files.
import { readdirSync, type Dirent } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import type { DirectoryWatches } from './directory-watches.js'
import {
  identityOf,
  locateRoot,
  samePlace,
  sameIdentity,
  statOf,
  type Anchor,
  type Identity,
  type RootPlace,
} from './locate-root.js'

export interface Root {
  /** As it was asked for, absolute and normalised; events are reported below it. */
  readonly path: string
  readonly ignored: (path: string, isDirectory: boolean) => boolean
  place: RootPlace
}

export interface Directory extends Identity {
  /** Without symbolic links. */
  readonly path: string
  ino: number
  birth: number
  /** Undefined while it cannot be watched. */
  close: (() => void) | undefined
  /** It may not be read, so that nothing is known of what is below. */
  unreadable: boolean
  /** The roots that want it; none when it is only watched for the names in `anchors`. */
  roots: readonly Root[]
  /** Watched directories directly in it. */
  children: Map<string, Directory> | undefined
  /** Names in it that decide where roots are. */
  anchors: Map<string, Set<Root>> | undefined
}

export interface EnterOptions {
  /** Tell the listener about each directory entered: what is directly in it is new. */
  readonly announce: boolean
  /** Read directories again that are known already. */
  readonly again: boolean
}

export interface WatchedTree {
  directory(path: string): Directory | undefined
  readonly size: number
  /** Directories that should be watched and cannot be, with the error. */
  readonly limited: ReadonlyMap<Directory, NodeJS.ErrnoException>
  /** Whether nothing is waiting to be entered. */
  idle(): boolean
  /** Resolves when nothing is waiting to be entered. */
  settled(): Promise<void>
  /** The roots that are entered at their own path, beside what leads there from above. */
  setRoots(roots: Iterable<Root>): void
  /** Watch a directory and what is below it for these roots and those whose own path it is. Small ones at once. */
  enter(path: string, roots: readonly Root[], options: EnterOptions): void
  /** No longer watch a directory and what is below it. */
  leave(directory: Directory): void
  /** Find out where a root is, and watch for what would put it elsewhere. */
  locate(root: Root): void
  /** No longer watch directories for these roots. */
  withdraw(roots: ReadonlySet<Root>): void
  /** No longer watch for what would put a root elsewhere. */
  forget(root: Root): void
  /** Watch everything known anew, when it is next entered or located. */
  reset(): void
  /** The roots among these that want a path in one of their directories. */
  wanting(roots: readonly Root[], path: string, isDirectory: boolean): readonly Root[]
  close(): void
}

/** How long directories are read without letting anything else run. */
const sliceMs = 8

const none: readonly Root[] = []

/**
 * @param announce called for each directory entered with `announce`, when its watch is on
 * @param onSettled called when the last waiting directory was entered
 */
export function createWatchedTree(
  watches: DirectoryWatches,
  announce: (directory: Directory) => void,
  onSettled: () => void,
): WatchedTree {
  const directories = new Map<string, Directory>()
  const limited = new Map<Directory, NodeJS.ErrnoException>()
  let starts = new Map<string, Root[]>()
  let queue: { path: string; roots: readonly Root[]; options: EnterOptions }[] = []
  let waiting: (() => void)[] = []
  let pumping = false
  let closed = false

  const ensureWatch = (directory: Directory, identity: Identity): void => {
    if (directory.close && sameIdentity(directory, identity) && identity.birth !== 0) return
    directory.close?.()
    directory.ino = identity.ino
    directory.birth = identity.birth
    const opened = watches.open(directory.path)
    directory.unreadable = 'error' in opened && isDenied(opened.error)
    directory.close = 'close' in opened ? opened.close : undefined
    if ('close' in opened || directory.unreadable || isGone(opened.error)) limited.delete(directory)
    else limited.set(directory, opened.error)
  }

  const make = (path: string): Directory => {
    const directory: Directory = {
      path,
      ino: 0,
      birth: 0,
      close: undefined,
      unreadable: false,
      roots: none,
      children: undefined,
      anchors: undefined,
    }
    directories.set(path, directory)
    return directory
  }

  /** Give up a directory that nobody wants. */
  const release = (directory: Directory): void => {
    if (directory.roots.length > 0 || directory.anchors) return
    directory.close?.()
    directory.close = undefined
    limited.delete(directory)
    if (directories.get(directory.path) === directory) directories.delete(directory.path)
  }

  const leave = (directory: Directory): void => {
    directories.get(dirname(directory.path))?.children?.delete(basename(directory.path))
    const stack = [directory]
    for (let one = stack.pop(); one; one = stack.pop()) {
      if (one.children) stack.push(...one.children.values())
      one.children = undefined
      one.roots = none
      release(one)
    }
  }

  const visit = (path: string, inherited: readonly Root[], options: EnterOptions): void => {
    // a root that moved while this waited has nothing here any more
    const roots = union(
      inherited.every((root) => holds(root, path)) ? inherited : inherited.filter((root) => holds(root, path)),
      starts.get(path) ?? none,
    )
    const stats = roots.length > 0 ? statOf(path) : undefined
    // what is gone again has an event of its own coming
    if (!stats?.isDirectory()) return
    const identity = identityOf(stats)
    let directory = directories.get(path)
    let all = union(directory?.roots ?? none, roots)
    if (directory && directory.roots.length > 0 && !sameIdentity(directory, identity)) {
      leave(directory)
      directory = directories.get(path)
    }
    directory ??= make(path)
    all = union(directory.roots, all)
    if (directory.close && all === directory.roots && !options.again) return
    directory.roots = all
    ensureWatch(directory, identity)
    const above = dirname(path) === path ? undefined : directories.get(dirname(path))
    if (above && above.roots.length > 0) (above.children ??= new Map()).set(basename(path), directory)
    if (options.announce) announce(directory)
    readChildren(directory, options)
  }

  const readChildren = (directory: Directory, options: EnterOptions): void => {
    let entries: Dirent[]
    try {
      entries = readdirSync(directory.path, { withFileTypes: true })
      if (directory.close) limited.delete(directory)
    } catch (thrown) {
      const error = thrown as NodeJS.ErrnoException
      if (isDenied(error)) directory.unreadable = true
      else if (!isGone(error)) limited.set(directory, error)
      return
    }
    const seen = new Set<string>()
    for (const entry of entries) {
      if (!entry.isDirectory()) continue
      const child = join(directory.path, entry.name)
      const wanted = wanting(directory.roots, child, true)
      if (wanted.length === 0 && !starts.has(child)) continue
      seen.add(entry.name)
      queue.push({ path: child, roots: wanted, options })
    }
    if (directory.children) for (const [name, child] of directory.children) if (!seen.has(name)) leave(child)
  }

  /** Enter what waits, for a slice of time; the rest after whatever else is due. */
  const pump = (): void => {
    const until = performance.now() + sliceMs
    while (queue.length > 0 && !closed) {
      // depth first keeps the queue short
      const next = queue.pop()
      if (next) visit(next.path, next.roots, next.options)
      if (performance.now() > until && queue.length > 0) {
        setImmediate(pump)
        return
      }
    }
    pumping = false
    const resolved = waiting
    waiting = []
    for (const resolve of resolved) resolve()
    if (!closed) onSettled()
  }

  /** Take off a root's anchors, but for those it has in its new place. */
  const unanchor = (root: Root, place: RootPlace, now: readonly Anchor[]): void => {
    for (const { directory: path, name } of place.anchors) {
      if (now.some((kept) => kept.directory === path && kept.name === name)) continue
      const directory = directories.get(path)
      const anchored = directory?.anchors?.get(name)
      if (!directory || !anchored?.delete(root) || anchored.size > 0) continue
      directory.anchors?.delete(name)
      if (directory.anchors?.size === 0) directory.anchors = undefined
      release(directory)
    }
  }

  const anchor = (root: Root): void => {
    for (const { directory: path, name } of root.place.anchors) {
      const stats = statOf(path)
      const directory = directories.get(path) ?? make(path)
      directory.anchors ??= new Map()
      const anchored = directory.anchors.get(name)
      if (anchored) anchored.add(root)
      else directory.anchors.set(name, new Set([root]))
      if (stats) ensureWatch(directory, identityOf(stats))
    }
  }

  return {
    directory: (path) => directories.get(path),
    get size() {
      return directories.size
    },
    limited,
    idle: () => !pumping,
    settled: () => (pumping ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    setRoots(roots) {
      starts = new Map()
      for (const root of roots) {
        if (root.place.kind !== 'directory') continue
        const others = starts.get(root.place.real)
        if (others) others.push(root)
        else starts.set(root.place.real, [root])
      }
    },
    enter(path, roots, options) {
      queue.push({ path, roots, options })
      if (pumping) return
      pumping = true
      pump()
    },
    leave,
    locate(root) {
      // a change between looking and watching is seen by looking again
      for (let tries = 0; tries < 10; tries++) {
        const before = root.place
        root.place = locateRoot(root.path)
        anchor(root)
        unanchor(root, before, root.place.anchors)
        if (tries > 0 && samePlace(before, root.place)) return
      }
    },
    withdraw(roots) {
      for (const directory of [...directories.values()]) {
        if (!directory.roots.some((root) => roots.has(root))) continue
        directory.roots = directory.roots.filter((root) => !roots.has(root))
        if (directory.roots.length > 0) continue
        directory.roots = none
        directory.children = undefined
        directories.get(dirname(directory.path))?.children?.delete(basename(directory.path))
        release(directory)
      }
    },
    forget: (root) => unanchor(root, root.place, []),
    reset() {
      for (const directory of directories.values()) {
        directory.close?.()
        directory.close = undefined
      }
    },
    wanting,
    close() {
      closed = true
      queue = []
      for (const directory of directories.values()) directory.close?.()
      directories.clear()
      limited.clear()
      for (const resolve of waiting) resolve()
      waiting = []
    },
  }
}

const isDenied = (error: NodeJS.ErrnoException): boolean => error.code === 'EACCES' || error.code === 'EPERM'

const isGone = (error: NodeJS.ErrnoException): boolean => error.code === 'ENOENT' || error.code === 'ENOTDIR'

function wanting(roots: readonly Root[], path: string, isDirectory: boolean): readonly Root[] {
  const left = roots.filter((root) => !root.ignored(below(root, path), isDirectory))
  // the same array where nothing is filtered, so that thousands of directories share one
  return left.length === roots.length ? roots : left
}

const holds = (root: Root, path: string): boolean => {
  const { real } = root.place
  return path === real || path.startsWith(real.endsWith(sep) ? real : real + sep)
}

/** A path in a root's place, relative to it, with `/`. */
export function below(root: Root, path: string): string {
  const { real } = root.place
  const relative = path.slice(real.endsWith('/') ? real.length : real.length + 1)
  return process.platform === 'win32' ? relative.replaceAll('\\', '/') : relative
}

/** Both lists without doubles; one of the two as it is, where it holds all. */
function union(a: readonly Root[], b: readonly Root[]): readonly Root[] {
  if (a === b || b.every((root) => a.includes(root))) return a
  if (a.every((root) => b.includes(root))) return b
  return [...a, ...b.filter((root) => !a.includes(root))]
}
