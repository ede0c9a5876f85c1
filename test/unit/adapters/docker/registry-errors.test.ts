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
  ['denied: requested access to the resource is denied', 'registry/auth'],
  ['unexpected status from HEAD request: 403 Forbidden', 'registry/auth'],
  ['received unexpected HTTP status: 500 Internal Server Error', 'registry/refused'],
  ['manifest invalid: manifest invalid', 'registry/refused'],
])('%s is %s', (text, code) => {
  expect(classifyRegistry(text)).toBe(code)
})

test('the help names what helps', () => {
  const help = (text: string, host = 'r:5000'): string =>
    registryError({ host, doing: 'push a', text, help: 'See the page' }).info.help
  expect(help('unauthorized')).toContain('docker login r:5000')
  expect(help('unauthorized', 'docker.io')).toContain('`docker login`')
  expect(help('http: server gave HTTP response to HTTPS client')).toContain('insecure-registries')
  expect(help('x509: certificate signed by unknown authority')).toContain('/etc/docker/certs.d/r:5000/ca.crt')
  expect(help('connection refused')).toBe('See the page')
})
