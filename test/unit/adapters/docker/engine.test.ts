// The builder against an HTTP server that plays the engine's part in trouble: silent, gone, broken, coming back.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createEngineConnector } from '../../../../src/adapters/docker/engine.js'
import { followRequest } from '../../../../src/adapters/docker/engine-stream.js'
import { createDockerBuilder } from '../../../../src/adapters/docker/image-builder.js'
import type { BuildRecord } from '../../../../src/model/build-record.js'
import type { BuildRequest } from '../../../../src/ports/image-builder.js'
import { scanTree } from './scan-tree.js'

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void

let folder: string
let env: Record<string, string>
let server: http.Server | undefined
const never = new AbortController().signal
const silent = { stage: () => undefined, step: () => undefined, log: () => undefined, sent: () => undefined }

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'devloop-engine-'))
  env = { DOCKER_HOST: `unix://${folder}/engine.sock`, DOCKER_CONFIG: folder, HOME: folder, DOCKER_BUILDKIT: '0' }
})
afterEach(async () => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
  await rm(folder, { recursive: true })
})

/** An engine that knows its version; everything else is up to the handler. */
async function engine(handler: Handler): Promise<void> {
  server = http.createServer((request, response) => {
    if (request.url === '/_ping') return void response.end('OK')
    if (request.url === '/version') return void response.end(JSON.stringify({ ApiVersion: '1.41', Os: 'linux', Arch: 'arm64' }))
    return handler(request, response)
  })
  server.listen(`${folder}/engine.sock`)
  await once(server, 'listening')
}

const request = async (): Promise<BuildRequest> => {
  const context = path.join(folder, 'context')
  const { mkdir } = await import('node:fs/promises')
  await mkdir(context, { recursive: true })
  await writeFile(path.join(context, 'Dockerfile'), 'FROM base\nRUN false\n')
  return {
    image: {
      name: 'shop/api',
      context,
      dockerfile: { path: path.join(context, 'Dockerfile') },
      args: { A: '1' },
      target: 'dev',
      live: [],
      at: { file: '/Devloopfile.ts', line: 1 },
    },
    tree: scanTree(context),
    inputs: 'x',
    registry: { push: 'localhost:5000/dev', pull: 'registry.local/dev' },
    platform: 'linux/amd64',
  }
}

test('no engine is one clear error, and an engine that comes is found', async () => {
  const connect = createEngineConnector(env)
  await expect(connect(never)).rejects.toMatchObject({
    info: {
      code: 'engine/unreachable',
      message: `The Docker engine at unix://${folder}/engine.sock (from DOCKER_HOST) does not answer.`,
    },
  })
  await engine((_, response) => response.end())
  expect((await connect(never)).info).toEqual({ apiVersion: '1.41', platform: 'linux/arm64', buildkit: false, podman: false })
})

test('an engine that went away is noticed, and found again when it is back', async () => {
  await engine((_, response) => response.end('[]'))
  const connect = createEngineConnector(env)
  await (await connect(never)).json({ method: 'GET', path: '/images/json' })
  server!.closeAllConnections()
  await new Promise((resolve) => server!.close(resolve))
  const gone = (await connect(never)).json({ method: 'GET', path: '/images/json' })
  await expect(gone).rejects.toMatchObject({ info: { code: 'engine/unreachable' } })
  await engine((_, response) => response.end('["back"]'))
  expect(await (await connect(never)).json({ method: 'GET', path: '/images/json' })).toEqual(['back'])
})

test("an answer that breaks off is the engine's fault, not the build's", async () => {
  await engine((_, response) => {
    response.write('{"stream":"Step 1/2 : FROM base\\n"}\n')
    response.write('{"stream":"half')
    setImmediate(() => response.destroy())
  })
  const build = createDockerBuilder({ env }).build(await request(), silent, never)
  await expect(build).rejects.toMatchObject({ info: { code: 'engine/unreachable' } })
})

