// DevloopClient against a real status server: state, resume, waiting, requests, logs, and the end of the connection.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { afterEach, expect, test } from 'vitest'
import { browserSocket } from '../../../src/client/browser-socket.js'
import { connectDevloop, type ConnectOptions } from '../../../src/client/connect.js'
import type { ClientState, DevloopClient } from '../../../src/client/devloop-client.js'
import { nodeSocket } from '../../../src/client/node-socket.js'
import type { SocketLike } from '../../../src/client/socket.js'
import type { ViewsChange } from '../../../src/client/view-map.js'
import { DevloopError } from '../../../src/errors/devloop-error.js'
import type { LogMessage } from '../../../src/protocol/messages.js'
import type { LogLine } from '../../../src/store/log-ring.js'
import {
  createTestViews,
  resourceView,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../../support/status-server.js'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close()
})

async function start(options?: TestServerOptions): Promise<TestServer> {
  const daemon = await startTestServer(options)
  open.push(daemon)
  return daemon
}

function connect(options: ConnectOptions): DevloopClient {
  const client = connectDevloop({ backoff: { minMs: 5, maxMs: 20 }, ...options })
  open.push(client)
  return client
}

/** A factory whose newest socket the test can cut. */
function cuttable(): {
  createSocket: (endpoint: Parameters<typeof nodeSocket>[0]) => SocketLike
  cut(): void
  readonly count: number
} {
  let socket: (SocketLike & { terminate?: () => void }) | undefined
  let count = 0
  return {
    createSocket: (endpoint) => {
      count++
      return (socket = nodeSocket(endpoint))
    },
    cut: () => socket?.terminate?.(),
    get count() {
      return count
    },
  }
}

const line = (text: string, resource = 'api'): LogLine => ({ at: 1, resource, source: 'build', level: 'info', text })
const textsOf = (messages: readonly LogMessage[]): string[] =>
  messages.flatMap((message) => message.lines.map((each) => each.text))

const transports: [string, (daemon: TestServer) => Partial<ConnectOptions> & Pick<ConnectOptions, 'endpoint'>][] = [
  ['the Unix socket', (daemon) => ({ endpoint: { socket: daemon.socket } })],
  ['TCP', (daemon) => ({ endpoint: { url: daemon.url, token: daemon.token } })],
  ['an endpoint that is asked for', (daemon) => ({ endpoint: () => Promise.resolve({ socket: daemon.socket }) })],
]

test.each(transports)('over %s: state, changes, requests', async (_name, optionsFor) => {
  const daemon = await start()
  daemon.views.set(resourceView('api'), resourceView('db'))
  const client = connect(optionsFor(daemon))
  await client.whenOpen()
  expect(client.daemon).toEqual({ epoch: 'epoch-1', version: '0.0.0', protocol: { major: 1, minor: 0 } })
  expect(new Map(client.views())).toEqual(new Map(daemon.views.views()))
  const changes: ViewsChange[] = []
  client.onViews((change) => changes.push(change))
  daemon.views.set(resourceView('api', 'building'))
  daemon.views.remove('resource/db')
  await client.waitFor((views) => !views.has('resource/db'))
  expect(client.get('resource', 'api')?.activity).toBe('building')
  expect(changes.flatMap((change) => change.removes)).toEqual([{ kind: 'resource', name: 'db' }])
  expect(await client.request('trigger', { resource: 'api' })).toEqual({ accepted: true, resources: ['api'] })
  expect(await client.request('why', { path: '/a' })).toEqual({ path: '/a', answers: [] })
  expect(daemon.calls).toEqual(['trigger api'])
})

test("a browser's WebSocket gets in with its subprotocol, and no further without the token", async () => {
  const daemon = await start()
  daemon.views.set(resourceView('api'))
  const globals = globalThis as { WebSocket?: unknown }
  const before = globals.WebSocket
  globals.WebSocket = WebSocket
  try {
    const client = connect({ endpoint: { url: daemon.url, token: daemon.token }, createSocket: browserSocket })
    await client.whenOpen()
    expect(client.get('resource', 'api')).toEqual(resourceView('api'))
    const stranger = connect({ endpoint: { url: daemon.url, token: 'wrong' }, createSocket: browserSocket })
    await expect(stranger.whenOpen()).rejects.toMatchObject({ code: 'protocol/unauthorized' })
  } finally {
    globals.WebSocket = before
  }
  expect(() => browserSocket({ socket: '/x' })).toThrow('Unix socket')
})

