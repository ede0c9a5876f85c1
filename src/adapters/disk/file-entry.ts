// One path of a source tree as an entry: hashed, or known from before. Never a hash of something that changed meanwhile.
import { hash as hashOnce, createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  type BigIntStats,
} from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Entry } from '../../model/tree.js'

/** What was known when a file was hashed, small: whole and part seconds fit V8's small integers. */
export interface Known {
  readonly entry: Entry & { readonly kind: 'file' }
  readonly ino: number
  readonly mtimeS: number
  readonly mtimeNs: number
  readonly ctimeS: number
  readonly ctimeNs: number
  /** Hashed so soon after a change that another one could have left no trace in the times. */
  readonly racy: boolean
}

export interface Looked {
  /** Undefined: nothing there that could be a source (gone, or a device, socket or pipe). */
  readonly entry: Entry | undefined
  readonly known?: Known
}

/** Files up to this size are read in one piece, without giving way. */
const smallFile = 256 * 1024

/** Times of a file system may be this coarse, in milliseconds. */
const racyMs = 2000

/** Times of files are taken from a clock that may go in steps of this many milliseconds (Linux with 100 of them a second). */
const clockTickMs = 10

/** Pauses before a file that changed while it was read is read again, in milliseconds. */
const pauses = [0, 1, 5, 20, 50, 100]

const buffer = Buffer.allocUnsafeSlow(smallFile + 1)

const openFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * What is at a path, without following a symbolic link. At once when it is small or known, else later.
 * A file that keeps changing is read until it stands still for the time of one reading; after some tries what was read last
 * counts, and is not kept as known.
 * @param before what was known of the path
 * @param onBytes called with what a small file was hashed from, in a buffer that is used again
 * @param stats of the path, if they were just asked for
 * @throws the system's errors, but for what is gone
 */
export function lookAt(
  path: string,
  before: Known | undefined,
  signal: AbortSignal,
  onBytes?: OnBytes,
  stats?: BigIntStats,
): Looked | Promise<Looked> {
  const done = attempt(path, before, onBytes, stats)
  return done ?? retry(path, signal)
}

type OnBytes = (hash: string, bytes: Buffer) => void

async function retry(path: string, signal: AbortSignal): Promise<Looked> {
  for (const [i, ms] of pauses.entries()) {
    if (ms > 0) await pause(ms, undefined, { signal })
    const last = i === pauses.length - 1
    const found = attempt(path, undefined) ?? (await stream(path, last, signal))
    if (found) return found
  }
  return { entry: undefined }
}

const nothing: Looked = { entry: undefined }

/** Undefined: it changed meanwhile, or it is too large to be read at once. */
function attempt(
  path: string,
  before: Known | undefined,
  onBytes?: OnBytes,
  stats: BigIntStats | undefined = statsOf(path),
): Looked | undefined {
  if (!stats) return nothing
  if (stats.isSymbolicLink()) {
    const target = gone(() => readlinkSync(path))
    return target === undefined ? nothing : { entry: { kind: 'link', target } }
  }
  if (!stats.isFile()) return nothing
  if (before && !before.racy && isSame(before, stats)) return { entry: before.entry, known: before }
  if (stats.size > smallFile) return undefined
  const file = open(path)
  if (file === undefined) return undefined
  try {
    const opened = fstatSync(file, { bigint: true })
    if (!opened.isFile()) return undefined
    const at = Date.now()
    let length = 0
    for (let got = -1; got !== 0 && length < buffer.length; length += got)
      got = readSync(file, buffer, length, buffer.length - length, length)
    if (length > smallFile) return undefined
    if (!sameStats(opened, fstatSync(file, { bigint: true }))) return undefined
    const bytes = buffer.subarray(0, length)
    const hash = hashBytes(bytes)
    onBytes?.(hash, bytes)
    return kept(opened, hash, at, before)
  } finally {
    closeSync(file)
  }
}

/** A large file, in constant memory; one that grows faster than it is read only to where it ended at first. @param last take what was read even if it changed meanwhile */
async function stream(path: string, last: boolean, signal: AbortSignal): Promise<Looked | undefined> {
  const file = open(path)
  if (file === undefined) return undefined
  try {
    let opened = fstatSync(file, { bigint: true })
    if (!opened.isFile()) return undefined
    // two writes within one tick of the system's clock leave the same times: what is written from now on must show
    const age = Date.now() - Number(opened.ctimeMs)
    if (age >= 0 && age < clockTickMs) {
      await pause(clockTickMs - age, undefined, { signal })
      opened = fstatSync(file, { bigint: true })
    }
    const at = Date.now()
    const hasher = createHash('sha256')
    let length = 0
    for await (const chunk of createReadStream('', {
      fd: file,
      autoClose: false,
      start: 0,
      highWaterMark: smallFile,
      signal,
      end: Number(opened.size),
    })) {
      hasher.update(chunk as Buffer)
      length += (chunk as Buffer).length
    }
    const hash = hasher.digest('hex')
    if (sameStats(opened, fstatSync(file, { bigint: true }))) return kept(opened, hash, at, undefined)
    return last ? { entry: { kind: 'file', hash, mode: modeOf(opened), size: length } } : undefined
  } finally {
    closeSync(file)
  }
}

function kept(stats: BigIntStats, hash: string, at: number, before: Known | undefined): Looked {
  const old = before?.entry
  const mode = modeOf(stats)
  const size = Number(stats.size)
  const entry =
    old && old.hash === hash && old.mode === mode && old.size === size ? old : { kind: 'file' as const, hash, mode, size }
  const newest = Math.max(Number(stats.mtimeMs), Number(stats.ctimeMs))
  return { entry, known: { entry, ...timesOf(stats), racy: at - newest < racyMs } }
}

const second = 1_000_000_000n

const timesOf = (stats: BigIntStats): Omit<Known, 'entry' | 'racy'> => ({
  ino: Number(stats.ino),
  mtimeS: Number(stats.mtimeNs / second),
  mtimeNs: Number(stats.mtimeNs % second),
  ctimeS: Number(stats.ctimeNs / second),
  ctimeNs: Number(stats.ctimeNs % second),
})

function isSame(known: Known, stats: BigIntStats): boolean {
  const times = timesOf(stats)
  return (
    known.entry.size === Number(stats.size) &&
    known.entry.mode === modeOf(stats) &&
    known.ino === times.ino &&
    known.mtimeS === times.mtimeS &&
    known.mtimeNs === times.mtimeNs &&
    known.ctimeS === times.ctimeS &&
    known.ctimeNs === times.ctimeNs
  )
}

const sameStats = (a: BigIntStats, b: BigIntStats): boolean =>
  a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.size === b.size && a.ino === b.ino && a.mode === b.mode

const modeOf = (stats: BigIntStats): number => Number(stats.mode) & 0o777

const hashBytes = (bytes: Buffer): string => hashOnce('sha256', bytes, 'hex')

/** Of what is at a path itself; undefined when nothing is. */
export const statsOf = (path: string): BigIntStats | undefined =>
  gone(() => lstatSync(path, { bigint: true, throwIfNoEntry: false }))

/** Undefined: it is gone, or something else by now. */
const open = (path: string): number | undefined => gone(() => openSync(path, openFlags))

function gone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (thrown) {
    // EINVAL: readlink of what is no link any more; ELOOP: open of what has become one; ENXIO: open of a socket
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL' || code === 'ELOOP' || code === 'ENXIO') return undefined
    throw thrown
  }
}