test('an error line within an answer of status 200 fails the build', async () => {
  let url = ''
  let body = 0
  await engine((incoming, response) => {
    url = incoming.url ?? ''
    incoming.on('data', (chunk: Buffer) => (body += chunk.length))
    incoming.on('end', () => {
      response.write('{"stream":"Step 1/2 : FROM base\\n"}\n{"stream":"Step 2/2 : RUN false\\n"}\n{"stream":"sorry\\n"}\n')
      response.end('{"errorDetail":{"code":1,"message":"The command returned a non-zero code: 1"},"error":"x"}\n')
    })
  })
  const wanted = await request()
  await expect(createDockerBuilder({ env }).build(wanted, silent, never)).rejects.toMatchObject({
    info: {
      code: 'build/failed',
      message: '`RUN false` of image shop/api failed with exit code 1.',
      why: 'sorry\nThe command returned a non-zero code: 1',
      where: { file: path.join(wanted.image.context, 'Dockerfile'), line: 2 },
    },
  })
  expect(body).toBeGreaterThan(1024)
  const query = new URL(url, 'http://x').searchParams
  expect(JSON.parse(query.get('buildargs')!)).toEqual({ A: '1' })
  expect(JSON.parse(query.get('labels')!)).toMatchObject({ 'dev.devloop.image': 'shop/api' })
  expect([query.get('target'), query.get('platform'), query.get('dockerfile')]).toEqual(['dev', 'linux/amd64', 'Dockerfile'])
})

test('what is built is tagged by its content and pushed; pods get the name to pull by, and no container stays', async () => {
  const asked: string[] = []
  await engine((incoming, response) => {
    const url = incoming.url ?? ''
    asked.push(`${incoming.method} ${url.replace(/\?.*labels.*/, '?…')}`)
    incoming.resume()
    incoming.on('end', () => {
      if (url.startsWith('/build')) return response.end('{"aux":{"ID":"sha256:0123456789abcdef0123456789abcdef"}}\n')
      if (url.startsWith('/containers/create')) return response.writeHead(201).end('{"Id":"c1"}')
      if (url.startsWith('/containers/json')) return response.end('[]')
      if (url.includes('/archive?path=%2Fbin%2Fsh')) return stat(response, 0x08000000 + 0o777, '/usr/bin/busybox')
      if (url.includes('/archive?path=%2Fusr%2Fbin%2Fbusybox')) return stat(response, 0o755, '')
      if (url.endsWith('/json')) return response.end('{"Config":{"Entrypoint":null,"Cmd":["node"],"WorkingDir":"","User":"app"}}')
      if (url.includes('/push')) return response.end('{"status":"x"}\n{"aux":{"Tag":"t","Digest":"sha256:feed"}}\n')
      return response.writeHead(url.includes('/tag') ? 201 : 204).end()
    })
  })
  const stat = (response: http.ServerResponse, mode: number, linkTarget: string): void =>
    void response
      .setHeader('X-Docker-Container-Path-Stat', Buffer.from(JSON.stringify({ mode, linkTarget })).toString('base64'))
      .end()
  const built = await createDockerBuilder({ env }).build(await request(), silent, never)
  expect(built).toEqual({
    digest: 'sha256:feed',
    ref: 'registry.local/dev/shop_api:devloop-0123456789abcdef',
    engineRef: 'localhost:5000/dev/shop_api:devloop-0123456789abcdef',
    config: { entrypoint: [], cmd: ['node'], workingDir: '/', user: 'app', shell: true },
  })
  expect(asked).toContain('POST /images/localhost:5000/dev/shop_api/push?tag=devloop-0123456789abcdef')
  expect(asked).toContain('DELETE /containers/c1?force=1&v=1')
})

test('when the push fails, the probe still removes its container', async () => {
  const asked: string[] = []
  await engine((incoming, response) => {
    const url = incoming.url ?? ''
    asked.push(`${incoming.method} ${url}`)
    incoming.resume()
    incoming.on('end', () => {
      if (url.startsWith('/build')) return response.end('{"aux":{"ID":"sha256:0123456789abcdef"}}\n')
      if (url.startsWith('/containers/create')) return response.writeHead(201).end('{"Id":"c1"}')
      // held until the push has failed and the wait for this was called off
      if (url.includes('/archive')) return undefined
      if (url.includes('/push')) return response.end('{"error":"denied: requested access to the resource is denied"}\n')
      return response.writeHead(200).end('{}')
    })
  })
  await expect(createDockerBuilder({ env }).build(await request(), silent, never)).rejects.toMatchObject({
    info: { code: 'registry/denied' },
  })
  expect(asked).toContain('DELETE /containers/c1?force=1&v=1')
})

