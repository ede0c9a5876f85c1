// "Hello and welcome", "Versions": who speaks first, what is answered, and what is passed over.
import { isDeepStrictEqual } from 'node:util'
import { helloMessage } from '../wire.mjs'

export const checks = [
  {
    name: 'hello/first',
    says: 'The client speaks first; a first message that is not a hello gets an error and close code 4400.',
    async run({ open, same }) {
      const requests = [
        { type: 'logs', logs: {} },
        { type: 'state', state: null },
        { jsonrpc: '2.0', id: 1, method: 'reload' },
      ]
      for (const first of [...requests, { type: 'hello' }, {}]) {
        const wire = await open()
        wire.send(first)
        same((await wire.closedWith(`after ${JSON.stringify(first)}`)).code, 4400, 'the close code')
        same(wire.received.filter((one) => one.type === 'error' || one.error).length, 1, 'the number of errors')
        same(
          wire.received.some((one) => one.type === 'welcome'),
          false,
          'whether there was a welcome',
        )
      }
    },
  },
  {
    name: 'hello/silence',
    says: 'Before the hello the daemon tells nothing.',
    async run({ open, nudge, same }) {
      const wire = await open()
      await nudge()
      same(wire.received, [], 'what came before the hello')
    },
  },
  {
    name: 'hello/in-time',
    says: 'A hello comes within 5 s; else an error and close code 4408.',
    beside: true,
    async run({ open, same, check }) {
      const begin = performance.now()
      const wire = await open()
      const { code } = await wire.closedWith('without a hello', 30_000)
      same(code, 4408, 'the close code')
      check(performance.now() - begin > 4_000, 'the connection was closed before 4 s were over')
      same(
        wire.received.map((one) => one.type),
        ['error'],
        'the messages',
      )
    },
  },
  {
    name: 'hello/once',
    says: 'There is one hello in a connection; another gets an error, and the connection goes on.',
    async run({ greet, same }) {
      const wire = await greet()
      wire.send(helloMessage())
      same(
        (await wire.take((one) => one.type === 'error', 'error for the second hello')).error.code,
        'protocol/invalid',
        'the code',
      )
      await wire.settled()
    },
  },
  {
    name: 'hello/wrong',
    says: 'A hello with a field of the wrong kind is not valid: error, close code 4400.',
    async run({ open, same }) {
      const wrong = [
        { topics: 'state' },
        { topics: [1] },
        { topics: undefined },
        { protocol: undefined },
        { protocol: { major: '1', minor: 0 } },
        { protocol: { major: -1, minor: 0 } },
        { client: 7 },
        { resume: { seq: 1 } },
        { logs: { tail: -1 } },
        { state: { resources: 'api' } },
      ]
      for (const changes of wrong) {
        const wire = await open()
        wire.send(helloMessage(changes))
        same(
          (await wire.closedWith(`after a hello with ${JSON.stringify(changes)}`)).code,
          4400,
          `the close code for ${JSON.stringify(changes)}`,
        )
        same(
          wire.received.map((one) => one.error?.code),
          ['protocol/invalid'],
          'the errors',
        )
      }
    },
  },
  {
    name: 'welcome/first',
    says: 'The first message is the welcome, with version, epoch, seq and the whole state.',
    async run({ greet, same, check }) {
      const wire = await greet()
      same(wire.received[0].type, 'welcome', 'the first message')
      const { snapshot, deltas, epoch, version, protocol } = wire.welcome
      check(epoch !== '' && version !== '', 'epoch or version is empty')
      same(protocol.major, 1, 'the major version')
      same(deltas, undefined, 'deltas without a resume')
      const keys = snapshot.map(({ kind, name }) => `${kind}/${name}`)
      same(new Set(keys).size, keys.length, 'the number of different keys in the snapshot')
      same(
        keys.filter((key) => key.startsWith('session/')),
        ['session/session'],
        'the session views',
      )
    },
  },
  {
    name: 'welcome/epoch',
    says: 'The epoch belongs to the daemon process: all its clients are told the same.',
    async run({ greet, same }) {
      same((await greet()).welcome.epoch, (await greet({ topics: [] })).welcome.epoch, 'the epoch')
    },
  },
  {
    name: 'welcome/topics',
    says: 'Without topic `state` there is neither snapshot nor delta, without topic `logs` no log message.',
    async run({ greet, nudge, write, same }) {
      const [none, logs, state] = [await greet({ topics: [] }), await greet({ topics: ['logs'] }), await greet()]
      await nudge()
      await write('talk')
      await Promise.all([none, logs, state].map((wire) => wire.settled()))
      const types = (wire) =>
        new Set(wire.received.map((one) => one.type).filter((type) => type !== undefined && type !== 'ping'))
      same(types(none), new Set(['welcome']), 'the messages without topics')
      same(types(logs), new Set(['welcome', 'log']), 'the messages with topic logs')
      same(types(state), new Set(['welcome', 'delta']), 'the messages with topic state')
      same([none.welcome.snapshot, none.welcome.deltas], [undefined, undefined], 'the state without topic state')
    },
  },
  {
    name: 'welcome/access',
    says: 'The welcome says what the client may do: `access`, and the `methods` that it may call.',
    async run({ greet, same, check }) {
      const { access, methods } = (await greet()).welcome
      same(access, 'control', 'the access of the token, or of the socket')
      for (const method of ['trigger', 'reload', 'why', 'shutdown'])
        check(methods.includes(method), `methods has no ${method}: ${methods.join(' ')}`)
      same(new Set(methods).size, methods.length, 'the number of different methods')
    },
  },
  {
    name: 'version/other-major',
    says: 'Another major version is refused with protocol/version and close code 4426.',
    async run({ open, same }) {
      for (const major of [0, 2, 99]) {
        const wire = await open()
        wire.send(helloMessage({ protocol: { major, minor: 0 } }))
        same((await wire.closedWith(`for major version ${major}`)).code, 4426, `the close code for major version ${major}`)
        same(
          wire.received.map((one) => one.error?.code),
          ['protocol/version'],
          'the errors',
        )
      }
    },
  },
  {
    name: 'version/other-minor',
    says: 'A different minor version is fine.',
    async run({ greet, same }) {
      same((await greet({ protocol: { major: 1, minor: 99 } })).welcome.type, 'welcome', 'the answer')
    },
  },
  {
    name: 'version/unknown-is-passed-over',
    says: 'Messages of an unknown type, fields, topics and kinds that are not known are ignored.',
    async run({ greet, same }) {
      const wire = await greet({
        topics: ['state', 'of a later version'],
        later: { any: 'thing' },
        state: { kinds: ['session', 'resource', 'image', 'change', 'later'], later: 1 },
      })
      wire.send({ type: 'of a later version', id: 4 })
      wire.send({ type: 'pong', later: true })
      same(
        (await wire.request('why', { path: '/x', later: [1] }, { later: true })).error,
        undefined,
        'the error of a request with more fields',
      )
      same(
        wire.received.filter((one) => one.type === 'error'),
        [],
        'the errors',
      )
      const all = await greet()
      same(
        isDeepStrictEqual(new Set(wire.views.keys()), new Set(all.views.keys())),
        true,
        'whether it has the same views as others',
      )
    },
  },
]
