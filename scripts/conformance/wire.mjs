// One connection to a server, as bytes and JSON: says what it is told to, keeps all that comes, and holds it against the schema.
import { connect } from 'node:net'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { brief } from './schema.mjs'

export const path = '/v1/stream'
export const subprotocol = 'devloop.v1'
export const version = { major: 1, minor: 0 }

/** What a check saw, and should not have. */
export class Seen extends Error {}

/** A hello as the document has it; a field that is undefined is left out. */
export const helloMessage = (changes = {}) => ({
  type: 'hello',
  protocol: version,
  client: 'conformance/1.0',
  topics: ['state'],
  ...changes,
})

/**
 * A way to the server.
 * @param where `{ socket }`, or `{ url, token }`
 * @param patienceMs how long an answer may take
 */
export function createTransport(where, { schema, patienceMs }) {
  const base = where.socket ? 'ws://localhost' : where.url.replace(/^http/, 'ws')
  const host = where.socket ? 'localhost' : new URL(where.url).host

  /** Opens a WebSocket; says nothing yet. `token: null` = without. Throws Seen where the server refuses. */
  async function open({ token = where.token, subprotocols = [], deflate = false, headers = {} } = {}) {
    const ws = new WebSocket(`${base}${path}`, subprotocols, {
      perMessageDeflate: deflate,
      headers: { ...(where.url && token !== null && { Authorization: `Bearer ${token}` }), ...headers },
      ...(where.socket && { createConnection: () => connect({ path: where.socket }) }),
    })
    const wire = createWire(ws, { schema, patienceMs })
    await wire.opened
    return wire
  }

  /** Opens, says hello, and waits for the welcome, which is in `welcome`. */
  async function greet(changes = {}, options = {}) {
    const wire = await open(options)
    wire.send(helloMessage(changes))
    wire.welcome = await wire.take((message) => message.type === 'welcome', 'welcome')
    return wire
  }

  /** One plain HTTP request with these headers and no others. Status 101 = it became a WebSocket. */
  function http({ method = 'GET', path: target = '/', headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
      const options = where.socket ? { socketPath: where.socket } : { host: '127.0.0.1', port: new URL(where.url).port }
      const asked = request(
        { ...options, method, path: target, headers: { Host: host, ...headers }, agent: false, setHost: false },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (part) => (text += part))
          response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }))
        },
      )
      asked.on('upgrade', (response, socket) => {
        socket.destroy()
        resolve({ status: 101, headers: response.headers, body: '' })
      })
      asked.setTimeout(patienceMs, () => asked.destroy(new Seen(`no answer to ${method} ${target}`)))
      asked.on('error', (error) => reject(error instanceof Seen ? error : new Seen(`${method} ${target}: ${error.message}`)))
      asked.end(body)
    })
  }

  return { ...where, kind: where.socket ? 'unix' : 'tcp', host, open, greet, http }
}

