// Watches folders: one watch per directory, whose events are hints. Nothing is polled, delayed or kept per file.
import { basename, join, resolve } from 'node:path'
import type { DevloopError } from '../../errors/devloop-error.js'
import type { FileWatcher, WatchEvent, WatchRoot } from '../../ports/file-watcher.js'
import { createDirectoryWatches, type DirectoryListener, type DirectoryWatches } from './directory-watches.js'
import { identityOf, sameIdentity, samePlace, statOf, type RootPlace } from './locate-root.js'
import { suspiciousBurst, watchError } from './watch-limits.js'
import { below, createWatchedTree, type Directory, type Root } from './watched-tree.js'

export interface FileWatcherOptions {
  /** Milliseconds between rescans while something cannot be watched. Default 10,000. */
  readonly rescanMs?: number
  /** How single directories are watched. Default: through chokidar. */
  readonly watchDirectories?: (listener: DirectoryListener) => DirectoryWatches
}

const nowhere: RootPlace = { kind: 'missing', real: '', anchors: [], ino: 0, birth: 0 }

/**
 * A watcher with no roots yet. An event for a save leaves in the same turn of the event loop in which the system tells of it.
 * Symbolic links below a root are reported like files and not followed; the root's own path may lead through some. Directories
 * that may not be read are passed over until that changes.
 */
