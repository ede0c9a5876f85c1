// One connected client: greets it, answers it, and sends it what it does not know yet, never faster than it reads.
// Nothing is queued for a client that does not read: what waits is a set of keys and a place in the log ring, and
// messages are made from them, with the state of that moment, when the socket has taken the one before.
import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import { closeCodes } from '../protocol/discovery.js'
import { protocolVersion, type Access, type DaemonMessage, type HelloMessage, type LogSelection } from '../protocol/messages.js'
import type { LogRing } from '../store/log-ring.js'
import { methodsOf } from './access.js'
import { createClientRequests } from './client-requests.js'
import type { ServerLimits } from './limits.js'
import { createLogSelections } from './log-selections.js'
import { maskTexts } from './mask-view.js'
import type { Progress, RequestHandlers } from './request-handlers.js'
import { runRequest } from './request-runner.js'
import { createStateFeed, type StateFeed } from './state-feed.js'
import { invalid, parseInbound, type Inbound } from './validate.js'
import type { ViewHistory } from './view-history.js'

/** What all connections of a server share, and how this one came. */
export interface ConnectionHub {
  /** On the Unix socket: only this user can be there, and nothing leaves the machine. */
  readonly viaSocket: boolean
  /** What the client may do at most. */
  readonly access: Access
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
  /** A text without secret values. */
  readonly mask: (text: string) => string
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
  let access: Access = 'read'
  let state: StateFeed | undefined
  /** A new state selection is answered by the whole. */
  let snapshotDue = false
  const logs = createLogSelections(hub.logs, limits)
  /** There may be something to send that the last flush could not. */
  let due = false
  /** One data message at a time: the next is made when the socket has taken this one. */
  let sending = false
  /** Goes on with lines of log that few are wanted of, after others had their turn. */
  let resting: NodeJS.Immediate | undefined
  const inbox: Inbound[] = []
  const requests = createClientRequests({
    most: limits.requests,
    progressMs: limits.progressMs,
    async run(request, { signal, progress }) {
      const { viaSocket, mask } = hub
      const tell: Progress = (message, count) => progress(mask(message), count)
      const reply = await runRequest(request, hub.handlers, hub.onDefect, { viaSocket, access, signal, progress: tell })
      // an environment is of use only as it is
      return request.method === 'exec' && 'result' in reply ? reply : maskTexts(reply, mask)
    },
    send: post,
    mention(message) {
      if (ws.bufferedAmount < limits.highWater) post(message)
    },
    onRoom: drainInbox,
  })
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
    while (!requests.isFull && phase !== 'closing') {
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
    switch (inbound.kind) {
      case 'hello':
        return complain(invalid('There is one hello in a connection, and it was said.'))
      case 'request':
        return requests.take(inbound.message)
      case 'cancel':
        return requests.cancel(inbound.message.id)
      case 'state':
        state = createStateFeed(history, inbound.message.state)
        snapshotDue = true
        break
      case 'logs':
        selectLogs(inbound.message.id ?? 0, inbound.message.logs, true)
    }
    due = true
    pump()
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
    if (hub.access === 'control' && hello.access === undefined) access = 'control'
    const sameEpoch = hello.resume?.epoch === hub.epoch
    const { epoch, version } = hub
    const head = JSON.stringify({
      type: 'welcome',
      protocol: protocolVersion,
      version,
      epoch,
      seq: history.seq,
      access,
      methods: methodsOf(access),
    }).slice(0, -1)
    if (!hello.topics.includes('state')) transmit(`${head}}`)
    else {
      state = createStateFeed(history, hello.state ?? null)
      const from = sameEpoch ? hello.resume.seq : undefined
      const known = from === undefined ? undefined : state.since(from)
      transmit(known === undefined ? `${head},"snapshot":${state.snapshot()}}` : `${head},"deltas":${known}}`)
    }
    // Cursors of another epoch mean nothing here: all that this daemon has is new to the client.
    if (hello.topics.includes('logs')) selectLogs(0, hello.logs ?? {}, sameEpoch || hello.resume === undefined)
    due = true
  }

  function selectLogs(id: number, selection: LogSelection | null, sameEpoch: boolean): void {
    const problem = logs.select(id, selection, sameEpoch)
    if (problem !== undefined) complain(invalid(problem))
  }

  function pump(): void {
    if (!due || sending || phase !== 'open' || ws.readyState !== ws.OPEN || ws.bufferedAmount > limits.highWater) return
    if (snapshotDue && state) {
      snapshotDue = false
      return transmit(`{"type":"snapshot","seq":${history.seq},"views":${state.snapshot()}}`)
    }
    const changes = state?.pending ? state.take() : undefined
    if (changes !== undefined) return transmit(`{"type":"delta","seq":${history.seq},${changes.slice(1)}`)
    const log = logs.next()
    if (log === 'more') {
      resting ??= setImmediate(() => {
        resting = undefined
        pump()
      })
      return
    }
    if (log) return transmit(JSON.stringify(log satisfies DaemonMessage))
    due = false
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
      if (phase === 'open') state?.changed(keys)
    },
    flush() {
      due = true
      pump()
    },
    beat() {
      if (phase !== 'open') return
      // Not read while its requests take their time: that is no fault of the client.
      if (ws.isPaused && requests.isWorking) progressAt = hub.now()
      const silentMs = hub.now() - progressAt
      if (silentMs >= limits.stallMs) {
        reject(
          new DevloopError('protocol/slow', `The client read nothing for ${Math.round(silentMs / 1000)} s.`).info,
          closeCodes.slow,
        )
      } else if (!sending && ws.bufferedAmount === 0) {
        // first what it does not know, so that it has the state as of this number when the ping comes
        due = true
        pump()
        if (!state?.pending && !snapshotDue) post({ type: 'ping', seq: history.seq })
      }
    },
    idle: () => phase !== 'open' || (!due && !sending && requests.isIdle && !state?.pending),
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
    clearImmediate(resting)
    inbox.length = 0
    state = undefined
    requests.cancelAll()
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
