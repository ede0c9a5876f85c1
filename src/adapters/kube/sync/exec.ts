// Exec over a WebSocket of our own: unlike the client library's it holds back when the container does not read, notices a dead
// connection, and always ends with a status or an error.
import { Readable, Writable } from 'node:stream'
import type { WebSocket } from 'ws'
import { DevloopError } from '../../../errors/devloop-error.js'
import type { TargetRef } from '../../../ports/sync-transport.js'
import type { KubeConnection } from '../connection.js'
import { startPulse } from '../pulse.js'
import { containerName, translateExecRefusal, translateExecStatus } from './exec-errors.js'
import type { ExecEnd, ExecStream } from './exec-stream.js'

const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const
/** Payload of one message: half of a large frame of the agent, with its head. */
const messageBytes = 128 * 1024 + 32
/** A write is answered at once below this many unsent bytes, else when they are sent. */
const highWaterBytes = 512 * 1024
/** A save waits for it, so that a dead connection is found soon. Milliseconds. */
const pulse = { everyMs: 3_000, silentMs: 10_000 }
/** How long the closing of a socket may take once the status has come. */
const closeMs = 2_000

export interface OpenExecOptions {
  /** Whether the command gets an input at all. */
  readonly stdin: boolean
  /** Covers the opening. */
  readonly signal: AbortSignal
  /** Give it a terminal of this size: output and errors then come as one. */
  readonly terminal?: TerminalSize
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export interface TerminalStream extends ExecStream {
  /** Only with a terminal. */
  resize(size: TerminalSize): void
}

/**
 * Start a command in a container. Resolves when the connection is open.
 * @throws DevloopError cluster/* (also when `pods/exec` is denied), sync/disconnected when the pod or container is gone
 */
export async function openExec(
  connection: KubeConnection,
  target: TargetRef,
  argv: readonly string[],
  { stdin, signal, terminal }: OpenExecOptions,
): Promise<TerminalStream> {
  const path = `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods/${encodeURIComponent(target.pod)}/exec`
  const query = {
    container: target.container,
    command: argv,
    stdin: String(stdin),
    stdout: 'true',
    stderr: String(!terminal),
    tty: String(terminal !== undefined),
  }
  try {
    const socket = await connection.openWebSocket(path, query, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], signal)
    const stream = streamsOf(socket, target, argv, connection.suspect)
    if (terminal) stream.resize(terminal)
    return stream
  } catch (thrown) {
    throw translateExecRefusal(thrown, target)
  }
}

/** @param onDead called when the connection turns out to lead nowhere, with the time when it was heard last */
function streamsOf(
  socket: WebSocket,
  target: TargetRef,
  argv: readonly string[],
  onDead: (heardAt: number) => void,
): TerminalStream {
  let status: ExecEnd | undefined
  let failure: string | undefined
  let settled = false
  let closing: NodeJS.Timeout | undefined
  let settle: (end: ExecEnd) => void = () => {}
  const ended = new Promise<ExecEnd>((resolve) => (settle = resolve))

  const full = new Set<Readable>()
  const output = (): Readable => {
    const stream: Readable = new Readable({
      highWaterMark: highWaterBytes,
      read() {
        if (full.delete(stream) && full.size === 0) socket.resume()
      },
    })
    // closed by whoever reads it: what still comes is dropped, and holds nothing up
    stream.once('close', () => {
      if (full.delete(stream) && full.size === 0) socket.resume()
    })
    return stream
  }
  const stdout = output()
  const stderr = output()
  const give = (stream: Readable, data: Buffer): void => {
    if (stream.destroyed || stream.push(data)) return
    full.add(stream)
    socket.pause()
  }

  const stdin = new Writable({
    highWaterMark: messageBytes,
    write: (chunk: Buffer, _encoding, callback) => send(socket, [chunk], callback),
    writev: (chunks, callback) =>
      send(
        socket,
        chunks.map((one) => one.chunk as Buffer),
        callback,
      ),
    final(callback) {
      // v4 cannot close one direction: the command's input then ends with the connection
      if (socket.protocol === 'v5.channel.k8s.io' && socket.readyState === socket.OPEN)
        socket.send(Buffer.from([channel.close, channel.stdin]), () => callback())
      else callback()
    },
  })
  // what went wrong is told by `ended`
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {})

  const finish = (): void => {
    if (settled) return
    settled = true
    clearTimeout(closing)
    stdin.destroy()
    for (const stream of [stdout, stderr]) if (!stream.destroyed) stream.push(null)
    settle(status ?? { kind: 'failed', error: lost(target, failure) })
  }

  socket.on('message', (data: Buffer) => {
    const kind = data[0]
    const body = data.subarray(1)
    // the server begins each channel with an empty message
    if (body.length === 0) return
    if (kind === channel.stdout) give(stdout, body)
    else if (kind === channel.stderr) give(stderr, body)
    else if (kind === channel.status) {
      status = translateExecStatus(body.toString('utf8'), target, argv)
      closing = setTimeout(() => socket.terminate(), closeMs)
      socket.close()
    }
  })
  socket.on('error', (error) => (failure ??= error.message))
  socket.on('close', finish)

  startPulse(socket, {
    everyMs: pulse.everyMs,
    silentMs: () => pulse.silentMs,
    isHeld: () => full.size > 0,
    onDead(why, heardAt) {
      failure ??= why
      socket.terminate()
      onDead(heardAt)
    },
  })

  return {
    stdin,
    stdout,
    stderr,
    ended,
    resize({ columns, rows }) {
      if (socket.readyState !== socket.OPEN) return
      const size = Buffer.from(JSON.stringify({ Width: columns, Height: rows }))
      socket.send(Buffer.concat([Buffer.from([channel.resize]), size]))
    },
    close() {
      failure ??= 'devloop closed it'
      socket.terminate()
    },
  }
}

/** Each byte is copied once, into the message that carries it. */
function send(socket: WebSocket, chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
  if (socket.readyState !== socket.OPEN) {
    callback(new Error('the connection is closed'))
    return
  }
  let left = chunks.reduce((sum, { length }) => sum + length, 0)
  if (left === 0) callback()
  const source = chunks[Symbol.iterator]()
  let rest: Buffer = Buffer.alloc(0)
  while (left > 0) {
    const message = Buffer.allocUnsafe(Math.min(left, messageBytes) + 1)
    message[0] = channel.stdin
    for (let at = 1; at < message.length;) {
      if (rest.length === 0) rest = (source.next().value as Buffer | undefined) ?? rest
      const copied = rest.copy(message, at)
      rest = rest.subarray(copied)
      at += copied
    }
    left -= message.length - 1
    if (left > 0) socket.send(message)
    else if (socket.bufferedAmount + message.length < highWaterBytes) {
      socket.send(message)
      callback()
    } else socket.send(message, (error) => callback(error ?? null))
  }
}

const lost = (target: TargetRef, why: string | undefined): DevloopError =>
  new DevloopError('sync/disconnected', `The stream to ${containerName(target)} ended.`, {
    why: why && `The connection was lost: ${why}.`,
  })
