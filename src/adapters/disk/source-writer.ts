// Writes into local folders what comes back from containers: beside, and renamed only over what was expected there.
import { createHash, randomBytes } from 'node:crypto'
import { lstatSync, renameSync, unlinkSync, type BigIntStats } from 'node:fs'
import { link, lstat, mkdir, open, rm, rmdir, symlink } from 'node:fs/promises'
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
        const [path, beside] = [join(place.root, place.path), join(folder, `.devloop-${randomBytes(6).toString('hex')}`)]
        try {
          if (wanted.kind === 'link') await symlink(wanted.target, beside)
          else if (!(await fill(beside, wanted, content(), signal))) return 'changed'
          return (await put(beside, path, was, signal)) ? 'written' : 'kept'
        } finally {
          await rm(beside, { force: true })
        }
      }),
    remove: (place, was, within, signal) =>
      explained(place, signal, async () => {
        if ((await folderOf(place, false)) === undefined) return 'kept'
        const path = join(place.root, place.path)
        const stats = await unchanged(path, was, signal)
        if (!stats) return 'kept'
        unlinkSync(path)
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
      // which never takes the place of anything
      await link(beside, path)
      return true
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException
      if (code === 'EEXIST') return false
      // file systems without hard links, and systems that make none to links
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'].includes(code ?? '')) throw thrown
      if (await lstat(path).catch(ifMissing)) return false
      renameSync(beside, path)
      return true
    }
  }
  const stats = await unchanged(path, was, signal)
  if (!stats) return false
  renameSync(beside, path)
  return true
}

/** Whether a path still is what it was. What changed while it was being looked at counts as changed; nothing may be awaited after this. */
async function unchanged(path: string, was: Wanted, signal: AbortSignal): Promise<boolean> {
  const before = statsOf(path)
  const { entry } = await lookAt(path, undefined, signal)
  if (!before || !sameEntry(entry ?? absent, was)) return false
  const after = statsOf(path)
  return after !== undefined && after.ino === before.ino && after.size === before.size && after.ctimeNs === before.ctimeNs
}

const statsOf = (path: string): BigIntStats | undefined => lstatSync(path, { bigint: true, throwIfNoEntry: false })

const ifMissing = (thrown: unknown): undefined => {
  if (!['ENOENT', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown
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
