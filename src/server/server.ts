// The status server: HTTP on a Unix socket and, if wanted, on loopback TCP; WebSocket clients; the pace at which
// they are told what changed.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { subprotocol } from '../protocol/discovery.js'
import type { LogRing } from '../store/log-ring.js'
import { createClientConnection, type ClientConnection, type ConnectionHub } from './client-connection.js'
import { answerRequest, refuseSocket } from './http-answers.js'
import { defaultLimits, type ServerLimits } from './limits.js'
import { listenOnLoopback, listenOnSocket } from './listen.js'
import type { RequestHandlers } from './request-handlers.js'
import type { PageFiles } from './page-files.js'
import { accessOf, refuseUpgrade, type Transport } from './upgrade-guard.js'
import { createViewHistory } from './view-history.js'
import type { ViewSource } from './view-source.js'

export interface StatusServerOptions {
  readonly views: ViewSource
  readonly logs: LogRing
  readonly handlers: RequestHandlers
  /** Of this daemon process: unique among all that ever run. */
  readonly epoch: string
  /** Of devloop; told to clients. */
  readonly version: string
  /** One of the two is required from every client on TCP; at least 32 random characters of those that HTTP allows in a token. */
  readonly token: string
  /** The same, for clients that only read. */
  readonly readToken: string
  /** At most 103 bytes, in a folder for this user alone (made if need be). */
  readonly socketPath: string
  /** Port on 127.0.0.1; 0 = any that is free; undefined = no TCP. */
  readonly tcpPort?: number | undefined
  /** With `tcpPort` 0: tried first. */
  readonly preferredPort?: number | undefined
  /** The page, served on TCP. Default: there is none. */
  readonly page?: PageFiles
  /** What handlers throw that is no DevloopError, and faults of the server's own. */
  readonly onDefect: (error: unknown) => void
  /** Takes secret values out of texts of replies; views and logs have none. Default: as they are. */
  readonly mask?: (text: string) => string
  readonly limits?: Partial<ServerLimits>
}

export interface StatusServer {
  /** Listens. Throws daemon/start or daemon/running, and then has left nothing behind. */
  start(): Promise<{ readonly socket: string; /** Such as `http://127.0.0.1:41000`. */ readonly url?: string }>
  /** Tells the clients why, and ends within about a second. Safe to call again. */
  close(reason: string): Promise<void>
}

/** Creates a server; nothing happens before `start`. */
export function createStatusServer(options: StatusServerOptions): StatusServer {
  const limits = { ...defaultLimits, ...options.limits }
  const history = createViewHistory(options.views, limits.tombstones)
  const connections = new Set<ClientConnection>()
  const sockets = new Set<Duplex>()
  const servers: Server[] = []
  const unsubscribe: (() => void)[] = []
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.payload,
    perMessageDeflate: false,
    autoPong: false,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  })
  let closing: Promise<void> | undefined
  let lastTick = -Infinity
  let scheduled: { cancel(): void } | undefined
  let heartbeat: NodeJS.Timeout | undefined

  const page: PageFiles = options.page ?? (() => undefined)
  const now = (): number => performance.now()
  const hub: Omit<ConnectionHub, 'viaSocket' | 'access'> = {
    history,
    logs: options.logs,
    handlers: options.handlers,
    epoch: options.epoch,
    version: options.version,
    limits,
    sync,
    onDefect: options.onDefect,
    mask: options.mask ?? ((text) => text),
    now,
  }

  function sync(): void {
    const changed = history.refresh()
    if (changed.length === 0) return
    for (const connection of connections) connection.changed(changed)
    schedule()
  }

  /** The first news after a quiet time goes out at once, what follows is gathered. Without clients nothing is done. */
  function schedule(): void {
    if (scheduled || connections.size === 0) return
    const wait = lastTick + limits.paceMs - now()
    if (wait <= 0) {
      const immediate = setImmediate(tick)
      scheduled = { cancel: () => clearImmediate(immediate) }
    } else {
      const timer = setTimeout(tick, wait)
      scheduled = { cancel: () => clearTimeout(timer) }
    }
  }

  function tick(): void {
    try {
      sync()
      for (const connection of connections) connection.flush()
    } catch (error) {
      options.onDefect(error)
    }
    lastTick = now()
    scheduled?.cancel()
    scheduled = undefined
  }

  function createHttpServer(transport: () => Transport): Server {
    const server = createServer({
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: 5_000,
      maxHeaderSize: 16_384,
    })
    server.maxHeadersCount = 64
    server.maxConnections = limits.clients * 2
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    server.on('request', (request, response) => answerRequest(request, response, transport(), page))
    server.on('upgrade', (request, socket, head) => upgrade(request, socket, head, transport()))
    server.on('connect', (_request, socket) => refuseSocket(socket, { status: 405, reason: 'This is no proxy.' }))
    servers.push(server)
    return server
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, transport: Transport): void {
    const refusal =
      refuseUpgrade(request, transport) ??
      (closing ? { status: 503 as const, reason: 'devloop is about to end.' } : undefined) ??
      (connections.size >= limits.clients
        ? { status: 503 as const, reason: `${limits.clients} clients are connected already.` }
        : undefined)
    if (refusal) return refuseSocket(socket, refusal)
    webSockets.handleUpgrade(request, socket, head, (ws) => {
      const way = { viaSocket: transport.kind === 'unix', access: accessOf(request, transport) ?? 'read' }
      connections.add(createClientConnection(ws, socket, { ...hub, ...way }, leave))
      heartbeat ??= setInterval(() => connections.forEach((connection) => connection.beat()), limits.pingMs)
    })
  }

  function leave(connection: ClientConnection): void {
    connections.delete(connection)
    if (connections.size > 0) return
    clearInterval(heartbeat)
    heartbeat = undefined
    history.forgetJson()
  }

  async function start(): Promise<{ socket: string; url?: string }> {
    try {
      await listenOnSocket(
        createHttpServer(() => ({ kind: 'unix' })),
        options.socketPath,
      )
      let url: string | undefined
      if (options.tcpPort !== undefined) {
        let port = 0
        const server = createHttpServer(() => ({ kind: 'tcp', port, token: options.token, readToken: options.readToken }))
        port = await listenOnLoopback(server, options.tcpPort, options.preferredPort)
        url = `http://127.0.0.1:${port}`
      }
      // Such as no more file descriptors when a client comes: it does not get in, and nothing else is wrong.
      for (const server of servers) server.on('error', () => undefined)
      unsubscribe.push(options.views.subscribe(schedule), options.logs.subscribe(schedule))
      return { socket: options.socketPath, ...(url && { url }) }
    } catch (error) {
      await closeServers()
      throw error
    }
  }

  async function closeAll(reason: string): Promise<void> {
    for (const end of unsubscribe.splice(0)) end()
    // What was said last, replies and final states, should still arrive; a client that does not read gets no say.
    const deadline = now() + Math.min(100, limits.closeMs)
    tick()
    while ([...connections].some((connection) => !connection.idle()) && now() < deadline) await sleep(5)
    scheduled?.cancel()
    for (const connection of connections) connection.leave(reason)
    const cutOff = setTimeout(() => {
      for (const connection of connections) connection.terminate()
      for (const socket of sockets) socket.destroy()
    }, limits.closeMs)
    await closeServers()
    clearTimeout(cutOff)
    clearInterval(heartbeat)
  }

  async function closeServers(): Promise<void> {
    const ended = servers
      .filter((server) => server.listening)
      .map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    for (const server of servers) server.closeIdleConnections()
    await Promise.all(ended)
  }

  return { start, close: (reason) => (closing ??= closeAll(reason)) }
}