test('after a cut it connects again and has what it missed, without the whole state', async () => {
  const daemon = await start()
  daemon.views.set(resourceView('kept'), resourceView('gone'))
  const { createSocket, cut } = cuttable()
  const client = connect({ endpoint: { socket: daemon.socket }, createSocket })
  const states: ClientState[] = []
  client.onState((state) => states.push(state))
  await client.whenOpen()
  const kept = client.get('resource', 'kept')
  const changes: ViewsChange[] = []
  client.onViews((change) => changes.push(change))
  cut()
  daemon.views.remove('resource/gone')
  daemon.views.set(resourceView('new'))
  await client.waitFor((views) => views.has('resource/new'))
  expect(changes).toEqual([{ upserts: [resourceView('new')], removes: [{ kind: 'resource', name: 'gone' }] }])
  // the same object: it was not sent again
  expect(client.get('resource', 'kept')).toBe(kept)
  expect(states).toEqual(['open', 'connecting', 'open'])
})

test('after the daemon was started anew it has the new state, and the difference is told', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'devloop-client-'))
  open.push({ close: () => rm(dir, { recursive: true, force: true }) })
  const first = await start({ dir })
  first.views.set(resourceView('old'), resourceView('both'))
  const client = connect({ endpoint: { socket: first.socket } })
  await client.whenOpen()
  const errors: (string | undefined)[] = []
  client.onState((_state, error) => errors.push(error?.why))
  const changes: ViewsChange[] = []
  client.onViews((change) => changes.push(change))
  await first.server.close('an update')
  const views = createTestViews()
  views.set(resourceView('both'), resourceView('new'))
  await start({ dir, epoch: 'epoch-2', views })
  await client.waitFor((known) => known.has('resource/new'))
  expect([...client.views().keys()].toSorted()).toEqual(['resource/both', 'resource/new'])
  expect(changes).toEqual([
    { upserts: [resourceView('both'), resourceView('new')], removes: [{ kind: 'resource', name: 'old' }] },
  ])
  expect(errors).toContain('an update')
})

test('it waits for a daemon that is not there yet', async () => {
  let endpoint: { socket: string } | undefined
  const client = connect({ endpoint: () => endpoint })
  await new Promise<void>((resolve) => client.onState((_state, error) => error?.code === 'daemon/not-running' && resolve()))
  expect(client.state).toBe('connecting')
  const daemon = await start()
  endpoint = { socket: daemon.socket }
  await client.whenOpen()
  expect(client.error).toBeUndefined()
})

test('without reconnect it ends with the reason', async () => {
  const missing = connect({ endpoint: { socket: '/nowhere/d.sock' }, reconnect: false })
  await expect(missing.whenOpen()).rejects.toMatchObject({
    code: 'daemon/not-running',
    info: { why: expect.stringContaining('ENOENT') as string },
  })
  expect(missing.state).toBe('closed')

  const daemon = await start()
  const client = connect({ endpoint: { socket: daemon.socket }, reconnect: false })
  await client.whenOpen()
  const waiting = client.waitFor(() => false)
  await Promise.all([
    expect(waiting).rejects.toMatchObject({ code: 'daemon/not-running', info: { why: 'bye' } }),
    daemon.server.close('bye'),
  ])
  await expect(client.request('reload', {})).rejects.toMatchObject({ code: 'daemon/not-running' })
})

test.each([
  ['a wrong token', (daemon: TestServer) => ({ url: daemon.url, token: 'wrong' })],
  ['no token', (daemon: TestServer) => ({ url: daemon.url, token: '' })],
])('%s is final, for a fixed endpoint', async (_name, endpointFor) => {
  const daemon = await start()
  const client = connect({ endpoint: endpointFor(daemon) })
  await expect(client.whenOpen()).rejects.toMatchObject({ code: 'protocol/unauthorized' })
  expect(client.state).toBe('closed')
})

