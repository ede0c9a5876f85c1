// The page is served on TCP alone, from a table of files, with headers that let it reach nothing but this daemon.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createPageFiles } from '../../../src/server/page-files.js'
import { startTestServer } from '../../support/status-server.js'

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

const ask = (
  to: { port: number } | { socketPath: string },
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request(
      { ...to, ...('port' in to && { host: '127.0.0.1' }), path, headers, method, agent: false },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
      },
    )
    asked.on('error', reject)
    asked.end()
  })

async function begin(): Promise<{ port: number; socket: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-page-'))
  await writeFile(join(folder, 'index.html'), '<p>page</p>')
  await writeFile(join(folder, 'page.js'), 'script')
  await writeFile(join(folder, 'page.css'), 'style')
  await writeFile(join(folder, 'secret.txt'), 'secret')
  const server = await startTestServer({ page: createPageFiles(folder) })
  onTestFinished(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { port: server.port, socket: server.socket, folder }
}

test('its three files are served with their types, and again only when they changed', async () => {
  const { port, folder } = await begin()
  const [page, script, style] = await Promise.all(['/', '/page.js', '/page.css'].map((path) => ask({ port }, path)))
  expect([page, script, style].map((one) => [one?.status, one?.body, one?.headers['content-type']])).toEqual([
    [200, '<p>page</p>', 'text/html; charset=utf-8'],
    [200, 'script', 'text/javascript; charset=utf-8'],
    [200, 'style', 'text/css; charset=utf-8'],
  ])
  for (const one of [page, script, style]) {
    expect(one?.headers).toMatchObject({
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    })
    expect(one?.headers).not.toHaveProperty('access-control-allow-origin')
  }
  const policy = String(page?.headers['content-security-policy'])
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${port};`)
  expect(policy).not.toMatch(/unsafe|\*|https:|http:/)

  const known = String(script?.headers.etag)
  expect(await ask({ port }, '/page.js', { 'If-None-Match': known })).toMatchObject({ status: 304, body: '' })
  expect(await ask({ port }, '/page.css', { 'If-None-Match': known })).toMatchObject({ status: 200, body: 'style' })
  expect(await ask({ port }, '/page.js', {}, 'HEAD')).toMatchObject({ status: 200, body: '' })
  // what was read fits together: a file that changes under a running daemon does not change what it serves
  await writeFile(join(folder, 'page.css'), 'other')
  expect((await ask({ port }, '/page.css')).body).toBe('style')
})

test('no path leads out of the table', async () => {
  const { port, socket } = await begin()
  const paths = [
    '/secret.txt',
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '//secret.txt',
    '/page.js/../secret.txt',
    '/page.js%00',
    '/page.js?x',
    '/page.js/',
    '/index.html',
    '/\\secret.txt',
    '/__proto__',
    '/constructor',
    '/toString',
  ]
  for (const path of paths) {
    const { status, body } = await ask({ port }, path)
    expect([path, status]).toEqual([path, 404])
    expect(body).not.toContain('secret')
  }
  expect((await ask({ port }, '/', { Host: 'evil.example' })).status).toBe(403)
  expect((await ask({ port }, '/page.js', { Origin: 'https://evil.example' })).status).toBe(403)
  expect((await ask({ port }, '/', {}, 'POST')).status).toBe(405)
  // no browser comes by the socket
  expect((await ask({ socketPath: socket }, '/')).body).toContain('This is devloop')
})

test('a page that was not built, or is gone, is no reason to fail', async () => {
  const server = await startTestServer({ page: createPageFiles(join(tmpdir(), 'devloop-there-is-no-such-folder')) })
  onTestFinished(() => server.close())
  expect(await ask({ port: server.port }, '/')).toMatchObject({ status: 200 })
  expect((await ask({ port: server.port }, '/')).body).toContain('This is devloop')
  expect((await ask({ port: server.port }, '/page.js')).status).toBe(404)
  expect(createPageFiles(undefined)('/')).toBeUndefined()
})
