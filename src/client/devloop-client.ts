// DevloopClient: one connection to a daemon, kept up, with a copy of its state that is always whole.
import { DevloopError, isDevloopError, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import { closeCodes } from '../protocol/discovery.js'
import {
  protocolVersion,
  type Access,
  type DaemonMessage,
  type HelloMessage,
  type LogMessage,
  type LogSelection,
  type Requests,
  type SnapshotMessage,
  type StateSelection,
  type Topic,
  type View,
  type WelcomeMessage,
} from '../protocol/messages.js'
import { createListeners } from './listeners.js'
import { createLogSubscriptions } from './log-subscriptions.js'
import { createPendingRequests, errorOf, limited, type RequestOptions, type WaitOptions } from './pending-requests.js'
import type { Endpoint, SocketFactory, SocketLike } from './socket.js'
import { createViewMap, type ViewsChange } from './view-map.js'

export interface ClientOptions {
  /**
   * Where the daemon is: fixed, or asked for before each attempt, since a daemon that was started anew may have other
   * addresses. Undefined = it does not run now.
   */
  readonly endpoint: Endpoint | (() => Endpoint | undefined | Promise<Endpoint | undefined>)
  /** Name and version of the client, for people. */
  readonly name?: string
  /** Default `['state']`; without `state` there are no views. Logs need no topic: they are subscribed to with `logs`. */
  readonly topics?: readonly Topic[]
  /** Which views are wanted, default all; see `select`. */
  readonly state?: StateSelection
  /** Ask for no more than to read, whatever the token allows. */
  readonly access?: 'read'
  /** Whether to connect again after the connection is lost, and to go on trying at the start. Default true. */
  readonly reconnect?: boolean
  /** Pause between attempts; doubles up to the maximum. Default 100 ms and 5 s. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number }
  /** How sockets are made. */
  readonly createSocket: SocketFactory
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
  /** What this client may do; undefined before it was first connected. */
  readonly access: Access | undefined
  /** The requests that it may send; empty before it was first connected. */
  readonly methods: readonly string[]
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
  /** Have other views than before; null = all. Those that are not selected any more go, as `onViews` tells, when the daemon has answered. */
  select(selection: StateSelection | null): void
  /**
   * Lines as they come, without gap or repetition over reconnects: what was missed is told as `dropped`. May be called several times.
   * Returns what ends it. Throws protocol/invalid when there are 16 already, or the text is too long.
   */
  logs(selection: LogSelection, onLines: (message: LogMessage) => void): () => void
  /**
   * Waits for the connection and the reply (30 s by default; `timeoutMs: undefined` = as long as it takes). Throws the daemon's
   * DevloopError. Is never sent twice. When the time is over or the signal says so, the daemon is told that nobody waits any more.
   */
  request<M extends keyof Requests>(
    method: M,
    params: Requests[M]['params'],
    options?: RequestOptions,
  ): Promise<Requests[M]['result']>
  close(): void
}

/** Time for connecting and the welcome. */
const welcomeMs = 10_000
/** The daemon pings every 20 s; a connection silent for so long is dead. */
const silenceMs = 70_000

/** Creates a client, which begins to connect. Has no imports of Node, now or later: pages take this one, with `browserSocket`. */
export function createDevloopClient(options: ClientOptions): DevloopClient {
  const { minMs, maxMs } = options.backoff ?? { minMs: 100, maxMs: 5_000 }
  const map = createViewMap()
  const requests = createPendingRequests()
  const viewListeners = createListeners<[ViewsChange]>()
  const stateListeners = createListeners<[ClientState, ErrorInfo | undefined]>()
  let state: ClientState = 'connecting'
  let error: ErrorInfo | undefined
  let daemon: DevloopClient['daemon']
  let seq = 0
  let access: Access | undefined
  let methods: readonly string[] = []
  let wantsState = (options.topics ?? ['state']).includes('state')
  let selection: StateSelection | null = options.state ?? null
  /** The selection that the daemon was asked for, by hello or later, and has not answered yet. */
  let asked: { readonly selection: StateSelection | null } | undefined
  /** Whether the views are those of the selection, so that what changed since is enough. */
  let isWhole = false
  const logs = createLogSubscriptions(send)
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
      next = await options.createSocket(endpoint)
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
    asked = wantsState ? { selection } : undefined
    return {
      type: 'hello',
      protocol: protocolVersion,
      client: options.name ?? 'devloop/client',
      topics: wantsState ? ['state'] : [],
      ...(selection && { state: selection }),
      ...(daemon && { resume: { epoch: daemon.epoch, ...(isWhole && { seq }) } }),
      ...(options.access && { access: options.access }),
    }
  }

  /** Whether what the daemon just answered is of the selection that is wanted now. */
  function isAnswered(): boolean {
    const isOurs = asked?.selection === selection
    asked = undefined
    return isOurs
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
      case 'snapshot':
        return snapshot(message)
      case 'log':
        return logs.receive(message)
      case 'progress':
        return requests.progress(message)
      case 'ping':
        if (isWhole) seq = message.seq
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
    const isOther = daemon?.epoch !== message.epoch
    daemon = { epoch: message.epoch, version: message.version, protocol: message.protocol }
    ;({ seq, access, methods } = message)
    isWhole = isAnswered()
    failures = 0
    watch(silenceMs)
    const change = message.snapshot ? map.replace(message.snapshot) : message.deltas ? map.apply(message.deltas) : undefined
    logs.begin(isOther)
    setState('open', undefined)
    if (wantsState && !isWhole) select(selection)
    if (change) viewListeners.call(change)
  }

  function select(next: StateSelection | null): void {
    selection = next
    wantsState = true
    isWhole = false
    // one after the other, so that it is known which one an answer is of
    if (state !== 'open' || asked) return
    asked = { selection }
    send({ type: 'state', state: selection })
  }

  function snapshot(message: SnapshotMessage): void {
    seq = message.seq
    isWhole = isAnswered()
    if (!isWhole) select(selection)
    viewListeners.call(map.replace(message.views))
  }

  function lost(reason: ErrorInfo, final: boolean): void {
    if (isClosed()) return
    socket = undefined
    asked = undefined
    logs.pause()
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
    get access() {
      return access
    },
    get methods() {
      return methods
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
    select,
    logs: logs.add,
    async request<M extends keyof Requests>(method: M, params: Requests[M]['params'], wait: RequestOptions = {}) {
      const limits = { timeoutMs: 30_000, ...wait }
      await whenOpen(limits)
      const begin = (id: number): void =>
        send({ jsonrpc: '2.0', id, method, params, ...(limits.onProgress && { progress: true }) })
      const cancel = (id: number): void => send({ type: 'cancel', id })
      return (await requests.begin(method, { begin, cancel }, limits)) as Requests[M]['result']
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
