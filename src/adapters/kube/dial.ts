// A connection to a port of a pod: one WebSocket each, as a Duplex with back-pressure in both directions.
import { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { DevloopError } from '../../errors/devloop-error.js'
import type { KubeConnection } from './connection.js'

const dataChannel = 0
const errorChannel = 1
/** Bytes that may lie in the socket before writing waits. */
const highWater = 256 * 1024
/** The protocol cannot say "no more from here"; after our end it is closed once the other side was silent for this long. */
const lingerMs = 5_000

/** What container runtimes say when the connection inside of the pod was not made at all. */
const refused = /connection refused|sandbox .* is not running|network namespace .* (?:is closed|no such file)/i

/**
 * Resolves when the way to the pod is open. Whether something listens there shows only then: the Duplex is destroyed with
 * forward/refused when not.
 * @throws DevloopError forward/failed, cluster/*
 */
export async function dialPod(
  connection: KubeConnection,
  pod: { readonly namespace: string; readonly name: string },
  port: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const place = `port ${port} of pod ${pod.name} in ${pod.namespace}`
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/portforward`
  try {
    return duplexOver(await connection.openWebSocket(path, { ports: String(port) }, ['v4.channel.k8s.io'], signal), place)
  } catch (thrown) {
    if (
      signal.aborted ||
      !(thrown instanceof DevloopError) ||
      thrown.code === 'cluster/forbidden' ||
      thrown.code === 'cluster/unauthorized'
    )
      throw thrown
    throw new DevloopError('forward/failed', `Could not connect to ${place}.`, {
      why: thrown.info.why ?? thrown.message,
      help: thrown.info.help,
      cause: thrown,
    })
  }
}

/** The port-forward protocol over an open socket, seen as a plain stream. */
export function duplexOver(socket: WebSocket, place: string): Duplex {
  socket.binaryType = 'nodebuffer'
  let linger: NodeJS.Timeout | undefined
  /** Channels that have told their port number, which is the first message on each. */
  const begun = new Set<number>()
  const words: string[] = []
  let errorTimer: NodeJS.Timeout | undefined

  /** Something was written after the other side had begun to close the socket. */
  let lost = false

  const fail = (): void => {
    const why = words.join('').trim()
    const error = refused.test(why)
      ? new DevloopError('forward/refused', `Nothing listens on ${place}.`, { why })
      : new DevloopError('forward/failed', `The connection to ${place} failed.`, { why })
    duplex.destroy(error)
  }
  const broken = (error: Error): DevloopError =>
    new DevloopError('forward/failed', `The connection to ${place} broke.`, { why: error.message, cause: error })
  const duplex = new Duplex({
    allowHalfOpen: true,
    read() {
      if (socket.isPaused) socket.resume()
    },
    write(chunk: Buffer, _encoding, callback) {
      if (socket.readyState !== socket.OPEN) {
        // why it closes is known when it is closed
        lost = true
        return callback()
      }
      const frame = Buffer.allocUnsafe(chunk.length + 1)
      frame[0] = dataChannel
      chunk.copy(frame, 1)
      const wait = socket.bufferedAmount > highWater
      socket.send(frame, (error) => {
        if (error) duplex.destroy(broken(error))
        else if (wait) callback()
      })
      if (!wait) callback()
    },
    final(callback) {
      linger = setTimeout(() => duplex.destroy(), lingerMs)
      callback()
    },
    destroy(error, callback) {
      clearTimeout(linger)
      clearTimeout(errorTimer)
      // What comes after no longer matters, and a paused socket would never see the close.
      socket.removeAllListeners('message')
      if (socket.isPaused) socket.resume()
      socket.close()
      const hard = setTimeout(() => socket.terminate(), 1_000)
      socket.once('close', () => clearTimeout(hard))
      if (socket.readyState === socket.CLOSED) clearTimeout(hard)
      callback(error)
    },
  })

  socket.on('message', (data: RawData) => {
    const message = data as Buffer
    const channel = message[0]
    if (channel !== dataChannel && channel !== errorChannel) return
    let body = message.subarray(1)
    if (!begun.has(channel)) {
      begun.add(channel)
      body = body.subarray(2)
    }
    if (body.length === 0) return
    if (channel === errorChannel) {
      words.push(body.toString('utf8'))
      errorTimer ??= setTimeout(fail, 50)
      return
    }
    linger?.refresh()
    if (!duplex.push(body)) socket.pause()
  })
  socket.on('error', (error) => duplex.destroy(broken(error)))
  socket.once('close', () => {
    if (words.length > 0) return fail()
    if (lost) return void duplex.destroy(broken(new Error('It was closed while something was being sent.')))
    // The app closed its side: all it sent is given first, and nothing can be sent any more.
    duplex.push(null)
    duplex.end()
    clearTimeout(linger)
  })
  return duplex
}
