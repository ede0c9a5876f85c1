import { expect, test } from 'vitest'
import { classifyRegistry, registryError } from '../../../../src/adapters/docker/registry-errors.js'

test.each([
  ['Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused', 'registry/unreachable'],
  ['dial tcp: lookup nope.invalid on 10.0.0.2:53: no such host', 'registry/unreachable'],
  [
    'net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    'registry/unreachable',
  ],
  ['Get "https://r/v2/": net/http: TLS handshake timeout', 'registry/unreachable'],
  ['no basic auth credentials', 'registry/auth'],
  ['unauthorized: authentication required', 'registry/auth'],
  ['incorrect username or password', 'registry/auth'],
  ['denied: requested access to the resource is denied', 'registry/denied'],
  ['unexpected status from HEAD request: 403 Forbidden', 'registry/denied'],
  ['unauthorized: authentication required, insufficient_scope', 'registry/denied'],
  ["name unknown: The repository with name 'shop_api' does not exist in the registry with id '1234'", 'registry/name'],
  ['write /var/lib/registry/x: no space left on device', 'registry/full'],
  ['received unexpected HTTP status: 500 Internal Server Error', 'registry/refused'],
  ['manifest invalid: manifest invalid', 'registry/refused'],
])('%s is %s', (text, code) => {
  expect(classifyRegistry(text)).toBe(code)
})

test('the help names what helps', () => {
  const auth = { username: 'me', password: 'x', serveraddress: 'r:5000' }
  const help = (text: string, host = 'r:5000', over: object = {}): string =>
    registryError({ host, doing: 'push a', text, help: 'See the page', ...over }).info.help
  expect(help('unauthorized')).toContain('docker login r:5000')
  expect(help('unauthorized', 'docker.io')).toContain('`docker login`')
  expect(help('http: server gave HTTP response to HTTPS client')).toContain('insecure-registries')
  expect(help('x509: certificate signed by unknown authority')).toContain('/etc/docker/certs.d/r:5000/ca.crt')
  expect(help('connection refused')).toBe('See the page')
  expect(help('denied')).toContain('docker login r:5000')
  expect(help('denied', 'r:5000', { auth })).toBe('See the page')
  expect(help('denied', 'r:5000', { auth, help: undefined })).toContain('Ask for the right to push')
  expect(help('name unknown', 'r:5000', { repository: 'r:5000/a' })).toMatch(/r:5000\/a.*singleName/)
})

test('whoever was refused is named, and secrets are taken out', () => {
  const auth = { username: 'me', password: 'pass&word', serveraddress: 'r' }
  const basic = Buffer.from('me:pass&word').toString('base64')
  const text = `unauthorized: pass&word pass%26word ${basic} Bearer eyJhbGciOi.abc-123 https://me:pass%26word@r/v2/ ${Buffer.from('pass&word').toString('base64')}`
  const { info } = registryError({ host: 'r', doing: 'push a', text, auth })
  expect(info.message).toBe('The registry r refused the credentials of me to push a.')
  expect(info.why).toBe('unauthorized: *** *** *** Bearer *** https://***@r/v2/ ***')
})
