// Messages that a client should not send, and some that it may: what a fuzzer throws at a server.
import fc from 'fast-check'
import type { Requests } from '../../src/protocol/messages.js'

/** Values that are almost right, for any field. */
const values: readonly unknown[] = [
  null,
  0,
  1,
  -1,
  1.5,
  16,
  2 ** 53,
  1e308,
  -0,
  '',
  '0',
  'a',
  '*',
  '/a',
  '/../../etc/passwd',
  'x\0',
  '\u202e\u001b[2J',
  '\ud800',
  'label:a',
  'label:',
  '__proto__',
  'constructor',
  'toString',
  true,
  false,
  [],
  {},
  ['a'],
  ['__proto__', 'a'],
  [1],
  [null],
  [[[[]]]],
  { major: 1, minor: 0 },
  { major: 1, minor: 99 },
  { epoch: 'e', seq: 1 },
  { after: 1, tail: 0 },
  { after: 0, text: '.*', level: 'warn', sources: ['*'], since: 0 },
  { resources: ['a'], kinds: ['resource'] },
  { resources: 'a' },
  { length: 5, toJSON: 'x' },
]
const names = [
  'type',
  'jsonrpc',
  'id',
  'method',
  'params',
  'protocol',
  'client',
  'topics',
  'resume',
  'logs',
  'state',
  'access',
  'progress',
  'resource',
  'resources',
  'wait',
  'tail',
  'after',
  'level',
  'text',
  'since',
  'sources',
  'kinds',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'then',
  'polluted',
  '',
]
const value = fc.constantFrom(...values)
const name = fc.constantFrom(...names)
const id = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 1_000_000 }) },
  { weight: 2, arbitrary: fc.string({ maxLength: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom<number | string>(-1, 0.5, 2 ** 53, '__proto__', '', 'constructor') },
)

/** Parameters that each method takes. */
const params = (nonce: string): { readonly [M in keyof Requests]: fc.Arbitrary<Requests[M]['params']> } => {
  const resource = fc.constantFrom('a', 'b', 'none', 'label:x', '__proto__')
  const resources = fc.array(resource, { maxLength: 3 })
  return {
    trigger: fc.record({ resource, wait: fc.boolean() }, { requiredKeys: ['resource'] }),
    enable: fc.record({ resources }),
    disable: fc.record({ resources }),
    args: fc.record({ args: fc.array(fc.string({ maxLength: 4 }), { maxLength: 2 }) }, { requiredKeys: [] }),
    reload: fc.constant({}),
    restart: fc.record({ resource }),
    shutdown: fc.record({ down: fc.boolean() }, { requiredKeys: [] }),
    why: fc.constant({ path: `/${nonce}` }),
    verify: fc.record({ resource }, { requiredKeys: [] }),
    exec: fc.record({ resource }),
    prune: fc.record({ dryRun: fc.boolean() }, { requiredKeys: [] }),
    dump: fc.constant({}),
  }
}

/** Messages that the document allows. `nonce` is in what is asked, so that an answer tells whose it is. */
function validMessage(nonce: string): fc.Arbitrary<object> {
  const requests = Object.entries(params(nonce)).map(([method, arbitrary]) =>
    fc.record(
      {
        jsonrpc: fc.constant('2.0'),
        id,
        method: fc.constant(method),
        params: arbitrary as fc.Arbitrary<unknown>,
        progress: fc.boolean(),
      },
      { requiredKeys: ['jsonrpc', 'id', 'method', 'params'], noNullPrototype: true },
    ),
  )
  const selection = fc.record(
    {
      resources: fc.constantFrom(['a'], ['b', 'a'], [''], []),
      tail: fc.nat({ max: 20 }),
      after: fc.nat({ max: 200 }),
      level: fc.constantFrom('info', 'warn', 'error'),
      text: fc.constantFrom('line', 'LINE 1', '(', '\\'),
      since: fc.nat(),
      sources: fc.constantFrom(['run'], ['r*'], ['*n', 'x']),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  return fc.oneof(
    { weight: 6, arbitrary: fc.oneof(...requests) },
    {
      weight: 2,
      arbitrary: fc.record(
        { type: fc.constant('logs'), id: fc.nat({ max: 20 }), logs: fc.option(selection) },
        { noNullPrototype: true },
      ),
    },
    {
      weight: 1,
      arbitrary: fc.record(
        {
          type: fc.constant('state'),
          state: fc.option(
            fc.record(
              {
                kinds: fc.constantFrom(['resource'], ['session', 'later'], []),
                resources: fc.constantFrom(['a'], ['none'], ['__proto__']),
              },
              { requiredKeys: [], noNullPrototype: true },
            ),
          ),
        },
        { noNullPrototype: true },
      ),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('cancel'), id }, { noNullPrototype: true }) },
    { weight: 1, arbitrary: fc.constant({ type: 'pong' }) },
    {
      weight: 1,
      arbitrary: fc.constant({ type: 'hello', protocol: { major: 1, minor: 0 }, client: 'c', topics: ['state', 'logs'] }),
    },
    {
      weight: 1,
      arbitrary: fc.record(
        { type: fc.constantFrom('later', 'ping', 'welcome', 'toString', '__proto__') },
        { noNullPrototype: true },
      ),
    },
  )
}

/** One change of a message: a field set, taken away, or moved one level down. */
const mutation = fc.record({
  where: fc.nat({ max: 9 }),
  name,
  value,
  how: fc.constantFrom('set', 'set', 'replace', 'delete', 'wrap'),
})
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutate(message: unknown, { where, name: field, value: given, how }: Mutation): unknown {
  if (how === 'wrap') return { [field]: message }
  if (typeof message !== 'object' || message === null) return given
  const keys = Object.keys(message)
  const key = keys[where % Math.max(1, keys.length)]
  const inner = key === undefined ? undefined : (message as Record<string, unknown>)[key]
  if (where > 5 && typeof inner === 'object' && inner !== null)
    return with_(message, key ?? '', mutate(inner, { where: where - 6, name: field, value: given, how }))
  if (how === 'delete') return Object.fromEntries(Object.entries(message).filter(([one]) => one !== key))
  return with_(message, how === 'replace' ? (key ?? field) : field, given)
}

/** Also fields like `__proto__`, as own ones: so JSON.parse makes them. */
function with_(message: object, key: string, value: unknown): object {
  const changed: object = Array.isArray(message) ? [...(message as unknown[])] : { ...message }
  Object.defineProperty(changed, key, { value, enumerable: true, configurable: true, writable: true })
  return changed
}

/** One change of the text of a message. */
const edit = fc.record({
  at: fc.nat({ max: 400 }),
  length: fc.nat({ max: 6 }),
  insert: fc.oneof(
    fc.constantFrom('', '{', ']', '"', '\\', ',', '\u0000', '1e999', '__proto__', '\ufeff'),
    fc.string({ maxLength: 4 }),
  ),
})

const deep = fc
  .record({ depth: fc.integer({ min: 100, max: 30_000 }), type: fc.constantFrom('logs', 'hello', 'state', 'x') })
  .map(({ depth, type }) => {
    const [open, close] = type === 'x' ? ['{"a":', '}'] : ['[', ']']
    return `{"type":"${type}","${type === 'hello' ? 'topics' : type}":${open.repeat(depth)}1${close.repeat(depth)}}`
  })
const huge = fc
  .record({ length: fc.integer({ min: 1_000, max: 200_000 }), field: fc.constantFrom('method', 'id', 'type', 'client', 'text') })
  .map(({ length, field }) => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'why', [field]: '\u0430'.repeat(length) }))

/** The text of one message: valid, almost valid, or anything. */
export function fuzzText(nonce: string): fc.Arbitrary<string> {
  const valid = validMessage(nonce)
  const mutated = fc
    .tuple(valid, fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([message, changes]) => changes.reduce<unknown>(mutate, message))
  const text = (message: unknown): string => JSON.stringify(message) ?? 'undefined'
  return fc.oneof(
    { weight: 400, arbitrary: valid.map(text) },
    { weight: 400, arbitrary: mutated.map(text) },
    {
      weight: 150,
      arbitrary: fc.tuple(valid, edit).map(([message, { at, length, insert }]) => {
        const whole = text(message)
        const place = at % (whole.length + 1)
        return whole.slice(0, place) + insert + whole.slice(place + length)
      }),
    },
    { weight: 40, arbitrary: fc.jsonValue({ maxDepth: 2 }).map(text) },
    { weight: 40, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
    { weight: 1, arbitrary: deep },
    { weight: 1, arbitrary: huge },
  )
}
