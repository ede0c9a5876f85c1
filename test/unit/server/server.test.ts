// What clients of the status server see, on real sockets.
import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { WebSocket } from 'ws'
import { afterEach, expect, test } from 'vitest'
import { DevloopError } from '../../../src/errors/devloop-error.js'
import type { ReplyMessage } from '../../../src/protocol/messages.js'
import type { LogLine } from '../../../src/store/log-ring.js'
import { connectRaw, hello, isReply, isType, type RawClient } from '../../support/raw-client.js'
import { resourceView, startTestServer, type TestServer, type TestServerOptions } from '../../support/status-server.js'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close()
})

async function start(options?: TestServerOptions): Promise<TestServer> {
  const daemon = await startTestServer(options)
  open.push(daemon)
  return daemon
}

async function client(daemon: TestServer): Promise<RawClient> {
  const raw = await connectRaw(daemon.socket)
  open.push({ close: () => raw.ws.terminate() })
  return raw
}

const line = (text: string, resource = 'api'): LogLine => ({ at: 1, resource, source: 'build', level: 'info', text })

test('welcome carries the whole state, deltas what changed', async () => {
  const daemon = await start()
  daemon.views.set(resourceView('api'), resourceView('a/b'))
  const raw = await client(daemon)
  raw.send(hello())
  const welcome = await raw.take(isType('welcome'))
  expect(welcome).toEqual({
    type: 'welcome',
    protocol: { major: 0, minor: 1 },
    version: '0.0.0',
    epoch: 'epoch-1',
    seq: 1,
    snapshot: [resourceView('api'), resourceView('a/b')],
  })
  daemon.views.set(resourceView('api', 'building'))
  expect(await raw.take(isType('delta'))).toEqual({ type: 'delta', seq: 2, upserts: [resourceView('api', 'building')], removes: [] })
  daemon.views.remove('resource/a/b')
  expect(await raw.take(isType('delta'))).toEqual({ type: 'delta', seq: 3, upserts: [], removes: [{ kind: 'resource', name: 'a/b' }] })
})

test('changes of one moment are one delta', async () => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(hello())
  await raw.take(isType('welcome'))
  for (let i = 0; i < 100; i++) daemon.views.set(resourceView('api', `step ${i}`), resourceView(`r${i}`))
  daemon.views.set(resourceView('last'))
  const delta = await raw.take(isType('delta'))
  expect(delta.seq).toBe(101)
  expect(delta.upserts).toHaveLength(102)
  expect(delta.upserts).toContainEqual(resourceView('api', 'step 99'))
})

test('a change that does not show sends nothing', async () => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(hello())
  await raw.take(isType('welcome'))
  daemon.views.bump()
  daemon.views.set(resourceView('api'))
  await raw.take(isType('delta'))
  expect(raw.received.filter(isType('delta'))).toHaveLength(1)
})

test('resume sends exactly what changed', async () => {
  const daemon = await start()
  daemon.views.set(resourceView('kept'), resourceView('changed'), resourceView('removed'))
  const first = await client(daemon)
  first.send(hello())
  const { seq, epoch } = await first.take(isType('welcome'))
  first.ws.terminate()
  daemon.views.set(resourceView('changed', 'new'))
  daemon.views.remove('resource/removed')
  daemon.views.set(resourceView('added'))
  const second = await client(daemon)
  second.send(hello({ resume: { epoch, seq } }))
  const welcome = await second.take(isType('welcome'))
  expect(welcome.snapshot).toBeUndefined()
  expect(welcome.seq).toBe(4)
  expect(welcome.deltas?.removes).toEqual([{ kind: 'resource', name: 'removed' }])
  expect(welcome.deltas?.upserts.map((view) => view.name).toSorted()).toEqual(['added', 'changed'])
})