test('a silent engine that answers pings is waited for, one that does not is given up', async () => {
  let alive = true
  let pings = 0
  server = http.createServer((incoming, response) => {
    if (incoming.url === '/version') return void response.end('{}')
    if (incoming.url !== '/_ping') return void response.write('{"status":"begun"}\n')
    pings++
    if (alive) return void response.end('OK')
    response.destroy()
  })
  server.listen(`${folder}/engine.sock`)
  await once(server, 'listening')
  const connected = await createEngineConnector(env)(never)
  const lines: unknown[] = []
  const following = followRequest(connected, { method: 'POST', path: '/build', signal: never }, (line) => lines.push(line), 30)
  const ended = following.catch((error: unknown) => error)
  while (pings < 4) await new Promise((resolve) => setTimeout(resolve, 5))
  alive = false
  expect(await ended).toMatchObject({
    info: { code: 'engine/unreachable', message: expect.stringContaining('stopped answering') as string },
  })
  expect(lines).toEqual([{ status: 'begun' }])
})

test('aborting rejects with an AbortError and closes the connection to the engine', async () => {
  const stop = new AbortController()
  let closed: (() => void) | undefined
  const engineSaw = new Promise<void>((resolve) => (closed = resolve))
  await engine((incoming, response) => {
    if (!incoming.url?.startsWith('/build')) return void response.end('[]')
    incoming.resume()
    response.on('close', () => closed?.())
    response.write('{"stream":"Step 1/2 : FROM base\\n"}\n')
  })
  const progress = { ...silent, step: () => stop.abort() }
  await expect(createDockerBuilder({ env }).build(await request(), progress, stop.signal)).rejects.toMatchObject({
    name: 'AbortError',
  })
  await engineSaw
})

test.each([
  [404, '{"message":"manifest unknown: manifest unknown"}', false],
  [200, '{"Descriptor":{"digest":"sha256:1"}}', true],
])('exists: status %i means %j is %s', async (status, answer, expected) => {
  const asked: string[] = []
  await engine((incoming, response) => {
    asked.push(incoming.url ?? '')
    response.writeHead(status).end(answer)
  })
  const record = { ref: 'registry.local/dev/shop_api:devloop-1' } as BuildRecord
  const registry = { push: 'localhost:5000/dev', pull: 'registry.local/dev' }
  expect(await createDockerBuilder({ env }).exists(record, registry, never)).toBe(expected)
  expect(asked).toEqual(['/distribution/localhost:5000/dev/shop_api:devloop-1/json'])
})

test('exists: a record of another registry is certainly not in this one; a registry that fails is no "no"', async () => {
  await engine((_, response) => void response.writeHead(500).end('{"message":"dial tcp: connection refused"}'))
  const builder = createDockerBuilder({ env })
  const record = { ref: 'registry.local/shop/api:devloop-1' } as BuildRecord
  expect(await builder.exists(record, { push: 'a', pull: 'other' }, never)).toBe(false)
  await expect(builder.exists(record, { push: 'a.b', pull: 'registry.local' }, never)).rejects.toMatchObject({
    info: { code: 'registry/unreachable', message: expect.stringContaining('a.b') as string },
  })
})

test('a Dockerfile that is missing is said so, with where it was named', async () => {
  await engine((_, response) => response.end('[]'))
  const wanted = await request()
  const image = { ...wanted.image, dockerfile: { path: '/nowhere/Dockerfile' } }
  await expect(createDockerBuilder({ env }).build({ ...wanted, image }, silent, never)).rejects.toMatchObject({
    info: {
      code: 'build/dockerfile',
      message: 'The Dockerfile /nowhere/Dockerfile of image shop/api does not exist.',
      where: image.at,
    },
  })
})
