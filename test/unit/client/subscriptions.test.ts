// Several log selections of one client over reconnects; requests that are called off or tell their progress; heartbeat.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { connectDevloop, type ConnectOptions } from '../../../src/client/connect.js'
import type { ClientState, DevloopClient } from '../../../src/client/devloop-client.js'
import { nodeSocket } from '../../../src/client/node-socket.js'
import type { SocketLike } from '../../../src/client/socket.js'
import type { LogMessage, ProgressMessage } from '../../../src/protocol/messages.js'
import { createLogRing, type LogLine } from '../../../src/store/log-ring.js'
import { useDaemons } from '../server/fixtures/daemons.js'

const { open, start } = useDaemons()

function connect(
  daemon: { readonly socket: string },
  more: Partial<ConnectOptions> = {},
): { client: DevloopClient; cut(): void } {
  let socket: (SocketLike & { terminate?: () => void }) | undefined
  const client = connectDevloop({
    endpoint: { socket: daemon.socket },
    backoff: { minMs: 1, maxMs: 5 },
    createSocket: (endpoint) => (socket = nodeSocket(endpoint)),
    ...more,
  })
  open.push(client)
  return { client, cut: () => socket?.terminate?.() }
}

const line = (text: string, more: Partial<LogLine> = {}): LogLine => ({
  at: 1,
  resource: 'api',
  source: 'build',
  level: 'info',
  text,
  ...more,
})
const textsOf = (messages: readonly LogMessage[]): string[] => messages.flatMap(({ lines }) => lines.map(({ text }) => text))
const droppedOf = (messages: readonly LogMessage[]): number => messages.reduce((sum, { dropped }) => sum + dropped, 0)

test('several log selections over many cuts: no gap, no repetition', async () => {
  const daemon = await start({ limits: { paceMs: 1, logLines: 7, logLooked: 20 } })
  const { client, cut } = connect(daemon)
  const selections = [
    { selection: { after: 0 }, fits: () => true },
    { selection: { resources: ['db'] }, fits: (i: number) => i % 3 === 0 },
    { selection: { level: 'error' as const }, fits: (i: number) => i % 7 === 0 },
    { selection: { text: 'NUMBER 1', sources: ['b*'] }, fits: (i: number) => String(i).startsWith('1') },
  ]
  await client.whenOpen()
  const got = selections.map(() => [] as LogMessage[])
  for (const [index, { selection }] of selections.entries()) client.logs(selection, (message) => got[index]?.push(message))
  await expect.poll(() => got.every((messages) => messages.length > 0)).toBe(true)
  const all = Array.from({ length: 600 }, (_, i) => i)
  for (const i of all) {
    daemon.logs.append(line(`number ${i}`, { resource: i % 3 ? 'api' : 'db', level: i % 7 ? 'warn' : 'error' }))
    if (i % 40 === 20) cut()
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  for (const [index, { fits }] of selections.entries())
    await expect.poll(() => textsOf(got[index] ?? []), { timeout: 10_000 }).toEqual(all.filter(fits).map((i) => `number ${i}`))
  expect(got.map(droppedOf)).toEqual([0, 0, 0, 0])
})

test('what was lost while it was away is counted, and lines that do not fit are not', async () => {
  const daemon = await start({ logs: createLogRing({ maxBytes: 20_000 }), limits: { paceMs: 1, logLooked: 10 } })
  const { client, cut } = connect(daemon)
  const [all, errors]: [LogMessage[], LogMessage[]] = [[], []]
  client.logs({}, (message) => all.push(message))
  client.logs({ level: 'error' }, (message) => errors.push(message))
  await expect.poll(() => [all.length, errors.length]).toEqual([1, 1])
  for (let i = 0; i < 1_000; i++) {
    daemon.logs.append(line(`seen ${i}`))
    if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await expect.poll(() => textsOf(all).length + droppedOf(all)).toBe(1_000)
  // all of these passed the filter by, and are long gone
  await expect.poll(() => errors.at(-1)?.cursor ?? 0).toBeGreaterThan(980)
  cut()
  daemon.logs.append(line('the end', { level: 'error' }))
  await expect.poll(() => [textsOf(all).at(-1), textsOf(errors)]).toEqual(['the end', ['the end']])
  expect(textsOf(all).length + droppedOf(all)).toBe(1_001)
  expect(droppedOf(errors)).toBe(0)

  cut()
  for (let i = 0; i < 1_000; i++) daemon.logs.append(line(`unseen ${i}`))
  await expect.poll(() => textsOf(all).length + droppedOf(all)).toBe(2_001)
  expect(droppedOf(all)).toBeGreaterThan(500)
  await expect.poll(() => droppedOf(errors)).toBeGreaterThan(500)
})

test('with another daemon each begins with all that it has, and goes on there after the next cut', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'devloop-client-'))
  open.push({ close: () => rm(dir, { recursive: true, force: true }) })
  const first = await start({ dir })
  for (let i = 0; i < 5; i++) first.logs.append(line(`old ${i}`))
  const { client, cut } = connect(first)
  const [all, one]: [LogMessage[], LogMessage[]] = [[], []]
  client.logs({ tail: 2 }, (message) => all.push(message))
  client.logs({ tail: 1, text: 'b' }, (message) => one.push(message))
  await expect.poll(() => [textsOf(all), one.length]).toEqual([['old 3', 'old 4'], 1])
  await first.server.close('an update')
  const logs = createLogRing()
  for (const text of ['new a', 'new b', 'new c']) logs.append(line(text))
  const second = await start({ dir, epoch: 'epoch-2', logs })
  await expect.poll(() => textsOf(all)).toEqual(['old 3', 'old 4', 'new a', 'new b', 'new c'])
  await expect.poll(() => textsOf(one)).toEqual(['new b'])
  cut()
  second.logs.append(line('bb'))
  await expect.poll(() => textsOf(all).at(-1)).toBe('bb')
  await expect.poll(() => textsOf(one)).toEqual(['new b', 'bb'])
})

