// "Requests", "Errors": ids, replies, progress, calling off; one answer for each message that is not valid.

const repliesTo = (wire, id) => wire.received.filter((one) => one.jsonrpc === '2.0' && one.id === id)

export const checks = [
  {
    name: 'requests/ids',
    says: 'The id is a string or a number and comes back as it was sent.',
    async run({ greet, same }) {
      const wire = await greet()
      for (const id of [0, 1, -7, 1.5, 2 ** 53, '', '0', 'a b', '__proto__', 'ü\u2028', 'x'.repeat(1_000)])
        same((await wire.request('why', { path: '/x' }, { id })).id, id, 'the id')
    },
  },
  {
    name: 'requests/own-replies',
    says: 'A reply goes to the client that asked, once.',
    async run({ greet, same }) {
      const [one, two, watcher] = [await greet({ topics: [] }), await greet({ topics: [] }), await greet({ topics: [] })]
      for (let id = 0; id < 10; id++) one.send({ jsonrpc: '2.0', id, method: 'why', params: { path: `/one/${id}` } })
      for (let id = 0; id < 10; id++) two.send({ jsonrpc: '2.0', id, method: 'why', params: { path: `/two/${id}` } })
      await Promise.all([one, two, watcher].map((wire) => wire.settled()))
      for (const [wire, name] of [
        [one, 'one'],
        [two, 'two'],
      ])
        for (let id = 0; id < 10; id++)
          same(
            repliesTo(wire, id).map((reply) => reply.result?.path),
            [`/${name}/${id}`],
            'the replies',
          )
      same(watcher.received.filter((message) => message.jsonrpc).length, 1, 'replies of the client that asked once')
    },
  },
  {
    name: 'requests/many',
    says: 'While 16 requests of a client are running the daemon reads no more from it; all are answered.',
    async run({ greet, same }) {
      const wire = await greet({ topics: [] })
      for (let id = 0; id < 200; id++) wire.send({ jsonrpc: '2.0', id, method: 'why', params: { path: `/${id}` } })
      await wire.settled()
      await wire.until(() => wire.received.filter((one) => typeof one.id === 'number').length >= 200, '200 replies')
      for (let id = 0; id < 200; id++) same(repliesTo(wire, id).length, 1, `the number of replies to ${id}`)
    },
  },
  {
    name: 'requests/unknown-method',
    says: 'A method that does not exist: -32601.',
    async run({ greet, same }) {
      const wire = await greet()
      for (const method of ['', 'explode', 'toString', '__proto__', 'constructor', 'hasOwnProperty', 'Trigger', 'trigger ']) {
        const { error } = await wire.request(method, {})
        same([error?.code, error?.data?.code], [-32_601, 'request/unknown-method'], `the error of ${JSON.stringify(method)}`)
      }
    },
  },
  {
    name: 'requests/wrong-parameters',
    says: 'Wrong parameters: -32602.',
    async run({ greet, same }) {
      const wire = await greet()
      const wrong = [
        ['trigger'],
        ['trigger', {}],
        ['trigger', { resource: '' }],
        ['trigger', { resource: 1 }],
        ['trigger', []],
        ['why', { path: 'relative' }],
        ['why', { path: '/a\0b' }],
        ['enable', { resources: 'talk' }],
        ['shutdown', { down: 'yes' }],
        ['prune', { dryRun: 1 }],
      ]
      for (const [method, params] of wrong) {
        const { error } = await wire.request(method, params)
        same(
          [error?.code, error?.data?.code],
          [-32_602, 'protocol/invalid'],
          `the error of ${JSON.stringify(method)} ${JSON.stringify(params)}`,
        )
      }
    },
  },
  {
    name: 'requests/operational-error',
    says: 'An operational error: code 1; `data` has a stable code, a message, and what to do.',
    async run({ greet, same, check }) {
      const { error } = await (await greet()).request('trigger', { resource: 'no such resource' })
      same([error?.code, error?.data?.code], [1, 'request/unknown-resource'], 'the error')
      check(error.data.help !== '' && error.data.message === error.message, `data is ${JSON.stringify(error.data)}`)
    },
  },
  {
    name: 'requests/not-requests',
    says: 'No id, another version, a batch: -32600 with the id, or null where there is none. Not JSON: -32700.',
    async run({ greet, same }) {
      const wire = await greet()
      const cases = [
        ['{"jsonrpc":"2.0","method":"reload"}', -32_600, null],
        ['{"jsonrpc":"2.0","id":null,"method":"reload"}', -32_600, null],
        ['{"jsonrpc":"2.0","id":{},"method":"reload"}', -32_600, null],
        ['{"jsonrpc":"1.0","id":7,"method":"reload"}', -32_600, 7],
        ['{"id":8,"method":"reload"}', -32_600, 8],
        ['{"jsonrpc":"2.0","id":9}', -32_600, 9],
        ['[{"jsonrpc":"2.0","id":1,"method":"reload"}]', -32_600, null],
        ['[]', -32_600, null],
        ['"reload"', -32_600, null],
        ['7', -32_600, null],
        ['null', -32_600, null],
        ['{"jsonrpc":"2.0","id":1,"method":"reload"', -32_700, null],
        ['', -32_700, null],
        ['\u0000', -32_700, null],
      ]
      for (const [text, code, id] of cases) {
        wire.sendText(text)
        const { error, id: seen } = await wire.take((one) => one.jsonrpc === '2.0', `reply to ${JSON.stringify(text)}`)
        same([error?.code, seen], [code, id], `code and id for ${JSON.stringify(text)}`)
      }
      same(wire.received.filter((one) => one.jsonrpc).length, cases.length, 'the number of answers')
    },
  },
  {
    name: 'requests/no-reply-unasked',
    says: 'A message that is not valid gets exactly one answer, and the connection goes on.',
    async run({ greet, same }) {
      const wire = await greet({ topics: [] })
      const wrong = [
        {},
        { type: 7 },
        { type: null },
        { type: 'logs' },
        { type: 'state', state: 7 },
        { type: 'cancel' },
        { type: 'cancel', id: null },
      ]
      for (const message of wrong) wire.send(message)
      wire.sendBytes(Buffer.from('{"type":"pong"}'))
      await wire.settled()
      same(
        wire.received.filter((one) => one.type === 'error').map((one) => one.error.code),
        [...wrong, 'binary'].map(() => 'protocol/invalid'),
        'the errors',
      )
    },
  },
  {
    name: 'requests/wait-and-progress',
    says: 'With `progress`, messages with the id of the request come before its reply, and none after; with `wait` the reply comes when it is done.',
    needs: ['talk', 'fails'],
    async run({ greet, same, check }) {
      const wire = await greet({ topics: [] })
      const reply = await wire.request('trigger', { resource: 'talk', wait: true }, { id: 'with progress', progress: true })
      same(
        reply.result?.outcomes?.map(({ resource, ready }) => [resource, ready]),
        [['talk', true]],
        'the outcome',
      )
      const progress = wire.received.filter((one) => one.type === 'progress')
      check(progress.length > 0, 'there was no progress')
      same([...new Set(progress.map((one) => one.id))], ['with progress'], 'the ids of progress')
      const failed = await wire.request('trigger', { resource: 'fails', wait: true }, { id: 'without' })
      same(
        failed.result?.outcomes?.map(({ resource, ready, error }) => [resource, ready, error !== undefined]),
        [['fails', false, true]],
        'the outcome of what fails',
      )
      await wire.settled()
      same(
        wire.received.filter((one) => one.type === 'progress' && one.id !== 'with progress'),
        [],
        'progress that nobody asked for',
      )
      const last = wire.received.findLastIndex((one) => one.type === 'progress')
      check(last < wire.received.indexOf(reply), 'progress came after the reply')
    },
  },
  {
    name: 'requests/cancel',
    says: '`cancel` ends a request: its reply is the error request/cancelled, and it is the only one.',
    needs: ['slow'],
    async run({ greet, same }) {
      const wire = await greet()
      await wire.request('enable', { resources: ['slow'] })
      const waiting = wire.request('trigger', { resource: 'slow', wait: true }, { id: 'slow' })
      await wire.until(() => wire.views.get('resource/slow')?.status === 'updating', 'update of the resource')
      wire.send({ type: 'cancel', id: 'SLOW' })
      wire.send({ type: 'cancel', id: 'slow' })
      const { error } = await waiting
      same([error?.code, error?.data?.code], [1, 'request/cancelled'], 'the error')
      wire.send({ type: 'cancel', id: 'slow' })
      wire.send({ type: 'cancel', id: 12_345 })
      await wire.settled()
      same(repliesTo(wire, 'slow').length, 1, 'the number of replies')
      same(
        wire.received.filter((one) => one.type === 'error'),
        [],
        'errors for calling off what does not run',
      )
      // as a client does that goes away: nothing of it is left waiting
      await wire.request('disable', { resources: ['slow'] })
    },
  },
  {
    name: 'requests/cancel-own-only',
    says: 'A client calls off its own requests only.',
    needs: ['slow'],
    async run({ greet, same }) {
      const [mine, other] = [await greet(), await greet()]
      await mine.request('enable', { resources: ['slow'] })
      const waiting = mine.request('trigger', { resource: 'slow', wait: true }, { id: 77 })
      await mine.until(() => mine.views.get('resource/slow')?.status === 'updating', 'update of the resource')
      other.send({ type: 'cancel', id: 77 })
      await other.settled()
      await mine.settled()
      same(repliesTo(mine, 77), [], 'the reply after a foreign cancel')
      mine.send({ type: 'cancel', id: 77 })
      same((await waiting).error?.data?.code, 'request/cancelled', 'the error')
      await mine.request('disable', { resources: ['slow'] })
    },
  },
]
