// The bytes of files that are to be synced: read ahead, and checked against the hash that was promised.
import { createHash, hash as hashOnce } from 'node:crypto'
import type { Readable } from 'node:stream'
import { DevloopError } from '../../../errors/devloop-error.js'
import type { SyncOp } from '../../../ports/sync-transport.js'
import type { SyncPath } from './sync-paths.js'

export type FileOp = Extract<SyncOp, { op: 'file' }>
/** A file with its bytes. */
export interface LoadedFile {
  readonly at: SyncPath
  readonly op: FileOp
  readonly content: Buffer
}

/** Files that are read at the same time. */
const readsAtOnce = 16

/** Reads a few files ahead, so that reading and sending overlap in bounded memory. @throws DevloopError sync/source, or what `content` rejects with */
export async function* loadedInOrder(
  files: readonly { at: SyncPath; op: FileOp }[],
  signal: AbortSignal,
): AsyncGenerator<Awaited<ReturnType<typeof loadFile>>> {
  const ahead: Promise<Awaited<ReturnType<typeof loadFile>>>[] = []
  let next = 0
  try {
    for (let index = 0; index < files.length; index++) {
      signal.throwIfAborted()
      while (next < files.length && ahead.length < readsAtOnce) {
        const { at, op } = files[next++] as { at: SyncPath; op: FileOp }
        const loading = loadFile(at, op)
        loading.catch(() => {})
        ahead.push(loading)
      }
      yield await (ahead.shift() as Promise<Awaited<ReturnType<typeof loadFile>>>)
    }
  } finally {
    for (const loading of ahead)
      void loading.then(
        ({ content }) => {
          if (!Buffer.isBuffer(content)) content.destroy()
        },
        () => {},
      )
  }
}

/** The file's bytes when they are few. @throws DevloopError sync/source when they are not those that were hashed */
async function loadFile(at: SyncPath, op: FileOp): Promise<LoadedFile | { at: SyncPath; op: FileOp; content: Readable }> {
  const content = await op.content()
  if (!Buffer.isBuffer(content)) return { at, op, content }
  if (content.length !== op.size || hashOnce('sha256', content, 'hex') !== op.hash) throw sourceChanged(at.path)
  return { at, op, content }
}

/** What is sent must be what the hash says: else the container would hold something that nobody knows of. */
export const sourceChanged = (path: string): DevloopError =>
  new DevloopError('sync/source', `The source of ${path} changed while it was being read.`, {
    help: 'Nothing: it is read again.',
  })

/** For what went wrong while a source was read. */
export const sourceUnreadable = (path: string, thrown: unknown): DevloopError =>
  new DevloopError('sync/source', `The source of ${path} cannot be read.`, {
    why: thrown instanceof Error ? thrown.message : String(thrown),
    cause: thrown,
  })

/** A file of at least so many bytes goes on where its stream was cut, where the container can tell what is there. */
export const resumableBytes = 8 * 1024 * 1024

/** What an earlier session has set aside of a file's content. */
export interface Part {
  readonly bytes: number
  /** sha256 of these, hex. */
  readonly hash: string
}

export const noPart: Part = { bytes: 0, hash: '' }

/**
 * The bytes that are still to be sent, in pieces; nothing that is not what was hashed comes to its end.
 * @param isCheckedThere whether the other end compares the hash: then it is not taken here, too
 * @throws DevloopError sync/source; sync/failed when the part is not the beginning of this file
 */
export async function* checkedPieces(
  { at, op, content }: { at: SyncPath; op: FileOp; content: Buffer | Readable },
  bytes: number,
  part: Part = noPart,
  isCheckedThere = false,
): AsyncGenerator<Buffer> {
  // what came as a whole has been checked
  let hash = part.bytes === 0 && (isCheckedThere || Buffer.isBuffer(content)) ? undefined : createHash('sha256')
  if (part.bytes > op.size) throw otherPart(at.path)
  let size = 0
  for await (const piece of Buffer.isBuffer(content) ? slices(content, bytes) : pieces(content, bytes)) {
    const known = Math.min(piece.length, Math.max(0, part.bytes - size))
    size += piece.length
    if (size > op.size) throw sourceChanged(at.path)
    hash?.update(piece.subarray(0, known))
    if (known > 0 && size - piece.length + known === part.bytes && hash?.copy().digest('hex') !== part.hash)
      throw otherPart(at.path)
    if (isCheckedThere && size >= part.bytes) hash = undefined
    if (known === piece.length) continue
    const fresh = piece.subarray(known)
    hash?.update(fresh)
    yield fresh
  }
  if (size !== op.size || (hash && hash.digest('hex') !== op.hash)) throw sourceChanged(at.path)
}

const otherPart = (path: string): DevloopError =>
  new DevloopError('sync/failed', `What an earlier stream has left of ${path} is not the beginning of it.`, {
    help: 'Nothing: it is sent again, from its beginning.',
  })

function* slices(content: Buffer, bytes: number): Generator<Buffer> {
  for (let from = 0; from < content.length; from += bytes) yield content.subarray(from, from + bytes)
}

/** The same bytes in pieces of one size. */
async function* pieces(content: Readable | Iterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = []
  let size = 0
  for await (const chunk of content as AsyncIterable<Buffer | string> | Iterable<Buffer>) {
    let rest = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)
    while (size + rest.length >= bytes) {
      const part = rest.subarray(0, bytes - size)
      yield gathered.length === 0 ? part : Buffer.concat([...gathered, part])
      rest = rest.subarray(part.length)
      gathered = []
      size = 0
    }
    if (rest.length > 0) {
      gathered.push(rest)
      size += rest.length
    }
  }
  if (size > 0) yield Buffer.concat(gathered)
}