test.each([
  ['another epoch', { epoch: 'other', seq: 1 }],
  ['a point that has not come yet', { epoch: 'epoch-1', seq: 99 }],
])('resume from %s gets the whole state', async (_name, resume) => {
  const daemon = await start()
  daemon.views.set(resourceView('api'))
  const raw = await client(daemon)
  raw.send(hello({ resume }))
  const welcome = await raw.take(isType('welcome'))
  expect(welcome.snapshot).toEqual([resourceView('api')])
  expect(welcome.deltas).toBeUndefined()
})

test('resume from before what is remembered gets the whole state', async () => {
  const daemon = await start({ limits: { tombstones: 5 } })
  const watcher = await client(daemon)
  watcher.send(hello())
  await watcher.take(isType('welcome'))
  for (let i = 0; i < 10; i++) {
    daemon.views.set(resourceView(`r${i}`))
    await watcher.take(isType('delta'))
    daemon.views.remove(`resource/r${i}`)
    await watcher.take(isType('delta'))
  }
  const old = await client(daemon)
  old.send(hello({ resume: { epoch: 'epoch-1', seq: 2 } }))
  expect((await old.take(isType('welcome'))).snapshot).toEqual([])
  const recent = await client(daemon)
  recent.send(hello({ resume: { epoch: 'epoch-1', seq: 18 } }))
  expect((await recent.take(isType('welcome'))).deltas).toEqual({ upserts: [], removes: [{ kind: 'resource', name: 'r9' }] })
})

test('without topic state there are no views', async () => {
  const daemon = await start()
  daemon.views.set(resourceView('api'))
  const raw = await client(daemon)
  raw.send(hello({ topics: ['logs'] }))
  const welcome = await raw.take(isType('welcome'))
  expect(welcome.snapshot).toBeUndefined()
  daemon.views.set(resourceView('other'))
  daemon.logs.append(line('said later'))
  expect((await raw.take((message) => isType('log')(message) && message.lines.length > 0)) as unknown).toMatchObject({ lines: [{ text: 'said later' }] })
  expect(raw.received.filter(isType('delta'))).toEqual([])
})

test('logs: tail, live lines, selection by resource, after, end of a subscription', async () => {
  const daemon = await start()
  daemon.logs.append(['one', 'two', 'three'].map((text) => line(text)))
  daemon.logs.append(line('of db', 'db'))
  const raw = await client(daemon)
  raw.send(hello({ topics: ['state', 'logs'], logs: { tail: 2, resources: ['api'], id: 7 } }))
  expect(await raw.take(isType('log'))).toMatchObject({ id: 7, lines: [{ text: 'two', cursor: 2 }, { text: 'three', cursor: 3 }], cursor: 4, dropped: 0, caughtUp: true })
  daemon.logs.append([line('not selected', 'db'), line('four')])
  expect(await raw.take(isType('log'))).toMatchObject({ lines: [{ text: 'four', cursor: 6 }] })

  raw.send({ type: 'logs', logs: { after: 3, resources: ['db'], id: 8 } })
  expect(await raw.take(isType('log'))).toMatchObject({ id: 8, lines: [{ text: 'of db' }, { text: 'not selected' }] })

  raw.send({ type: 'logs', logs: { resources: ['nobody'] } })
  expect(await raw.take(isType('log'))).toEqual({ type: 'log', lines: [], cursor: 6, dropped: 0, caughtUp: true })

  raw.send({ type: 'logs', logs: null })
  raw.send({ jsonrpc: '2.0', id: 1, method: 'reload' })
  await raw.take(isReply)
  daemon.logs.append(line('unheard'))
  daemon.views.set(resourceView('api'))
  await raw.take(isType('delta'))
  expect(JSON.stringify(raw.received)).not.toContain('unheard')
})

test('logs: lines that are no longer kept are counted', async () => {
  const { createLogRing } = await import('../../../src/store/log-ring.js')
  const daemon = await start({ logs: createLogRing({ maxBytes: 10_000 }) })
  for (let i = 1; i <= 1_000; i++) daemon.logs.append(line(`line ${i}`))
  const raw = await client(daemon)
  raw.send(hello({ topics: ['logs'], logs: { after: 10 } }))
  const message = await raw.take(isType('log'))
  expect(message.lines.at(-1)?.text).toBe('line 1000')
  expect(message.dropped + message.lines.length).toBe(990)
  expect(message.dropped).toBeGreaterThan(900)
})

