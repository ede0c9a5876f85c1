// "Security", "Transport": who gets in over TCP, what plain HTTP answers, and that less access can do less.
import { path, subprotocol } from '../wire.mjs'

const upgrade = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** What a client with `read` may not ask for. Each is refused before anything is looked at. */
const changing = [
  ['trigger', { resource: 'talk' }],
  ['enable', { resources: ['talk'] }],
  ['disable', { resources: ['talk'] }],
  ['args', { args: ['changed'] }],
  ['reload', {}],
  ['restart', { resource: 'talk' }],
  ['shutdown', {}],
  ['prune', {}],
  ['dump', {}],
]

/** Nothing that a reading client sends changes what a controlling one sees. */
async function changesNothing({ greet, same }, reader) {
  const before = (await greet()).welcome.snapshot
  same(reader.welcome.access, 'read', 'the access')
  for (const [method, params] of changing) {
    same(reader.welcome.methods.includes(method), false, `whether ${JSON.stringify(method)} is in methods`)
    const { error } = await reader.request(method, params)
    same([error?.code, error?.data?.code], [1, 'request/read-only'], `the error of ${JSON.stringify(method)}`)
  }
  same((await reader.request('why', { path: '/x' })).error, undefined, 'the error of why')
  same((await greet()).welcome.snapshot, before, 'the state afterwards')
}

