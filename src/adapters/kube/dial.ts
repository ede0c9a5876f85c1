// A connection to a port of a pod: one WebSocket each, as a Duplex with back-pressure in both directions.
import { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { DevloopError } from '../../errors/devloop-error.js'
import type { KubeConnection } from './connection.js'
import { startPulse } from './pulse.js'

const dataChannel = 0
const errorChannel = 1
/** Bytes that may lie in the socket before writing waits. */
const highWater = 256 * 1024
/** The protocol cannot say "no more from here"; after our end it is closed once the other side was silent for this long. */
const lingerMs = 5_000

/**
 * Pings, answered by the pod's node. Load balancers cut what is silent for a minute or more, and a machine that slept finds its old
 * connections leading nowhere. Measured: an answer takes 1 ms, and a hundred idle connections cost 0.2 % of a core. Milliseconds.
 */
const pulse = { everyMs: 5_000, silentMs: 15_000 }
/**
 * An app that takes nothing, such as one that a debugger has stopped, leaves what is sent to it on the way, pings with it. Up to so many
 * bytes are certain to find room in buffers (measured: over 1 MB); beyond them, silence proves something only after so long.
 */
const onTheWay = { bytes: 64 * 1024, silentMs: 120_000 }

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
    const socket = await connection.openWebSocket(path, { ports: String(port) }, ['v4.channel.k8s.io'], signal)
    return duplexOver(socket, place, connection.suspect)
  } catch (thrown) {
    if (
      signal.aborted ||
      !(thrown instanceof DevloopError) ||
      thrown.code === 'cluster/forbidden' ||
      thrown.code === 'cluster/denied' ||
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

/**
 * The port-forward protocol over an open socket, seen as a plain stream.
 * @param onDead called when the connection turns out to lead nowhere, with the time when it was heard last
 */
export function duplexOver(socket: WebSocket, place: string, onDead: (heardAt: number) => void): Duplex {
  socket.binaryType = 'nodebuffer'
  let linger: NodeJS.Timeout | undefined
  /** Channels that have told their port number, which is the first message on each. */
  const begun = new Set<number>()
  const words: string[] = []
  let errorTimer: NodeJS.Timeout | undefined

  /** Bytes that were sent since something came. */
  let unanswered = 0

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
      unanswered += chunk.length
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
    unanswered = 0
    if (!duplex.push(body)) socket.pause()
  })
  startPulse(socket, {
    everyMs: pulse.everyMs,
    silentMs: () => (unanswered > onTheWay.bytes ? onTheWay.silentMs : pulse.silentMs),
    isHeld: () => socket.isPaused,
    onDead(why, heardAt) {
      duplex.destroy(broken(new Error(`The connection was lost: ${why}.`)))
      onDead(heardAt)
    },
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
