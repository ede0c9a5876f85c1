// Requests, and messages that are not valid, on real sockets.
import { expect, test } from 'vitest'
import { DevloopError } from '../../../src/errors/devloop-error.js'
import type { RequestOrigin } from '../../../src/server/request-handlers.js'
import { hello, isReply, isType } from '../../support/raw-client.js'
import { resourceView } from '../../support/status-server.js'
import { request, useDaemons } from './fixtures/daemons.js'

const { start, client } = useDaemons()

test('requests reach their handler and are answered under their id', async () => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(hello())
  raw.send(request(1, 'trigger', { resource: 'api' }))
  raw.send(request('b', 'shutdown', { down: true }))
  raw.send(request(3, 'reload'))
  raw.send(request(4, 'why', { path: '/a/b' }))
  expect(await raw.take(isReply)).toEqual({ jsonrpc: '2.0', id: 1, result: { accepted: true, resources: ['api'] } })
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
    error: {
      code: 1,
      message: 'There is no resource nope.',
      data: { code: 'request/unknown-resource', help: expect.stringContaining('devloop status') as string },
    },
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
  expect((await raw.take(isType('error'))).error).toMatchObject({
    code: 'protocol/invalid',
    message: expect.stringContaining('binary') as string,
  })
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

/** A handler that ends when it is told to, or when it is called off. */
function waiting(): { handler: (params: unknown, origin: RequestOrigin) => Promise<never>; begun: RequestOrigin[] } {
  const begun: RequestOrigin[] = []
  return {
    begun,
    handler: (_params, origin) => {
      begun.push(origin)
      return new Promise((_resolve, reject) => {
        origin.signal.addEventListener('abort', () => reject(origin.signal.reason as Error))
      })
    },
  }
}

test('a request is called off by its id, also one that has not begun; ids that are not known are passed over', async () => {
  const { handler, begun } = waiting()
  const daemon = await start({ limits: { requests: 2 }, handlers: { verify: handler } })
  const raw = await client(daemon)
  raw.send(hello())
  for (const id of ['a', 2, 3]) raw.send(request(id, 'verify'))
  await expect.poll(() => begun.length).toBe(2)
  raw.send({ type: 'cancel', id: 'nobody' })
  raw.send({ type: 'cancel', id: '2' })
  raw.send({ type: 'cancel', id: 3 })
  expect(await raw.take(isReply)).toMatchObject({ id: 3, error: { code: 1, data: { code: 'request/cancelled' } } })
  raw.send({ type: 'cancel', id: 'a' })
  expect(await raw.take(isReply)).toMatchObject({ id: 'a', error: { code: 1, data: { code: 'request/cancelled' } } })
  expect(begun.map(({ signal }) => signal.aborted)).toEqual([true, false])
  raw.send(request(4, 'reload'))
  expect(await raw.take(isReply)).toMatchObject({ id: 4, result: { accepted: true } })
  raw.send({ type: 'cancel', id: 4 })
  raw.send({ type: 'cancel', id: {} })
  expect((await raw.take(isType('error'))).error.message).toContain('cancel.id must be')
  expect(daemon.defects).toEqual([])
})

test('what is done all the same is answered as if it had not been called off', async () => {
  let finish = (): void => undefined
  const done = new Promise<void>((resolve) => (finish = resolve))
  let signal: AbortSignal | undefined
  const daemon = await start({
    handlers: {
      reload: async (_params, origin) => {
        signal = origin.signal
        await done
        return { accepted: true }
      },
    },
  })
  const raw = await client(daemon)
  raw.send(hello())
  raw.send(request(1, 'reload'))
  raw.send({ type: 'cancel', id: 1 })
  await expect.poll(() => signal?.aborted).toBe(true)
  finish()
  expect(await raw.take(isReply)).toMatchObject({ id: 1, result: { accepted: true } })
})

test('a client that goes away calls off its requests, and those of no other', async () => {
  const { handler, begun } = waiting()
  const daemon = await start({ handlers: { verify: handler } })
  const [leaver, other] = [await client(daemon), await client(daemon)]
  for (const each of [leaver, other]) {
    each.send(hello())
    each.send(request(1, 'verify'))
    await each.take(isType('welcome'))
  }
  await expect.poll(() => begun.length).toBe(2)
  leaver.ws.terminate()
  await expect.poll(() => begun.filter(({ signal }) => signal.aborted).length).toBe(1)
  other.send({ type: 'cancel', id: 1 })
  expect(await other.take(isReply)).toMatchObject({ error: { data: { code: 'request/cancelled' } } })
  expect(daemon.defects).toEqual([])
})

test('progress comes to who asked for it, not more often than it can be read, and never after the reply', async () => {
  const daemon = await start({
    limits: { progressMs: 30 },
    handlers: {
      verify: async (_params, { progress }) => {
        for (let i = 0; i <= 1_000; i++) {
          progress(`step ${i}`, { done: i, total: 1_000 })
          if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 50))
        }
        progress('the last')
        return { targets: [] }
      },
    },
  })
  const raw = await client(daemon)
  raw.send(hello())
  raw.send({ ...request(1, 'verify'), progress: true })
  await raw.take(isReply)
  raw.send(request(2, 'verify'))
  await raw.take(isReply)
  const told = raw.received.filter(isType('progress'))
  expect(told[0]).toEqual({ type: 'progress', id: 1, message: 'step 0', done: 0, total: 1_000 })
  expect(told.at(-1)).toEqual({ type: 'progress', id: 1, message: 'the last' })
  expect(told.length).toBeLessThan(20)
  expect(told.every(({ id }) => id === 1)).toBe(true)
  const order = raw.received.filter((message) => isReply(message) || isType('progress')(message)).map(({ id }) => id)
  expect(order).toEqual([...told.map(() => 1), 1, 2])
  raw.send({ ...request(3, 'verify'), progress: 'yes' })
  expect(await raw.take(isReply)).toMatchObject({ id: 3, error: { code: -32600 } })
})

test('replies and progress hold no secret values, but for an environment that is asked for', async () => {
  const daemon = await start({
    mask: (text) => text.replaceAll('hunter2', '***'),
    handlers: {
      trigger: () => {
        throw new DevloopError('request/refused', 'not with hunter2', { why: 'hunter2 is wrong', help: 'forget hunter2' })
      },
      prune: (_params, { progress }) => {
        progress('hunter2 is removed')
        const problem = new DevloopError('request/refused', 'hunter2 again').info
        return { removed: [], kept: 0, problems: [problem], interrupted: false }
      },
      exec: () => ({ runtime: 'process', cwd: '/', env: { message: 'hunter2' } }),
    },
  })
  const raw = await client(daemon)
  raw.send(hello())
  raw.send(request(1, 'trigger', { resource: 'api' }))
  raw.send({ ...request(2, 'prune'), progress: true })
  raw.send(request(3, 'exec', { resource: 'api' }))
  const replies = [await raw.take(isReply), await raw.take(isReply), await raw.take(isReply)]
  expect(replies.map((reply) => JSON.stringify(reply).match(/hunter2|\*{3}/g))).toEqual([
    ['***', '***', '***', '***'],
    ['***'],
    ['hunter2'],
  ])
  expect(raw.received.filter(isType('progress')).map(({ message }) => message)).toEqual(['*** is removed'])
})
