// Reads sources: whole trees and single paths, with content hashes that are kept as long as a file is untouched.
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  type BigIntStats,
  type Dirent,
  type Stats,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { sep } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { DevloopError, isAbort, isDevloopError } from '../../errors/devloop-error.js'
import type { Entry } from '../../model/tree.js'
import type { SourceFiles } from '../../ports/source-files.js'
import { lookAt, statsOf, type Known, type Looked } from './file-entry.js'
import { createRecentContents, type RecentContents } from './recent-contents.js'

type Ignored = (path: string, isDirectory: boolean) => boolean

/** How long files are read without letting anything else run. */
const sliceMs = 8

/** Large or restless files that are read at the same time. */
const maxReading = 4

const maxBuffer = 1024 * 1024

/**
 * Reads with synchronous calls in short slices: for 50,000 files that is several times faster than a promise a file, and takes
 * one descriptor. Large files are streamed. What was hashed is remembered for each root while the object lives.
 */
export function createSourceFiles(): SourceFiles {
  const caches = new Map<string, Map<string, Known>>()
  const recent = createRecentContents()

  const begin = (root: string, ignored: Ignored, signal: AbortSignal, onBytes?: RecentContents['keep']): Reading => {
    let cache = caches.get(root)
    if (!cache) caches.set(root, (cache = new Map()))
    return createReading(root, cache, ignored, signal, onBytes)
  }

  return {
    async scan(root, ignored, signal) {
      const stats = rootStats(root)
      if (!stats) {
        caches.delete(root)
        return { tree: new Map(), missing: true }
      }
      const reading = begin(root, ignored, signal)
      if (stats.isDirectory()) await reading.folder('')
      else reading.single()
      const found = await reading.end()
      const cache = caches.get(root)
      if (cache) for (const path of cache.keys()) if (!found.has(path) && !ignored(path, false)) cache.delete(path)
      const tree = new Map<string, Entry>()
      for (const [path, entry] of found) if (entry) tree.set(path, entry)
      return { tree, missing: false }
    },

    async look(root, paths, ignored, signal) {
      // what is looked at has changed, and is about to be sent; of a whole tree little is
      const reading = begin(root, ignored, signal, recent.keep)
      for (const path of [...new Set(paths)].sort()) {
        if (path !== '') await reading.path(path)
        else if (rootStats(root)?.isDirectory()) await reading.folder('')
        else reading.single()
      }
      return reading.end()
    },

    gone(paths) {
      for (const path of paths) if (exists(path)) return false
      return true
    },

    async emptyFolders(root, ignored, signal) {
      const empty: string[] = []
      const slice = createSlice(signal)
      /** @returns whether anything is in it */
      const holds = async (path: string): Promise<boolean> => {
        if (slice.isOver()) await slice.giveWay()
        let held = false
        for (const entry of foldersEntries(path === '' ? root : `${root}${sep}${path}`)) {
          const child = path === '' ? entry.name : `${path}/${entry.name}`
          const isDirectory = entry.isDirectory()
          if (!(isDirectory || entry.isFile() || entry.isSymbolicLink()) || ignored(child, isDirectory)) continue
          if (!isDirectory || (await holds(child))) held = true
        }
        if (!held && path !== '') empty.push(path)
        return held
      }
      await holds('')
      return empty.toSorted()
    },

    async read(file, hash) {
      const known = hash === undefined ? undefined : recent.get(hash)
      if (known) return known
      try {
        const small = readSmall(file)
        if (small) return small
        const handle = await open(file, 'r')
        try {
          const stats = await handle.stat()
          if (!stats.isFile()) throw new DevloopError('sync/source', `${file} is not a file.`)
          if (stats.size <= maxBuffer) return await handle.readFile()
        } finally {
          await handle.close()
        }
        // opened when it is first read, so that nothing stays open when nobody reads
        return Readable.from(chunks(file), { objectMode: false })
      } catch (thrown) {
        throw sourceError(file, thrown)
      }
    },
  }
}

/** How long this work may go on before others have their turn. */
function createSlice(signal: AbortSignal): { isOver(): boolean; giveWay(): Promise<void> } {
  let end = performance.now() + sliceMs
  return {
    isOver: () => performance.now() > end,
    async giveWay() {
      await nextTurn()
      signal.throwIfAborted()
      end = performance.now() + sliceMs
    },
  }
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** What is in a folder; nothing when it has gone. */
function foldersEntries(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (thrown) {
    if (isGone(thrown)) return []
    throw sourceError(path, thrown)
  }
}

async function* chunks(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) yield chunk as Buffer
  } catch (thrown) {
    throw sourceError(file, thrown)
  }
}

interface Reading {
  /** The root is a single file. */
  single(): void
  /** All that is below a folder of the root. */
  folder(path: string): Promise<void>
  /** What is at a path of the root, by whatever folders lead there. */
  path(path: string): Promise<void>
  /** When all is read. */
  end(): Promise<Map<string, Entry | undefined>>
}