export const checks = [
  {
    name: 'access/asked-for-less',
    says: 'With `access: "read"` a client changes nothing, whatever its token allows: request/read-only.',
    async run(t) {
      await changesNothing(t, await t.greet({ access: 'read' }))
    },
  },
  {
    name: 'access/read-token',
    says: 'With the read token a client sees all and changes nothing; asking for more does not help.',
    on: 'tcp',
    needs: ['readToken'],
    async run(t) {
      const { readToken: token } = t.transport
      await changesNothing(t, await t.greet({}, { token }))
      const asks = await t.greet({ topics: ['state', 'logs'] }, { token })
      t.same(asks.welcome.access, 'read', 'the access')
      await t.agree(asks, await t.greet())
    },
  },
  {
    name: 'access/wrong-access',
    says: '`access` in the hello can only be `read`.',
    async run({ open, same }) {
      const wire = await open()
      wire.send({ type: 'hello', protocol: { major: 1, minor: 0 }, client: 'c', topics: [], access: 'root' })
      same((await wire.closedWith('for another access')).code, 4400, 'the close code')
    },
  },
  {
    name: 'access/token-host-origin',
    says: 'Over TCP an upgrade needs the token, our own Host, and no foreign Origin.',
    on: 'tcp',
    async run({ transport, http, same }) {
      const { host, token } = transport
      const port = host.split(':')[1]
      const bearer = { Authorization: `Bearer ${token}` }
      const cases = [
        [101, 'token and Host', bearer],
        [101, 'localhost as Host', { ...bearer, Host: `localhost:${port}` }],
        [101, 'own Origin', { ...bearer, Origin: `http://localhost:${port}` }],
        [101, 'the token as subprotocol', { 'Sec-WebSocket-Protocol': `${subprotocol}, devloop.token.${token}` }],
        [401, 'no token', {}],
        [401, 'no token, own Origin', { Origin: `http://${host}` }],
        [401, 'a wrong token', { Authorization: 'Bearer wrong' }],
        [401, 'a part of the token', { Authorization: `Bearer ${token.slice(0, -1)}` }],
        [401, 'an empty token', { Authorization: 'Bearer ' }],
        [401, 'the token by another scheme', { Authorization: `Basic ${token}` }],
        [401, 'a wrong token as subprotocol', { 'Sec-WebSocket-Protocol': `${subprotocol}, devloop.token.wrong` }],
        [401, 'two tokens', { ...bearer, 'Sec-WebSocket-Protocol': `${subprotocol}, devloop.token.${token}` }],
        [401, 'the token as a cookie', { Cookie: `token=${token}` }],
        [400, 'another subprotocol alone', { ...bearer, 'Sec-WebSocket-Protocol': 'other' }],
        [403, 'a foreign Origin', { ...bearer, Origin: 'https://evil.example' }],
        [403, 'Origin null', { ...bearer, Origin: 'null' }],
        [403, 'Origin on another port', { ...bearer, Origin: 'http://localhost:1' }],
        [403, 'Origin with https', { ...bearer, Origin: `https://${host}` }],
        [403, 'another Host (DNS rebinding)', { ...bearer, Host: `evil.example:${port}` }],
        [403, 'another Host and Origin', { ...bearer, Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` }],
        [403, 'Host on another port', { ...bearer, Host: '127.0.0.1:1' }],
        [403, 'Host without a port', { ...bearer, Host: '127.0.0.1' }],
      ]
      for (const [status, what, headers] of cases) {
        const answer = await http({ path, headers: { ...upgrade, ...headers } })
        same(answer.status, status, `the status with ${JSON.stringify(what)}`)
        same(answer.body.includes(token), false, 'whether the answer holds the token')
      }
      same(
        (await http({ path: `${path}?token=${token}`, headers: upgrade })).status,
        401,
        'the status with the token in the address',
      )
    },
  },
  {
    name: 'access/browser',
    says: 'Of the subprotocols that a browser offers the daemon takes the first, never the one with the token.',
    on: 'tcp',
    async run({ transport, greet, same }) {
      const { token } = transport
      const offered = [subprotocol, `devloop.token.${token}`]
      const wire = await greet({}, { token: null, subprotocols: offered, headers: { Origin: `http://${transport.host}` } })
      same(wire.ws.protocol, subprotocol, 'the subprotocol')
    },
  },
  {
    name: 'transport/no-compression',
    says: 'There is no compression.',
    async run({ greet, same }) {
      same((await greet({}, { deflate: true })).ws.extensions, '', 'the extensions')
    },
  },
  {
    name: 'transport/plain-http',
    says: 'No GET changes or tells anything; every other method is refused with 405, another path with 404.',
    async run({ transport, greet, http, same, check }) {
      const before = (await greet()).welcome.snapshot
      const headers = transport.token ? { Authorization: `Bearer ${transport.token}` } : {}
      const secrets = [
        transport.token,
        ...before.filter((view) => view.kind === 'resource').map((view) => `"${view.name}"`),
      ].filter(Boolean)
      const paths = [
        '/',
        '/healthz',
        path,
        '/v1/shutdown',
        '/shutdown',
        '/reload',
        '/trigger/talk',
        '/?method=shutdown',
        '/..%2f..%2fetc/passwd',
        '/%2e%2e/package.json',
        '/\\..\\package.json',
      ]
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const body =
          method === 'GET' || method === 'HEAD' ? undefined : JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'shutdown' })
        for (const target of paths) {
          const answer = await http({
            method,
            path: target,
            headers: { ...headers, ...(body && { 'Content-Type': 'text/plain' }) },
            body,
          })
          if (body) same(answer.status, 405, `the status of ${method} ${target}`)
          else check([200, 400, 404, 426].includes(answer.status), `${method} ${target} has status ${answer.status}`)
          for (const secret of secrets) same(answer.body.includes(secret), false, `whether ${method} ${target} tells ${secret}`)
        }
      }
      same((await http({ path })).status, 426, 'the status of a GET that is no upgrade')
      same((await http({ path: '/no-such-path' })).status, 404, 'the status of another path')
      same(
        [(await http({ path: '/healthz' })).status, (await http({ path: '/healthz' })).body.trim()],
        [200, 'ok'],
        'the health check',
      )
      same((await greet()).welcome.snapshot, before, 'the state afterwards')
    },
  },
  {
    name: 'transport/headers',
    says: 'Answers carry no CORS headers, and forbid framing, sniffing and use by other origins.',
    async run({ transport, http, same, check }) {
      const own = transport.kind === 'tcp' ? { Origin: `http://${transport.host}` } : {}
      for (const target of ['/', '/healthz', '/no-such-path', path]) {
        const { headers } = await http({ path: target, headers: own })
        const cors = Object.keys(headers).filter((name) => name.startsWith('access-control-'))
        same(cors, [], `the CORS headers of ${target}`)
        same(headers['x-content-type-options'], 'nosniff', `X-Content-Type-Options of ${target}`)
        same(headers['cross-origin-resource-policy'], 'same-origin', `Cross-Origin-Resource-Policy of ${target}`)
        check(
          /frame-ancestors 'none'/.test(headers['content-security-policy'] ?? ''),
          `Content-Security-Policy of ${target} is ${headers['content-security-policy']}`,
        )
      }
    },
  },
]
