// Reads what clients send. By hand: the shapes are few, and a schema library would cost the daemon 12 MB and the
// first client 70 ms. A test holds this against the schema in protocol/schema.ts.
import type {
  CancelMessage,
  HelloMessage,
  LogSelection,
  PongMessage,
  ReplyMessage,
  RequestMessage,
  Requests,
  SelectStateMessage,
  StateSelection,
  SubscribeLogsMessage,
  View,
} from '../protocol/messages.js'
import { maxLogText } from '../protocol/discovery.js'
import { rpcErrors } from '../protocol/messages.js'
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'

export type Inbound =
  | { readonly kind: 'hello'; readonly message: HelloMessage }
  | { readonly kind: 'state'; readonly message: SelectStateMessage }
  | { readonly kind: 'logs'; readonly message: SubscribeLogsMessage }
  | { readonly kind: 'cancel'; readonly message: CancelMessage }
  | { readonly kind: 'pong'; readonly message: PongMessage }
  | { readonly kind: 'request'; readonly message: RequestMessage }
  /** A type that this version does not know. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'invalid'; readonly error: ErrorInfo }
  /** What is wrong with a request is said in the form of a reply. */
  | { readonly kind: 'invalid-request'; readonly reply: ReplyMessage }

/** Sorts one text frame. Never throws, whatever is in it. */
export function parseInbound(text: string): Inbound {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return badRequest(null, rpcErrors.parse, 'The message is not JSON.', error instanceof Error ? error.message : undefined)
  }
  if (Array.isArray(value))
    return badRequest(null, rpcErrors.invalidRequest, 'A message is one object; batches are not supported.')
  if (!isObject(value)) return badRequest(null, rpcErrors.invalidRequest, `A message is an object, not ${describe(value)}.`)
  if (has(value, 'jsonrpc') || (has(value, 'method') && !has(value, 'type'))) return parseRequest(value)
  try {
    return parseTyped(value)
  } catch (error) {
    if (error instanceof Invalid) return { kind: 'invalid', error: invalid(error.message) }
    throw error
  }
}

/** The parameters of a request, checked; throws a DevloopError that says what is wrong with them. */
export function parseParams<M extends keyof Requests>(method: M, params: unknown): Requests[M]['params'] {
  try {
    return paramParsers[method](params === undefined ? {} : object(params, 'params'))
  } catch (error) {
    if (error instanceof Invalid) throw new DevloopError('protocol/invalid', `Request ${method}: ${error.message}`)
    throw error
  }
}

/** Whether this is the name of a request. */
export const isMethod = (method: string): method is keyof Requests => Object.hasOwn(paramParsers, method)

const choices = (value: unknown, where: string): Readonly<Record<string, 'local' | 'remote'>> =>
  Object.fromEntries(
    Object.entries(object(value, where)).map(([key, way]) => {
      if (way !== 'local' && way !== 'remote') throw new Invalid(`${where}.${key} must be "local" or "remote".`)
      return [key, way]
    }),
  )

const paramParsers: { [M in keyof Requests]: (params: Record<string, unknown>) => Requests[M]['params'] } = {
  trigger: (params) => ({
    resource: name(params.resource, 'params.resource'),
    ...booleans(params, ['confirmEmpty', 'wait']),
  }),
  reload: () => ({}),
  restart: (params) => ({ resource: name(params.resource, 'params.resource') }),
  enable: (params) => ({ resources: names(params.resources, 'params.resources') }),
  disable: (params) => ({ resources: names(params.resources, 'params.resources') }),
  args: (params) => ({
    ...(params.args === undefined ? {} : { args: strings(params.args, 'params.args') }),
    ...(params.choices === undefined ? {} : { choices: choices(params.choices, 'params.choices') }),
  }),
  shutdown: (params) => booleans(params, ['down', 'deleteGenerated', 'deleteNamespace', 'wait']),
  exec: (params) => ({
    resource: name(params.resource, 'params.resource'),
    ...(params.container !== undefined && { container: name(params.container, 'params.container') }),
  }),
  verify: (params) => (params.resource === undefined ? {} : { resource: name(params.resource, 'params.resource') }),
  prune: (params) => booleans(params, ['dryRun']),
  dump: () => ({}),
  why: (params) => {
    const path = name(params.path, 'params.path')
    if (!path.startsWith('/') || path.includes('\0'))
      throw new Invalid(`params.path must be an absolute path, not ${describe(path)}.`)
    return { path }
  },
}

