// Engines other than the one behind the usual socket: by ssh, by TCP with TLS, by a Docker context, and Podman.
// Needs root, Debian's openssh-server and podman, and openssl.
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDockerBuilder } from '../../src/adapters/docker/image-builder.js'
import type { BuildRecord } from '../../src/model/build-record.js'
import { createAuthority, type Authority } from '../support/certificates.js'
import { base, buildPlace, isRunning, registry, registryHost } from '../support/docker-builds.js'
import { startPodman, startSshd, startTlsFront, type SshServer } from '../support/engines.js'
import { waitFor } from '../support/wait-for.js'

const never = new AbortController().signal
let seconds = 7_100_000 + (process.pid % 100_000)

/** What every engine must do. `env` leads to it. */
function suite(env: () => Record<string, string>, buildkit: boolean): void {
  test('builds, pushes, and knows what the registry has', async () => {
    const place = await buildPlace()
    const { image: built, lines } = await place.build(`FROM ${base}\nCOPY own.txt /\nRUN cat /own.txt\n`, {
      env: env(),
      request: { registry },
    })
    expect(lines).toContain(place.repository)
    expect(built.ref).toContain(`${registryHost}/${place.repository.replace('/', '_')}:devloop-`)
    expect(built.digest).toMatch(/^sha256:/)
    expect(built.config).toMatchObject({ shell: true })
    const builder = place.builder(env())
    expect(await builder.exists({ ref: built.ref } as BuildRecord, registry, never)).toBe(true)
    expect(await builder.exists({ ref: `${built.ref}0` } as BuildRecord, registry, never)).toBe(false)
    // the usual engine finds it there too
    expect(await place.builder().exists({ ref: built.ref } as BuildRecord, registry, never)).toBe(true)
    if (!buildkit) return
    const again = await place.build(`FROM ${base}\nCOPY own.txt /\nRUN cat /own.txt\n`, { env: env() })
    expect(again.steps.some(({ name, state }) => name.includes('COPY own.txt') && state === 'cached')).toBe(true)
    expect(again.sent).toMatchObject({ sentBytes: 0 })
  })

  test('a failed instruction is named', async () => {
    const place = await buildPlace()
    const error = await place.failure(`FROM ${base}\nRUN echo why; exit 3\n`, { env: env() })
    expect(error).toMatchObject({
      code: 'build/failed',
      message: expect.stringContaining('exit code 3') as string,
      where: { line: 3 },
    })
    expect(error.why).toContain('why')
  })

  // Podman 4 goes on with a step whose client is gone
  if (!buildkit) return
  test('an aborted build stops there', async () => {
    const place = await buildPlace()
    const stop = new AbortController()
    const duration = String(seconds++)
    const building = place.build(`FROM ${base}\nCOPY own.txt /\nRUN sleep ${duration}\n`, { env: env(), signal: stop.signal })
    building.catch(() => undefined)
    await waitFor(() => isRunning('sleep', duration), { what: 'the step to run', timeoutMs: 60_000 })
    stop.abort()
    await expect(building).rejects.toMatchObject({ name: 'AbortError' })
    await waitFor(async () => !(await isRunning('sleep', duration)), { what: 'the step to end', timeoutMs: 30_000 })
  })
}

describe('behind ssh', () => {
  let server: SshServer
  const address = (): string => `ssh://${server.user}@127.0.0.1:${server.port}`
  const env = (bin = server.bin): Record<string, string> => ({
    DOCKER_HOST: address(),
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
  })
  beforeAll(async () => {
    server = await startSshd()
  })
  afterAll(() => server?.stop())

  suite(() => env(), true)

  test('by a Docker context', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'devloop-context-'))
    try {
      await writeContext(folder, 'build-host', address())
      const identity = await createDockerBuilder({
        env: { ...process.env, PATH: env()['PATH'], DOCKER_CONFIG: folder },
        engine: { settings: { context: 'build-host' } },
      }).identity(never)
      expect(identity.name).not.toBe('')
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('a key that is not known is one error, with what ssh said', async () => {
    const place = await buildPlace()
    expect(await place.failure(`FROM ${base}\n`, { env: env(server.strangerBin) })).toMatchObject({
      code: 'engine/unreachable',
      message: expect.stringContaining(`${address()} (from DOCKER_HOST)`) as string,
      why: expect.stringContaining('Permission denied') as string,
    })
  })

  test('without the program ssh, that is said', async () => {
    const place = await buildPlace()
    expect(await place.failure(`FROM ${base}\n`, { env: { ...env(), PATH: '/nowhere' } })).toMatchObject({
      code: 'engine/unreachable',
      why: expect.stringContaining('ssh is not installed') as string,
    })
  })
})