test('the 17th log selection is refused at once, and one that ended makes room', async () => {
  const daemon = await start()
  const { client } = connect(daemon)
  const ends = Array.from({ length: 16 }, () => client.logs({}, () => undefined))
  expect(() => client.logs({}, () => undefined)).toThrow('16 log selections')
  ends[3]?.()
  expect(() => client.logs({ text: 'x'.repeat(1_001) }, () => undefined)).toThrow('1000 characters')
  const messages: LogMessage[] = []
  client.logs({}, (message) => messages.push(message))
  await expect.poll(() => messages.length).toBe(1)
})

test.each([
  ['a signal', (abort: AbortController) => ({ signal: abort.signal, timeoutMs: undefined })],
  ['a time limit', () => ({ timeoutMs: 30 })],
])('a request that is given up by %s is called off in the daemon', async (_name, optionsFor) => {
  let signal: AbortSignal | undefined
  const daemon = await start({
    handlers: {
      verify: (_params, origin) => {
        signal = origin.signal
        return new Promise(() => undefined)
      },
    },
  })
  const { client } = connect(daemon)
  await client.whenOpen()
  const abort = new AbortController()
  const given = client.request('verify', {}, optionsFor(abort))
  const outcome = given.catch((thrown: unknown) => String(thrown))
  await expect.poll(() => signal).toBeDefined()
  abort.abort(new Error('enough'))
  expect(await outcome).toMatch(/enough|Waited/)
  await expect.poll(() => signal?.aborted).toBe(true)
  expect(client.state).toBe('open')
})

test('progress is told to who asks for it', async () => {
  const daemon = await start({
    limits: { progressMs: 0 },
    handlers: {
      verify: async (_params, { progress }) => {
        progress('first')
        await new Promise((resolve) => setTimeout(resolve, 20))
        progress('second', { done: 1, total: 2 })
        await new Promise((resolve) => setTimeout(resolve, 20))
        return { targets: [] }
      },
    },
  })
  const { client } = connect(daemon)
  const told: Pick<ProgressMessage, 'message' | 'done' | 'total'>[] = []
  await client.request('verify', {}, { onProgress: (progress) => told.push(progress) })
  expect(told).toEqual([{ message: 'first' }, { message: 'second', done: 1, total: 2 }])
})

test('a daemon that says nothing for 70 s is taken for dead; one that pings is not', async () => {
  vi.useFakeTimers()
  try {
    const sockets: (SocketLike & { sent: string[] })[] = []
    const client = connectDevloop({
      endpoint: { socket: '/a' },
      createSocket: () => {
        const sent: string[] = []
        const socket = {
          sent,
          send: (text: string) => void sent.push(text),
          close: () => undefined,
        } as unknown as (typeof sockets)[0]
        sockets.push(socket)
        return socket
      },
    })
    const states: ClientState[] = []
    client.onState((state) => states.push(state))
    await vi.advanceTimersByTimeAsync(1)
    const say = (message: object): void => sockets.at(-1)?.onmessage?.({ data: JSON.stringify(message) })
    sockets[0]?.onopen?.()
    say({
      type: 'welcome',
      protocol: { major: 1, minor: 0 },
      version: '1',
      epoch: 'e',
      seq: 1,
      access: 'read',
      methods: [],
      snapshot: [],
    })
    expect(client.state).toBe('open')
    for (let i = 0; i < 30; i++) {
      await vi.advanceTimersByTimeAsync(20_000)
      say({ type: 'ping', seq: 5 + i })
    }
    expect(states).toEqual(['open'])
    await vi.advanceTimersByTimeAsync(69_000)
    expect(states).toEqual(['open'])
    await vi.advanceTimersByTimeAsync(1_500)
    expect(states).toEqual(['open', 'connecting'])
    expect(client.error?.why).toContain('70 s')
    await vi.advanceTimersByTimeAsync(1_000)
    sockets.at(-1)?.onopen?.()
    // the number of the last ping, though no delta came
    expect(JSON.parse(sockets.at(-1)?.sent[0] ?? '')).toMatchObject({ type: 'hello', resume: { epoch: 'e', seq: 34 } })
    client.close()
  } finally {
    vi.useRealTimers()
  }
})