/** The protocol/invalid error of one message. */
export const invalid = (message: string): ErrorInfo => new DevloopError('protocol/invalid', message).info

function parseTyped(value: Record<string, unknown>): Inbound {
  if (!has(value, 'type')) throw new Invalid('A message has a `type`, or is a JSON-RPC 2.0 request.')
  switch (value.type) {
    case 'hello':
      return { kind: 'hello', message: parseHello(value) }
    case 'state':
      return { kind: 'state', message: { type: 'state', state: value.state === null ? null : parseState(value.state) } }
    case 'logs':
      return { kind: 'logs', message: parseLogs(value) }
    case 'cancel':
      if (!isId(value.id)) throw new Invalid(`cancel.id must be a string or a number, not ${describe(value.id)}.`)
      return { kind: 'cancel', message: { type: 'cancel', id: value.id } }
    case 'pong':
      return { kind: 'pong', message: { type: 'pong' } }
    default:
      if (typeof value.type !== 'string') throw new Invalid(`type must be a string, not ${describe(value.type)}.`)
      return { kind: 'unknown' }
  }
}

function parseHello(value: Record<string, unknown>): HelloMessage {
  const protocol = object(value.protocol, 'hello.protocol')
  const topics = strings(value.topics, 'hello.topics')
  const resume = value.resume === undefined ? undefined : object(value.resume, 'hello.resume')
  return {
    type: 'hello',
    protocol: { major: count(protocol.major, 'hello.protocol.major'), minor: count(protocol.minor, 'hello.protocol.minor') },
    client: string(value.client, 'hello.client'),
    // A topic of a later minor version is ignored, as unknown messages are.
    topics: topics.filter((topic) => topic === 'state' || topic === 'logs'),
    ...(value.state !== undefined && { state: parseState(value.state) }),
    ...(resume && {
      resume: {
        epoch: string(resume.epoch, 'hello.resume.epoch'),
        ...(resume.seq !== undefined && { seq: count(resume.seq, 'hello.resume.seq') }),
      },
    }),
    ...(value.logs !== undefined && { logs: parseSelection(value.logs) }),
    ...(value.access !== undefined && { access: readAccess(value.access) }),
  }
}

/** A word for more than this would be a wish to be refused, and is no word of this protocol. */
function readAccess(value: unknown): 'read' {
  if (value === 'read') return value
  throw new Invalid(`hello.access must be "read" or left out, not ${describe(value)}.`)
}

function parseState(value: unknown): StateSelection {
  const state = object(value, 'state')
  return {
    // A kind of a later minor version selects nothing here.
    ...(state.kinds !== undefined && { kinds: strings(state.kinds, 'state.kinds') as View['kind'][] }),
    ...(state.resources !== undefined && { resources: strings(state.resources, 'state.resources') }),
  }
}

function parseLogs(value: Record<string, unknown>): SubscribeLogsMessage {
  return {
    type: 'logs',
    ...(value.id !== undefined && { id: count(value.id, 'id') }),
    logs: value.logs === null ? null : parseSelection(value.logs),
  }
}

function parseSelection(value: unknown): LogSelection {
  const logs = object(value, 'logs')
  return {
    ...(logs.resources !== undefined && { resources: strings(logs.resources, 'logs.resources') }),
    ...(logs.after !== undefined && { after: count(logs.after, 'logs.after') }),
    ...(logs.tail !== undefined && { tail: count(logs.tail, 'logs.tail') }),
    ...(logs.since !== undefined && { since: time(logs.since, 'logs.since') }),
    ...(logs.level !== undefined && { level: level(logs.level) }),
    ...(logs.text !== undefined && { text: short(logs.text, 'logs.text') }),
    ...(logs.sources !== undefined && { sources: patterns(logs.sources, 'logs.sources') }),
    ...(logs.containers !== undefined && { containers: patterns(logs.containers, 'logs.containers') }),
  }
}

