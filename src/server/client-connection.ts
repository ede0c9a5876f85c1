// One connected client: greets it, answers it, and sends it what it does not know yet, never faster than it reads.
// Nothing is queued for a client that does not read: what waits is a set of keys and a place in the log ring, and
// messages are made from them, with the state of that moment, when the socket has taken the one before.
import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import { closeCodes } from '../protocol/discovery.js'
import { protocolVersion, type DaemonMessage, type HelloMessage, type LogSelection } from '../protocol/messages.js'
import type { LogReader, LogRing } from '../store/log-ring.js'
import type { ServerLimits } from './limits.js'
import type { RequestHandlers, RequestOrigin } from './request-handlers.js'
import { runRequest } from './request-runner.js'
import { invalid, parseInbound, type Inbound } from './validate.js'
import type { ViewHistory } from './view-history.js'

/** What all connections of a server share. */
export interface ConnectionHub extends RequestOrigin {
  readonly history: ViewHistory
  readonly logs: LogRing
  readonly handlers: RequestHandlers
  readonly epoch: string
  /** Of devloop. */
  readonly version: string
  readonly limits: ServerLimits
  /** Brings the history up to date and tells every connection what changed. */
  sync(): void
  readonly onDefect: (error: unknown) => void
  /** Milliseconds that never go back. */
  now(): number
}

export interface ClientConnection {
  /** Views that changed or went. */
  changed(keys: readonly string[]): void
  /** Send what is new, as soon as the socket takes it. */
  flush(): void
  /** Heartbeat: ends a client that is gone or stuck, and pings the others. */
  beat(): void
  /** Whether nothing is under way for it: no message, no request. */
  idle(): boolean
  /** Says goodbye and closes. */
  leave(reason: string): void
  /** Cuts the connection off. */
  terminate(): void
}

