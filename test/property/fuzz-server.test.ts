// Whatever clients send, by the hundred thousand, over both transports: each message has the answer that the published schema asks for, and
// nothing happens that nobody may ask for. FUZZ_MESSAGES sets how many; FUZZ_SEED repeats a run, and with it FUZZ_SHRINK looks for less that
// fails, which takes long.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { DaemonMessage, Requests, Access } from '../../src/protocol/messages.js'
import { requestParamsSchemas } from '../../src/protocol/schema-requests.js'
import { clientMessageSchema, daemonMessageSchema } from '../../src/protocol/schema.js'
import { fuzzText } from '../support/fuzz-messages.js'
import { resourceView, startTestServer, type TestServer } from '../support/status-server.js'

const messages = Number(process.env.FUZZ_MESSAGES ?? 100_000)
const seed = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) }
/** What each client asks for, and no few edits make of another's. */
const nonces = ['alphaalphaalpha', 'bravobravobravo', 'kilokilokilo'] as const
/** Of one client in one run. */
const share = 170

/** How a client comes, and what it may do then. */
const ways = ['socket', 'socket, reading', 'tcp, reading'] as const
type Way = (typeof ways)[number]
const accessOf = (way: Way): Access => (way === 'socket' ? 'control' : 'read')

/** What the document asks for, of one message. */
interface Answer {
  /** Ids of replies, as JSON. */
  readonly reply?: string
  readonly error?: true
  /** A request that reaches a handler. */
  readonly call?: keyof Requests
}

const has = (value: object, key: string): boolean => Object.hasOwn(value, key)
const shapeOf = (type: string) =>
  clientMessageSchema.options.find((option) => 'type' in option.shape && option.shape.type.value === type)
const requestShape = clientMessageSchema.options.find((option) => 'jsonrpc' in option.shape)!

/** Says what each message of a client is answered with, by the schema and the few rules that it cannot tell. */
function createOracle(access: Access): (text: string) => Answer {
  const selections = new Set<number>()
  const mayCall = (method: string): boolean => access === 'control' || method === 'why' || method === 'verify'
  const request = (message: Record<string, unknown>): Answer => {
    const idFits = typeof message.id === 'string' || (typeof message.id === 'number' && Number.isFinite(message.id))
    const reply = JSON.stringify(idFits ? message.id : null)
    const { method } = message
    if (!requestShape.safeParse(message).success || typeof method !== 'string' || !has(requestParamsSchemas, method))
      return { reply }
    if (!mayCall(method)) return { reply }
    const fits = requestParamsSchemas[method as keyof Requests].safeParse(has(message, 'params') ? message.params : {}).success
    return { reply, ...(fits && { call: method as keyof Requests }) }
  }
  return (text) => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return { reply: 'null' }
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { reply: 'null' }
    const message = value as Record<string, unknown>
    if (has(message, 'jsonrpc') || (has(message, 'method') && !has(message, 'type'))) return request(message)
    if (!has(message, 'type') || typeof message.type !== 'string') return { error: true }
    const shape = shapeOf(message.type)
    if (!shape) return {}
    // one hello was said
    if (message.type === 'hello' || !shape.safeParse(message).success) return { error: true }
    if (message.type !== 'logs') return {}
    const id = (message.id as number | undefined) ?? 0
    if (message.logs === null) selections.delete(id)
    else if (!selections.has(id) && selections.size >= 16) return { error: true }
    else selections.add(id)
    return {}
  }
}

interface Client {
  readonly way: Way
  readonly received: string[]
  send(text: string): void
  /** Waits until all that was sent has been read, and so many replies are there. */
  settled(replies: number): Promise<void>
  close(): Promise<void>
}

