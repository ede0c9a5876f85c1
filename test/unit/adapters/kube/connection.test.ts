import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parseAnnouncement } from '../../../../src/adapters/kube/discovery.js'
import { followLogs } from '../../../../src/adapters/kube/logs.js'
import { toErrorInfo } from '../../../../src/errors/devloop-error.js'
import { errorText } from '../../../support/error-text.js'
import { fakeApiServer, json, type FakeApiServer } from './fake-api-server.js'

let server: FakeApiServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

describe('credentials', () => {
  it('carry token and impersonation', async () => {
    let headers: NodeJS.Dict<string | string[]> = {}
    server = await fakeApiServer(
      (request, response) => {
        headers = request.headersDistinct
        json(response, {})
      },
      { token: 'abc', as: 'bob', 'as-groups': ['a', 'b'], 'as-user-extra': { Scope: ['x', 'y'] } },
    )
    await server.connection.request('GET', '/version')
    expect(headers).toMatchObject({
      authorization: ['Bearer abc'],
      'impersonate-user': ['bob'],
      'impersonate-group': ['a', 'b'],
      'impersonate-extra-scope': ['x', 'y'],
    })
  })

  it('come from a plugin, which is run once for many requests and again when the server refuses what it gave', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'devloop-plugin-'))
    const plugin = path.join(folder, 'plugin')
    const runs = path.join(folder, 'runs')
    await writeFile(
      plugin,
      `#!/bin/sh\necho x >> ${runs}\nn=$(wc -l < ${runs})\necho "{\\"kind\\":\\"ExecCredential\\",\\"status\\":{\\"token\\":\\"token-$((n))\\",\\"expirationTimestamp\\":\\"2099-01-01T00:00:00Z\\"}}"\n`,
    )
    await chmod(plugin, 0o755)
    let accepted = 'Bearer token-1'
    server = await fakeApiServer(
      (request, response) =>
        request.headers.authorization === accepted
          ? json(response, {})
          : json(response, { kind: 'Status', code: 401, message: 'no' }, 401),
      { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, args: [] } },
    )
    const { connection } = server
    await Promise.all([1, 2, 3].map(() => connection.request('GET', '/version')))
    expect(await readFile(runs, 'utf8')).toBe('x\n')
    accepted = 'Bearer token-2'
    await server.connection.request('GET', '/version')
    expect(await readFile(runs, 'utf8')).toBe('x\nx\n')
    accepted = 'none'
    await expect(server.connection.request('GET', '/version')).rejects.toMatchObject({ code: 'cluster/unauthorized' })
    await rm(folder, { recursive: true })
  })

  it('that cannot be had are an error of their own', async () => {
    server = await fakeApiServer((_request, response) => json(response, {}), {
      exec: { apiVersion: 'v', command: 'no-such-plugin-of-devloop', args: [] },
    })
    const thrown: unknown = await server.connection.request('GET', '/version').catch((error: unknown) => error)
    expect(thrown).toMatchObject({
      code: 'cluster/unauthorized',
      info: { why: expect.stringContaining('no-such-plugin-of-devloop') as string },
    })
    expect(server.requests).toEqual([])
  })

  it('of a kubeconfig that devloop wrote are read anew when they were renewed, also for commands; when they run out, it is said', async () => {
    const extension = {
      user: 'ann',
      namespace: 'dev',
      account: 'devloop-user-ann',
      issued: '2026-01-01T00:00:00Z',
      expires: '2099-01-01T00:00:00Z',
    }
    let accepted = 'Bearer first'
    server = await fakeApiServer(
      (request, response) =>
        request.headers.authorization === accepted
          ? json(response, {})
          : json(response, { kind: 'Status', code: 401, message: 'Unauthorized' }, 401),
      { token: 'first', extensions: [{ name: 'devloop.dev/token', extension }] },
    )
    const { connection } = server
    await connection.request('GET', '/version')
    const file = connection.scoped?.file ?? ''
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('"first"', '"second"'))
    accepted = 'Bearer second'
    await connection.request('GET', '/version')
    expect(connection.kubeconfig()).toContain('"token":"second"')

    accepted = 'none'
    const refused = async (): Promise<string> =>
      connection.request('GET', '/version', { what: 'list pods in dev' }).then(
        () => 'no error',
        (thrown: unknown) => errorText(toErrorInfo(thrown), { [file]: 'FILE' }),
      )
    expect(`\n${await refused()}\n`).toMatchInlineSnapshot(`
      "
      cluster/unauthorized
      The cluster does not accept the token in FILE any more (list pods in dev).
      It would last until 2099-01-01T00:00:00Z: the ServiceAccount devloop-user-ann of the namespace dev was deleted or made anew, or its tokens were revoked.
      -> Ask whoever gave it to you to run: devloop provision --user ann --namespace dev --kubeconfig FILE
      "
    `)
    await writeFile(file, text.replace('2099', '2026'))
    expect(await refused()).toContain('It ran out at 2026-01-01T00:00:00Z.')
    // without the file, the last token is all there is
    await rm(file)
    accepted = 'Bearer first'
    await connection.request('GET', '/version')
  })
})