/** Takes over a freshly upgraded socket; `onClosed` is called once. */
export function createClientConnection(
  ws: WebSocket,
  socket: Duplex,
  hub: ConnectionHub,
  onClosed: (connection: ClientConnection) => void,
): ClientConnection {
  const { limits, history } = hub
  let phase: 'greeting' | 'open' | 'closing' = 'greeting'
  let wantsState = false
  let logReader: LogReader | undefined
  let logId: number | undefined
  /** A new selection is answered even when there is nothing to show. */
  let logAnswerDue = false
  const dirty = new Set<string>()
  /** There may be something to send that the last flush could not. */
  let due = false
  /** One data message at a time: the next is made when the socket has taken this one. */
  let sending = false
  const inbox: Inbound[] = []
  /** Requests that run, or whose reply is not taken by the socket yet. */
  let requests = 0
  let errors = 0
  let progressAt = hub.now()
  let closeTimer: NodeJS.Timeout | undefined
  const helloTimer = setTimeout(
    () => reject(invalid(`No hello came within ${limits.helloMs / 1000} s.`), closeCodes.slow),
    limits.helloMs,
  )

  function onMessage(data: RawData, isBinary: boolean): void {
    progressAt = hub.now()
    if (phase === 'closing') return
    inbox.push(isBinary ? { kind: 'invalid', error: invalid('Messages are text, not binary.') } : parseInbound(textOf(data)))
    drainInbox()
  }

  /** Handles what arrived; stops reading the socket while the client has too many requests under way. */
  function drainInbox(): void {
    while (requests < limits.requests && phase !== 'closing') {
      const next = inbox.shift()
      if (!next) return ws.isPaused ? ws.resume() : undefined
      try {
        handle(next)
      } catch (error) {
        hub.onDefect(error)
        reject(new DevloopError('defect', error instanceof Error ? error.message : String(error)).info, 1011)
      }
    }
    if (phase !== 'closing') ws.pause()
  }

  function handle(inbound: Inbound): void {
    if (inbound.kind === 'invalid') return complain(inbound.error)
    if (inbound.kind === 'invalid-request') return complain(inbound.reply)
    if (inbound.kind === 'unknown' || inbound.kind === 'pong') return
    if (phase === 'greeting') {
      if (inbound.kind === 'hello') greet(inbound.message)
      else reject(invalid('The first message must be a hello.'), closeCodes.invalid)
      return
    }
    if (inbound.kind === 'hello') return complain(invalid('There is one hello in a connection, and it was said.'))
    if (inbound.kind === 'logs') {
      selectLogs(inbound.message.logs, true)
      due = true
      return pump()
    }
    requests++
    void runRequest(inbound.message, hub.handlers, hub.onDefect, hub).then((reply) => {
      if (ws.readyState !== ws.OPEN) return
      post(reply, () => {
        requests--
        drainInbox()
      })
    })
  }

  /** One clear error for one bad message; too many, or one before the hello, end the connection. */
  function complain(error: ErrorInfo | DaemonMessage): void {
    const message: DaemonMessage = 'code' in error ? { type: 'error', error } : error
    errors++
    post(message)
    if (phase === 'greeting') close(closeCodes.invalid, 'The first message must be a valid hello.')
    else if (errors >= limits.errors)
      reject(invalid(`${errors} messages were not valid; the connection is closed.`), closeCodes.invalid)
  }

  function greet(hello: HelloMessage): void {
    if (hello.protocol.major !== protocolVersion.major) {
      const { major, minor } = hello.protocol
      const message = `The client speaks protocol ${major}.${minor}, this daemon ${protocolVersion.major}.${protocolVersion.minor}.`
      return reject(new DevloopError('protocol/version', message).info, closeCodes.version)
    }
    clearTimeout(helloTimer)
    phase = 'open'
    hub.sync()
    wantsState = hello.topics.includes('state')
    const sameEpoch = hello.resume?.epoch === hub.epoch
    const head = `{"type":"welcome","protocol":${JSON.stringify(protocolVersion)},"version":${JSON.stringify(hub.version)},"epoch":${JSON.stringify(hub.epoch)},"seq":${history.seq}`
    const known = hello.resume && sameEpoch ? history.since(hello.resume.seq) : undefined
    if (!wantsState) transmit(`${head}}`)
    else if (known) transmit(`${head},"deltas":${changesJson(known)}}`)
    else transmit(`${head},"snapshot":${history.changes(history.keys()).upserts}}`)
    // Cursors of another epoch mean nothing here: all that this daemon has is new to the client.
    if (hello.topics.includes('logs')) selectLogs(hello.logs ?? {}, sameEpoch || hello.resume === undefined)
    due = true
  }

  function selectLogs(selection: LogSelection | null, sameEpoch: boolean): void {
    logReader = selection
      ? hub.logs.reader({ after: startOf(selection, sameEpoch), ...(selection.resources && { resources: selection.resources }) })
      : undefined
    logId = selection?.id
    logAnswerDue = logReader !== undefined
  }

  function startOf({ after, tail, resources }: LogSelection, sameEpoch: boolean): number {
    if (after !== undefined) return sameEpoch ? after : 0
    const newest = hub.logs.tail(tail ?? 0, resources)
    return newest[0] ? newest[0].cursor - 1 : hub.logs.lastCursor
  }

  function pump(): void {
    if (!due || sending || phase !== 'open' || ws.readyState !== ws.OPEN || ws.bufferedAmount > limits.highWater) return
    if (dirty.size > 0) {
      const json = changesJson(dirty)
      dirty.clear()
      return transmit(`{"type":"delta","seq":${history.seq},${json.slice(1)}`)
    }
    const read = logReader?.read({ maxBytes: limits.logBytes, maxLines: limits.logLines })
    if (read && (read.lines.length > 0 || read.dropped > 0 || logAnswerDue)) {
      logAnswerDue = false
      due = !read.caughtUp
      return transmit(JSON.stringify({ type: 'log', ...(logId !== undefined && { id: logId }), ...read } satisfies DaemonMessage))
    }
    due = false
  }

  const changesJson = (keys: Iterable<string>): string => {
    const { upserts, removes } = history.changes(keys)
    return `{"upserts":${upserts},"removes":${removes}}`
  }

  /** Sends a data message; goes on with the next when the socket has taken it. */
  function transmit(json: string): void {
    sending = true
    ws.send(json, (error) => {
      sending = false
      if (!error) pump()
    })
  }

  /** Sends a message beside the data; these are few by the limits on requests and errors. */
  function post(message: DaemonMessage, taken?: () => void): void {
    if (ws.readyState !== ws.OPEN) return
    ws.send(JSON.stringify(message), (error) => {
      if (error) return
      taken?.()
      pump()
    })
  }

  function reject(error: ErrorInfo, code: number): void {
    post({ type: 'error', error })
    close(code, error.message)
  }

  function close(code: number, reason: string): void {
    if (phase === 'closing') return
    phase = 'closing'
    clearTimeout(helloTimer)
    inbox.length = 0
    // The other side's part of the closing handshake must be read.
    ws.resume()
    ws.close(code, fitReason(reason))
    closeTimer = setTimeout(() => ws.terminate(), limits.closeMs)
  }

  /** The kernel took more after it was full: so the other side reads, even if its pong is far behind. */
  const onDrain = (): void => void (progressAt = hub.now())

  const connection: ClientConnection = {
    changed(keys) {
      if (!wantsState || phase !== 'open') return
      for (const key of keys) dirty.add(key)
    },
    flush() {
      due = true
      pump()
    },
    beat() {
      if (phase !== 'open') return
      const silentMs = hub.now() - progressAt
      if (silentMs >= limits.stallMs) {
        reject(
          new DevloopError('protocol/slow', `The client read nothing for ${Math.round(silentMs / 1000)} s.`).info,
          closeCodes.slow,
        )
      } else if (!sending && ws.bufferedAmount === 0) {
        post({ type: 'ping', seq: history.seq })
      }
    },
    idle: () => phase !== 'open' || (!due && !sending && requests === 0 && dirty.size === 0),
    leave(reason) {
      post({ type: 'goodbye', reason })
      close(closeCodes.goodbye, reason)
    },
    terminate: () => ws.terminate(),
  }

  ws.on('message', onMessage)
  ws.on('pong', onDrain)
  // Answered by hand, because the library would pile up answers for a client that only sends.
  ws.on('ping', (data: Buffer) => {
    progressAt = hub.now()
    if (ws.bufferedAmount < limits.highWater) ws.pong(data)
  })
  // What went wrong shows in the close that follows.
  ws.on('error', () => undefined)
  socket.on('drain', onDrain)
  ws.once('close', () => {
    phase = 'closing'
    clearTimeout(helloTimer)
    clearTimeout(closeTimer)
    socket.off('drain', onDrain)
    inbox.length = 0
    dirty.clear()
    logReader = undefined
    onClosed(connection)
  })
  return connection
}

const textOf = (data: RawData): string =>
  (Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)])).toString()

/** A close frame has room for 123 bytes. */
function fitReason(reason: string): string {
  if (Buffer.byteLength(reason) <= 123) return reason
  return Buffer.from(reason)
    .subarray(0, 120)
    .toString()
    .replace(/\uFFFD+$/, '')
    .concat('…')
}
