// Whatever a client sends: the reader of messages never throws, agrees with the published schema, and a daemon lives on.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DevloopError } from '../../src/errors/devloop-error.js'
import type { Requests } from '../../src/protocol/messages.js'
import { clientMessageSchema } from '../../src/protocol/schema.js'
import { requestParamsSchemas } from '../../src/protocol/schema-requests.js'
import { parseInbound, parseParams } from '../../src/server/validate.js'
import { connectRaw } from '../support/raw-client.js'
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
    { major: 1, minor: 0 },
    { epoch: 'e', seq: 1 },
    { after: 1, tail: 0 },
    { resources: ['a'] },
    { resources: 'a' },
  ),
  fc.jsonValue({ maxDepth: 2 }),
)
const type = fc.constantFrom(
  'hello',
  'state',
  'logs',
  'cancel',
  'pong',
  'ping',
  'welcome',
  'delta',
  'later',
  '',
  'toString',
  '__proto__',
)
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
const typed = fc.record(
  { type, id: field, protocol: field, client: field, topics: field, resume: field, state: field, logs: field, access: field },
  { requiredKeys: [] },
)
const request = fc.record(
  {
    jsonrpc: fc.oneof(fc.constant('2.0'), field),
    id: field,
    method: fc.oneof(method, field),
    params: field,
    progress: field,
    type,
  },
  { requiredKeys: ['method'] },
)
const logs = fc.record({
  type: fc.constant('logs'),
  id: fc.oneof(fc.constant(1), field),
  logs: fc.record(
    { resources: field, after: field, tail: field, since: field, level: field, text: field, sources: field, containers: field },
    { requiredKeys: [] },
  ),
})
const state = fc.record({
  type: fc.constant('state'),
  state: fc.oneof(fc.constant(null), fc.record({ kinds: field, resources: field }, { requiredKeys: [] }), field),
})
const helloish = fc.record(
  {
    type: fc.constant('hello'),
    protocol: fc.oneof(fc.constant({ major: 1, minor: 0 }), field),
    client: fc.oneof(fc.constant('c'), field),
    topics: fc.oneof(fc.constant(['state']), field),
    resume: fc.oneof(fc.constant({ epoch: 'e', seq: 0 }), field),
    state: fc.oneof(fc.constant({ resources: ['a'] }), field),
    access: fc.oneof(fc.constant('read'), field),
  },
  { requiredKeys: ['type', 'protocol', 'client', 'topics'] },
)
const message = fc.oneof(typed, request, logs, state, helloish, fc.jsonValue({ maxDepth: 3 }))

test('the reader agrees with the published schema', () => {
  fc.assert(
    fc.property(message, (value) => {
      const text = JSON.stringify(value)
      const inbound = parseInbound(text)
      const fits = clientMessageSchema.safeParse(JSON.parse(text)).success
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      // A message with both a type and jsonrpc is a request; the schema, a plain union, may take it for either.
      if (isObject && 'type' in value && ('jsonrpc' in value || 'method' in value)) return
      const taken = ['hello', 'state', 'logs', 'cancel', 'pong', 'request'].includes(inbound.kind)
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
      expect(parseInbound(text).kind).toMatch(/^(hello|state|logs|cancel|pong|request|unknown|invalid|invalid-request)$/)
    }),
    { numRuns: 3_000 },
  )
  const deep = `{"type":"hello","topics":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
  expect(parseInbound(deep).kind).toBe('invalid')
})

let daemon: TestServer
beforeAll(async () => void (daemon = await startTestServer({ limits: { errors: 1e9, clients: 4 } })))
afterAll(() => daemon.close())

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
