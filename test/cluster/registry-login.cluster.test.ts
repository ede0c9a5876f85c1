// Pushing to registries with a login, by the engine: what credentials are found where, and what is told when they do not do.
// Needs Debian's docker-registry and openssl, and the right to write to /etc/docker/certs.d.
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createEngineConnector } from '../../src/adapters/docker/engine.js'
import { createDockerBuilder } from '../../src/adapters/docker/image-builder.js'
import type { BuildRecord } from '../../src/model/build-record.js'
import { openshiftLogin } from '../../src/adapters/kube/openshift-registry.js'
import type { EngineWish, Registry } from '../../src/ports/image-builder.js'
import type { ErrorInfo } from '../../src/errors/devloop-error.js'
import { createAuthority, type Authority } from '../support/certificates.js'
import { htpasswdUser, ownAddresses, startRegistry, type TestRegistry } from '../support/registries.js'
import { startTokenServer, type TokenServer } from '../support/token-server.js'
import { fakeApiServer } from '../unit/adapters/kube/fake-api-server.js'
import { scanTree } from '../unit/adapters/docker/scan-tree.js'

const base = `${process.env['DEVLOOP_TEST_REGISTRY'] ?? ''}/testbed/busybox:1`
const never = new AbortController().signal
const writer = { name: 'writer', password: 'wr1ter-pass', identityToken: 'identity-of-writer-0123', may: () => ['pull', 'push'] }
const reader = { name: 'reader', password: 're4der-pass', identityToken: 'identity-of-reader-0123', may: () => ['pull'] }
/** As OpenShift's registry takes it: any name, with the token of the API server for a password. */
const bearerOfToken = { ...writer, name: 'devloop', password: 'sha256~t0ken-of-the-api-server', identityToken: 'none-0123456789' }
const secrets = [
  bearerOfToken.password,
  htpasswdUser.password,
  writer.password,
  writer.identityToken,
  reader.password,
  reader.identityToken,
  'n0t-the-password',
]

let authority: Authority
let tokens: TokenServer
let basic: TestRegistry
let bearer: TestRegistry
let folder: string
let name: string