test('logs: a cursor of another epoch means nothing, so all lines come', async () => {
  const daemon = await start()
  daemon.logs.append(['one', 'two'].map((text) => line(text)))
  const raw = await client(daemon)
  raw.send(hello({ topics: ['logs'], resume: { epoch: 'former', seq: 3 }, logs: { after: 5_000 } }))
  expect(await raw.take(isType('log'))).toMatchObject({ lines: [{ text: 'one' }, { text: 'two' }], dropped: 0 })
})

test('logs: much is sent in several messages, in order, and the last says so', async () => {
  const daemon = await start({ limits: { logLines: 10 } })
  daemon.logs.append(Array.from({ length: 35 }, (_, i) => line(`${i}`, `r${i % 3}`)))
  const raw = await client(daemon)
  raw.send(hello({ topics: ['logs'], logs: { after: 0 } }))
  await raw.take((message) => isType('log')(message) && message.caughtUp)
  const messages = raw.received.filter(isType('log'))
  expect(messages.map((message) => message.lines.length)).toEqual([10, 10, 10, 5])
  expect(messages.map((message) => message.caughtUp)).toEqual([false, false, false, true])
  expect(messages.flatMap((message) => message.lines.map((each) => each.text))).toEqual(Array.from({ length: 35 }, (_, i) => `${i}`))
})

const request = (id: number | string, method: string, params?: unknown): object => ({ jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) })

test('requests reach their handler and are answered under their id', async () => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(hello())
  raw.send(request(1, 'trigger', { resource: 'api' }))
  raw.send(request('b', 'shutdown', { down: true }))
  raw.send(request(3, 'reload'))
  raw.send(request(4, 'why', { path: '/a/b' }))
  expect(await raw.take(isReply)).toEqual({ jsonrpc: '2.0', id: 1, result: { accepted: true } })
  expect(await raw.take(isReply)).toEqual({ jsonrpc: '2.0', id: 'b', result: { accepted: true } })
  expect(await raw.take(isReply)).toEqual({ jsonrpc: '2.0', id: 3, result: { accepted: true } })
  expect(await raw.take(isReply)).toEqual({ jsonrpc: '2.0', id: 4, result: { path: '/a/b', answers: [] } })
  expect(daemon.calls).toEqual(['trigger api', 'shutdown true', 'reload'])
})

test('what a handler throws becomes an error reply; a defect is reported too', async () => {
  const defect = new TypeError('x is not a function')
  const daemon = await start({
    handlers: {
      trigger: ({ resource }) => {
        throw new DevloopError('request/unknown-resource', `There is no resource ${resource}.`)
      },
      reload: () => Promise.reject(defect),
    },
  })
  const raw = await client(daemon)
  raw.send(hello())
  raw.send(request(1, 'trigger', { resource: 'nope' }))
  expect(await raw.take(isReply)).toMatchObject({
    id: 1,
    error: { code: 1, message: 'There is no resource nope.', data: { code: 'request/unknown-resource', help: expect.stringContaining('devloop status') as string } },
  })
  raw.send(request(2, 'reload'))
  expect(await raw.take(isReply)).toMatchObject({ id: 2, error: { code: -32603, data: { code: 'defect' } } })
  expect(daemon.defects).toEqual([defect])
})