async function connectAs(way: Way, server: TestServer): Promise<Client> {
  const ws =
    way === 'tcp, reading'
      ? new WebSocket(`${server.url.replace('http', 'ws')}/v1/stream`, {
          perMessageDeflate: false,
          headers: { Authorization: `Bearer ${server.readToken}` },
        })
      : new WebSocket('ws://localhost/v1/stream', {
          perMessageDeflate: false,
          createConnection: () => connect({ path: server.socket }),
        })
  const received: string[] = []
  const closed = new Promise<number>((resolve) => ws.once('close', resolve))
  const awaited = new Map<string, () => void>()
  ws.on('message', (data: Buffer) => {
    const text = data.toString()
    received.push(text)
    for (const [part, found] of awaited) if (text.includes(part)) found()
  })
  const until = (part: string): Promise<void> =>
    Promise.race([
      new Promise<void>((resolve) => awaited.set(part, resolve)),
      closed.then((code) => {
        throw new Error(`a connection (${way}) was closed with ${code}`)
      }),
    ])
  await new Promise<void>((resolve, reject) => ws.once('open', resolve).once('error', reject))
  const welcome = until('"type":"welcome"')
  const access = way === 'socket, reading' ? { access: 'read' } : {}
  ws.send(JSON.stringify({ type: 'hello', protocol: { major: 1, minor: 0 }, client: 'fuzz', topics: ['state'], ...access }))
  await welcome
  received.length = 0
  return {
    way,
    received,
    send: (text) => ws.send(text),
    async settled(replies) {
      const end = until('the very end')
      ws.send('{"jsonrpc":"2.0","id":"the very end","method":"no such method"}')
      await end
      received.splice(
        received.findIndex((text) => text.includes('the very end')),
        1,
      )
      // requests that take a moment are overtaken; what does not come is missed later
      for (let i = 0; i < 200 && received.filter((text) => text.startsWith('{"jsonrpc"')).length < replies; i++) await sleep(5)
    },
    async close() {
      ws.close()
      await closed
    },
  }
}