test('requests: errors come as DevloopError, a lost connection too, and none is sent twice', async () => {
  let calls = 0
  const { createSocket, cut } = cuttable()
  const daemon = await start({
    handlers: {
      trigger: ({ resource }) => {
        throw new DevloopError('request/unknown-resource', `no ${resource}`, { why: 'because' })
      },
      reload: () => {
        calls++
        cut()
        return new Promise(() => undefined)
      },
    },
  })
  const client = connect({ endpoint: { socket: daemon.socket }, createSocket })
  const error = await client.request('trigger', { resource: 'x' }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(DevloopError)
  expect((error as DevloopError).info).toMatchObject({ code: 'request/unknown-resource', message: 'no x', why: 'because' })
  await expect(client.request('reload', {})).rejects.toMatchObject({ code: 'daemon/not-running' })
  await client.whenOpen()
  expect(calls).toBe(1)
})

test('time limits and signals end waiting, and nothing else', async () => {
  const daemon = await start({ handlers: { reload: () => new Promise(() => undefined) } })
  const client = connect({ endpoint: { socket: daemon.socket } })
  await client.whenOpen()
  await expect(client.waitFor(() => false, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'timeout' })
  await expect(client.request('reload', {}, { timeoutMs: 20 })).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('reload') as string,
  })
  const controller = new AbortController()
  const aborted = client.waitFor(() => false, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  await expect(client.waitFor(() => false, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
  const broken = client.waitFor(() => {
    throw new Error('broken predicate')
  })
  await expect(broken).rejects.toThrow('broken predicate')
  expect(client.state).toBe('open')
  expect(await client.waitFor((views) => `${views.size} views`)).toBe('0 views')
})

test('closing, also by signal and before it is open, is final', async () => {
  const daemon = await start()
  const controller = new AbortController()
  const client = connect({ endpoint: { socket: daemon.socket }, signal: controller.signal })
  controller.abort()
  await expect(client.whenOpen()).rejects.toMatchObject({ code: 'daemon/not-running' })
  const other = connect({ endpoint: { socket: daemon.socket } })
  await other.whenOpen()
  other.close()
  other.close()
  expect(other.state).toBe('closed')
  expect(connect({ endpoint: { socket: daemon.socket }, signal: AbortSignal.abort() }).state).toBe('closed')
})

test('logs go on after a cut without gap or repetition', async () => {
  const daemon = await start()
  daemon.logs.append(['a', 'b', 'c'].map((text) => line(text)))
  const { createSocket, cut } = cuttable()
  const client = connect({ endpoint: { socket: daemon.socket }, createSocket })
  const messages: LogMessage[] = []
  client.logs({ tail: 2 }, (message) => messages.push(message))
  await expect.poll(() => textsOf(messages)).toEqual(['b', 'c'])
  cut()
  daemon.logs.append([line('d'), line('e', 'db')])
  await expect.poll(() => textsOf(messages)).toEqual(['b', 'c', 'd', 'e'])
  daemon.logs.append(line('f'))
  await expect.poll(() => textsOf(messages)).toEqual(['b', 'c', 'd', 'e', 'f'])
})

test('each log subscription has its own lines, until it ends', async () => {
  const daemon = await start()
  for (let i = 0; i < 2_000; i++) daemon.logs.append(line(`${i}`, i % 2 ? 'odd' : 'even'))
  const client = connect({ endpoint: { socket: daemon.socket } })
  const all: LogMessage[] = []
  const odd: LogMessage[] = []
  client.logs({ after: 0 }, (message) => all.push(message))
  await client.whenOpen()
  const end = client.logs({ after: 0, resources: ['odd'] }, (message) => odd.push(message))
  await expect.poll(() => [all.at(-1)?.caughtUp, odd.at(-1)?.caughtUp]).toEqual([true, true])
  expect(textsOf(all)).toEqual(Array.from({ length: 2_000 }, (_, i) => `${i}`))
  expect(textsOf(odd)).toEqual(Array.from({ length: 1_000 }, (_, i) => `${2 * i + 1}`))
  end()
  await client.request('reload', {})
  daemon.logs.append(line('unheard', 'odd'))
  await expect.poll(() => textsOf(all).at(-1)).toBe('unheard')
  expect(textsOf(odd)).not.toContain('unheard')
})

test('it answers pings, so a quiet client stays connected', async () => {
  const daemon = await start({ limits: { pingMs: 10, stallMs: 100 } })
  const sockets = cuttable()
  const client = connect({ endpoint: { socket: daemon.socket }, createSocket: sockets.createSocket })
  await client.whenOpen()
  const states: ClientState[] = []
  client.onState((state) => states.push(state))
  // more than twice the time after which a silent client is disconnected
  const until = performance.now() + 250
  await expect.poll(() => performance.now() > until).toBe(true)
  expect(states).toEqual([])
  expect(sockets.count).toBe(1)
})

test('a daemon of another major version is final', async () => {
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  open.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  server.on('connection', (ws) => {
    ws.send(JSON.stringify({ type: 'error', error: new DevloopError('protocol/version', 'speaks 7.0').info }))
    ws.close(4426)
  })
  const client = connect({ endpoint: { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, token: 'x' } })
  await expect(client.whenOpen()).rejects.toMatchObject({ code: 'protocol/version', message: 'speaks 7.0' })
})

test('messages of a later version are ignored; what is not JSON ends the connection, not the client', async () => {
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  open.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  let connections = 0
  server.on('connection', (ws) => {
    connections++
    ws.on('message', () => {
      ws.send('{"type":"from the future","x":1}')
      ws.send('{"jsonrpc":"2.0","id":99,"result":1}')
      ws.send(
        JSON.stringify({
          type: 'welcome',
          protocol: { major: 1, minor: 9 },
          version: '9',
          epoch: 'e',
          seq: 1,
          snapshot: [],
          later: true,
        }),
      )
      if (connections === 1) ws.send('{')
    })
  })
  const client = connect({ endpoint: { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, token: 'x' } })
  await expect.poll(() => connections).toBe(2)
  await client.whenOpen()
  expect(client.daemon?.version).toBe('9')
})