describe('requests', () => {
  it('send JSON, with query and content type', async () => {
    let seen: unknown
    server = await fakeApiServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        seen = [request.method, request.url, request.headers['content-type'], body]
        response.end()
      })
    })
    const answer = await server.connection.request('PATCH', '/x', {
      query: { force: true, none: undefined },
      body: { ü: 1 },
      contentType: 'application/apply-patch+yaml',
    })
    expect(answer).toBeUndefined()
    expect(seen).toEqual(['PATCH', '/x?force=true', 'application/apply-patch+yaml', '{"ü":1}'])
  })

  it('are tried again only where the answer cannot have been given', async () => {
    let posts = 0
    server = await fakeApiServer((request, response) => {
      if (request.method === 'GET') return json(response, {})
      posts++
      return void request.socket.destroy()
    })
    await server.connection.request('GET', '/x')
    await expect(server.connection.request('POST', '/x')).rejects.toMatchObject({
      code: 'cluster/unreachable',
      info: { why: 'The connection was cut.' },
    })
    expect(posts).toBe(1)
  })

  it('are asked anew where a kept connection leads nowhere, which then is believed of no other', async () => {
    const sockets = new Set<unknown>()
    let asked = 0
    server = await fakeApiServer((request, response) => {
      if (request.url === '/watch') {
        response.writeHead(200)
        return response.flushHeaders()
      }
      // one that has answered once answers nothing any more
      if (sockets.has(request.socket)) return void asked++
      sockets.add(request.socket)
      json(response, {})
    })
    const stream = await server.connection.stream('/watch')
    const ended = new Promise((resolve) => stream.once('error', resolve))
    await server.connection.request('GET', '/x')
    expect(await server.connection.request('GET', '/x', { timeoutMs: 600 })).toEqual({})
    expect([asked, sockets.size]).toEqual([1, 2])
    expect(await ended).toMatchObject({ code: 'ECONNRESET' })
  })

  it('reject when the answer is cut in the middle', async () => {
    server = await fakeApiServer((_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' })
      response.write('{"a":')
      setImmediate(() => response.destroy())
    })
    await expect(server.connection.request('GET', '/x', { what: 'read x' })).rejects.toMatchObject({
      code: 'cluster/unreachable',
    })
  })
})

describe('followLogs', () => {
  const target = { containerId: 'c://1', namespace: 'dev', pod: 'api', container: 'main' }
  const running = { status: { containerStatuses: [{ name: 'main', containerID: 'c://1', state: { running: {} } }] } }
  const stamp = (ns: string): string => `2026-01-01T00:00:00.${ns}Z`

  it('gives each line once although the node sends whole seconds again, also lines of the same time', async () => {
    const parts = [
      [`${stamp('1')} a`, `${stamp('2')} b`, `${stamp('2')} c`],
      [`${stamp('1')} a`, `${stamp('2')} b`, `${stamp('2')} c`, `${stamp('2')} d`, `${stamp('200000001')} e`],
      [`${stamp('2')} d`, `${stamp('200000001')} e`, `${stamp('200000001')}`, `no time`],
    ]
    let served = 0
    server = await fakeApiServer((_request, response, url) => {
      if (!url.pathname.endsWith('/log')) {
        return json(
          response,
          served < parts.length ? running : { status: { containerStatuses: [{ name: 'main', containerID: 'c://2' }] } },
        )
      }
      response.end(`${parts[served++]?.join('\n')}\n`)
    })
    const lines: string[] = []
    await followLogs(
      server.connection,
      { target, since: Date.UTC(2026, 0, 1) },
      (line) => lines.push(line.text),
      new AbortController().signal,
    )
    expect(lines).toEqual(['a', 'b', 'c', 'd', 'e', '', 'no time'])
    expect(new URL(server.requests[2]?.split(' ')[1] ?? '', 'http://x').searchParams.get('sinceTime')).toBe(
      '2026-01-01T00:00:00.000Z',
    )
  })

  it('leaves out what was before, says when it may not, and ends where there is nothing', async () => {
    let answer = 200
    server = await fakeApiServer((_request, response, url) => {
      if (answer !== 200)
        return json(
          response,
          { kind: 'Status', code: answer, message: 'User "ann" cannot get resource "pods/log" in the namespace "dev"' },
          answer,
        )
      if (url.pathname.endsWith('/log')) return void response.end(`${stamp('1')} a\n${stamp('5')} b\n`)
      return json(response, { status: {} })
    })
    const lines: string[] = []
    const follow = () =>
      followLogs(
        server?.connection as FakeApiServer['connection'],
        { target, since: Date.UTC(2026, 0, 1, 0, 0, 0, 500) },
        (line) => lines.push(line.text),
        new AbortController().signal,
      )
    await follow()
    expect(lines).toEqual(['b'])
    answer = 404
    await follow()
    answer = 403
    await expect(follow()).rejects.toMatchObject({ code: 'cluster/forbidden' })
  })
})

describe('parseAnnouncement', () => {
  it('reads what KEP-1755 describes', () => {
    expect(parseAnnouncement('host: "localhost:5001"\nhelp: https://x\n')).toEqual({
      push: 'localhost:5001',
      pull: 'localhost:5001',
      help: 'https://x',
    })
    expect(parseAnnouncement('host: a\nhostFromContainerRuntime: b\n')).toEqual({ push: 'a', pull: 'b' })
    expect(parseAnnouncement('{')).toBeUndefined()
    expect(parseAnnouncement('')).toBeUndefined()
    expect(parseAnnouncement('host: [1]')).toBeUndefined()
  })
})