function createWire(ws, { schema, patienceMs }) {
  const received = []
  const untaken = []
  const violations = []
  const checks = new Set()
  let seq = -1
  let end
  const views = new Map()
  let minor = version.minor
  /** The last cursor of each log selection; undefined = it was replaced, and what was under way may still come. */
  const cursors = new Map()
  ws.on('message', (data, isBinary) => {
    if (isBinary) violations.push('a binary frame')
    let message
    try {
      message = JSON.parse(data.toString())
    } catch {
      return void violations.push(`a frame that is not JSON: ${brief(data.toString())}`)
    }
    judge(message)
    received.push(message)
    untaken.push(message)
    apply(message)
    for (const check of checks) check()
  })
  const closed = new Promise((resolve) => ws.on('close', (code, reason) => resolve((end = { code, reason: reason.toString() }))))
  const opened = new Promise((resolve, reject) => {
    ws.once('open', resolve)
    ws.on('error', (error) => reject(new Seen(`no WebSocket: ${error.message}`)))
  })
  // who does not wait for it must not be ended by it
  opened.catch(() => {})

  function judge(message) {
    if (message.type === 'welcome') minor = message.protocol?.minor ?? minor
    const known =
      message.jsonrpc !== undefined ||
      ['welcome', 'snapshot', 'delta', 'log', 'progress', 'error', 'ping', 'goodbye'].includes(message.type)
    // a later minor version may say more
    if (!known && minor > version.minor) return
    const wrong = schema.problem('DaemonMessage', message)
    if (wrong) return void violations.push(`a message that the schema does not have (${wrong}): ${brief(message)}`)
    if (message.type === 'log') follow(message)
  }

  /** No line comes twice, or before an earlier one. */
  function follow({ id, lines, cursor }) {
    let last = cursors.has(id) ? cursors.get(id) : -1
    if (last === undefined) return
    for (const line of lines) {
      if (line.cursor <= last) violations.push(`a line with cursor ${line.cursor} after ${last} in log selection ${id}`)
      last = line.cursor
    }
    if (cursor < last) violations.push(`a log message with cursor ${cursor} that holds a line of cursor ${last}`)
    cursors.set(id, Math.max(cursor, last))
  }

  /** The client's side of "State": replace and delete. */
  function apply(message) {
    if (message.type === 'welcome' || message.type === 'snapshot') {
      const whole = message.type === 'snapshot' ? message.views : message.snapshot
      if (whole) {
        views.clear()
        update({ upserts: whole, removes: [] })
      } else if (message.deltas) update(message.deltas)
      seq = message.seq
    }
    if (message.type !== 'delta') return
    if (!(message.seq > seq)) violations.push(`a delta with seq ${message.seq} after ${seq}`)
    seq = message.seq
    update(message)
  }

  function update({ upserts, removes }) {
    for (const { kind, name } of removes) views.delete(`${kind}/${name}`)
    for (const view of upserts) views.set(`${view.kind}/${view.name}`, view)
  }

  /** Waits until `value` gives something. It is asked after each message, and may take what it gives. */
  async function until(value, what, ms = patienceMs) {
    let check
    const found = new Promise((resolve) => {
      check = () => {
        const now = value()
        if (now === undefined || now === false || now === null) return
        checks.delete(check)
        resolve(now)
      }
      checks.add(check)
      check()
    })
    const result = await Promise.race([found, closed.then(() => null), delay(ms, null, { ref: false })])
    checks.delete(check)
    if (result !== null) return result
    const last =
      received.length === 0
        ? 'nothing came'
        : `last came ${received
            .slice(-3)
            .map((one) => brief(one))
            .join(', ')}`
    throw new Seen(
      `no ${what}${end ? `, the connection was closed with ${end.code} ${end.reason}` : ` within ${ms / 1000} s`}; ${last}`,
    )
  }

  /** The first message, of those not taken yet, that fits. */
  const take = (fits, what, ms) =>
    until(
      () => {
        const index = untaken.findIndex(fits)
        return index < 0 ? undefined : untaken.splice(index, 1)[0]
      },
      what,
      ms,
    )

  let lastId = 0
  /** Sends a request; resolves with the reply. */
  async function request(method, params, more = {}) {
    const { id = ++lastId, ms, ...fields } = more
    wire.send({ jsonrpc: '2.0', id, method, ...(params !== undefined && { params }), ...fields })
    const reply = await take(
      (message) => message.jsonrpc === '2.0' && message.id === id,
      `reply to ${method} with id ${JSON.stringify(id)}`,
      ms,
    )
    const wrong = reply.error ? undefined : schema.problemOf('RequestResults', method, reply.result)
    if (wrong) violations.push(`a result of ${method} that the schema does not have (${wrong}): ${brief(reply.result)}`)
    return reply
  }

  const wire = {
    ws,
    opened,
    received,
    violations,
    /** The state as this client has it, by `kind/name`. */
    views,
    seq: () => seq,
    send(message) {
      if (message?.type === 'logs' && cursors.has(message.id ?? 0)) cursors.set(message.id ?? 0, undefined)
      ws.send(JSON.stringify(message))
    },
    sendText: (text) => ws.send(text),
    sendBytes: (bytes) => ws.send(bytes, { binary: true }),
    until,
    take,
    request,
    /** How it was closed; throws Seen when it stays open. */
    async closedWith(what, ms = patienceMs) {
      const seen = await Promise.race([closed, delay(ms, undefined, { ref: false })])
      if (seen) return seen
      throw new Seen(`the connection stays open ${what}`)
    },
    /** Shows that all which was sent before has been handled, and no more: a request that changes nothing has its reply. */
    async settled() {
      const id = `settled-${++lastId}`
      const reply = await request('why', { path: '/settled' }, { id })
      return reply
    },
    close() {
      if (ws.readyState === ws.CONNECTING || ws.readyState === ws.OPEN) ws.terminate()
    },
  }
  return wire
}
