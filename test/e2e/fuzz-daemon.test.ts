// Thousands of odd messages to a real daemon over both transports, by clients that may only read and by one that may do everything and
// says nothing valid: nothing changes, nothing secret is told, and the daemon goes on.
import { readdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Discovery, View } from '../../src/protocol/messages.js'
import { requestParamsSchemas } from '../../src/protocol/schema-requests.js'
import { clientMessageSchema } from '../../src/protocol/schema.js'
import { fuzzText } from '../support/fuzz-messages.js'
import { homes, project, watch } from '../support/devloop.js'

const messages = Number(process.env.FUZZ_MESSAGES ?? 6_000)
const password = 'correct-horse-battery-staple'

/** Whether a client with all rights may send this without anything coming of it. */
function isHarmless(text: string): boolean {
  let value: { method?: unknown; params?: unknown } | null
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    return true
  }
  if (!clientMessageSchema.safeParse(value).success) return true
  const method = value?.method
  if (typeof method !== 'string' || !Object.hasOwn(requestParamsSchemas, method) || method === 'why') return true
  return !requestParamsSchemas[method as keyof typeof requestParamsSchemas].safeParse(value?.params ?? {}).success
}

/** Sends the messages over a connection of its own, until all are read or the daemon has had enough. @returns all that it said */
async function say(
  open: () => WebSocket,
  hello: object,
  texts: readonly string[],
): Promise<{ said: string; code: number | undefined }> {
  const ws = open()
  let said = ''
  let code: number | undefined
  const end = new Promise<void>((resolve) => {
    ws.on('message', (data: Buffer) => {
      const text = data.toString()
      said += text
      if (text.includes('"the very end"')) resolve()
    })
    ws.on('error', () => undefined)
    ws.on('close', (seen) => {
      code = seen
      resolve()
    })
  })
  ws.once('open', () => {
    ws.send(JSON.stringify({ type: 'hello', protocol: { major: 1, minor: 0 }, client: 'fuzz', topics: ['state'], ...hello }))
    for (const text of texts) ws.send(text)
    ws.send('{"jsonrpc":"2.0","id":"the very end","method":"no such method"}')
  })
  await end
  ws.terminate()
  return { said, code }
}

test(`${messages} odd messages change nothing in a real daemon, and it tells no secret`, { timeout: 120_000 }, async () => {
  const env = await homes()
  const folder = await project({
    'Devloopfile.ts': `import { defineDevloop, local } from 'devloop'
export default defineDevloop({ name: 'odd', resources: [
  local('a', { run: ['node', '-e', 'console.log(1)'], env: { PASSWORD: '${password}' } }),
  local('b', { serve: 'sleep 3600', env: { PASSWORD: '${password}' } }),
] })
`,
  })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  await watching.ready()
  const runtime = join(env.XDG_RUNTIME_DIR ?? '', 'devloop')
  const file = (await readdir(runtime)).find((name) => name.endsWith('.json')) ?? ''
  const { socket, url, token, readToken } = JSON.parse(await readFile(join(runtime, file), 'utf8')) as Discovery & { url: string }
  const viaSocket = (): WebSocket =>
    new WebSocket('ws://localhost/v1/stream', { createConnection: () => connect({ path: socket }) })
  const viaTcp = (): WebSocket =>
    new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, { headers: { Authorization: `Bearer ${readToken}` } })
  const ways = [
    { open: viaSocket, hello: { access: 'read' }, fits: () => true },
    { open: viaTcp, hello: {}, fits: () => true },
    { open: viaSocket, hello: {}, fits: isHarmless },
  ]
  const before = new Map<string, View>(watching.client.views())
  const codes = new Set<number | undefined>()
  let rounds = 0
  for (const { open, hello, fits } of ways) {
    const texts = fc.sample(fuzzText('odd'), Math.ceil(messages / ways.length)).filter(fits)
    // a connection has an end after 50 that are not valid
    for (let at = 0; at < texts.length; at += 120) {
      const { said, code } = await say(open, hello, texts.slice(at, at + 120))
      codes.add(code)
      rounds++
      expect(said).toContain('"type":"welcome"')
      for (const secret of [password, token, readToken]) expect(said.includes(secret)).toBe(false)
    }
  }
  expect(rounds).toBeGreaterThan(messages / 200)
  // to the end, or cut off after too many that were not valid
  expect([...codes].filter((code) => code !== undefined && code !== 4400)).toEqual([])
  await watching.client.request('why', { path: join(folder, 'x') })
  expect(watching.child.exitCode).toBe(null)
  const after = new Map<string, View>(watching.client.views())
  if (!isDeepStrictEqual(after, before)) expect(after).toEqual(before)
})
