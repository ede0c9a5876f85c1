// Writes into local folders what comes back from containers: beside, and renamed only over what was expected there.
import { createHash, randomBytes } from 'node:crypto'
import { linkSync, lstatSync, renameSync, rmSync, type BigIntStats } from 'node:fs'
import { lstat, mkdir, open, rm, rmdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DevloopError, isAbort, isDevloopError } from '../../errors/devloop-error.js'
import { absent, sameEntry, type Entry, type Wanted } from '../../model/tree.js'
import type { SourcePlace, SourceWriter } from '../../ports/source-writer.js'
import { lookAt } from './file-entry.js'

export function createSourceWriter(): SourceWriter {
  return {
    write: (place, was, wanted, content, signal) =>
      explained(place, signal, async () => {
        const folder = await folderOf(place, true)
        if (folder === undefined) return 'kept'
        const [path, beside] = [join(place.root, place.path), join(folder, temporaryName())]
        try {
          if (wanted.kind === 'link') await symlink(wanted.target, beside)
          else if (!(await fill(beside, wanted, content(), signal))) return 'changed'
          return (await put(beside, path, was, signal)) ? 'written' : 'kept'
        } catch (thrown) {
          // somebody has taken the folder away meanwhile
          if (isMissing(thrown)) return 'changed'
          throw thrown
        } finally {
          await rm(beside, { force: true })
        }
      }),
    remove: (place, was, within, signal) =>
      explained(place, signal, async () => {
        if ((await folderOf(place, false)) === undefined) return 'kept'
        const path = join(place.root, place.path)
        const seen = await asExpected(path, was, signal)
        if (!seen || !exchange(undefined, path, seen)) return 'kept'
        for (let folder = dirname(place.path); folder !== '.' && folder !== within; folder = dirname(folder)) {
          const gone = await rmdir(join(place.root, folder)).then(
            () => true,
            () => false,
          )
          if (!gone) break
        }
        return 'written'
      }),
  }
}

/** The folder that a path is in; undefined = a file or link is on the way, or a folder is missing that shall not be made. */
async function folderOf({ root, path }: SourcePlace, make: boolean): Promise<string | undefined> {
  const names = path.split('/')
  if (names.some((name) => name === '' || name === '.' || name === '..'))
    throw new DevloopError('sync/local', `This is no path of a file: ${JSON.stringify(path)}.`)
  let folder = root
  for (const name of names.slice(0, -1)) {
    folder = join(folder, name)
    let stats = await lstat(folder).catch(ifMissing)
    if (!stats && make) {
      await mkdir(folder).catch((thrown: unknown) => {
        if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
      })
      stats = await lstat(folder).catch(ifMissing)
    }
    if (!stats?.isDirectory()) return undefined
  }
  return folder
}

/** @returns whether the bytes are the ones that are wanted */
async function fill(
  path: string,
  wanted: Entry & { readonly kind: 'file' },
  content: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<boolean> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const piece of content) {
      signal.throwIfAborted()
      hash.update(piece)
      await file.writeFile(piece)
    }
    await file.chmod(wanted.mode)
  } finally {
    await file.close()
  }
  return hash.digest('hex') === wanted.hash
}

/** Give what was written beside its name. @returns false when something else stands there */
async function put(beside: string, path: string, was: Wanted, signal: AbortSignal): Promise<boolean> {
  if (was.kind === 'absent') {
    // an empty folder is nothing
    await rmdir(path).catch(() => {})
    try {
      giveName(beside, path)
      return true
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw thrown
    }
  }
  const seen = await asExpected(path, was, signal)
  return seen !== undefined && exchange(beside, path, seen)
}

/** What a path looks like while it is what it was; undefined = it is something else, or changed while it was looked at. */
async function asExpected(path: string, was: Wanted, signal: AbortSignal): Promise<BigIntStats | undefined> {
  const before = statsOf(path)
  const { entry } = await lookAt(path, undefined, signal)
  return before && sameEntry(entry ?? absent, was) && isUnwritten(before, statsOf(path)) ? before : undefined
}

/** Whether two looks saw the same file with the same content. Renaming changes ctime alone. */
const isUnwritten = (before: BigIntStats, after: BigIntStats | undefined): boolean =>
  after?.ino === before.ino && after.size === before.size && after.mtimeNs === before.mtimeNs && after.mode === before.mode

/**
 * Put a file into the place of one that was looked at, or nothing. What is there is moved away first and looked at then: it may be what an
 * editor has saved in the last moment. There is nothing at the path for some microseconds. @returns false when something else was there
 */
function exchange(beside: string | undefined, path: string, seen: BigIntStats): boolean {
  const taken = join(dirname(path), temporaryName())
  try {
    renameSync(path, taken)
  } catch (thrown) {
    if (isMissing(thrown)) return false
    throw thrown
  }
  const expected = isUnwritten(seen, statsOf(taken))
  try {
    const next = expected ? beside : taken
    if (next !== undefined) giveName(next, path)
    return expected
  } catch (thrown) {
    // what came in its place meanwhile is newer than both
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false
    // nothing may be lost because of an error
    if (!statsOf(path)) renameSync(taken, path)
    throw thrown
  } finally {
    rmSync(taken, { force: true })
  }
}

/** Where nothing is: else it fails with EEXIST. */
function giveName(beside: string, path: string): void {
  try {
    linkSync(beside, path)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    // file systems without hard links, and systems that make none to links
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'].includes(code ?? '')) throw thrown
    if (statsOf(path)) throw Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST' })
    renameSync(beside, path)
  }
}

const temporaryName = (): string => `.devloop-${randomBytes(6).toString('hex')}`

const statsOf = (path: string): BigIntStats | undefined => lstatSync(path, { bigint: true, throwIfNoEntry: false })

const isMissing = (thrown: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? '')

const ifMissing = (thrown: unknown): undefined => {
  if (!isMissing(thrown)) throw thrown
}

async function explained<T>({ root, path }: SourcePlace, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    signal.throwIfAborted()
    if (isDevloopError(thrown) || isAbort(thrown) || !(thrown instanceof Error) || !('code' in thrown)) throw thrown
    const { code } = thrown as NodeJS.ErrnoException
    throw new DevloopError('sync/local', `${path} came back from a container and cannot be written in ${root}.`, {
      why: thrown.message,
      cause: thrown,
      ...(code === 'ENOSPC' || code === 'EDQUOT'
        ? { help: 'Free space on the disk.' }
        : code === 'EACCES' || code === 'EPERM'
          ? { help: 'Let your user write there.' }
          : {}),
    })
  }
}
