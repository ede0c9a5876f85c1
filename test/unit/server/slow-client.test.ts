// A client that reads nothing: what it costs the daemon, what others notice of it, and what it has afterwards.
import { dirname } from 'node:path'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { DaemonMessage, View } from '../../../src/protocol/messages.js'
import { createLogRing } from '../../../src/store/log-ring.js'
import { bundleModule, forkModule } from '../../support/fork-module.js'
import { connectRaw, hello, isReply, isType, type RawClient } from '../../support/raw-client.js'
import { resourceView, startTestServer } from '../../support/status-server.js'

/** The state that a client has after these messages. */
function stateOf(messages: readonly DaemonMessage[]): Map<string, View> {
  const state = new Map<string, View>()
  for (const message of messages) {
    if (isType('welcome')(message)) for (const view of message.snapshot ?? []) state.set(`${view.kind}/${view.name}`, view)
    if (!isType('delta')(message)) continue
    for (const view of message.upserts) state.set(`${view.kind}/${view.name}`, view)
    for (const key of message.removes) state.delete(`${key.kind}/${key.name}`)
  }
  return state
}

test('500 large changes and 10,000 lines cost the daemon next to nothing, and the state is right afterwards', async () => {
  const path = await bundleModule(fileURLToPath(new URL('fixtures/slow-client-daemon.ts', import.meta.url)))
  const { child, next, ended } = forkModule(path, [], ['--expose-gc'])
  let stalled: RawClient | undefined
  try {
    const { socket } = (await next()) as { socket: string }
    stalled = await connectRaw(socket)
    stalled.send(hello({ topics: ['state', 'logs'] }))
    await stalled.take(isType('log'))
    stalled.ws.pause()
    child.send('go')
    const { grown, logBytes, views, readerViews } = (await next()) as {
      grown: number
      logBytes: number
      views: View[]
      readerViews: View[]
    }
    expect(readerViews).toEqual(views)
    // The lines are kept for everybody; they are not the client's.
    expect(logBytes).toBeGreaterThan(10_000 * 80)
    expect(grown - logBytes).toBeLessThan(4_000_000)

    stalled.ws.resume()
    stalled.send({ jsonrpc: '2.0', id: 1, method: 'reload' })
    await stalled.take(isReply)
    await stalled.take((message) => isType('log')(message) && message.lines.at(-1)?.text.startsWith('line 9999 ') === true)
    expect([...stateOf(stalled.received).values()].toSorted(byKey)).toEqual(views.toSorted(byKey))
    const lines = stalled.received.filter(isType('log')).flatMap((message) => message.lines)
    expect(lines.map((line) => line.cursor)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1))
    expect(stalled.received.filter(isType('delta')).length).toBeLessThan(100)
    child.send('end')
    expect(await ended).toEqual({ code: 0, signal: null })
  } finally {
    stalled?.ws.terminate()
    child.kill('SIGKILL')
    await rm(dirname(path), { recursive: true, force: true })
  }
})

const byKey = (a: View, b: View): number => (`${a.kind}/${a.name}` < `${b.kind}/${b.name}` ? -1 : 1)

test('a client that misses lines is told how many, exactly, also for a part of the resources', async () => {
  const daemon = await startTestServer({ logs: createLogRing({ maxBytes: 200_000 }) })
  const [all, some] = [await connectRaw(daemon.socket), await connectRaw(daemon.socket)]
  try {
    all.send(hello({ topics: ['logs'] }))
    some.send(hello({ topics: ['logs'], logs: { resources: ['a'] } }))
    for (const client of [all, some]) {
      await client.take(isType('log'))
      client.ws.pause()
    }
    for (let i = 1; i <= 20_000; i++) {
      daemon.logs.append({ at: 0, resource: i % 3 ? 'b' : 'a', source: 'x', level: 'info', text: `${i} ${'z'.repeat(100)}` })
      if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    daemon.logs.append({ at: 0, resource: 'a', source: 'x', level: 'info', text: 'the last' })
    for (const client of [all, some]) {
      client.ws.resume()
      await client.take((message) => isType('log')(message) && message.lines.at(-1)?.text === 'the last')
    }
    const count = (client: RawClient): { seen: number; dropped: number } =>
      client.received
        .filter(isType('log'))
        .reduce((sum, message) => ({ seen: sum.seen + message.lines.length, dropped: sum.dropped + message.dropped }), {
          seen: 0,
          dropped: 0,
        })
    const [ofAll, ofSome] = [count(all), count(some)]
    expect(ofAll.dropped).toBeGreaterThan(10_000)
    expect(ofAll.seen + ofAll.dropped).toBe(20_001)
    expect(ofSome.dropped).toBeGreaterThan(1_000)
    expect(ofSome.seen + ofSome.dropped).toBe(6_667)
  } finally {
    all.ws.terminate()
    some.ws.terminate()
    await daemon.close()
  }
})

test('while one client is stalled another gets every change', async () => {
  const daemon = await startTestServer()
  const [stalled, reader] = [await connectRaw(daemon.socket), await connectRaw(daemon.socket)]
  try {
    for (const client of [stalled, reader]) {
      client.send(hello())
      await client.take(isType('welcome'))
    }
    stalled.ws.pause()
    for (let i = 0; i < 50; i++) {
      daemon.views.set(resourceView('api', `${i} ${'x'.repeat(100_000)}`))
      const delta = await reader.take(isType('delta'))
      expect(delta.seq).toBe(i + 1)
    }
    stalled.ws.resume()
    await stalled.take((message) => isType('delta')(message) && message.seq === 50)
    expect(stateOf(stalled.received)).toEqual(new Map(daemon.views.views()))
    expect(stalled.received.filter(isType('delta')).length).toBeLessThan(25)
  } finally {
    stalled.ws.terminate()
    reader.ws.terminate()
    await daemon.close()
  }
})