test.each([
  ['an unknown method', request(1, 'explode'), 1, -32601, 'request/unknown-method'],
  ['a method that every object has', request(1, 'constructor'), 1, -32601, 'request/unknown-method'],
  ['no params', request(1, 'trigger'), 1, -32602, 'protocol/invalid'],
  ['params of a wrong type', request(1, 'trigger', { resource: 5 }), 1, -32602, 'protocol/invalid'],
  ['params as a list', request(1, 'trigger', ['api']), 1, -32602, 'protocol/invalid'],
  ['a relative path', request(1, 'why', { path: 'src/a.ts' }), 1, -32602, 'protocol/invalid'],
  ['another version', { ...request(1, 'reload'), jsonrpc: '1.0' }, 1, -32600, 'protocol/invalid'],
  ['no version', { id: 1, method: 'reload' }, 1, -32600, 'protocol/invalid'],
  ['a notification', { jsonrpc: '2.0', method: 'shutdown' }, null, -32600, 'protocol/invalid'],
  ['an object as id', { jsonrpc: '2.0', id: {}, method: 'shutdown' }, null, -32600, 'protocol/invalid'],
  ['a batch', [request(1, 'reload'), request(2, 'reload')], null, -32600, 'protocol/invalid'],
  ['a number', 5, null, -32600, 'protocol/invalid'],
  ['null', null, null, -32600, 'protocol/invalid'],
])('request with %s: one error, nothing done, and the connection lives', async (_name, message, id, code, data) => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(hello())
  await raw.take(isType('welcome'))
  raw.send(message)
  expect(await raw.take(isReply)).toMatchObject({ id, error: { code, data: { code: data } } })
  expect(daemon.calls).toEqual([])
  raw.send(request(99, 'reload'))
  expect(await raw.take(isReply)).toMatchObject({ id: 99, result: { accepted: true } })
  expect(raw.received.filter((each) => isReply(each) || isType('error')(each))).toHaveLength(2)
})

test('text that is not JSON, binary, a second hello, bad types: one error each', async () => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(hello())
  await raw.take(isType('welcome'))
  raw.sendText('{"type":')
  expect(await raw.take(isReply)).toMatchObject({ id: null, error: { code: -32700 } })
  raw.ws.send(Buffer.from('{}'))
  expect((await raw.take(isType('error'))).error).toMatchObject({ code: 'protocol/invalid', message: expect.stringContaining('binary') as string })
  raw.send(hello())
  expect((await raw.take(isType('error'))).error.message).toContain('one hello')
  raw.send({ type: 'logs', logs: { tail: -1 } })
  expect((await raw.take(isType('error'))).error.message).toContain('logs.tail must be a whole number from 0, not -1')
  raw.send({ type: 5 })
  expect((await raw.take(isType('error'))).error.message).toContain('type must be a string, not 5')
  raw.send({})
  expect((await raw.take(isType('error'))).error.message).toContain('`type`')
  raw.send({ type: 'of-a-later-version', x: 1 })
  raw.send({ type: 'pong' })
  raw.send(request(1, 'reload'))
  await raw.take(isReply)
  expect(raw.received.filter(isType('error'))).toHaveLength(5)
})

test('too many messages that are not valid end the connection, and no other', async () => {
  const daemon = await start({ limits: { errors: 3 } })
  const good = await client(daemon)
  good.send(hello())
  await good.take(isType('welcome'))
  const raw = await client(daemon)
  raw.send(hello())
  for (let i = 0; i < 10; i++) raw.send({})
  expect((await raw.closed).code).toBe(4400)
  expect(raw.received.filter(isType('error'))).toHaveLength(4)
  daemon.views.set(resourceView('api'))
  await good.take(isType('delta'))
})

test.each<[string, unknown, number, string]>([
  ['another message first', { type: 'logs', logs: {} }, 4400, 'first message must be a hello'],
  ['a request first', request(1, 'shutdown'), 4400, 'first message must be a hello'],
  ['no protocol', { type: 'hello', client: 'x', topics: [] }, 4400, 'hello.protocol must be an object, not left out'],
  ['no topics', { type: 'hello', protocol: { major: 0, minor: 1 }, client: 'x' }, 4400, 'hello.topics must be a list'],
  ['a bad resume', { ...hello(), resume: { epoch: 'x', seq: 1.5 } }, 4400, 'hello.resume.seq must be a whole number'],
  ['another major version', hello({ protocol: { major: 99, minor: 0 } }), 4426, 'protocol 99.0'],
])('hello errors: %s', async (_name, message, code, text) => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(message)
  expect((await raw.take(isType('error'))).error.message).toContain(text)
  expect((await raw.closed).code).toBe(code)
  expect(daemon.calls).toEqual([])
})

