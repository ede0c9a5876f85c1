// The topic `logs`, on real sockets.
import { expect, test } from 'vitest'
import type { LogLine } from '../../../src/store/log-ring.js'
import { hello, isReply, isType } from '../../support/raw-client.js'
import { resourceView } from '../../support/status-server.js'
import { useDaemons } from './fixtures/daemons.js'

const { start, client } = useDaemons()

const line = (text: string, resource = 'api'): LogLine => ({ at: 1, resource, source: 'build', level: 'info', text })

test('logs: tail, live lines, selection by resource, after, end of a subscription', async () => {
  const daemon = await start()
  daemon.logs.append(['one', 'two', 'three'].map((text) => line(text)))
  daemon.logs.append(line('of db', 'db'))
  const raw = await client(daemon)
  raw.send(hello({ topics: ['state', 'logs'], logs: { tail: 2, resources: ['api'] } }))
  expect(await raw.take(isType('log'))).toMatchObject({
    id: 0,
    lines: [
      { text: 'two', cursor: 2 },
      { text: 'three', cursor: 3 },
    ],
    cursor: 4,
    dropped: 0,
    caughtUp: true,
  })
  daemon.logs.append([line('not selected', 'db'), line('four')])
  expect(await raw.take(isType('log'))).toMatchObject({ lines: [{ text: 'four', cursor: 6 }] })

  raw.send({ type: 'logs', id: 8, logs: { after: 3, resources: ['db'] } })
  expect(await raw.take(isType('log'))).toMatchObject({ id: 8, lines: [{ text: 'of db' }, { text: 'not selected' }] })

  raw.send({ type: 'logs', logs: { resources: ['nobody'] } })
  expect(await raw.take(isType('log'))).toEqual({ type: 'log', id: 0, lines: [], cursor: 6, dropped: 0, caughtUp: true })

  raw.send({ type: 'logs', logs: null })
  raw.send({ type: 'logs', id: 8, logs: null })
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
  expect(messages.flatMap((message) => message.lines.map((each) => each.text))).toEqual(
    Array.from({ length: 35 }, (_, i) => `${i}`),
  )
})

test('logs: several selections, each with its own filter, cursor and end', async () => {
  const daemon = await start({ limits: { logLines: 3 } })
  const raw = await client(daemon)
  raw.send(hello({ topics: [] }))
  raw.send({ type: 'logs', id: 1, logs: { level: 'error' } })
  raw.send({ type: 'logs', id: 2, logs: { text: 'ORDER 1', sources: ['*/shop'] } })
  raw.send({ type: 'logs', id: 3, logs: { resources: ['db'] } })
  for (const id of [1, 2, 3]) expect(await raw.take(isType('log'))).toMatchObject({ id, lines: [], caughtUp: true })
  for (let i = 0; i < 100; i++)
    daemon.logs.append([
      {
        ...line(`\u001b[32morder\u001b[0m ${i}`),
        source: i % 2 ? 'pod-1/shop' : 'pod-1/other',
        level: i % 10 ? 'warn' : 'error',
      },
      line(`query ${i}`, 'db'),
    ])
  const textsOf = (id: number): string[] =>
    raw.received
      .filter(isType('log'))
      .filter((message) => message.id === id)
      .flatMap((message) => message.lines.map((each) => each.text.replaceAll('\u001b[32m', '').replaceAll('\u001b[0m', '')))
  await expect.poll(() => textsOf(3)).toEqual(Array.from({ length: 100 }, (_, i) => `query ${i}`))
  await expect.poll(() => textsOf(1)).toEqual(Array.from({ length: 10 }, (_, i) => `order ${i * 10}`))
  await expect.poll(() => textsOf(2)).toEqual(['order 1', ...[11, 13, 15, 17, 19].map((i) => `order ${i}`)])
  raw.send({ type: 'logs', id: 3, logs: null })
  raw.send({ jsonrpc: '2.0', id: 1, method: 'reload' })
  await raw.take(isReply)
  daemon.logs.append([line('unheard', 'db'), { ...line('last'), level: 'error' }])
  await expect.poll(() => textsOf(1).at(-1)).toBe('last')
  expect(textsOf(3)).not.toContain('unheard')
  expect(raw.received.filter(isType('log')).every((message) => message.dropped === 0)).toBe(true)
})

