// Whatever a client sends: the reader of messages never throws, agrees with the published schema, and a daemon lives on.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DevloopError } from '../../src/errors/devloop-error.js'
import type { DaemonMessage, Requests } from '../../src/protocol/messages.js'
import { clientMessageSchema, daemonMessageSchema, requestParamsSchemas } from '../../src/protocol/schema.js'
import { parseInbound, parseParams } from '../../src/server/validate.js'
import { connectRaw, hello, isReply, isType } from '../support/raw-client.js'
import { startTestServer, type TestServer } from '../support/status-server.js'

/** Values that are almost right. */
const field = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    0,
    1,
    -1,
    1.5,
    2 ** 60,
    '',
    '0',
    '/a',
    'x\0',
    true,
    [],
    {},
    ['a'],
    [1],
    [null],
    { major: 0, minor: 1 },
    { epoch: 'e', seq: 1 },
    { after: 1, tail: 0 },
    { resources: ['a'] },
    { resources: 'a' },
  ),
  fc.jsonValue({ maxDepth: 2 }),
)
const type = fc.constantFrom('hello', 'logs', 'pong', 'ping', 'welcome', 'delta', 'later', '', 'toString', '__proto__')
const method = fc.constantFrom(
  'trigger',
  'reload',
  'restart',
  'shutdown',
  'why',
  'explode',
  '',
  'toString',
  'hasOwnProperty',
  '__proto__',
)
const typed = fc.record({ type, protocol: field, client: field, topics: field, resume: field, logs: field }, { requiredKeys: [] })
const request = fc.record(
  { jsonrpc: fc.oneof(fc.constant('2.0'), field), id: field, method: fc.oneof(method, field), params: field, type },
  { requiredKeys: ['method'] },
)
const logs = fc.record({
  type: fc.constant('logs'),
  logs: fc.record({ resources: field, after: field, tail: field, id: field }, { requiredKeys: [] }),
})
const helloish = fc.record(
  {
    type: fc.constant('hello'),
    protocol: fc.oneof(fc.constant({ major: 0, minor: 1 }), field),
    client: fc.oneof(fc.constant('c'), field),
    topics: fc.oneof(fc.constant(['state']), field),
    resume: fc.oneof(fc.constant({ epoch: 'e', seq: 0 }), field),
  },
  { requiredKeys: ['type', 'protocol', 'client', 'topics'] },
)
const message = fc.oneof(typed, request, logs, helloish, fc.jsonValue({ maxDepth: 3 }))

test('the reader agrees with the published schema', () => {
  fc.assert(
    fc.property(message, (value) => {
      const text = JSON.stringify(value)
      const inbound = parseInbound(text)
      const fits = clientMessageSchema.safeParse(JSON.parse(text)).success
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      // A message with both a type and jsonrpc is a request; the schema, a plain union, may take it for either.
      if (isObject && 'type' in value && ('jsonrpc' in value || 'method' in value)) return
      const taken = ['hello', 'logs', 'pong', 'request'].includes(inbound.kind)
      expect([text, taken]).toEqual([text, fits])
    }),
    { numRuns: 5_000 },
  )
})

test('parameters agree with the published schema', () => {
  const params = fc.oneof(field, fc.record({ resource: field, path: field, down: field }, { requiredKeys: [] }))
  fc.assert(
    fc.property(fc.constantFrom(...(Object.keys(requestParamsSchemas) as (keyof Requests)[])), params, (name, value) => {
      const json: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value))
      let outcome = 'taken'
      try {
        parseParams(name, json)
      } catch (error) {
        outcome = (error as DevloopError).code
      }
      const fits = requestParamsSchemas[name].safeParse(json === undefined ? {} : json).success
      expect([name, json, outcome]).toEqual([name, json, fits ? 'taken' : 'protocol/invalid'])
    }),
    { numRuns: 3_000 },
  )
})

test('any text is sorted without throwing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
      expect(parseInbound(text).kind).toMatch(/^(hello|logs|pong|request|unknown|invalid|invalid-request)$/)
    }),
    { numRuns: 3_000 },
  )
  const deep = `{"type":"hello","topics":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
  expect(parseInbound(deep).kind).toBe('invalid')
})

let daemon: TestServer
beforeAll(async () => void (daemon = await startTestServer({ limits: { errors: 1e9, clients: 4 } })))
afterAll(() => daemon.close())

/** Answers that the rules ask for: one for each request and each message that is not valid, none for others. */
const expectedAnswers = (text: string): number => {
  const { kind } = parseInbound(text)
  return kind === 'request' || kind === 'invalid' || kind === 'invalid-request' || kind === 'hello' ? 1 : 0
}

test('a daemon answers or ignores thousands of messages by the rules, and lives', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          message.map((value) => JSON.stringify(value)),
          fc.string({ unit: 'grapheme' }),
        ),
        { minLength: 1, maxLength: 200 },
      ),
      async (texts) => {
        const raw = await connectRaw(daemon.socket)
        try {
          raw.send(hello())
          await raw.take(isType('welcome'))
          for (const text of texts) raw.sendText(text)
          raw.send({ jsonrpc: '2.0', id: 'the end', method: 'reload' })
          await raw.take((answer) => isReply(answer) && answer.id === 'the end')
          const answers = raw.received.filter((answer: DaemonMessage) => isReply(answer) || isType('error')(answer))
          expect(answers).toHaveLength(texts.reduce((sum, text) => sum + expectedAnswers(text), 1))
          for (const answer of raw.received) daemonMessageSchema.parse(answer)
          expect(daemon.defects).toEqual([])
        } finally {
          raw.ws.close()
          await raw.closed
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('a daemon lives through any first message and any bytes after the upgrade', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        message.map((value) => JSON.stringify(value)),
        fc.string(),
      ),
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      async (first, bytes) => {
        const raw = await connectRaw(daemon.socket)
        raw.ws.on('error', () => undefined)
        raw.sendText(first)
        // Not frames: the WebSocket library must end the connection, or wait for the rest of a frame.
        ;(raw.ws as unknown as { _socket: { write(data: Uint8Array): void } })._socket.write(bytes)
        raw.ws.terminate()
        await raw.closed
      },
    ),
    { numRuns: 200 },
  )
  // The places of the last ones are free when the daemon has noticed.
  await expect
    .poll(() =>
      connectRaw(daemon.socket).then(
        (raw) => raw.ws.terminate(),
        () => 'refused',
      ),
    )
    .toBeUndefined()
  expect(daemon.defects).toEqual([])
})