test('a later minor version and topics that do not exist yet are fine', async () => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send({ ...hello({ protocol: { major: 0, minor: 99 } }), topics: ['state', 'metrics'], more: { later: true } })
  expect((await raw.take(isType('welcome'))).snapshot).toEqual([])
})

test('no hello in time ends the connection', async () => {
  const daemon = await start({ limits: { helloMs: 30 } })
  const raw = await client(daemon)
  expect((await raw.take(isType('error'))).error.message).toContain('hello')
  expect((await raw.closed).code).toBe(4408)
})

test('a message that is too large ends the connection', async () => {
  const daemon = await start({ limits: { payload: 1_000 } })
  const raw = await client(daemon)
  raw.send({ ...hello(), client: 'x'.repeat(2_000) })
  expect((await raw.closed).code).toBe(1009)
  expect(daemon.defects).toEqual([])
})

test('more clients than allowed are refused before the upgrade', async () => {
  const daemon = await start({ limits: { clients: 2 } })
  const first = await client(daemon)
  await client(daemon)
  await expect(connectRaw(daemon.socket)).rejects.toThrow('503')
  first.ws.close()
  await first.closed
  // the server may notice a moment later than the client
  await expect.poll(() => client(daemon).then(() => 'connected', () => 'refused')).toBe('connected')
})

