// The state that clients of the status server see, and the limits they meet, on real sockets.
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { LogLine } from '../../../src/store/log-ring.js'
import { connectRaw, hello, isType } from '../../support/raw-client.js'
import { resourceView } from '../../support/status-server.js'
import { request, useDaemons } from './fixtures/daemons.js'

const { start, client } = useDaemons()

const line = (text: string, resource = 'api'): LogLine => ({ at: 1, resource, source: 'build', level: 'info', text })

test('welcome carries the whole state, deltas what changed [tilt-31]', async () => {
  const daemon = await start()
  daemon.views.set(resourceView('api'), resourceView('a/b'))
  const raw = await client(daemon)
  raw.send(hello())
  const welcome = await raw.take(isType('welcome'))
  expect(welcome).toEqual({
    type: 'welcome',
    protocol: { major: 1, minor: 0 },
    version: '0.0.0',
    epoch: 'epoch-1',
    seq: 1,
    access: 'control',
    methods: expect.arrayContaining(['trigger', 'why']) as string[],
    snapshot: [resourceView('api'), resourceView('a/b')],
  })
  daemon.views.set(resourceView('api', 'building'))
  expect(await raw.take(isType('delta'))).toEqual({
    type: 'delta',
    seq: 2,
    upserts: [resourceView('api', 'building')],
    removes: [],
  })
  daemon.views.remove('resource/a/b')
  expect(await raw.take(isType('delta'))).toEqual({
    type: 'delta',
    seq: 3,
    upserts: [],
    removes: [{ kind: 'resource', name: 'a/b' }],
  })
})

test('changes of one moment are one delta [tilt-31]', async () => {
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
  expect((await raw.take((message) => isType('log')(message) && message.lines.length > 0)) as unknown).toMatchObject({
    lines: [{ text: 'said later' }],
  })
  expect(raw.received.filter(isType('delta'))).toEqual([])
})

test.each<[string, unknown, number, string]>([
  ['another message first', { type: 'logs', logs: {} }, 4400, 'first message must be a hello'],
  ['a request first', request(1, 'shutdown'), 4400, 'first message must be a hello'],
  ['no protocol', { type: 'hello', client: 'x', topics: [] }, 4400, 'hello.protocol must be an object, not left out'],
  ['no topics', { type: 'hello', protocol: { major: 1, minor: 0 }, client: 'x' }, 4400, 'hello.topics must be a list'],
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
  raw.send({ ...hello({ protocol: { major: 1, minor: 99 } }), topics: ['state', 'metrics'], more: { later: true } })
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
  await expect
    .poll(() =>
      client(daemon).then(
        () => 'connected',
        () => 'refused',
      ),
    )
    .toBe('connected')
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
