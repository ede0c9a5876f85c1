// Telling what changes in a stage: its folders are watched, and what is in them is looked at when one of them says that something is new.
import { watch, type BigIntStats, type FSWatcher } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DevloopError } from '../../errors/devloop-error.js'
import { sameEntries, type Entry, type Wanted } from '../../model/tree.js'
import type { SyncWatch, WatchOptions } from '../../ports/sync-transport.js'

export interface StageWatchOptions extends WatchOptions {
  /** Where a container path lies on this machine; undefined = nothing can be there. */
  readonly realPath: (path: string) => Promise<string | undefined>
  /** What is at a path of this machine. */
  readonly look: (path: string) => Promise<Wanted>
}

/** After an event, events are gathered for so long; and something that is gone is looked for again after so long. Milliseconds. */
const gatherMs = 20
const goneMs = 200

/** @throws what reading the folders the first time throws */
export async function watchStage(
  { places, skip, onList, realPath, look }: StageWatchOptions,
  signal: AbortSignal,
): Promise<SyncWatch> {
  const watchers = new Map<string, FSWatcher>()
  const known = new Map<string, { readonly stats: BigIntStats; readonly entry: Entry }>()
  let stopped = false
  let last = new Map<string, Entry | undefined>()
  let wake: () => void = () => {}
  let woken = false
  const poke = (): void => {
    woken = true
    wake()
  }

  const watchFolder = (folder: string): void => {
    if (watchers.has(folder) || stopped) return
    try {
      const watcher = watch(folder, { persistent: false }, poke)
      watcher.on('error', poke)
      watchers.set(folder, watcher)
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
    }
  }

  const list = async (): Promise<Map<string, Entry | undefined>> => {
    const found = new Map<string, Entry | undefined>()
    const folders = new Set<string>()
    const fileAt = async (path: string, real: string): Promise<void> => {
      const stats = await lstat(real, { bigint: true })
      const before = known.get(path)
      if (before && isSame(before.stats, stats)) {
        found.set(path, before.entry)
        return
      }
      const entry = await look(real)
      if (entry.kind === 'absent') return
      found.set(path, entry)
      // one that has just been written may be written again without a trace in its times
      if (Date.now() - Number(stats.mtimeMs) > 50) known.set(path, { stats, entry })
      else known.delete(path)
    }
    const into = async (path: string, real: string): Promise<void> => {
      folders.add(real)
      // watched first: what comes while it is read is told
      watchFolder(real)
      for (const entry of await readdir(real, { withFileTypes: true })) {
        const [below, at] = [`${path}/${entry.name}`, join(real, entry.name)]
        if (entry.name.startsWith('.devloop-') || skip.includes(below)) continue
        try {
          if (entry.isDirectory()) await into(below, at)
          else if (entry.isFile() || entry.isSymbolicLink()) await fileAt(below, at)
        } catch (thrown) {
          if (isGone(thrown)) continue
          if ((thrown as NodeJS.ErrnoException).code !== 'EACCES') throw thrown
          found.set(below, undefined)
        }
      }
    }
    for (const place of places) {
      const real = await realPath(place)
      const stats = real === undefined ? undefined : await lstat(real).catch(ifGone)
      if (real !== undefined && stats?.isDirectory()) await into(place, real)
      else if (real !== undefined && stats) await fileAt(place, real).catch(ifGone)
      // it may come, go, or be replaced
      for (let above = place; above !== '/';) {
        above = dirname(above)
        const folder = above === '/' ? undefined : await realPath(above)
        if (folder === undefined || !(await lstat(folder).catch(ifGone))?.isDirectory()) continue
        folders.add(folder)
        watchFolder(folder)
        break
      }
    }
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      watchers.delete(folder)
    }
    return found
  }

  const stop = (): void => {
    stopped = true
    for (const watcher of watchers.values()) watcher.close()
    watchers.clear()
    wake()
  }
  signal.addEventListener('abort', stop, { once: true })

  const follow = async (): Promise<DevloopError | undefined> => {
    try {
      while (!stopped) {
        if (!woken) await new Promise<void>((resolve) => (wake = resolve))
        if (stopped) break
        await pause(gatherMs)
        woken = false
        let now = await list()
        // what replaces files often deletes them first
        if ([...last.keys()].some((path) => !now.has(path))) {
          await pause(goneMs)
          now = await list()
        }
        if (stopped) break
        if (!sameEntries(last, now)) onList(now)
        last = now
      }
      return undefined
    } catch (thrown) {
      if (stopped) return undefined
      const why = thrown instanceof Error ? thrown.message : String(thrown)
      return new DevloopError('sync/failed', 'The staged files can no longer be watched.', { why, cause: thrown })
    } finally {
      signal.removeEventListener('abort', stop)
      stop()
    }
  }

  try {
    last = await list()
  } catch (thrown) {
    stop()
    throw thrown
  }
  signal.throwIfAborted()
  onList(last)
  return { how: 'watched', ended: follow(), stop }
}

const isSame = (a: BigIntStats, b: BigIntStats): boolean =>
  a.ino === b.ino && a.size === b.size && a.mode === b.mode && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs

const isGone = (thrown: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? '')

const ifGone = (thrown: unknown): undefined => {
  if (!isGone(thrown)) throw thrown
}
