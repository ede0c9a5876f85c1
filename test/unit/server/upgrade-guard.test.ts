// Who may connect: everything that must be refused before the upgrade, on real sockets, and that nothing changes by it.
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../support/status-server.js'

let daemon: TestServer
beforeAll(async () => void (daemon = await startTestServer()))
afterAll(() => daemon.close())

/** The answer to bytes on a bare connection. An upgraded connection stays open, so its head is enough. */
function exchange(target: { port: number } | { path: string }, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = 'port' in target ? connect({ ...target, host: '127.0.0.1' }) : connect(target)
    let answer = ''
    socket.on('data', (data) => {
      answer += data.toString()
      if (answer.startsWith('HTTP/1.1 101')) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.write(request)
  })
}

interface Attempt {
  method?: string
  path?: string
  headers?: string[]
}

const upgradeHeaders = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

function attempt({ method = 'GET', path = '/v1/stream', headers = [] }: Attempt): Promise<string> {
  return exchange({ port: daemon.port }, [`${method} ${path} HTTP/1.1`, ...headers, ...upgradeHeaders, '', ''].join('\r\n'))
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

const host = (): string => `Host: 127.0.0.1:${daemon.port}`
const bearer = (): string => `Authorization: Bearer ${daemon.token}`

const accepted: [string, () => Attempt][] = [
  ['token in the header', () => ({ headers: [host(), bearer()] })],
  ['localhost as Host', () => ({ headers: [`Host: localhost:${daemon.port}`, bearer()] })],
  ['own origin', () => ({ headers: [host(), bearer(), `Origin: http://127.0.0.1:${daemon.port}`] })],
  [
    'token as subprotocol',
    () => ({
      headers: [
        host(),
        `Origin: http://localhost:${daemon.port}`,
        `Sec-WebSocket-Protocol: devloop.v1, devloop.token.${daemon.token}`,
      ],
    }),
  ],
]

test.each(accepted)('accepted: %s', async (_name, make) => {
  const answer = await attempt(make())
  expect(statusOf(answer)).toBe(101)
  // the token must not come back in an answer
  expect(answer).not.toContain(daemon.token)
})

const refused: [number, string, () => Attempt][] = [
  [401, 'no token', () => ({ headers: [host()] })],
  [401, 'no token, own origin', () => ({ headers: [host(), `Origin: http://127.0.0.1:${daemon.port}`] })],
  [401, 'a wrong token', () => ({ headers: [host(), 'Authorization: Bearer wrong'] })],
  [401, 'an empty token', () => ({ headers: [host(), 'Authorization: Bearer '] })],
  [401, 'the token in another case', () => ({ headers: [host(), `Authorization: Bearer ${daemon.token.toUpperCase()}`] })],
  [401, 'a part of the token', () => ({ headers: [host(), `Authorization: Bearer ${daemon.token.slice(0, -1)}`] })],
  [401, 'the token and more', () => ({ headers: [host(), `Authorization: Bearer ${daemon.token}x`] })],
  [401, 'the token by another scheme', () => ({ headers: [host(), `Authorization: Basic ${daemon.token}`] })],
  [401, 'a right and a wrong token', () => ({ headers: [host(), bearer(), 'Authorization: Bearer wrong'] })],
  [401, 'a wrong token as subprotocol', () => ({ headers: [host(), 'Sec-WebSocket-Protocol: devloop.v1, devloop.token.wrong'] })],
  [
    401,
    'a wrong subprotocol beside the right header',
    () => ({ headers: [host(), bearer(), 'Sec-WebSocket-Protocol: devloop.v1, devloop.token.wrong'] }),
  ],
  [401, 'the token in the query', () => ({ path: `/v1/stream?token=${daemon.token}`, headers: [host()] })],
  [401, 'the token in a cookie', () => ({ headers: [host(), `Cookie: token=${daemon.token}`] })],
  [400, 'the token as only subprotocol', () => ({ headers: [host(), `Sec-WebSocket-Protocol: devloop.token.${daemon.token}`] })],
  [403, 'a foreign origin', () => ({ headers: [host(), bearer(), 'Origin: https://evil.example'] })],
  [403, 'origin null', () => ({ headers: [host(), bearer(), 'Origin: null'] })],
  [403, 'an origin on another port', () => ({ headers: [host(), bearer(), 'Origin: http://127.0.0.1:1'] })],
  [403, 'an origin with another scheme', () => ({ headers: [host(), bearer(), `Origin: https://127.0.0.1:${daemon.port}`] })],
  [
    403,
    'an origin that begins like ours',
    () => ({ headers: [host(), bearer(), `Origin: http://127.0.0.1:${daemon.port}.evil.example`] }),
  ],
  [
    403,
    'an own and a foreign origin',
    () => ({ headers: [host(), bearer(), `Origin: http://127.0.0.1:${daemon.port}`, 'Origin: https://evil.example'] }),
  ],
  [403, 'another host (DNS rebinding)', () => ({ headers: [`Host: evil.example:${daemon.port}`, bearer()] })],
  [
    403,
    'another host with the same origin (DNS rebinding)',
    () => ({ headers: [`Host: evil.example:${daemon.port}`, bearer(), `Origin: http://evil.example:${daemon.port}`] }),
  ],
  [403, 'a host that begins like ours', () => ({ headers: [`Host: localhost.evil.example:${daemon.port}`, bearer()] })],
  [403, 'our host without port', () => ({ headers: ['Host: 127.0.0.1', bearer()] })],
  [403, 'our host with another port', () => ({ headers: ['Host: 127.0.0.1:1', bearer()] })],
  [403, 'the IPv6 host', () => ({ headers: [`Host: [::1]:${daemon.port}`, bearer()] })],
  [403, 'another spelling of the address', () => ({ headers: [`Host: 127.1:${daemon.port}`, bearer()] })],
  [403, 'an empty host', () => ({ headers: ['Host:', bearer()] })],
  [403, 'two hosts', () => ({ headers: [host(), 'Host: evil.example', bearer()] })],
  [403, 'no host', () => ({ headers: [bearer()] })],
  [404, 'another path', () => ({ path: '/', headers: [host(), bearer()] })],
  [404, 'a path above', () => ({ path: '/v1/../v1/stream', headers: [host(), bearer()] })],
  [404, 'a whole address as path', () => ({ path: 'http://evil.example/v1/stream', headers: [host(), bearer()] })],
  [405, 'POST', () => ({ method: 'POST', headers: [host(), bearer()] })],
  [405, 'OPTIONS', () => ({ method: 'OPTIONS', headers: [host(), bearer(), 'Access-Control-Request-Method: POST'] })],
  [400, 'HEAD', () => ({ method: 'HEAD', headers: [host(), bearer()] })],
]

test.each(refused)('refused with %i: %s', async (status, _name, make) => {
  const answer = await attempt(make())
  expect(statusOf(answer)).toBe(status)
  expect(answer.toLowerCase()).not.toContain('access-control')
  expect(answer).not.toContain(daemon.token)
  expect(answer).toMatch(/connection: close/i)
})

test('a websocket of another version, or with a bad key, is refused by the handshake', async () => {
  const head = ['GET /v1/stream HTTP/1.1', host(), bearer(), 'Connection: Upgrade', 'Upgrade: websocket']
  for (const rest of [
    ['Sec-WebSocket-Version: 7', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
    ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: short'],
  ]) {
    expect(statusOf(await exchange({ port: daemon.port }, [...head, ...rest, '', ''].join('\r\n')))).toBe(400)
  }
})

test('an upgrade to something else is refused', async () => {
  const answer = await exchange(
    { port: daemon.port },
    ['GET /v1/stream HTTP/1.1', host(), bearer(), 'Connection: Upgrade', 'Upgrade: h2c', '', ''].join('\r\n'),
  )
  expect(statusOf(answer)).toBe(400)
})

test('CONNECT is refused', async () => {
  expect(statusOf(await exchange({ port: daemon.port }, `CONNECT evil.example:80 HTTP/1.1\r\n${host()}\r\n\r\n`))).toBe(405)
})

test('on the Unix socket neither token nor Host matter, the path does', async () => {
  const request = (path: string): string => [`GET ${path} HTTP/1.1`, 'Host: x', ...upgradeHeaders, '', ''].join('\r\n')
  expect(statusOf(await exchange({ path: daemon.socket }, request('/v1/stream')))).toBe(101)
  expect(statusOf(await exchange({ path: daemon.socket }, request('/other')))).toBe(404)
})

const paths = [
  '/',
  '/healthz',
  '/v1/stream',
  '/v1/trigger',
  '/reload',
  '/shutdown',
  '/api',
  '/v1/stream?method=shutdown',
  '/%2e%2e/etc/passwd',
  '/\\..\\..\\x',
]
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']

test('plain requests of every method on every path change nothing and tell nothing', async () => {
  daemon.views.set({
    kind: 'change',
    name: 'secret-change',
    at: 0,
    paths: [],
    pathCount: 0,
    outcome: 'live',
    images: [],
    resources: [],
    stages: [],
  })
  const before = daemon.views.seq()
  for (const method of methods) {
    for (const path of paths) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'shutdown' })
      const withBody = method === 'GET' || method === 'HEAD' ? '' : body
      const headers = [host(), bearer(), 'Connection: close', 'Content-Type: text/plain', `Content-Length: ${withBody.length}`]
      const answer = await exchange({ port: daemon.port }, [`${method} ${path} HTTP/1.1`, ...headers, '', withBody].join('\r\n'))
      const expected =
        method !== 'GET' && method !== 'HEAD'
          ? 405
          : path === '/' || path === '/healthz'
            ? 200
            : path === '/v1/stream'
              ? 426
              : 404
      expect([method, path, statusOf(answer)]).toEqual([method, path, expected])
      expect(answer).toMatch(/x-content-type-options: nosniff/i)
      expect(answer).toMatch(/cross-origin-resource-policy: same-origin/i)
      expect(answer).toMatch(/content-security-policy: default-src 'none'/i)
      expect(answer.toLowerCase()).not.toContain('access-control')
      expect(answer).not.toContain('secret-change')
    }
  }
  expect(daemon.views.seq()).toBe(before)
  expect(daemon.calls).toEqual([])
  expect(daemon.defects).toEqual([])
})

test.each([
  ['another host', () => ['Host: evil.example']],
  ['a foreign origin', () => [host(), 'Origin: https://evil.example']],
])('a plain request with %s is refused', async (_name, headers) => {
  expect(
    statusOf(await exchange({ port: daemon.port }, ['GET / HTTP/1.1', ...headers(), 'Connection: close', '', ''].join('\r\n'))),
  ).toBe(403)
})

test('nothing listens on other addresses', async () => {
  const answer = exchange({ port: daemon.port }, `GET / HTTP/1.1\r\n${host()}\r\nConnection: close\r\n\r\n`)
  expect(statusOf(await answer)).toBe(200)
  for (const address of ['127.0.0.2', '::1']) {
    const outcome = new Promise<string>((resolve) => {
      const socket = connect({ host: address, port: daemon.port })
      socket.on('connect', () => resolve('connected'))
      socket.on('error', () => resolve('refused'))
    })
    expect(await outcome).toBe('refused')
  }
})