export function createFileWatcher(options: FileWatcherOptions = {}): FileWatcher {
  const { rescanMs = 10_000, watchDirectories = createDirectoryWatches } = options
  const overflow = suspiciousBurst()
  let roots = new Set<Root>()
  let onEvent: (event: WatchEvent) => void = () => {}
  let onDegraded: (error: DevloopError | null) => void = () => {}
  /** What goes out with the next event. */
  const out = new Set<string>()
  /** Roots that were replaced, and wait for their tree to be watched. */
  const replaced = new Set<string>()
  let burst = 0
  let flushing: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined
  let turn: Promise<void> = Promise.resolve()
  let closed = false

  const watches = watchDirectories({
    onRaw: (path, type, name) => {
      burst++
      scheduleFlush()
      const directory = tree.directory(path)
      if (!directory) return
      if (name === undefined) {
        reread(directory)
        return
      }
      if (type === 'rename' && name === basename(path)) checkSelf(directory)
      for (const root of [...(directory.anchors?.get(name) ?? [])]) relocate(root)
      if (directory.roots.length > 0) checkName(directory, name, type)
    },
    onError: () => {
      // it does not say where
      tree.reset()
      burst = overflow
      scheduleFlush()
    },
  })
  const tree = createWatchedTree(
    watches,
    (directory) => report(directory.roots, directory.path),
    () => {
      if (replaced.size > 0 || tree.limited.size > 0) scheduleFlush()
    },
  )

  const scheduleFlush = (): void => {
    if (!closed) flushing ??= setImmediate(flush)
  }

  const report = (wanted: readonly Root[], path: string): void => {
    for (const root of wanted) out.add(join(root.path, below(root, path)))
    if (wanted.length > 0) scheduleFlush()
  }

  /** All that the system had to tell is told: pass it on. */
  const flush = (): void => {
    flushing = undefined
    if (burst >= overflow) reconcile()
    burst = 0
    checkLimits()
    const rescan = replaced.size > 0 && tree.idle()
    if (rescan) {
      for (const path of replaced) out.add(path)
      replaced.clear()
    }
    if (out.size === 0) return
    const paths = [...out]
    out.clear()
    onEvent({ paths, rescan })
  }

  /** Something happened under a name in a directory of some roots. */
  const checkName = (directory: Directory, name: string, type: 'rename' | 'change'): void => {
    const path = join(directory.path, name)
    const known = directory.children?.get(name)
    if (type === 'change') {
      if (!known) report(tree.wanting(directory.roots, path, false), path)
      else if (known.unreadable) tree.enter(path, known.roots, { announce: true, again: true })
      return
    }
    const asDirectory = tree.wanting(directory.roots, path, true)
    const asFile = tree.wanting(directory.roots, path, false)
    if (asDirectory.length === 0 && asFile.length === 0 && !known) return
    const stats = statOf(path)
    if (!stats?.isDirectory()) {
      if (known) {
        report(known.roots, path)
        tree.leave(known)
      }
      report(asFile, path)
      if (!stats) report(asDirectory, path)
      return
    }
    if (known) {
      const identity = identityOf(stats)
      const same = known.close && sameIdentity(known, identity) && identity.birth !== 0
      if (same && asDirectory.every((root) => known.roots.includes(root))) return
      if (!same) tree.leave(known)
    }
    tree.enter(path, asDirectory, { announce: true, again: false })
  }

  /** A directory may itself have been removed, moved, or replaced by another one. */
  const checkSelf = (directory: Directory): void => {
    const { path, roots: wanted } = directory
    const stats = statOf(path)
    const identity = stats?.isDirectory() ? identityOf(stats) : undefined
    if (identity && sameIdentity(directory, identity) && identity.birth !== 0) return
    relocateAll(directory)
    if (wanted.length === 0 || tree.directory(path) !== directory) return
    report(wanted, path)
    tree.leave(directory)
    if (identity) tree.enter(path, wanted, { announce: true, again: true })
  }

  /** Something happened in a directory, and nobody says what. */
  const reread = (directory: Directory): void => {
    checkSelf(directory)
    relocateAll(directory)
    if (directory.roots.length > 0) tree.enter(directory.path, directory.roots, { announce: true, again: true })
  }

  /** Roots that a directory decides about, and those that it is. */
  const relocateAll = (directory: Directory): void => {
    for (const root of roots) {
      if (root.place.real === directory.path || root.place.anchors.some((anchor) => anchor.directory === directory.path))
        relocate(root)
    }
  }

  /** A root may be somewhere else now, or something else. */
  const relocate = (root: Root): void => {
    if (!roots.has(root)) return
    const before = root.place
    tree.locate(root)
    const { place } = root
    if (samePlace(before, place)) {
      if (place.kind === 'file') {
        out.add(root.path)
        scheduleFlush()
        return
      }
      const directory = tree.directory(place.real)
      if (place.kind === 'missing' || (directory?.roots.includes(root) && !directory.unreadable)) return
      tree.enter(place.real, [root], { announce: true, again: true })
      return
    }
    if (before.kind === 'directory' && (before.real !== place.real || !sameIdentity(before, place)))
      tree.withdraw(new Set([root]))
    tree.setRoots(roots)
    if (place.kind === 'directory') tree.enter(place.real, [root], { announce: false, again: false })
    if (before.kind === 'directory' || place.kind === 'directory') replaced.add(root.path)
    else if (before.kind === 'file' || place.kind === 'file') out.add(root.path)
    scheduleFlush()
  }

  /** Look at every directory again, and have everything looked at again. */
  const reconcile = (): void => {
    for (const root of roots) {
      relocate(root)
      if (root.place.kind === 'directory') tree.enter(root.place.real, [root], { announce: false, again: true })
      replaced.add(root.path)
    }
    scheduleFlush()
  }

  const checkLimits = (): void => {
    // half way, the numbers would say little
    if (!tree.idle()) return
    const [error] = tree.limited.values()
    if (error && !timer) {
      timer = setInterval(reconcile, rescanMs)
      timer.unref()
      onDegraded(watchError(error, tree.limited.size, tree.size, rescanMs))
    } else if (!error && timer) {
      clearInterval(timer)
      timer = undefined
      onDegraded(null)
    }
  }

  const apply = async (wanted: readonly WatchRoot[]): Promise<void> => {
    if (closed) return
    const old = new Set(roots)
    const next = new Set<Root>()
    const fresh: Root[] = []
    for (const { path: given, ignored } of wanted) {
      const path = resolve(given)
      const kept = [...old].find((root) => root.path === path && root.ignored === ignored)
      const root = kept ?? { path, ignored, place: nowhere }
      if (kept) old.delete(kept)
      else fresh.push(root)
      next.add(root)
    }
    // roots that go are still served until those that come are watched
    roots = new Set([...next, ...old])
    for (const root of fresh) tree.locate(root)
    tree.setRoots(next)
    for (const root of fresh)
      if (root.place.kind === 'directory') tree.enter(root.place.real, [root], { announce: false, again: false })
    await tree.settled()
    if (closed) return
    roots = next
    tree.setRoots(next)
    tree.withdraw(old)
    for (const root of old) tree.forget(root)
    checkLimits()
  }

  return {
    setRoots(wanted) {
      turn = turn.then(() => apply(wanted))
      return turn
    },
    onEvent(listener) {
      onEvent = listener
    },
    onDegraded(listener) {
      onDegraded = listener
    },
    async close() {
      closed = true
      clearInterval(timer)
      if (flushing) clearImmediate(flushing)
      tree.close()
      await watches.close()
    },
  }
}