const collect = (): void => {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

test(
  `${messages} fuzzed messages: each is answered as the schema says, to who sent it, and nothing else happens`,
  { timeout: 120_000 + messages },
  async () => {
    const calls: { method: string; access: Access }[] = []
    const handled = <T>(method: keyof Requests, result: (params: never) => T) => ({
      [method]: async (params: never, { access, signal }: { access: Access; signal: AbortSignal }): Promise<T> => {
        calls.push({ method, access })
        // some take a moment, in which they can be called off and more than one runs
        if (method === 'verify' || method === 'prune') {
          await new Promise((resolve) => setImmediate(resolve))
          signal.throwIfAborted()
        }
        if (method !== 'why' && method !== 'verify') server.views.set(resourceView('a', `${calls.length}`))
        return result(params)
      },
    })
    const accepted = { accepted: true as const }
    const server: TestServer = await startTestServer({
      limits: { errors: 1e9 },
      handlers: {
        ...handled('trigger', ({ resource }: { resource: string }) => ({ ...accepted, resources: [resource] })),
        ...handled('enable', () => ({ ...accepted, resources: [], needs: [] })),
        ...handled('disable', () => ({ ...accepted, resources: [], neededBy: [] })),
        ...handled('args', () => ({ args: [], choices: {} })),
        ...handled('reload', () => accepted),
        ...handled('restart', () => accepted),
        ...handled('shutdown', () => accepted),
        ...handled('exec', () => ({ runtime: 'process' as const, cwd: '/', env: {} })),
        ...handled('prune', () => ({ removed: [], kept: 0, problems: [], interrupted: false })),
        ...handled('dump', () => ({ state: {}, plan: null, work: {}, actions: [], process: {} })),
        ...handled('why', ({ path }: { path: string }) => ({ path, answers: [] })),
        ...handled('verify', () => ({ targets: [] })),
      },
    })
    server.views.set(resourceView('a'), resourceView('b'))
    let sent = 0
    let changed = 0
    let heap = 0
    const runs = Math.ceil(messages / (share * ways.length))
    let run = 0
    const batch = (nonce: string): fc.Arbitrary<string[]> => fc.array(fuzzText(nonce), { minLength: share, maxLength: share })
    try {
      const outcome = await fc.check(
        fc.asyncProperty(fc.tuple(batch(nonces[0]), batch(nonces[1]), batch(nonces[2])), async (batches) => {
          server.logs.append(
            Array.from({ length: 5 }, (_, i) => ({
              at: i,
              resource: 'a',
              source: 'run',
              level: 'info' as const,
              text: `line ${i}`,
            })),
          )
          calls.length = 0
          const seq = server.views.seq()
          const clients = await Promise.all(ways.map((way) => connectAs(way, server)))
          try {
            for (let i = 0; i < share; i++) clients.forEach((client, index) => client.send(batches[index]![i]!))
            const expected = clients.map(({ way }, index) => batches[index]!.map(createOracle(accessOf(way))))
            await Promise.all(clients.map((client, i) => client.settled(expected[i]!.filter(({ reply }) => reply).length)))
            const expectedCalls: string[] = []
            let cancelled = 0
            clients.forEach((client, index) => {
              const answers = expected[index]!
              const told = client.received.map((text) => JSON.parse(text) as DaemonMessage)
              for (const message of told) {
                const { error } = daemonMessageSchema.safeParse(message)
                if (error)
                  throw new Error(`the daemon sent what the schema does not have: ${JSON.stringify(message)}`, { cause: error })
              }
              const replies = told.flatMap((message) => ('jsonrpc' in message ? [message] : []))
              expect(replies.map((reply) => JSON.stringify(reply.id)).toSorted()).toEqual(
                answers.flatMap(({ reply }) => reply ?? []).toSorted(),
              )
              expect(told.filter((message) => 'type' in message && message.type === 'error')).toHaveLength(
                answers.filter(({ error }) => error).length,
              )
              for (const text of client.received) {
                if (text.includes(server.token) || text.includes(server.readToken)) throw new Error(`a token was told: ${text}`)
                // what another client asked for
                for (const other of nonces)
                  if (other !== nonces[index] && text.includes(other)) throw new Error(`of another client: ${text}`)
              }
              cancelled += replies.filter((reply) => 'error' in reply && reply.error.data?.code === 'request/cancelled').length
              expectedCalls.push(...answers.flatMap(({ call }) => call ?? []))
            })
            // what was called off before it began did not reach a handler
            expect(calls.length).toBeLessThanOrEqual(expectedCalls.length)
            expect(calls.length).toBeGreaterThanOrEqual(expectedCalls.length - cancelled)
            expect(calls.filter(({ method, access }) => access === 'read' && method !== 'why' && method !== 'verify')).toEqual([])
            expect(server.views.seq() - seq).toBeLessThanOrEqual(
              expectedCalls.filter((method) => method !== 'why' && method !== 'verify').length,
            )
            expect(server.defects).toEqual([])
            sent += share * clients.length
            changed += server.views.seq() - seq
          } finally {
            await Promise.all(clients.map((client) => client.close()))
          }
          // what stays in memory in any case is there after a third
          if (++run === Math.ceil(runs / 3)) {
            collect()
            heap = process.memoryUsage().heapUsed
          }
        }),
        { numRuns: runs, ...seed, endOnFailure: process.env.FUZZ_SHRINK === undefined },
      )
      if (outcome.failed) {
        const found = process.env.FUZZ_SHRINK === undefined ? '' : `: ${JSON.stringify(outcome.counterexample).slice(0, 5_000)}`
        throw new Error(`FUZZ_SEED=${outcome.seed} fails${found}; ${String(outcome.errorInstance)}`, {
          cause: outcome.errorInstance,
        })
      }
      collect()
      const grown = process.memoryUsage().heapUsed - heap
      expect(sent).toBeGreaterThanOrEqual(messages)
      // the fuzzer does send requests that may change something, and these do
      expect(changed).toBeGreaterThan(runs)
      expect(grown).toBeLessThan(20_000_000)
      expect(Object.keys(Object.prototype)).toEqual([])
      expect('polluted' in {}).toBe(false)
      // and a client that comes now is greeted
      await (await connectAs('tcp, reading', server)).close()
    } finally {
      await server.close()
    }
  },
)