describe('by TCP with TLS', () => {
  let authority: Authority
  let engine: Awaited<ReturnType<typeof startTlsFront>>
  let folder: string
  const address = (): string => `tcp://127.0.0.1:${engine.port}`
  beforeAll(async () => {
    authority = await createAuthority()
    const server = await authority.issue('server')
    engine = await startTlsFront({ ca: authority.ca, ...server })
    folder = await mkdtemp(path.join(tmpdir(), 'devloop-tls-'))
    const client = await authority.issue('client')
    await cp(authority.ca, path.join(folder, 'ca.pem'))
    await cp(client.cert, path.join(folder, 'cert.pem'))
    await cp(client.key, path.join(folder, 'key.pem'))
  })
  afterAll(async () => {
    await engine?.stop()
    await authority?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  suite(() => ({ DOCKER_HOST: address(), DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder }), true)

  test('by the current Docker context, which holds the certificates', async () => {
    const config = path.join(folder, 'config')
    await writeContext(config, 'remote', address(), folder)
    await writeFile(path.join(config, 'config.json'), JSON.stringify({ currentContext: 'remote' }))
    const { name } = await createDockerBuilder({ env: { PATH: process.env['PATH'], DOCKER_CONFIG: config } }).identity(never)
    expect(name).not.toBe('')
  })

  test('without the certificate of a client it is refused, with one error', async () => {
    const place = await buildPlace()
    const empty = await mkdtemp(path.join(folder, 'empty-'))
    await cp(authority.ca, path.join(empty, 'ca.pem'))
    const env = { DOCKER_HOST: address(), DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: empty }
    expect(await place.failure(`FROM ${base}\n`, { env })).toMatchObject({
      code: 'engine/unreachable',
      why: expect.stringMatching(/certificate/i) as string,
      help: expect.stringContaining('certificates') as string,
    })
  })
})

describe("on Podman's socket", () => {
  let podman: Awaited<ReturnType<typeof startPodman>>
  beforeAll(async () => {
    podman = await startPodman([registryHost])
  })
  afterAll(() => podman?.stop())

  suite(() => ({ DOCKER_HOST: `unix://${podman.socket}` }), false)

  test('an image without a registry stays there, and can be saved', async () => {
    const place = await buildPlace()
    const env = { DOCKER_HOST: `unix://${podman.socket}` }
    const { image } = await place.build(`FROM ${base}\nCOPY own.txt /\n`, { env })
    expect(await place.builder(env).exists({ ref: image.ref } as BuildRecord, undefined, never)).toBe(true)
    const archive = path.join(place.context, 'image.tar')
    await createDockerBuilder({ env: { ...process.env, ...env } }).save(image.ref, archive, never)
    expect((await stat(archive)).size).toBeGreaterThan(100_000)
  })
})

async function writeContext(config: string, name: string, host: string, certificates?: string): Promise<void> {
  const id = createHash('sha256').update(name).digest('hex')
  const meta = path.join(config, 'contexts', 'meta', id)
  await mkdir(meta, { recursive: true })
  await writeFile(
    path.join(meta, 'meta.json'),
    JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } }),
  )
  if (!certificates) return
  const tls = path.join(config, 'contexts', 'tls', id, 'docker')
  await mkdir(tls, { recursive: true })
  for (const file of ['ca.pem', 'cert.pem', 'key.pem']) await cp(path.join(certificates, file), path.join(tls, file))
}
