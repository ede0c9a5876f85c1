// DevloopClient: one connection to a daemon, kept up, with a copy of its state that is always whole.
import { DevloopError, isDevloopError, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import { closeCodes } from '../protocol/discovery.js'
import {
  protocolVersion,
  type DaemonMessage,
  type HelloMessage,
  type LogMessage,
  type LogSelection,
  type Requests,
  type Topic,
  type View,
  type WelcomeMessage,
} from '../protocol/messages.js'
import { createListeners } from './listeners.js'
import { createPendingRequests, errorOf, limited, type WaitOptions } from './pending-requests.js'
import type { Endpoint, SocketFactory, SocketLike } from './socket.js'
import { createViewMap, type ViewsChange } from './view-map.js'

export interface ConnectOptions {
  /**
   * Where the daemon is: fixed, or asked for before each attempt, since a daemon that was started anew may have other
   * addresses. Undefined = it does not run now.
   */
  readonly endpoint: Endpoint | (() => Endpoint | undefined | Promise<Endpoint | undefined>)
  /** Name and version of the client, for people. */
  readonly name?: string
  /** Default `['state']`; logs are subscribed to with `logs`. */
  readonly topics?: readonly Topic[]
  /** Whether to connect again after the connection is lost, and to go on trying at the start. Default true. */
  readonly reconnect?: boolean
  /** Pause between attempts; doubles up to the maximum. Default 100 ms and 5 s. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number }
  /** Default: the `ws` library on Node. See browserSocket. */
  readonly createSocket?: SocketFactory
  /** Closes the client when aborted. */
  readonly signal?: AbortSignal
}

/** `closed` is final: by `close`, by a refusal that trying again cannot cure, or by any loss without `reconnect`. */
export type ClientState = 'connecting' | 'open' | 'closed'

export interface DevloopClient {
  readonly state: ClientState
  /** Why it is not open. */
  readonly error: ErrorInfo | undefined
  /** What the daemon said of itself last. */
  readonly daemon: Pick<WelcomeMessage, 'epoch' | 'version' | 'protocol'> | undefined
  /** Resolves when connected and the state is whole. Throws the reason when the client closes instead. */
  whenOpen(options?: WaitOptions): Promise<void>
  /** The state by `kind/name`, updated in place. While not connected it is the last that was known. */
  views(): ReadonlyMap<string, View>
  get<K extends View['kind']>(kind: K, name: string): Extract<View, { kind: K }> | undefined
  /** Called after each update with what it changed; returns what ends it. */
  onViews(callback: (change: ViewsChange) => void): () => void
  onState(callback: (state: ClientState, error: ErrorInfo | undefined) => void): () => void
  /**
   * What the predicate returns, as soon as that is neither false, null nor undefined. Asked now, if
   * connected, and after each update. Throws `timeout`, the signal's reason, or why the client closed.
   */
  waitFor<T>(predicate: (views: ReadonlyMap<string, View>) => T | false | null | undefined, options?: WaitOptions): Promise<T>
  /**
   * Lines as they come, without gap or repetition over reconnects. A client has one log subscription: another call
   * replaces it. Returns what ends it.
   */
  logs(selection: LogSelection, onLines: (message: LogMessage) => void): () => void
  /** Waits for the connection and the reply (30 s by default). Throws the daemon's DevloopError. Is never sent twice. */
  request<M extends keyof Requests>(
    method: M,
    params: Requests[M]['params'],
    options?: WaitOptions,
  ): Promise<Requests[M]['result']>
  close(): void
}

/** Time for connecting and the welcome. */
const welcomeMs = 10_000
/** The daemon pings every 20 s; a connection silent for so long is dead. */
const silenceMs = 70_000

/** Creates a client, which begins to connect. */
export function connectDevloop(options: ConnectOptions): DevloopClient {
  const { minMs, maxMs } = options.backoff ?? { minMs: 100, maxMs: 5_000 }
  const map = createViewMap()
  const requests = createPendingRequests()
  const viewListeners = createListeners<[ViewsChange]>()
  const stateListeners = createListeners<[ClientState, ErrorInfo | undefined]>()
  let state: ClientState = 'connecting'
  let error: ErrorInfo | undefined
  let daemon: DevloopClient['daemon']
  let seq = 0
  let logs:
    | { readonly id: number; readonly selection: LogSelection; readonly onLines: (message: LogMessage) => void; cursor?: number }
    | undefined
  let lastLogId = 0
  let socket: SocketLike | undefined
  /** What the daemon said before it closed the connection. */
  let farewell: ErrorInfo | undefined
  let failures = 0
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let watchdog: ReturnType<typeof setTimeout> | undefined
  let heardAt = 0

  async function attempt(): Promise<void> {
    let next: SocketLike
    let fixed = true
    try {
      fixed = typeof options.endpoint !== 'function'
      const endpoint = typeof options.endpoint === 'function' ? await options.endpoint() : options.endpoint
      if (!endpoint) throw new DevloopError('daemon/not-running', 'devloop does not run for this project.')
      next = await (options.createSocket ?? (await import('./node-socket.js')).nodeSocket)(endpoint)
    } catch (thrown) {
      return lost(isDevloopError(thrown) ? thrown.info : unreachable(toErrorInfo(thrown).message), false)
    }
    // Closed in the meantime. (A function, because the compiler does not see that `state` may have changed.)
    if (isClosed()) return discard(next)
    socket = next
    farewell = undefined
    let why: string | undefined
    watch(welcomeMs)
    next.onopen = () => send(hello())
    next.onmessage = ({ data }) => receive(data)
    next.onerror = ({ message }) => void (why = message)
    next.onclose = ({ code, reason }) => {
      const refused = /\b(401|403)\b/.test(why ?? '')
      if (refused) lost(new DevloopError('protocol/unauthorized', 'devloop refused the connection.', { why }).info, fixed)
      else lost(farewell ?? unreachable(why ?? reason), code === closeCodes.version)
    }
  }

  const isClosed = (): boolean => state === 'closed'

  function hello(): HelloMessage {
    return {
      type: 'hello',
      protocol: protocolVersion,
      client: options.name ?? 'devloop/client',
      topics: [...new Set<Topic>([...(options.topics ?? ['state']), ...(logs ? (['logs'] as const) : [])])],
      ...(daemon && { resume: { epoch: daemon.epoch, seq } }),
      ...(logs && { logs: logSelection(logs) }),
    }
  }

  function logSelection({ id, selection, cursor }: NonNullable<typeof logs>): LogSelection {
    return { ...selection, id, ...(cursor !== undefined && { after: cursor }) }
  }

  function receive(data: unknown): void {
    let message: DaemonMessage
    try {
      message = JSON.parse(String(data)) as DaemonMessage
    } catch {
      return drop(unreachable('It sent something that is not JSON.'))
    }
    heardAt = performance.now()
    if ('jsonrpc' in message) return requests.settle(message)
    switch (message.type) {
      case 'welcome':
        return welcome(message)
      case 'delta':
        seq = message.seq
        return viewListeners.call(map.apply(message))
      case 'log':
        // what was still under way for a selection that was replaced
        if (!logs || message.id !== logs.id) return
        logs.cursor = message.cursor
        return logs.onLines(message)
      case 'ping':
        return send({ type: 'pong' })
      case 'error':
        farewell = message.error
        return
      case 'goodbye':
        farewell = new DevloopError('daemon/not-running', 'devloop ended.', { why: message.reason }).info
        return
      default:
        // of a later version
        return
    }
  }

  function welcome(message: WelcomeMessage): void {
    daemon = { epoch: message.epoch, version: message.version, protocol: message.protocol }
    seq = message.seq
    failures = 0
    watch(silenceMs)
    const change = message.snapshot ? map.replace(message.snapshot) : message.deltas ? map.apply(message.deltas) : undefined
    setState('open', undefined)
    if (change) viewListeners.call(change)
  }

  function lost(reason: ErrorInfo, final: boolean): void {
    if (isClosed()) return
    socket = undefined
    clearTimeout(watchdog)
    if (final || options.reconnect === false) return finish(reason)
    setState('connecting', reason)
    requests.fail(reason)
    const pause = Math.min(maxMs, minMs * 2 ** Math.min(failures++, 20))
    retryTimer = setTimeout(() => void attempt(), pause * (0.75 + Math.random() / 2))
  }

  function drop(reason: ErrorInfo): void {
    if (socket) discard(socket)
    lost(reason, false)
  }

  function finish(reason: ErrorInfo): void {
    if (isClosed()) return
    clearTimeout(retryTimer)
    clearTimeout(watchdog)
    options.signal?.removeEventListener('abort', close)
    if (socket) discard(socket)
    socket = undefined
    setState('closed', reason)
    requests.fail(reason)
  }

  /** Ends a connection that says nothing: the daemon is stopped, or the other end is gone without a word. */
  function watch(limitMs: number): void {
    clearTimeout(watchdog)
    heardAt = performance.now()
    const check = (): void => {
      const rest = heardAt + limitMs - performance.now()
      if (rest <= 0) return drop(unreachable(`It said nothing for ${limitMs / 1000} s.`))
      watchdog = setTimeout(check, rest)
    }
    watchdog = setTimeout(check, limitMs)
  }

  function setState(next: ClientState, reason: ErrorInfo | undefined): void {
    const changed = next !== state || reason?.message !== error?.message
    state = next
    error = reason
    if (changed) stateListeners.call(next, reason)
  }

  function send(message: object): void {
    socket?.send(JSON.stringify(message))
  }

  function until<T>(
    listen: (check: () => void) => (() => void)[],
    value: () => T | false | null | undefined,
    what: string,
    wait: WaitOptions,
  ): Promise<T> {
    let ends: (() => void)[] = []
    const found = new Promise<T>((resolve, reject) => {
      const check = (): void => {
        try {
          const result = value()
          if (result !== undefined && result !== null && result !== false) resolve(result)
          else if (isClosed()) reject(errorOf(error ?? closedError()))
        } catch (thrown) {
          reject(thrown)
        }
      }
      ends = [...listen(check), stateListeners.add(check)]
      check()
    })
    return limited(found, what, wait).finally(() => ends.forEach((end) => end()))
  }

  const whenOpen = (wait: WaitOptions = {}): Promise<void> =>
    until(
      () => [],
      () => state === 'open',
      'the connection to devloop',
      wait,
    ).then(() => undefined)

  function close(): void {
    finish(closedError())
  }

  if (options.signal?.aborted) close()
  else {
    options.signal?.addEventListener('abort', close, { once: true })
    void attempt()
  }

  return {
    get state() {
      return state
    },
    get error() {
      return error
    },
    get daemon() {
      return daemon
    },
    whenOpen,
    views: () => map.views,
    get: <K extends View['kind']>(kind: K, name: string) =>
      map.views.get(`${kind}/${name}`) as Extract<View, { kind: K }> | undefined,
    onViews: viewListeners.add,
    onState: stateListeners.add,
    waitFor: (predicate, wait = {}) =>
      until(
        (check) => [viewListeners.add(check)],
        () => (state === 'open' ? predicate(map.views) : undefined),
        'the state',
        wait,
      ),
    logs(selection, onLines) {
      const own = { id: ++lastLogId, selection, onLines }
      logs = own
      if (state === 'open') send({ type: 'logs', logs: logSelection(own) })
      return () => {
        if (logs !== own) return
        logs = undefined
        if (state === 'open') send({ type: 'logs', logs: null })
      }
    },
    async request<M extends keyof Requests>(method: M, params: Requests[M]['params'], wait: WaitOptions = {}) {
      const limits = { timeoutMs: 30_000, ...wait }
      await whenOpen(limits)
      return (await requests.begin(method, (id) => send({ jsonrpc: '2.0', id, method, params }), limits)) as Requests[M]['result']
    },
    close,
  }
}

const unreachable = (why: string | undefined): ErrorInfo =>
  new DevloopError('daemon/not-running', 'The connection to devloop is lost or could not be made.', { why }).info

const closedError = (): ErrorInfo => new DevloopError('daemon/not-running', 'The client was closed.').info

/** Lets go of a socket: no more events, and no waiting for a daemon that does not answer the closing handshake. */
function discard(socket: SocketLike): void {
  socket.onopen = null
  socket.onmessage = null
  socket.onerror = () => undefined
  const { terminate } = socket as { terminate?: () => void }
  const timer = terminate && setTimeout(() => terminate.call(socket), 1_000)
  socket.onclose = () => clearTimeout(timer)
  socket.close(1000)
}
