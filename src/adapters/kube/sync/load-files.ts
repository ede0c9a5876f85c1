// The bytes of files that are to be synced: read ahead, and checked against the hash that was promised.
import { hash as hashOnce } from 'node:crypto'
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

/** The same bytes in pieces of one size. */
export async function* pieces(content: Readable | Iterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = []
  let size = 0
  for await (const chunk of content as AsyncIterable<Buffer | string> | Iterable<Buffer>) {
    let rest = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)
    while (size + rest.length >= bytes) {
      const part = rest.subarray(0, bytes - size)
      yield Buffer.concat([...gathered, part])
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
