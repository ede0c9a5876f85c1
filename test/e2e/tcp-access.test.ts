// Who may talk to a running daemon over TCP, and that no plain request changes anything.
import { readdir, readFile, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connectDevloop } from '../../src/client/index.js'
import type { Discovery, View } from '../../src/protocol/messages.js'
import type { Watching } from '../support/devloop.js'
import { wordApp, type WordApp } from '../support/word-app.js'

async function begin(): Promise<{ words: WordApp; watching: Watching; discovery: Discovery & { url: string }; host: string }> {
  const words = await wordApp()
  const watching = await words.watch()
  await watching.ready()
  const folder = join(words.env.XDG_RUNTIME_DIR ?? '', 'devloop')
  const name = (await readdir(folder)).find((one) => one.endsWith('.json')) ?? ''
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
  const discovery = JSON.parse(await readFile(join(folder, name), 'utf8')) as Discovery & { url: string }
  return { words, watching, discovery, host: new URL(discovery.url).host }
}

interface Answer {
  /** 101 = it became a WebSocket. */
  readonly status: number
  readonly body: string
}

/** One request, with the headers exactly as given. */
function ask(
  url: string,
  options: { method?: string; path?: string; headers: Record<string, string>; body?: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, ...options, setHost: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asked.on('upgrade', (_response, socket) => {
      socket.destroy()
      resolve({ status: 101, body: '' })
    })
    asked.on('error', reject)
    asked.end(options.body)
  })
}

const upgrade = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** All that clients see. */
const stateOf = (watching: Watching): View[] => [...watching.client.views().values()]

test('an upgrade needs the token, our Host, and no foreign Origin [tilt-31]', async () => {
  const { watching, discovery, host } = await begin()
  const { url, token } = discovery
  const port = new URL(url).port
  const bearer = { Authorization: `Bearer ${token}` }
  const own = { Host: host, ...bearer }
  const attempts: [number, string, Record<string, string>][] = [
    [101, 'token and Host', own],
    [101, 'localhost as Host', { ...own, Host: `localhost:${port}` }],
    [101, 'own Origin', { ...own, Origin: `http://localhost:${port}` }],
    [101, 'the token as subprotocol', { Host: host, 'Sec-WebSocket-Protocol': `devloop.v1, devloop.token.${token}` }],
    [401, 'no token', { Host: host }],
    [401, 'no token, own Origin', { Host: host, Origin: `http://${host}` }],
    [401, 'a wrong token', { Host: host, Authorization: 'Bearer wrong' }],
    [401, 'a part of the token', { Host: host, Authorization: `Bearer ${token.slice(0, -1)}` }],
    [401, 'an empty token', { Host: host, Authorization: 'Bearer ' }],
    [401, 'a wrong token as subprotocol', { Host: host, 'Sec-WebSocket-Protocol': 'devloop.v1, devloop.token.wrong' }],
    [403, 'a foreign Origin', { ...own, Origin: 'https://evil.example' }],
    [403, 'Origin null', { ...own, Origin: 'null' }],
    [403, 'another port as Origin', { ...own, Origin: 'http://localhost:1' }],
    [403, 'another Host (DNS rebinding)', { ...own, Host: `evil.example:${port}` }],
    [403, 'another Host and Origin', { ...own, Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` }],
    [403, 'our Host on another port', { ...own, Host: '127.0.0.1:1' }],
    [403, 'our Host without a port', { ...own, Host: '127.0.0.1' }],
  ]
  const before = stateOf(watching)
  const answers: [number, string][] = []
  for (const [, name, headers] of attempts) {
    const { status, body } = await ask(url, { path: '/v1/stream', headers: { ...upgrade, ...headers } })
    expect(body).not.toContain(token)
    answers.push([status, name])
  }
  expect(answers).toEqual(attempts.map(([status, name]) => [status, name]))
  expect((await ask(url, { path: `/v1/stream?token=${token}`, headers: { ...upgrade, Host: host } })).status).toBe(401)
  expect(stateOf(watching)).toEqual(before)
})

test('no plain request changes or tells any state, whatever its method, path and token', async () => {
  const { words, watching, discovery, host } = await begin()
  const headers = { Host: host, Authorization: `Bearer ${discovery.token}`, 'Content-Type': 'text/plain' }
  const before = stateOf(watching)
  const paths = [
    '/',
    '/healthz',
    '/v1/stream',
    '/v1/shutdown',
    '/shutdown',
    '/trigger/words',
    '/reload',
    '/?method=shutdown',
    '/api/words',
  ]
  const seen = new Set<string>()
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const body =
      method === 'GET' || method === 'HEAD' ? {} : { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'shutdown' }) }
    for (const path of paths) {
      const answer = await ask(discovery.url, { method, path, headers, ...body })
      expect(answer.body).not.toMatch(/words|test\//)
      seen.add(`${method} ${answer.status}`)
    }
  }
  expect([...seen].filter((one) => /^(GET|HEAD)/.test(one))).toEqual([
    'GET 200',
    'GET 426',
    'GET 404',
    'HEAD 200',
    'HEAD 426',
    'HEAD 404',
  ])
  expect([...seen].filter((one) => !/^(GET|HEAD)/.test(one)).every((one) => one.endsWith(' 405'))).toBe(true)
  expect(stateOf(watching)).toEqual(before)
  await words.answers('one ')
})

test('a client with the token sees and does over TCP what one on the socket does', async () => {
  const { watching, discovery } = await begin()
  const client = connectDevloop({ endpoint: { url: discovery.url, token: discovery.token }, name: 'test tcp' })
  onTestFinished(() => client.close())
  await client.whenOpen({ timeoutMs: 5000 })
  expect([...client.views()]).toEqual([...watching.client.views()])
  await client.request('reload', {})
  await client.waitFor(() => client.get('session', 'session')?.devloopfile.generation === 2, { timeoutMs: 5000 })
  const wrong = connectDevloop({ endpoint: { url: discovery.url, token: 'wrong' }, name: 'test tcp' })
  onTestFinished(() => wrong.close())
  await expect(wrong.whenOpen({ timeoutMs: 5000 })).rejects.toMatchObject({ code: 'protocol/unauthorized' })
})