test('logs: since and tail count what fits', async () => {
  const daemon = await start()
  daemon.logs.append(
    Array.from({ length: 50 }, (_, i) => ({ ...line(`${i}`), at: i, level: i % 2 ? 'warn' : 'info' }) as LogLine),
  )
  const raw = await client(daemon)
  raw.send(hello({ topics: [] }))
  const texts = async (logs: object): Promise<string[]> => {
    raw.send({ type: 'logs', logs })
    return (await raw.take(isType('log'))).lines.map((each) => each.text)
  }
  expect(await texts({ since: 47 })).toEqual(['47', '48', '49'])
  expect(await texts({ since: 10, tail: 2 })).toEqual(['48', '49'])
  expect(await texts({ level: 'warn', tail: 3 })).toEqual(['45', '47', '49'])
  expect(await texts({ level: 'error', tail: 3 })).toEqual([])
  expect(await texts({ after: 45, level: 'warn' })).toEqual(['45', '47', '49'])
  expect(await texts({ tail: 0, since: 10 })).toEqual([])
})

test('logs: a rare line is found without holding up the others, and the cursor is told on the way', async () => {
  const daemon = await start({ limits: { logLooked: 100, paceMs: 1 } })
  for (let i = 0; i < 5_000; i++) daemon.logs.append(line(i === 4_000 ? 'needle' : `hay ${i}`))
  const raw = await client(daemon)
  raw.send(hello({ logs: { after: 0, text: 'NEEDLE' }, topics: ['state', 'logs'] }))
  daemon.views.set(resourceView('api'))
  const found = await raw.take(isType('log'))
  expect(found).toMatchObject({ lines: [{ text: 'needle', cursor: 4_001 }], dropped: 0 })
  expect(await raw.take((message) => isType('log')(message) && message.caughtUp)).toMatchObject({ lines: [], cursor: 5_000 })
  for (let i = 0; i < 150; i++) daemon.logs.append(line('more hay'))
  expect(await raw.take(isType('log'))).toMatchObject({ lines: [], cursor: 5_150, dropped: 0 })
})

test('logs: of a selection with a time, lines of before are not missed', async () => {
  const { createLogRing } = await import('../../../src/store/log-ring.js')
  const daemon = await start({ logs: createLogRing({ maxBytes: 10_000 }) })
  for (let i = 1; i <= 1_000; i++) daemon.logs.append({ ...line(`line ${i}`), at: i })
  const raw = await client(daemon)
  raw.send(hello({ topics: ['logs'], logs: { since: 995 } }))
  expect(await raw.take(isType('log'))).toMatchObject({
    lines: Array.from({ length: 6 }, (_, i) => ({ at: 995 + i })),
    dropped: 0,
  })
  raw.send({ type: 'logs', logs: { since: 501 } })
  const { lines, dropped } = await raw.take(isType('log'))
  expect(lines.length + dropped).toBeGreaterThan(490)
  expect(lines.length + dropped).toBeLessThan(510)
})

test('logs: one selection too many is refused, and changes nothing', async () => {
  const daemon = await start({ limits: { logSelections: 2 } })
  const raw = await client(daemon)
  raw.send(hello({ topics: [] }))
  for (const id of [1, 2, 3]) raw.send({ type: 'logs', id, logs: { text: String(id) } })
  expect((await raw.take(isType('error'))).error).toMatchObject({
    code: 'protocol/invalid',
    message: expect.stringContaining('2 log selections at once') as string,
  })
  // one that is there is replaced
  raw.send({ type: 'logs', id: 2, logs: { text: 'two' } })
  raw.send({ jsonrpc: '2.0', id: 1, method: 'reload' })
  await raw.take(isReply)
  daemon.logs.append(['1', 'two', '3'].map((text) => line(text)))
  await expect
    .poll(() =>
      raw.received
        .filter(isType('log'))
        .flatMap(({ id, lines }) => lines.map(({ text }) => `${id} ${text}`))
        .toSorted(),
    )
    .toEqual(['1 1', '2 two'])
  raw.send({ type: 'logs', id: 1, logs: null })
  raw.send({ type: 'logs', id: 3, logs: { tail: 1 } })
  expect(await raw.take((message) => isType('log')(message) && message.id === 3)).toMatchObject({ lines: [{ text: '3' }] })
})

test.each([
  ['a text that is too long', { text: 'x'.repeat(1_001) }, '1000 characters'],
  ['a level that is none', { level: 'debug' }, 'logs.level'],
  ['too many sources', { sources: Array.from({ length: 101 }, () => 'a') }, '100 items'],
  ['a time that is none', { since: 'yesterday' }, 'logs.since'],
])('logs: %s is one clear error', async (_name, logs, expected) => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(hello({ topics: [] }))
  raw.send({ type: 'logs', logs })
  expect((await raw.take(isType('error'))).error.message).toContain(expected)
})
