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
  raw.send(hello({ topics: ['state', 'logs'], logs: { tail: 2, resources: ['api'], id: 7 } }))
  expect(await raw.take(isType('log'))).toMatchObject({
    id: 7,
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
  expect(messages.flatMap((message) => message.lines.map((each) => each.text))).toEqual(
    Array.from({ length: 35 }, (_, i) => `${i}`),
  )
})