/** One pass over some paths of a root. Entries come in the order in which they were asked for, folders by code units of the path. */
function createReading(
  root: string,
  cache: Map<string, Known>,
  ignored: Ignored,
  signal: AbortSignal,
  onBytes: RecentContents['keep'] | undefined,
): Reading {
  const found = new Map<string, Entry | undefined>()
  const walked = new Set<string>()
  const isFolder = new Map<string, boolean>()
  const reading = new Set<Promise<void>>()
  let failure: { thrown: unknown } | undefined
  const slice = createSlice(signal)

  const prefix = root.endsWith(sep) ? root : root + sep
  const full = (path: string): string => (path === '' ? root : prefix + path)

  const take = (path: string, looked: Looked): void => {
    if (!looked.entry && path.includes('\uFFFD')) {
      throw new DevloopError('sync/source', `${full(path)} cannot be read.`, {
        why: 'Its name is not valid UTF-8.',
        help: 'Rename it, or name it in .dockerignore with a ? for each odd byte.',
      })
    }
    found.set(path, looked.entry)
    if (looked.known) cache.set(path, looked.known)
    else cache.delete(path)
  }

  const file = (path: string, at = full(path), stats?: BigIntStats): void => {
    const looked = translated(at, () => lookAt(at, cache.get(path), signal, onBytes, stats))
    if (!(looked instanceof Promise)) {
      take(path, looked)
      return
    }
    // keeps the place in the order
    found.set(path, undefined)
    const done: Promise<void> = looked
      .then(
        (late) => take(path, late),
        (thrown: unknown) => {
          failure ??= { thrown: sourceError(at, thrown) }
        },
      )
      .catch((thrown: unknown) => {
        failure ??= { thrown }
      })
      .finally(() => reading.delete(done))
    reading.add(done)
  }

  const folder = async (path: string): Promise<void> => {
    walked.add(path)
    let entries: Dirent[]
    try {
      entries = readdirSync(full(path), { withFileTypes: true })
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      if (code === 'ENOTDIR') return file(path)
      throw sourceError(full(path), thrown)
    }
    const prefix = path === '' ? '' : `${path}/`
    const sorted = entries
      .filter((entry) => entry.isFile() || entry.isDirectory() || entry.isSymbolicLink())
      // a folder as its paths begin, so that all paths together are in order
      .map((entry) => ({ key: entry.isDirectory() ? `${entry.name}/` : entry.name, entry }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    for (const { entry } of sorted) {
      if (slice.isOver()) await slice.giveWay()
      const child = prefix + entry.name
      if (ignored(child, entry.isDirectory())) continue
      if (entry.isDirectory()) await folder(child)
      else file(child)
      while (reading.size >= maxReading) await Promise.race(reading)
      if (failure) throw failure.thrown
    }
  }

  /** Whether a folder on the way to a path is one of this tree: not ignored, and no symbolic link. */
  const leadsOn = (path: string): boolean => {
    let answer = isFolder.get(path)
    if (answer === undefined) {
      const at = full(path)
      answer = !ignored(path, true) && (translated(at, () => statsOf(at))?.isDirectory() ?? false)
      isFolder.set(path, answer)
    }
    return answer
  }

  return {
    folder,
    single() {
      const at = translated(root, () => realPath(root))
      if (at === undefined) take('', { entry: undefined })
      else file('', at)
    },
    async path(path) {
      if (slice.isOver()) await slice.giveWay()
      signal.throwIfAborted()
      if (walked.has('')) return
      for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1)) {
        const above = path.slice(0, end)
        if (walked.has(above)) return
        if (leadsOn(above)) continue
        take(path, { entry: undefined })
        return
      }
      const at = full(path)
      const stats = translated(at, () => statsOf(at))
      const isDirectory = stats?.isDirectory() ?? false
      if (ignored(path, isDirectory)) found.set(path, undefined)
      else if (isDirectory) {
        found.set(path, undefined)
        await folder(path)
      } else if (stats) file(path, at, stats)
      else take(path, { entry: undefined })
    },
    async end() {
      await Promise.all(reading)
      signal.throwIfAborted()
      if (failure) throw failure.thrown
      return found
    },
  }
}

/** What the root leads to, through symbolic links; undefined when nothing is there. */
function rootStats(root: string): Stats | undefined {
  try {
    return statSync(root, { throwIfNoEntry: false })
  } catch (thrown) {
    if (isGone(thrown)) return undefined
    throw sourceError(root, thrown)
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch (thrown) {
    if (isGone(thrown)) return undefined
    throw thrown
  }
}

const isGone = (thrown: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ELOOP'].includes((thrown as NodeJS.ErrnoException).code ?? '')

function translated<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    throw sourceError(path, thrown)
  }
}

function sourceError(path: string, thrown: unknown): unknown {
  if (isDevloopError(thrown) || isAbort(thrown) || !(thrown instanceof Error) || !('code' in thrown)) return thrown
  return new DevloopError('sync/source', `${path} cannot be read.`, { why: thrown.message, cause: thrown })
}

/** Up to this many bytes are read at once: a thousand small files take a fifth of the time that reading them in the background does. */
const smallBytes = 256 * 1024

/** The bytes of a small file; undefined when it is none. */
function readSmall(file: string): Buffer | undefined {
  // without O_NONBLOCK a named pipe would be waited for
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(descriptor)
    return stats.isFile() && stats.size <= smallBytes ? readFileSync(descriptor) : undefined
  } finally {
    closeSync(descriptor)
  }
}