function level(value: unknown): 'info' | 'warn' | 'error' {
  if (value === 'info' || value === 'warn' || value === 'error') return value
  throw new Invalid(`logs.level must be "info", "warn" or "error", not ${describe(value)}.`)
}

function patterns(value: unknown, what: string): string[] {
  const given = strings(value, what)
  if (given.length > 100) throw new Invalid(`${what} may have 100 items at most.`)
  return given.map((pattern, index) => short(pattern, `${what}[${index}]`))
}

function parseRequest(value: Record<string, unknown>): Inbound {
  const id = isId(value.id) ? value.id : null
  if (value.jsonrpc !== '2.0')
    return badRequest(id, rpcErrors.invalidRequest, `jsonrpc must be "2.0", not ${describe(value.jsonrpc)}.`)
  if (typeof value.method !== 'string')
    return badRequest(id, rpcErrors.invalidRequest, `method must be a string, not ${describe(value.method)}.`)
  if (id === null)
    return badRequest(null, rpcErrors.invalidRequest, `id must be a string or a number, not ${describe(value.id)}.`)
  const { method, params, progress } = value
  if (progress !== undefined && typeof progress !== 'boolean')
    return badRequest(id, rpcErrors.invalidRequest, `progress must be true or false, not ${describe(progress)}.`)
  return {
    kind: 'request',
    message: { jsonrpc: '2.0', id, method, ...(params !== undefined && { params }), ...(progress !== undefined && { progress }) },
  }
}

const isId = (value: unknown): value is string | number =>
  typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))

function badRequest(id: number | string | null, code: number, message: string, why?: string): Inbound {
  return {
    kind: 'invalid-request',
    reply: { jsonrpc: '2.0', id, error: { code, message, data: new DevloopError('protocol/invalid', message, { why }).info } },
  }
}

/** Thrown within this file only. */
class Invalid extends Error {}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const has = (value: object, key: string): boolean => Object.hasOwn(value, key)

function object(value: unknown, what: string): Record<string, unknown> {
  if (isObject(value)) return value
  throw new Invalid(`${what} must be an object, not ${describe(value)}.`)
}

function string(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw new Invalid(`${what} must be a string, not ${describe(value)}.`)
}

function name(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new Invalid(`${what} must be a string that is not empty, not ${describe(value)}.`)
}

function boolean(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value
  throw new Invalid(`${what} must be true or false, not ${describe(value)}.`)
}

/** Those of some fields that are there. */
function booleans<K extends string>(params: Record<string, unknown>, keys: readonly K[]): { [key in K]?: boolean } {
  const given = keys.filter((key) => params[key] !== undefined)
  return Object.fromEntries(given.map((key) => [key, boolean(params[key], `params.${key}`)])) as { [key in K]?: boolean }
}

function time(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new Invalid(`${what} must be a time in milliseconds since 1970, not ${describe(value)}.`)
}

/** Text that is looked for in every line. */
function short(value: unknown, what: string): string {
  const text = string(value, what)
  if (text.length <= maxLogText) return text
  throw new Invalid(`${what} may have ${maxLogText} characters at most, and has ${text.length}.`)
}

function count(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Invalid(`${what} must be a whole number from 0, not ${describe(value)}.`)
}

function strings(value: unknown, what: string): string[] {
  if (!Array.isArray(value)) throw new Invalid(`${what} must be a list of strings, not ${describe(value)}.`)
  return value.map((item, index) => string(item, `${what}[${index}]`))
}

function names(value: unknown, what: string): string[] {
  if (!Array.isArray(value)) throw new Invalid(`${what} must be a list of strings, not ${describe(value)}.`)
  return value.map((item, index) => name(item, `${what}[${index}]`))
}

/** A value in a few words: never deep, never long. */
function describe(value: unknown): string {
  if (value === undefined) return 'left out'
  if (Array.isArray(value)) return 'a list'
  if (isObject(value)) return 'an object'
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
