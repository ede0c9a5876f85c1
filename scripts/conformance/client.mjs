// A daemon that plays scenarios to a client of the status protocol, and looks at what the client says and has. See docs/protocol.md.
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { WebSocketServer } from 'ws'
import { scenarios } from './scenarios.mjs'
import { brief, createSchema } from './schema.mjs'
import { path, Seen, subprotocol, version } from './wire.mjs'

const usage = `node scripts/conformance/client.mjs [options] COMMAND ARGUMENT...

Runs the command once for each scenario, as a client of a daemon that this program plays.

  --over unix|tcp    how the client finds it: DEVLOOP_SOCKET is the path of a Unix socket, or DEVLOOP_URL and DEVLOOP_TOKEN are the
                     address and the token; a discovery file lies in $XDG_RUNTIME_DIR/devloop in any case. Default unix
  --can WORDS        what the client does when told beside showing its views, separated by commas: logs, requests
  --only NAMES       these scenarios
  --patient          also those that take minutes
  --list             the scenarios, without any client

The client connects, and reads lines of JSON from its standard input, until that ends:
  {"do":"views"}                              it writes {"views":[...]}, all views that it has, in one line
  {"do":"logs","logs":{...}}                  it begins to follow logs
  {"do":"lines"}                              it writes {"lines":[4,5],"dropped":0}: the cursors of all lines that came
  {"do":"request","method":"","params":{}}    it sends the request, and when the reply is there writes
                                              {"reply":{"method":"","result":...}} or {"reply":{"method":"","error":"CODE"}}
Exit code 0: all passed, 1: not all, 2: wrong arguments.
`

const token = 'conformance-token-0123456789abcdef'
const patienceMs = 15_000

function readArguments() {
  const flag = { type: 'boolean', default: false }
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      over: { type: 'string', default: 'unix' },
      can: { type: 'string', default: '' },
      only: { type: 'string' },
      patient: flag,
      list: flag,
      help: flag,
    },
  })
  if (!values.help && !values.list && positionals.length === 0) throw new Error('name the command that runs the client')
  if (!['unix', 'tcp'].includes(values.over)) throw new Error('--over is unix or tcp')
  return { ...values, can: values.can.split(','), command: positionals }
}

async function main() {
  const options = readArguments()
  if (options.help) return process.stdout.write(usage)
  if (options.list) return process.stdout.write(scenarios.map(({ name, says }) => `${name}\n    ${says}\n`).join(''))
  const schema = createSchema()
  const chosen = scenarios.filter(
    (one) => (!options.only || options.only.split(',').includes(one.name)) && (options.patient || !one.patient),
  )
  let failed = 0
  const waiting = [...chosen]
  const inTurn = async () => {
    for (let scenario = waiting.shift(); scenario; scenario = waiting.shift()) {
      if (scenario.can && !options.can.includes(scenario.can)) {
        process.stdout.write(`-     ${scenario.name}: left out, the client was not said to know ${scenario.can}\n`)
        continue
      }
      const seen = await play(scenario, options, schema)
      if (seen === undefined) {
        process.stdout.write(`ok    ${scenario.name}\n`)
        continue
      }
      failed++
      process.stdout.write(`FAIL  ${scenario.name}\n        the document says: ${scenario.says}\n        seen: ${seen}\n`)
    }
  }
  // most of their time they wait
  await Promise.all([inTurn(), inTurn(), inTurn()])
  process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0
}

/** @returns what was seen and should not have been; undefined = nothing */
async function play(scenario, options, schema) {
  const home = await mkdtemp(join(tmpdir(), 'dc-'))
  const daemon = await createDaemon(home, schema)
  const client = startClient(options, home, daemon)
  const t = {
    ...daemon,
    tell: client.tell,
    same(actual, expected, what) {
      if (!isDeepStrictEqual(actual, expected)) throw new Seen(`${what}: ${brief(actual)}; should be ${brief(expected)}`)
    },
    check(condition, seen) {
      if (!condition) throw new Seen(seen)
    },
    /** The client comes to have exactly these views, of the kinds that this version knows. */
    views: (expected) =>
      client.until('views', (views) => {
        const byKey = (list) =>
          new Map(
            list
              .filter(({ kind }) => ['session', 'resource', 'image', 'change'].includes(kind))
              .map((view) => [`${view.kind}/${view.name}`, view]),
          )
        const [have, want] = [byKey(views), byKey(expected)]
        if (isDeepStrictEqual(have, want)) return undefined
        const key = [...new Set([...have.keys(), ...want.keys()])].find(
          (name) => !isDeepStrictEqual(have.get(name), want.get(name)),
        )
        return `${key} is ${brief(have.get(key))}; should be ${brief(want.get(key))}`
      }),
    lines: (cursors, dropped) =>
      client.until('lines', (lines, told) =>
        isDeepStrictEqual([lines, told.dropped], [cursors, dropped])
          ? undefined
          : `the lines are ${brief(told)}; should be ${brief({ lines: cursors, dropped })}`,
      ),
    replies: (expected) => client.replies(expected),
  }
  try {
    await Promise.race([scenario.run(t), client.ended(scenario)])
    const violation = daemon.violations[0]
    if (violation) throw new Seen(violation)
    return undefined
  } catch (error) {
    return error instanceof Seen
      ? [error.message, ...daemon.violations.slice(0, 1), client.errors()].filter(Boolean).join('; ')
      : error.stack
  } finally {
    await client.stop()
    await daemon.stop()
    await rm(home, { recursive: true, force: true })
  }
}

