// Live sync in the process runtime: the container's files are a stage folder, so they are written directly.
import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { lstat, mkdir, open, readdir, readFile, readlink, rename, rm, rmdir, symlink, unlink } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { DevloopError, isAbort } from '../../errors/devloop-error.js'
import { absent, sameEntry, type Wanted } from '../../model/tree.js'
import type { SyncOp, SyncWatch, WatchOptions } from '../../ports/sync-transport.js'
import { forEachLimited } from '../../model/for-each-limited.js'
import { inStage, stagePaths, type StagePaths } from './stage-paths.js'
import { watchStage } from './stage-watch.js'
import { smallSize, writeContent } from './write-content.js'

/** File operations on a stage; see SyncSession. */
export interface StageFiles {
  inspect(paths: readonly string[], signal: AbortSignal): Promise<Map<string, Wanted>>
  apply(ops: readonly SyncOp[], signal: AbortSignal): Promise<ReadonlySet<string>>
  /** As in SyncSession. */
  watch(options: WatchOptions, signal: AbortSignal): Promise<SyncWatch>
  /** As in SyncSession. */
  read(path: string, signal: AbortSignal): AsyncIterable<Buffer>
  /** Delete temporary files that other transports left in the roots. Never rejects. */
  sweep(signal: AbortSignal): Promise<void>
  /** Delete the folder that is written in. Never rejects. */
  close(): Promise<void>
}

/**
 * A stage for writing. Files are written in a folder beside the stage (`scratch`), on the same file system, and renamed into it:
 * nothing that watches the stage ever sees a half written file.
 * @param roots container paths that rules sync into
 */
export function createStageFiles(root: string, scratch: string, roots: readonly string[]): StageFiles {
  let count = 0

  /** @returns whether it was carried out: not where something else stands than was expected */
  const applyOne = async (op: SyncOp, paths: StagePaths, signal: AbortSignal): Promise<boolean> => {
    if (op.op === 'delete' || op.op === 'rmdir') {
      const path = await paths.forReading(op.path)
      if (op.op === 'delete' && op.expected && !sameEntry(path === undefined ? absent : await look(path), op.expected))
        return false
      if (path !== undefined) await (op.op === 'delete' ? deleteFile(path) : removeEmptyFolder(path))
      return true
    }
    if (op.expected && !(await isWayFree(op.path))) return false
    const path = await paths.forWriting(op.path)
    const beside = join(scratch, String(count++))
    try {
      if (op.op === 'link') await symlink(op.target, beside)
      else await writeContent(beside, op, signal)
      if (op.expected) {
        if (op.expected.kind === 'absent') await rmdir(path).catch(() => {})
        const stats = await lstat(path).catch(() => undefined)
        if (stats?.isDirectory() || !sameEntry(stats ? await look(path) : absent, op.expected)) {
          await rm(beside, { force: true })
          return false
        }
      }
      await replace(beside, path)
      return true
    } catch (thrown) {
      await rm(beside, { force: true })
      throw thrown
    }
  }

  /** Whether all that leads to a path are folders, as far as it is there. */
  const isWayFree = async (path: string): Promise<boolean> => {
    const own = roots.find((one) => path === one || path.startsWith(`${one.replace(/\/+$/, '')}/`)) ?? path
    for (let above = dirname(path); above.length >= own.length && above !== '/'; above = dirname(above)) {
      const stats = await lstat(inStage(root, above)).catch(() => undefined)
      if (stats && !stats.isDirectory()) return false
    }
    return true
  }

  return {
    watch: (options, signal) =>
      watchStage({ ...options, realPath: (path) => stagePaths(root, [...roots, dirname(path)]).forReading(path), look }, signal),

    async *read(path, signal) {
      const real = await stagePaths(root, roots).forReading(path)
      if (real === undefined) throw new DevloopError('sync/failed', `${path} is gone.`)
      try {
        const file = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
        yield* file.createReadStream({ signal }) as AsyncIterable<Buffer>
      } catch (thrown) {
        if (signal.aborted || isAbort(thrown)) throw thrown
        throw new DevloopError('sync/failed', `${path} cannot be read.`, { why: (thrown as Error).message, cause: thrown })
      }
    },

    async inspect(paths, signal) {
      const found = new Map<string, Wanted>()
      const resolver = stagePaths(root, roots)
      await forEachLimited(
        paths,
        8,
        async (path) => {
          try {
            const real = await resolver.forReading(path)
            found.set(path, real === undefined ? absent : await look(real))
          } catch (thrown) {
            throw syncError(thrown, path)
          }
        },
        signal,
      )
      return found
    },

    async apply(ops, signal) {
      await mkdir(scratch, { recursive: true }).catch((thrown: unknown) => {
        throw syncError(thrown, scratch)
      })
      // folders that deletes leave empty may be in the list from the outside in
      const rmdirs = ops.filter((op) => op.op === 'rmdir').toSorted((a, b) => b.path.length - a.path.length)
      const batches: { ops: readonly SyncOp[]; limit: number }[] = [
        { ops: ops.filter((op) => op.op === 'delete'), limit: 8 },
        { ops: rmdirs, limit: 1 },
        { ops: ops.filter((op) => op.op === 'link' || op.op === 'file'), limit: 8 },
      ]
      const kept = new Set<string>()
      for (const batch of batches) {
        if (batch.ops.length === 0) continue
        const resolver = stagePaths(root, roots)
        await forEachLimited(
          batch.ops,
          batch.limit,
          async (op) => {
            const done = await applyOne(op, resolver, signal).catch((thrown: unknown) => {
              throw syncError(thrown, op.path)
            })
            if (!done) kept.add(op.path)
          },
          signal,
        )
      }
      return kept
    },

    async sweep(signal) {
      const resolver = stagePaths(root, roots)
      for (const one of roots) {
        const folder = await resolver.forReading(one).catch(() => undefined)
        if (folder !== undefined) await sweepFolder(folder, signal)
      }
    },

    async close() {
      // what cannot be deleted now is deleted at the next start
      await rm(scratch, { recursive: true, force: true }).catch(() => {})
    },
  }
}

