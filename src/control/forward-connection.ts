// One connection from a forwarded port to a pod. While nothing listens there, as during a restart in place, or no way leads there,
// it waits and tries again; what the client has sent is kept until the pod has said something.
import type { Socket } from 'node:net'
import { pipeline, type Duplex } from 'node:stream'
import type { ErrorCode } from '../errors/codes.js'
import { DevloopError, isDevloopError } from '../errors/devloop-error.js'

/** Bytes of the client that are kept for another try; the client is not read any further before the connection is settled. */
const keptBytes = 256 * 1024
/** Pauses between tries. Milliseconds. */
const pauses = { first: 10, most: 250 }
/** When more than is kept was sent, and it was not refused for this long, it counts as made: an upload is answered at its end. Milliseconds. */
const settledMs = 1000
/** Reasons for which a connection could not be made that another try cannot cure. */
const final = new Set<ErrorCode>(['cluster/forbidden', 'cluster/denied', 'cluster/unauthorized'])

/**
 * Resolves when the pod has answered, or takes much, and the connection runs by itself.
 * @param dial connects to a pod that serves now
 * @param signal ends the tries. While it lasts, whatever keeps `dial` from connecting is waited out, except for missing rights.
 * @throws the reason of the last try
 */
export async function carry(client: Socket, dial: () => Promise<Duplex>, signal: AbortSignal): Promise<void> {
  const kept: Buffer[] = []
  let bytes = 0
  let ended = false
  let remote: Duplex | undefined
  const onData = (chunk: Buffer): void => {
    kept.push(chunk)
    bytes += chunk.length
    remote?.write(chunk)
    if (bytes >= keptBytes) client.pause()
  }
  const onEnd = (): void => {
    ended = true
    remote?.end()
  }
  const onClose = (): void => void remote?.destroy()
  client.on('data', onData).on('end', onEnd).on('close', onClose)
  try {
    for (let pause = pauses.first; ; pause = Math.min(pause * 2, pauses.most)) {
      let made = false
      try {
        remote = await dial()
        made = true
        // after its answer, an error is its own affair; before, `answered` tells
        remote.on('error', () => {})
        for (const chunk of kept) remote.write(chunk)
        if (ended) remote.end()
        await answered(remote, () => bytes >= keptBytes)
        break
      } catch (thrown) {
        remote?.destroy()
        remote = undefined
        // once something was sent, any other problem may have come after it was delivered
        const sent = made && bytes > 0
        if (!isDevloopError(thrown) || (sent ? thrown.code !== 'forward/refused' : final.has(thrown.code))) throw thrown
        if (signal.aborted) throw thrown
        await new Promise((resolve) => setTimeout(resolve, pause))
        if (signal.aborted) throw thrown
      }
    }
  } finally {
    client.off('data', onData).off('end', onEnd).off('close', onClose)
    client.pause()
  }
  // errors of one connection are its two ends' own affair
  if (ended) pipeline(remote, client, () => {})
  else pipeline(client, remote, client, () => {})
}

/** Resolves with the first byte, the end, or when nothing more is kept and it was not refused. @throws DevloopError forward/* */
const answered = (remote: Duplex, full: () => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const off = (): void => {
      clearInterval(timer)
      remote.off('readable', done).off('close', done).off('error', failed)
    }
    const done = (): void => (off(), resolve())
    const failed = (error: Error): void => {
      off()
      // a broken connection is an everyday event, whatever the stream calls it
      reject(isDevloopError(error) ? error : new DevloopError('forward/failed', 'The connection broke.', { why: error.message }))
    }
    const timer = setInterval(() => full() && done(), settledMs)
    remote.on('readable', done).on('close', done).on('error', failed)
  })