/** The daemon that is played: takes connections, and does what the scenario says. */
async function createDaemon(home, schema) {
  const epoch = randomUUID()
  const violations = []
  const connections = []
  const sockets = new Set()
  let taken = 0
  let attempts = 0
  let refusing = false
  const socket = join(home, 'd.sock')
  const webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  })
  const listen = async (where, onUpgrade) => {
    const server = createServer((_request, response) => response.writeHead(404).end())
    server.on('connection', (one) => sockets.add(one.on('error', () => {}).once('close', () => sockets.delete(one))))
    server.on('upgrade', (request, stream, head) => {
      attempts++
      const wrong = onUpgrade(request)
      if (wrong) violations.push(wrong)
      if (request.url !== path) violations.push(`the client asked for ${request.url}`)
      if (refusing || wrong)
        return stream.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      webSockets.handleUpgrade(request, stream, head, (ws) => connections.push(createConnection(ws, stream, schema, violations)))
    })
    await new Promise((resolve, reject) => server.once('error', reject).listen(where, resolve))
    return server
  }
  const servers = [
    await listen({ path: socket }, () => undefined),
    await listen({ host: '127.0.0.1', port: 0 }, ({ headers }) => {
      const given =
        headers.authorization === `Bearer ${token}` ||
        (headers['sec-websocket-protocol'] ?? '').split(/, */).includes(`devloop.token.${token}`)
      return given ? undefined : 'the client gave no token over TCP, in none of the two ways'
    }),
  ]
  const url = `http://127.0.0.1:${servers[1].address().port}`
  const folder = join(home, 'devloop')
  await mkdir(folder, { mode: 0o700 })
  const discovery = {
    pid: process.pid,
    project: 'conformance',
    devloopfile: '/conformance/Devloopfile.ts',
    startedAt: Date.now(),
    version: '0.0.0',
    protocol: version,
    epoch,
    socket,
    url,
    token,
    readToken: `read-${token}`,
  }
  await writeFile(join(folder, 'conformance-1.json'), JSON.stringify(discovery), { mode: 0o600 })
  return {
    epoch,
    socket,
    url,
    violations,
    /** The next connection that the client makes. */
    async connection(ms = patienceMs) {
      const end = performance.now() + ms
      while (connections.length <= taken) {
        if (performance.now() > end)
          throw new Seen(`the client did not connect within ${ms / 1000} s${taken > 0 ? ' again' : ''}`)
        await delay(5)
      }
      return connections[taken++]
    },
    connections: () => connections.length,
    attempts: () => attempts,
    refuse: (yes) => (refusing = yes),
    welcome: (more) => ({
      type: 'welcome',
      protocol: version,
      version: '0.0.0',
      epoch,
      seq: 1,
      access: 'control',
      methods: ['trigger', 'why', 'reload'],
      ...more,
    }),
    async stop() {
      for (const one of sockets) one.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

function createConnection(ws, stream, schema, violations) {
  const received = []
  const untaken = []
  ws.on('error', () => {})
  ws.on('message', (data, isBinary) => {
    const text = data.toString()
    let message
    try {
      if (isBinary) throw new Error('binary')
      message = JSON.parse(text)
    } catch {
      return void violations.push(`the client sent something that is not JSON text: ${brief(text)}`)
    }
    const wrong = schema.problem('ClientMessage', message)
    if (wrong) violations.push(`the client sent a message that the schema does not have (${wrong}): ${brief(message)}`)
    const wrongParams = message.method !== undefined && schema.problemOf('RequestParams', message.method, message.params ?? {})
    if (wrongParams)
      violations.push(`the client sent parameters that the schema does not have (${wrongParams}): ${brief(message)}`)
    if (received.length === 0 && message.type !== 'hello') violations.push(`the first message was no hello: ${brief(message)}`)
    if (message.type === 'hello' && message.protocol?.major !== version.major)
      violations.push(`the client speaks version ${brief(message.protocol)}`)
    received.push(message)
    untaken.push(message)
  })
  /** The bytes of one frame of a server. */
  const bytesOf = (payload, opcode, final) => {
    const { length } = payload
    const head =
      length < 126
        ? Buffer.from([0, length])
        : length < 65_536
          ? Buffer.from([0, 126, length >> 8, length & 255])
          : Buffer.alloc(10)
    if (length >= 65_536) {
      head[1] = 127
      head.writeBigUInt64BE(BigInt(length), 2)
    }
    head[0] = (final ? 0x80 : 0) | opcode
    return Buffer.concat([head, payload])
  }
  let begun = false
  const connection = {
    received,
    send: (message) => ws.send(JSON.stringify(message)),
    close: (code, reason) => ws.close(code, reason),
    terminate: () => ws.terminate(),
    goodbye(reason) {
      connection.send({ type: 'goodbye', reason })
      ws.close(1001, reason)
    },
    /** Reads and says nothing any more, and stays open. */
    stall: () => stream.pause(),
    write: (bytes) => stream.write(bytes),
    frame: (message) => bytesOf(Buffer.from(JSON.stringify(message)), 1, true),
    fragment(bytes, final) {
      stream.write(bytesOf(bytes, begun ? 0 : 1, final))
      begun = !final
    },
    /** A ping of the WebSocket, and its pong. */
    async ping() {
      const data = createHash('md5').update(String(performance.now())).digest('hex')
      const pong = new Promise((resolve) => ws.once('pong', (answer) => resolve(answer.toString())))
      ws.ping(data)
      if ((await Promise.race([pong, delay(patienceMs, 'none', { ref: false })])) !== data)
        throw new Seen('a ping of the WebSocket had no pong')
    },
    async take(fits, what) {
      const end = performance.now() + patienceMs
      for (;;) {
        const index = untaken.findIndex(fits)
        if (index >= 0) return untaken.splice(index, 1)[0]
        if (performance.now() > end) throw new Seen(`the client did not send ${what}; it sent ${brief(received.slice(-3), 600)}`)
        await delay(5)
      }
    },
  }
  return connection
}

/** The client under test, and the lines that go to and fro. */
function startClient({ command: [program, ...args], over }, home, { socket, url }) {
  const where = over === 'tcp' ? { DEVLOOP_URL: url, DEVLOOP_TOKEN: token } : { DEVLOOP_SOCKET: socket }
  const child = spawn(program, args, {
    env: { ...process.env, XDG_RUNTIME_DIR: home, ...where },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  let stopping = false
  const told = []
  const replies = []
  child.stderr.setEncoding('utf8').on('data', (text) => (errors = (errors + text).slice(-1_000)))
  child.stdin.on('error', () => {})
  createInterface({ input: child.stdout }).on('line', (text) => {
    try {
      const answer = JSON.parse(text)
      if (answer.reply) replies.push(answer.reply)
      else told.push(answer)
    } catch {
      told.push({ wrong: text })
    }
  })
  const exit = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`))
  })
  const tell = (message) => child.stdin.write(`${JSON.stringify(message)}\n`)
  return {
    tell,
    errors: () => errors && `its standard error ends with: ${errors}`,
    /** Asks until what is answered is right. */
    async until(word, wrongIn) {
      const end = performance.now() + patienceMs
      for (;;) {
        const mark = told.length
        tell({ do: word })
        while (told.length === mark && performance.now() < end) await delay(5)
        const answer = told[mark]
        if (!answer) throw new Seen(`the client did not answer {"do":"${word}"} within ${patienceMs / 1000} s`)
        if (!Array.isArray(answer[word])) throw new Seen(`the client answered {"do":"${word}"} with ${brief(answer)}`)
        const wrong = wrongIn(answer[word], answer)
        if (!wrong) return
        if (performance.now() > end) throw new Seen(wrong)
        await delay(20)
      }
    },
    async replies(expected) {
      const end = performance.now() + patienceMs
      while (!isDeepStrictEqual(replies, expected)) {
        if (performance.now() > end) throw new Seen(`the client told the replies ${brief(replies)}; should be ${brief(expected)}`)
        await delay(5)
      }
    },
    /** Rejects when the client ends by itself. One that is refused for good may. */
    async ended({ name }) {
      const how = await exit
      if (stopping || name === 'other-version') return new Promise(() => {})
      throw new Seen(`the client did not stay: ${how}`)
    },
    async stop() {
      stopping = true
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), 3_000)
      await exit
      clearTimeout(timer)
    },
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`conformance: ${error.message}\n\n${usage}`)
  process.exitCode = 2
}
// a connection that is left must not keep a finished run
setTimeout(() => process.exit(), 1_000).unref()
