// What a scripted daemon does to a client, and what the client must have afterwards.
import { setTimeout as delay } from 'node:timers/promises'

const session = (more = {}) => ({
  kind: 'session',
  name: 'session',
  project: 'conformance',
  instance: 'conformance-1',
  version: '0.0.0',
  pid: 1,
  startedAt: 1_764_000_000_000,
  phase: 'running',
  args: [],
  only: [],
  runtime: { kind: 'process', state: 'connected' },
  devloopfile: { file: '/conformance/Devloopfile.ts', state: 'ok', generation: 1 },
  problems: [],
  ready: true,
  ...more,
})
const resource = (name, more = {}) => ({
  kind: 'resource',
  name,
  type: 'local',
  order: 0,
  status: 'ready',
  ready: true,
  warnings: [],
  images: [],
  needs: [],
  rebuildAfter: [],
  labels: [],
  auto: true,
  trigger: 'auto',
  endpoints: [],
  pods: [],
  since: 1_764_000_000_000,
  ...more,
})
const line = (cursor, more = {}) => ({
  cursor,
  at: 1_764_000_000_000 + cursor,
  resource: 'a',
  source: 'run',
  level: 'info',
  text: `line ${cursor}`,
  ...more,
})
const log = (id, cursors, more = {}) => ({
  type: 'log',
  id,
  lines: cursors.map((cursor) => line(cursor)),
  cursor: cursors.at(-1) ?? 0,
  dropped: 0,
  caughtUp: true,
  ...more,
})

/** Greets the next connection of the client with these views. */
async function welcome(t, views, more = {}) {
  const connection = await t.connection()
  const hello = await connection.take((message) => message.type === 'hello', 'a hello')
  connection.send(t.welcome({ snapshot: views, ...more }))
  return { connection, hello }
}

