// Writes the content of one file operation into a new file, and makes sure that it is what was promised.
import { createHash, type Hash } from 'node:crypto'
import { closeSync, fchmodSync, openSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import type { SyncOp } from '../../ports/sync-transport.js'

type FileOp = Extract<SyncOp, { op: 'file' }>

/** Bytes; what is not larger is read and written in one go. */
export const smallSize = 128 * 1024

/**
 * Write the bytes of an operation, with its mode, to a path where nothing is.
 * @throws DevloopError sync/source when they cannot be read or are others than its hash was taken of; AbortError at once
 */
export async function writeContent(path: string, op: FileOp, signal: AbortSignal): Promise<void> {
  const content = await fromSource(op, op.content)
  signal.throwIfAborted()
  if (Buffer.isBuffer(content)) {
    verify(op, createHash('sha256').update(content))
    if (content.length <= smallSize) return writeSmall(path, content, op.mode)
  }
  const handle = await open(path, 'wx', 0o600)
  try {
    if (Buffer.isBuffer(content)) await handle.writeFile(content)
    else {
      const hash = createHash('sha256')
      for await (const chunk of chunks(op, content, signal)) {
        hash.update(chunk)
        await handle.writeFile(chunk)
      }
      verify(op, hash)
    }
    await handle.chmod(op.mode)
  } finally {
    await handle.close()
  }
}

/** Done at once: for a small file the hand-over to other threads and back takes longer than the work. */
function writeSmall(path: string, content: Buffer, mode: number): void {
  const fd = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(fd, content)
    fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

/** A stream's chunks until it ends or the signal aborts, whatever the stream is waiting for then. */
async function* chunks(op: FileOp, content: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = content[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  let stop: () => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop)
  })
  aborted.catch(() => {})
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = await Promise.race([fromSource(op, () => iterator.next()), aborted])
      if (next.done) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', stop)
    // an error that comes of this is told to nobody: the file is given up
    content.on('error', () => {})
    content.destroy()
  }
}

async function fromSource<T>(op: FileOp, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (thrown) {
    if (isDevloopError(thrown)) throw thrown
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw new DevloopError('sync/source', `The source of ${op.path} cannot be read.`, { why, cause: thrown })
  }
}

function verify(op: FileOp, hash: Hash): void {
  if (hash.digest('hex') !== op.hash) throw new DevloopError('sync/source', `The source of ${op.path} changed while it was read.`)
}