beforeAll(async () => {
  authority = await createAuthority()
  const addresses = ownAddresses()
  const certificate = await authority.issue('registry', addresses)
  const [first = ''] = addresses
  tokens = await startTokenServer(first, certificate, [writer, reader, bearerOfToken])
  basic = await startRegistry({ authority, certificate, auth: 'htpasswd' })
  bearer = await startRegistry({ authority, certificate, auth: tokens })
})
afterAll(async () => {
  await Promise.all([basic?.remove(), bearer?.remove(), tokens?.close()])
  await authority?.remove()
})
beforeEach(async (context) => {
  folder = await mkdtemp(path.join(tmpdir(), 'devloop-login-'))
  name = `devloop-test/${randomBytes(5).toString('hex')}`
  await mkdir(path.join(folder, 'context'))
  await writeFile(path.join(folder, 'context', 'a.txt'), name)
  context.onTestFinished(async () => {
    const engine = await createEngineConnector(process.env)(never)
    const query = { filters: { label: [`dev.devloop.image=${name}`] } }
    for (const { Id } of await engine.json<{ Id: string }[]>({ method: 'GET', path: '/images/json', query }))
      (await engine.stream({ method: 'DELETE', path: `/images/${Id}`, query: { force: '1' } })).resume()
    await rm(folder, { recursive: true })
  })
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const login = ({ name: user, password }: { name: string; password: string }): object => ({ auth: base64(`${user}:${password}`) })
const config = (value: object): Promise<void> => writeFile(path.join(folder, 'config.json'), JSON.stringify(value))
/** A credential helper that knows one server. */
async function helper(
  program: string,
  server: string,
  { name: Username, password: Secret }: { name: string; password: string },
): Promise<void> {
  const file = path.join(folder, `docker-credential-${program}`)
  const answer = JSON.stringify({ ServerURL: server, Username, Secret })
  await writeFile(
    file,
    `#!/bin/sh\nread -r host\n[ "$host" = '${server}' ] && echo '${answer}' && exit 0\necho credentials not found in native keychain\nexit 1\n`,
  )
  await chmod(file, 0o755)
}

interface Outcome {
  readonly ref?: string
  readonly error?: ErrorInfo
  readonly lines: readonly string[]
  /** Milliseconds until it was told. */
  readonly took: number
}

const registryAt = (host: string): Registry => ({ push: `${host}/team`, pull: `${host}/team` })
const builder = (engine?: EngineWish) =>
  createDockerBuilder({
    ...(engine ? { engine } : {}),
    env: {
      ...process.env,
      DOCKER_CONFIG: folder,
      HOME: folder,
      XDG_RUNTIME_DIR: folder,
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    },
  })

/** Build something small (`run` is a step of it) and push it there. */
async function push(host: string, run = 'true', over: Partial<Registry> = {}, engine?: EngineWish): Promise<Outcome> {
  const lines: string[] = []
  const context = path.join(folder, 'context')
  const started = Date.now()
  const outcome = await builder(engine)
    .build(
      {
        image: {
          name,
          context,
          dockerfile: { inline: `FROM ${base}\nCOPY a.txt /\nRUN ${run}\n` },
          args: {},
          live: [],
          at: { file: '/Devloopfile.ts', line: 1 },
        },
        tree: scanTree(context),
        inputs: 'x',
        registry: { ...registryAt(host), ...over },
        platform: undefined,
      },
      { step: (step) => void lines.push(step.name), stage: () => {}, sent: () => {}, log: (line) => void lines.push(line) },
      never,
    )
    .then(
      ({ ref }) => ({ ref }),
      (error: { info?: ErrorInfo }) => {
        if (!error.info) throw error
        return { error: error.info }
      },
    )
  const told = JSON.stringify([outcome, lines])
  for (const secret of secrets) {
    expect(told).not.toContain(secret)
    expect(told).not.toContain(base64(secret))
  }
  return { ...outcome, lines, took: Date.now() - started }
}

test('the token of the kubeconfig, where this machine has no login: pushed to NAMESPACE/NAME, and nothing is written down', async () => {
  const [host = ''] = bearer.names
  const api = await fakeApiServer((_request, response) => response.end(), { token: bearerOfToken.password })
  onTestFinished(() => api.close())
  const engine: EngineWish = {
    login: async (asked) => (asked === host ? openshiftLogin(api.connection, host) : undefined),
  }
  const before = tokens.asked.length
  const place = { push: `${host}/dev`, pull: 'image-registry.openshift-image-registry.svc:5000/dev' }
  const { ref, error } = await push(host, 'true', place, engine)
  expect(error).toBeUndefined()
  expect(ref).toMatch(/^image-registry\.openshift-image-registry\.svc:5000\/dev\/devloop-test_[0-9a-f]+:devloop-/)
  const repository = (ref ?? '').replace(/^[^/]+\//, '').replace(/:[^:]*$/, '')
  const pushes = tokens.asked.slice(before).filter(({ scope }) => scope.includes('push'))
  expect(pushes.length).toBeGreaterThan(0)
  expect(new Set(pushes.map(({ user, scope }) => `${user} ${scope.split(':')[1]}`))).toEqual(new Set([`devloop ${repository}`]))
  expect(await readdir(folder)).toEqual(['context'])
  // with the login of this machine that one counts
  await config({ auths: { [host]: login({ ...writer, password: 'n0t-the-password' }) } })
  expect((await push(host, 'true', place, engine)).error?.code).toBe('registry/auth')
})

describe('with name and password', () => {
  test.each(['auths', 'credHelpers', 'credsStore'])('credentials in %s push, by every name of the registry', async (where) => {
    for (const host of basic.names.slice(0, 2)) {
      await helper('test', host, htpasswdUser)
      if (where === 'auths') await config({ auths: { [host]: login(htpasswdUser) } })
      else if (where === 'credHelpers')
        await config({
          credHelpers: { [host]: 'test' },
          auths: { [host]: login({ ...htpasswdUser, password: 'n0t-the-password' }) },
        })
      else await config({ credsStore: 'test', auths: { [host]: {} } })
      const { ref, error } = await push(host)
      expect(error).toBeUndefined()
      expect(ref).toContain(`${host}/team/${name.replace('/', '_')}:devloop-`)
      expect(await builder().exists({ ref } as BuildRecord, registryAt(host), never)).toBe(true)
      expect(await builder().exists({ ref: `${ref}0` } as BuildRecord, registryAt(host), never)).toBe(false)
    }
  })

  test('a login of a single repository, as Podman keeps it, counts before that of the host', async () => {
    const [host = ''] = basic.names
    await mkdir(path.join(folder, 'containers'))
    const auths = { [host]: login({ ...htpasswdUser, password: 'n0t-the-password' }), [`${host}/team`]: login(htpasswdUser) }
    await writeFile(path.join(folder, 'containers', 'auth.json'), JSON.stringify({ auths }))
    expect((await push(host)).error).toBeUndefined()
  })

  test('one repository for all images', async () => {
    const [host = ''] = basic.names
    await config({ auths: { [host]: login(htpasswdUser) } })
    const { ref } = await push(host, 'true', { singleName: 'dev' })
    expect(ref).toContain(`${host}/team/dev:${name.replace('/', '_')}-devloop-`)
  })

  test('a wrong password is told while the build still runs, and ends it', async () => {
    const [host = ''] = basic.names
    await config({ auths: { [host]: login({ ...htpasswdUser, password: 'n0t-the-password' }) } })
    const { error, took } = await push(host, `sleep 60 # ${name}`)
    expect(error).toMatchObject({
      code: 'registry/auth',
      message: expect.stringMatching(
        new RegExp(`^The registry ${host} refused the credentials of dev to push ${host}/team/`),
      ) as string,
      help: expect.stringContaining(`docker login ${host}`) as string,
    })
    expect(took).toBeLessThan(30_000)
  })

  test('no login at all is told as that', async () => {
    const [host = ''] = basic.names
    await config({})
    const { error } = await push(host, `sleep 60 # ${name}`)
    expect(error).toMatchObject({
      code: 'registry/auth',
      message: expect.stringContaining(`The registry ${host} wants a login`) as string,
    })
  })
})

describe('with tokens', () => {
  test('an identity token pushes', async () => {
    const [host = ''] = bearer.names
    await config({ auths: { [host]: { identitytoken: writer.identityToken } } })
    const { ref, error } = await push(host)
    expect(error).toBeUndefined()
    expect(tokens.asked).toContainEqual({ user: 'writer', by: 'identity token', scope: expect.stringMatching(/push/) as string })
    expect(await builder().exists({ ref } as BuildRecord, registryAt(host), never)).toBe(true)
  })

  test('a helper that gives an identity token pushes', async () => {
    const [host = ''] = bearer.names
    await helper('test', host, { name: '<token>', password: writer.identityToken })
    await config({ credsStore: 'test' })
    expect((await push(host)).error).toBeUndefined()
  })

  test('name and password push', async () => {
    const [host = ''] = bearer.names
    await config({ auths: { [host]: login(writer) } })
    expect((await push(host)).error).toBeUndefined()
  })

  test('a token for reading only is told as a right that is missing, while the build still runs', async () => {
    const [host = ''] = bearer.names
    for (const auth of [login(reader), { identitytoken: reader.identityToken }]) {
      await config({ auths: { [host]: auth } })
      const { error, took } = await push(host, `sleep 60 # ${name}`)
      expect(error).toMatchObject({
        code: 'registry/denied',
        message: expect.stringMatching(/took the login.*but does not let it push/) as string,
      })
      expect(took).toBeLessThan(30_000)
    }
  })

  test('a wrong password and an identity token that is not known are told as the login', async () => {
    const [host = ''] = bearer.names
    for (const auth of [login({ ...writer, password: 'n0t-the-password' }), { identitytoken: 'n0t-the-password' }]) {
      await config({ auths: { [host]: auth } })
      expect((await push(host, `sleep 60 # ${name}`)).error).toMatchObject({ code: 'registry/auth' })
    }
  })
})

test('a registry that is gone is told as that', async () => {
  const certificate = await authority.issue('gone', ownAddresses())
  const gone = await startRegistry({ authority, certificate, auth: 'htpasswd' })
  const [host = ''] = gone.names
  await gone.stop()
  try {
    await config({ auths: { [host]: login(htpasswdUser) } })
    expect((await push(host)).error).toMatchObject({
      code: 'registry/unreachable',
      message: expect.stringContaining(host) as string,
    })
  } finally {
    await gone.remove()
  }
})

test('a registry whose disk is full is told as that', async () => {
  const certificate = await authority.issue('full', ownAddresses())
  const full = await startRegistry({ authority, certificate, auth: 'htpasswd', disk: '1m' })
  try {
    const [host = ''] = full.names
    await config({ auths: { [host]: login(htpasswdUser) } })
    const { error, took } = await push(host, 'dd if=/dev/urandom of=/large bs=1M count=4')
    expect(error).toMatchObject({ code: 'registry/full', why: expect.stringContaining('no space left') as string })
    // not only after the engine's last try
    expect(took).toBeLessThan(40_000)
  } finally {
    await full.remove()
  }
})