export const scenarios = [
  {
    name: 'deltas',
    says: 'Views are replaced by whole ones of the same kind and name, and deleted by key; names may hold anything.',
    async run(t) {
      const odd = ['a/b', '__proto__', 'constructor', '', 'ü \u{1f600}', 'session']
      const { connection } = await welcome(t, [
        session(),
        resource('a', { activity: 'building' }),
        resource('b'),
        ...odd.map((name) => resource(name)),
      ])
      connection.send({
        type: 'delta',
        seq: 2,
        upserts: [resource('a'), resource('c')],
        removes: [{ kind: 'resource', name: 'b' }],
      })
      // another kind of the same name, a key that is not there, the same twice
      connection.send({
        type: 'delta',
        seq: 3,
        upserts: [],
        removes: [
          { kind: 'image', name: 'a' },
          { kind: 'resource', name: 'none' },
        ],
      })
      connection.send({ type: 'delta', seq: 9, upserts: [resource('c', { status: 'failed', ready: false })], removes: [] })
      connection.send({ type: 'delta', seq: 10, upserts: [resource('c', { status: 'failed', ready: false })], removes: [] })
      await t.views([
        session(),
        resource('a'),
        resource('c', { status: 'failed', ready: false }),
        ...odd.map((name) => resource(name)),
      ])
    },
  },
  {
    name: 'unknown',
    says: 'Messages of a type, fields, and views of a kind that the client does not know are ignored.',
    async run(t) {
      const later = { kind: 'later', name: 'x', of: { a: 'later version' } }
      const { connection } = await welcome(t, [session(), later, resource('a', { later: [1] })], {
        protocol: { major: 1, minor: 7 },
        later: true,
      })
      connection.send({ type: 'later', seq: 99, upserts: [resource('never')] })
      connection.send({ type: 'toString' })
      connection.send({ jsonrpc: '2.0', id: 'nobody asked', result: {} })
      connection.send({ jsonrpc: '2.0', id: null, error: { code: -32_700, message: 'not JSON' } })
      connection.send({ type: 'progress', id: 'nobody asked', message: 'half', done: 1, total: 2 })
      connection.send({ type: 'log', id: 77, lines: [line(1)], cursor: 1, dropped: 0, caughtUp: true })
      connection.send({
        type: 'delta',
        seq: 2,
        upserts: [{ ...later, of: 2 }, resource('b')],
        removes: [{ kind: 'later', name: 'y' }],
        later: 1,
      })
      await t.views([session(), resource('a', { later: [1] }), resource('b')])
    },
  },
  {
    name: 'split',
    says: 'A message may come in several frames and pieces, and several in one piece.',
    async run(t) {
      const connection = await t.connection()
      await connection.take((message) => message.type === 'hello', 'a hello')
      const text = JSON.stringify(
        t.welcome({ snapshot: [session(), resource('ü'.repeat(40), { activity: '\u{1f680}'.repeat(300) })] }),
      )
      const bytes = Buffer.from(text)
      // fragments that cut characters in two
      for (let at = 0; at < bytes.length; at += 101) connection.fragment(bytes.subarray(at, at + 101), at + 101 >= bytes.length)
      // two messages in one write, and one of them byte by byte
      const frames = [2, 3, 4].map((seq) => connection.frame({ type: 'delta', seq, upserts: [resource(`r${seq}`)], removes: [] }))
      connection.write(Buffer.concat(frames.slice(0, 2)))
      for (const byte of frames[2]) {
        connection.write(Buffer.from([byte]))
        if (byte % 16 === 0) await delay(1)
      }
      await t.views([
        session(),
        resource('ü'.repeat(40), { activity: '\u{1f680}'.repeat(300) }),
        ...[2, 3, 4].map((seq) => resource(`r${seq}`)),
      ])
    },
  },
  {
    name: 'large',
    says: 'The state may be large: here 5,000 resources.',
    async run(t) {
      const many = Array.from({ length: 5_000 }, (_, i) => resource(`resource-${i}`, { activity: 'x'.repeat(400) }))
      await welcome(t, [session(), ...many])
      await t.views([session(), ...many])
    },
  },
  {
    name: 'slow-welcome',
    says: 'The welcome may take seconds: the client waits, and says one hello.',
    async run(t) {
      const connection = await t.connection()
      await connection.take((message) => message.type === 'hello', 'a hello')
      await delay(1_500)
      connection.send(t.welcome({ snapshot: [session(), resource('late')] }))
      await t.views([session(), resource('late')])
      t.same(connection.received.filter((message) => message.type === 'hello').length, 1, 'the number of hellos')
      t.same(t.connections(), 1, 'the number of connections')
    },
  },
  {
    name: 'resume',
    says: 'A client that lost its connection says where it stands, and applies `deltas` to what it has.',
    async run(t) {
      const first = await welcome(t, [session(), resource('a'), resource('b')], { seq: 5 })
      t.same(first.hello.resume, undefined, 'resume in the first hello')
      first.connection.send({ type: 'delta', seq: 8, upserts: [resource('c')], removes: [] })
      await t.views([session(), resource('a'), resource('b'), resource('c')])
      first.connection.terminate()
      const second = await t.connection()
      const hello = await second.take((message) => message.type === 'hello', 'a hello')
      t.same(hello.resume, { epoch: t.epoch, seq: 8 }, 'resume in the second hello')
      second.send(
        t.welcome({
          seq: 12,
          deltas: { upserts: [resource('a', { status: 'failed', ready: false })], removes: [{ kind: 'resource', name: 'b' }] },
        }),
      )
      await t.views([session(), resource('a', { status: 'failed', ready: false }), resource('c')])
    },
  },
  {
    name: 'resume-refused',
    says: 'A snapshot in the welcome replaces everything, also after a resume: look at which of the two is there.',
    async run(t) {
      const first = await welcome(t, [session(), resource('old'), resource('kept', { activity: 'before' })], { seq: 5 })
      await t.views([session(), resource('old'), resource('kept', { activity: 'before' })])
      first.connection.terminate()
      await welcome(t, [session(), resource('kept')], { seq: 6 })
      await t.views([session(), resource('kept')])
    },
  },
  {
    name: 'other-epoch',
    says: 'Another daemon has another epoch: its snapshot replaces everything, and the next resume is of its epoch.',
    async run(t) {
      const first = await welcome(t, [session(), resource('a')], { seq: 500 })
      await t.views([session(), resource('a')])
      first.connection.goodbye('stopped by a client')
      const second = await welcome(t, [session({ pid: 2 }), resource('b')], { epoch: 'another', seq: 3 })
      t.same(second.hello.resume, { epoch: t.epoch, seq: 500 }, 'resume in the second hello')
      await t.views([session({ pid: 2 }), resource('b')])
      second.connection.send({ type: 'delta', seq: 4, upserts: [resource('c')], removes: [] })
      await t.views([session({ pid: 2 }), resource('b'), resource('c')])
      second.connection.terminate()
      const third = await welcome(t, [session()], { epoch: 'another', seq: 4 })
      t.same(third.hello.resume, { epoch: 'another', seq: 4 }, 'resume in the third hello')
      await t.views([session()])
    },
  },
  {
    name: 'ping',
    says: 'Each ping is answered by a pong; a ping of the WebSocket by its own.',
    async run(t) {
      const { connection } = await welcome(t, [session()])
      for (let i = 0; i < 3; i++) {
        connection.send({ type: 'ping', seq: 1 })
        await connection.take((message) => message.type === 'pong', 'a pong')
      }
      await connection.ping()
      await t.views([session()])
    },
  },
  {
    name: 'errors',
    says: 'An error message is for people: the connection and the state go on.',
    async run(t) {
      const { connection } = await welcome(t, [session(), resource('a')])
      connection.send({ type: 'error', error: { code: 'of/later', message: 'Something was not understood.', help: 'Nothing.' } })
      connection.send({ type: 'delta', seq: 2, upserts: [resource('b')], removes: [] })
      await t.views([session(), resource('a'), resource('b')])
      t.same(t.connections(), 1, 'the number of connections')
    },
  },
  {
    name: 'comes-again',
    says: 'After a goodbye, or while there is no daemon, the client keeps its state, and tries again without haste.',
    async run(t) {
      const { connection } = await welcome(t, [session(), resource('a')])
      await t.views([session(), resource('a')])
      t.refuse(true)
      connection.goodbye('it is over')
      await delay(1_500)
      await t.views([session(), resource('a')])
      t.check(t.attempts() <= 40, `the client tried ${t.attempts()} times within 1.5 s`)
      t.refuse(false)
      await welcome(t, [session(), resource('b')], { epoch: 'another' })
      await t.views([session(), resource('b')])
    },
  },
  {
    name: 'other-version',
    says: 'A daemon of another major version (close code 4426) is not asked again and again.',
    async run(t) {
      const connection = await t.connection()
      await connection.take((message) => message.type === 'hello', 'a hello')
      connection.send({ type: 'error', error: { code: 'protocol/version', message: 'another version', help: 'Update.' } })
      connection.close(4426, 'another version')
      await delay(1_500)
      t.check(t.attempts() <= 10, `the client tried ${t.attempts()} times within 1.5 s`)
    },
  },
  {
    name: 'logs',
    says: 'Log lines come once and in order, over breaks: the client goes on behind the cursor it has; of another epoch it begins anew.',
    can: 'logs',
    async run(t) {
      const first = await welcome(t, [session()])
      t.tell({ do: 'logs', logs: { tail: 3 } })
      const asked = await first.connection.take((message) => message.type === 'logs', 'a log selection')
      t.same(asked.logs.tail, 3, 'the tail')
      const id = asked.id ?? 0
      first.connection.send(log(id, [4, 5, 6], { caughtUp: false }))
      first.connection.send(log(id, [8], { cursor: 9, dropped: 2 }))
      // of another selection, which may have been ended
      first.connection.send(log(id + 40, [70]))
      await t.lines([4, 5, 6, 8], 2)
      first.connection.terminate()
      const second = await t.connection()
      const hello = await second.take((message) => message.type === 'hello', 'a hello')
      second.send(t.welcome({ seq: 1, deltas: { upserts: [], removes: [] } }))
      const again = hello.logs ?? (await second.take((message) => message.type === 'logs', 'a log selection')).logs
      t.same(again.after, 9, 'the cursor to go on from')
      const now = hello.logs ? 0 : (second.received.find((message) => message.type === 'logs')?.id ?? 0)
      second.send(log(now, [10, 11]))
      await t.lines([4, 5, 6, 8, 10, 11], 2)
    },
  },
  {
    name: 'requests',
    says: 'Requests have an id of their own each; replies may come in any order; an error is told as such, and none is sent twice.',
    can: 'requests',
    async run(t) {
      const { connection } = await welcome(t, [session()])
      t.tell({ do: 'request', method: 'trigger', params: { resource: 'a' } })
      t.tell({ do: 'request', method: 'why', params: { path: '/x' } })
      const trigger = await connection.take((message) => message.method === 'trigger', 'a request')
      const why = await connection.take((message) => message.method === 'why', 'a request')
      t.check(trigger.id !== why.id, `both requests have id ${trigger.id}`)
      connection.send({ jsonrpc: '2.0', id: 'foreign', result: { foreign: true } })
      connection.send({ jsonrpc: '2.0', id: why.id, result: { path: '/x', answers: [] } })
      await t.replies([{ method: 'why', result: { path: '/x', answers: [] } }])
      connection.send({
        jsonrpc: '2.0',
        id: trigger.id,
        error: { code: 1, message: 'no', data: { code: 'request/unknown-resource', message: 'no', help: 'h' } },
      })
      await t.replies([
        { method: 'why', result: { path: '/x', answers: [] } },
        { method: 'trigger', error: 'request/unknown-resource' },
      ])
      t.tell({ do: 'request', method: 'reload', params: {} })
      await connection.take((message) => message.method === 'reload', 'a request')
      connection.terminate()
      const next = await welcome(t, [session()])
      await t.views([session()])
      await delay(300)
      t.same(next.connection.received.filter((message) => message.jsonrpc).length, 0, 'requests that were sent again')
    },
  },
  {
    name: 'dead-daemon',
    says: 'A connection on which nothing is heard for a minute is given up, and made anew.',
    patient: true,
    async run(t) {
      const first = await welcome(t, [session()])
      first.connection.stall()
      await t.connection(120_000)
    },
  },
]