test('a client that floods requests is read no faster than it is answered', async () => {
  let running = 0
  let most = 0
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  const daemon = await start({
    limits: { requests: 4 },
    handlers: {
      reload: async () => {
        most = Math.max(most, ++running)
        await gate
        running--
        return { accepted: true }
      },
    },
  })
  const raw = await client(daemon)
  raw.send(hello())
  await raw.take(isType('welcome'))
  for (let id = 1; id <= 50; id++) raw.send(request(id, 'reload'))
  await expect.poll(() => running).toBe(4)
  release()
  await raw.take((message) => isReply(message) && message.id === 50)
  expect(most).toBe(4)
  expect(raw.received.filter(isReply).map((reply) => reply.id)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
})

test('pings come with the sequence number; who is silent for too long is disconnected with the reason', async () => {
  const daemon = await start({ limits: { pingMs: 20, stallMs: 200 } })
  const [alive, silent] = [await client(daemon), await client(daemon)]
  daemon.views.set(resourceView('api'))
  for (const each of [alive, silent]) each.send(hello())
  alive.ws.on('message', (data: Buffer) => {
    if (data.toString().includes('"ping"')) alive.send({ type: 'pong' })
  })
  expect(await alive.take(isType('ping'))).toEqual({ type: 'ping', seq: 1 })
  expect((await silent.closed).code).toBe(4408)
  expect(silent.received.filter(isType('error')).at(-1)?.error.code).toBe('protocol/slow')
  expect(alive.ws.readyState).toBe(WebSocket.OPEN)
})

test('two clients get the same state, whoever else comes and goes', async () => {
  const daemon = await start()
  const [a, b] = [await client(daemon), await client(daemon)]
  for (const each of [a, b]) {
    each.send(hello())
    await each.take(isType('welcome'))
  }
  const gone = await client(daemon)
  gone.send(hello())
  gone.ws.terminate()
  daemon.views.set(resourceView('api', 'x'))
  expect(await a.take(isType('delta'))).toEqual(await b.take(isType('delta')))
})

test('close says why to every client, answers what was asked, and removes the socket', async () => {
  const daemon = await start()
  const [a, b] = [await client(daemon), await client(daemon)]
  for (const each of [a, b]) {
    each.send(hello())
    await each.take(isType('welcome'))
  }
  const mute = await client(daemon)
  a.send(request(1, 'reload'))
  await a.take(isReply)
  daemon.views.set(resourceView('last'))
  daemon.logs.append(line('last'))
  await daemon.server.close('shut down by request')
  for (const each of [a, b]) {
    expect((await each.closed).code).toBe(1001)
    expect(each.received.at(-1)).toEqual({ type: 'goodbye', reason: 'shut down by request' })
    expect(each.received.filter(isType('delta')).at(-1)?.upserts).toEqual([resourceView('last')])
  }
  await mute.closed
  await expect(stat(daemon.socket)).rejects.toThrow('ENOENT')
  await expect(connectRaw(daemon.socket)).rejects.toThrow()
})

test('a handler may close the server and is still answered', async () => {
  const daemon = await start({
    handlers: {
      shutdown: () => {
        void daemon.server.close('shut down')
        return { accepted: true }
      },
    },
  })
  const raw = await client(daemon)
  raw.send(hello())
  raw.send(request(1, 'shutdown'))
  expect(await raw.take(isReply)).toMatchObject({ result: { accepted: true } } satisfies Partial<ReplyMessage>)
  expect(await raw.take(isType('goodbye'))).toEqual({ type: 'goodbye', reason: 'shut down' })
})

test('close does not wait for clients that do not answer', async () => {
  const daemon = await start({ limits: { closeMs: 50 } })
  const raw = await client(daemon)
  raw.send(hello())
  await raw.take(isType('welcome'))
  raw.ws.pause()
  await daemon.server.close('over')
  raw.ws.resume()
  await raw.closed
})

test('the socket is for its user alone, and an unsafe folder is refused', async () => {
  const daemon = await start()
  expect((await stat(daemon.socket)).mode & 0o777).toBe(0o600)
  expect((await stat(dirname(daemon.socket))).mode & 0o777).toBe(0o700)
  const shared = join(daemon.dir, 'shared')
  await mkdir(shared)
  await chmod(shared, 0o755)
  await expect(startTestServer({ dir: shared })).rejects.toMatchObject({ info: { code: 'daemon/start', why: 'Other users have rights on it.' } })
  const linked = join(daemon.dir, 'linked')
  await symlink(daemon.dir, linked)
  await expect(startTestServer({ dir: linked })).rejects.toMatchObject({ info: { code: 'daemon/start', why: 'It is not a folder.' } })
})

test('a socket that is in use is left alone; a stale one is replaced', async () => {
  const daemon = await start()
  await expect(startTestServer({ dir: daemon.dir })).rejects.toMatchObject({ info: { code: 'daemon/running' } })
  const raw = await client(daemon)
  raw.send(hello())
  await raw.take(isType('welcome'))

  const dir = join(daemon.dir, 'other')
  await mkdir(dir, { mode: 0o700 })
  await writeFile(join(dir, 'd.sock'), 'left over')
  const second = await start({ dir })
  await client(second)
})

test('a socket path that is too long, and a port that is taken, are clear errors that leave nothing behind', async () => {
  const daemon = await start()
  const long = join(daemon.dir, 'x'.repeat(100))
  await expect(startTestServer({ dir: long })).rejects.toMatchObject({ info: { code: 'daemon/start', message: expect.stringContaining('too long') as string } })

  const taken = createServer().listen(0, '127.0.0.1')
  open.push(taken)
  await new Promise((resolve) => taken.once('listening', resolve))
  const { createStatusServer } = await import('../../../src/server/server.js')
  const socketPath = join(daemon.dir, 'e.sock')
  const { port } = taken.address() as { port: number }
  const server = createStatusServer({ views: daemon.views, logs: daemon.logs, handlers: {} as never, epoch: 'e', version: '0', token: 't', socketPath, tcpPort: port, onDefect: () => undefined })
  await expect(server.start()).rejects.toMatchObject({ info: { code: 'daemon/start', message: `127.0.0.1:${port} is already in use.` } })
  await expect(stat(socketPath)).rejects.toThrow('ENOENT')
})