async function sweepFolder(folder: string, signal: AbortSignal): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (signal.aborted) return
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.devloop-')) await rm(path, { recursive: true, force: true }).catch(() => {})
    else if (entry.isDirectory()) await sweepFolder(path, signal)
  }
}

async function look(path: string): Promise<Wanted> {
  try {
    const stats = await lstat(path)
    if (stats.isSymbolicLink()) return { kind: 'link', target: await readlink(path) }
    if (!stats.isFile()) return absent
    const hash = createHash('sha256')
    let size = 0
    const chunks = stats.size <= smallSize ? [await readFile(path)] : (createReadStream(path) as AsyncIterable<Buffer>)
    for await (const chunk of chunks) {
      hash.update(chunk)
      size += chunk.length
    }
    return { kind: 'file', hash: hash.digest('hex'), mode: stats.mode & 0o777, size }
  } catch (thrown) {
    if (isGone(thrown)) return absent
    throw thrown
  }
}

/** Move into place; a folder there gives way. */
async function replace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code !== 'EISDIR' && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw thrown
    await rm(to, { recursive: true, force: true })
    await rename(from, to)
  }
}

async function deleteFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (thrown) {
    if (isGone(thrown)) return
    if ((await lstat(path).catch(() => undefined))?.isDirectory()) return
    throw thrown
  }
}

async function removeEmptyFolder(path: string): Promise<void> {
  try {
    await rmdir(path)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (!isGone(thrown) && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw thrown
  }
}

const isGone = (thrown: unknown): boolean => {
  const { code } = thrown as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function syncError(thrown: unknown, path: string): unknown {
  if (thrown instanceof DevloopError || isAbort(thrown) || !(thrown instanceof Error) || !('code' in thrown)) return thrown
  const options = { why: thrown.message, cause: thrown }
  switch (thrown.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DevloopError('sync/disk-full', `There is no space left to write ${path}.`, {
        ...options,
        help: "Free space on the disk that holds devloop's state folder.",
      })
    case 'EROFS':
      return new DevloopError('sync/read-only', `${path} cannot be written: the file system is read-only.`, options)
    case 'EACCES':
    case 'EPERM':
      return new DevloopError('sync/permission', `${path} cannot be written by user ${userInfo().username}.`, options)
    default:
      return new DevloopError('sync/failed', `${path} could not be written.`, options)
  }
}
