// The image builder on a real Docker engine and registry. DEVLOOP_TEST_REGISTRY names the registry; it holds testbed/busybox:1.
import { randomBytes, randomInt } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { once } from 'node:events'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSourceFiles } from '../../src/adapters/disk/source-files.js'
import { createEngineConnector, type Engine } from '../../src/adapters/docker/engine.js'
import { createDockerBuilder } from '../../src/adapters/docker/image-builder.js'
import type { BuildRecord } from '../../src/model/build-record.js'
import type { ImageSpec } from '../../src/model/plan.js'
import type { BuildRequest, BuildStep, BuiltImage, ImageBuilder } from '../../src/ports/image-builder.js'
import { waitFor } from '../support/wait-for.js'
import { scanTree } from '../unit/adapters/docker/scan-tree.js'

const host = process.env['DEVLOOP_TEST_REGISTRY'] ?? ''
const base = `${host}/testbed/busybox:1`
const registry = { push: host, pull: host }
const never = new AbortController().signal
let engine: Engine
let context: string
let repository: string

beforeAll(async () => {
  if (host === '') throw new Error('Set DEVLOOP_TEST_REGISTRY to a registry that has testbed/busybox:1, such as localhost:5000.')
  engine = await createEngineConnector(process.env)(never)
})
beforeEach(async () => {
  context = await mkdtemp(path.join(tmpdir(), 'devloop-build-'))
  repository = `devloop-test/${randomBytes(5).toString('hex')}`
  await mkdir(path.join(context, 'src'))
  await writeFile(path.join(context, 'src', 'a.txt'), `a ${repository}\n`)
})
afterEach(async () => {
  const images = await engine.json<{ Id: string }[]>({
    method: 'GET',
    path: '/images/json',
    query: { filters: { label: [`dev.devloop.image=${repository}`] } },
  })
  for (const { Id } of images)
    await engine.stream({ method: 'DELETE', path: `/images/${Id}`, query: { force: '1' } }).then((answer) => answer.resume())
  await rm(context, { recursive: true })
})

interface Built {
  readonly image: BuiltImage
  readonly steps: BuildStep[]
  readonly lines: string[]
  readonly stages: string[]
}

interface Wishes {
  readonly dockerfile?: ImageSpec['dockerfile']
  readonly image?: Partial<ImageSpec>
  readonly registry?: BuildRequest['registry']
  readonly signal?: AbortSignal
  readonly onLine?: (line: string) => void
  readonly env?: Record<string, string>
  /** Instead of one of its own with `env`. */
  readonly builder?: ImageBuilder
}

/** Build this Dockerfile, written into the context unless wished otherwise, with a builder of its own. */
async function build(dockerfile: string, wishes: Wishes = {}): Promise<Built> {
  if (!wishes.dockerfile) await writeFile(path.join(context, 'Dockerfile'), dockerfile)
  const [steps, lines, stages]: [BuildStep[], string[], string[]] = [[], [], []]
  const builder = wishes.builder ?? createDockerBuilder({ env: { ...process.env, ...wishes.env } })
  const image = await builder.build(
    {
      image: {
        name: repository,
        context,
        dockerfile: wishes.dockerfile ?? { path: path.join(context, 'Dockerfile') },
        args: {},
        live: [],
        at: { file: '/shop/Devloopfile.ts', line: 3 },
        ...wishes.image,
      },
      tree: scanTree(context),
      emptyFolders: (signal) => createSourceFiles().emptyFolders(context, () => false, signal),
      inputs: 'x',
      registry: wishes.registry,
      platform: undefined,
    },
    {
      step: (step) => void steps.push(step),
      stage: (stage) => void stages.push(stage),
      sent: () => undefined,
      log: (line) => {
        lines.push(line)
        wishes.onLine?.(line)
      },
    },
    wishes.signal ?? never,
  )
  return { image, steps, lines, stages }
}

const failure = async (building: Promise<Built>): Promise<unknown> => {
  const error = await building.then(
    () => undefined,
    (thrown: unknown) => thrown as { info?: unknown },
  )
  return error?.info ?? error
}

const probesLeft = async (): Promise<number> =>
  (
    await engine.json<unknown[]>({
      method: 'GET',
      path: '/containers/json',
      query: { all: '1', filters: { label: ['dev.devloop.probe'] } },
    })
  ).length

/** Builds of other tests have probes of their own, which come and go. */
const noProbesLeft = (): Promise<boolean> => waitFor(async () => (await probesLeft()) === 0, { what: 'no probe to be left' })

const sentOf = ({ steps }: Built): string => steps.find(({ id }) => id === 'context')?.name ?? ''

/** Whether a process with these arguments runs, also within a container: the engine is on this machine. */
async function isRunning(...args: readonly string[]): Promise<boolean> {
  const wanted = `${args.join('\0')}\0`
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.includes(wanted)
}

describe.each([
  ['BuildKit', { DOCKER_BUILDKIT: '1' }],
  ['the classic builder', { DOCKER_BUILDKIT: '0' }],
])('with %s', (_kind, env) => {
  test('an image is built, pushed, named by its content, and described', async () => {
    const dockerfile = `FROM ${base}\nARG GREETING\nWORKDIR /app\nCOPY . .\nRUN echo "$GREETING $(cat src/a.txt)"\nUSER 1000\nENTRYPOINT ["cat"]\nCMD ["src/a.txt"]\n`
    const first = await build(dockerfile, { registry, env, image: { args: { GREETING: 'hi' } } })
    expect(first.image.ref).toMatch(new RegExp(`^${host}/${repository.replace('/', '_')}:devloop-[0-9a-f]{16}$`))
    expect(first.image.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(first.image.config).toEqual({
      platform: expect.stringMatching(/^linux\//) as string,
      entrypoint: ['cat'],
      cmd: ['src/a.txt'],
      workingDir: '/app',
      user: '1000',
      shell: true,
    })
    expect(first.lines).toContain(`hi a ${repository}`)
    expect(first.stages).toEqual(['context', 'build', 'push'])
    expect(
      first.steps.filter(({ state }) => state === 'done').map(({ name }) => name.replace(/^\[\d+\/\d+\]/, '[n/m]')),
    ).toContain('[n/m] COPY . .')

    const again = await build(dockerfile, { registry, env, image: { args: { GREETING: 'hi' } } })
    expect(again.image).toEqual(first.image)
    expect(again.steps.some(({ name, state }) => name.includes('COPY . .') && state === 'cached')).toBe(true)

    await writeFile(path.join(context, 'src', 'a.txt'), `b ${repository}\n`)
    const changed = await build(dockerfile, { registry, env, image: { args: { GREETING: 'hi' } } })
    expect(changed.image.ref).not.toBe(first.image.ref)
    expect(changed.lines).toContain(`hi b ${repository}`)

    const builder = createDockerBuilder()
    const record = { ref: first.image.ref } as BuildRecord
    expect(await builder.exists(record, registry, never)).toBe(true)
    expect(await builder.exists({ ...record, ref: `${first.image.ref}0` }, registry, never)).toBe(false)
    expect(await builder.exists(record, undefined, never)).toBe(true)
    await noProbesLeft()
  })

  test('without a registry the image stays in the engine', async () => {
    const { image, stages } = await build(`FROM ${base}\nCOPY src /\n`, { env })
    expect(image.ref).toMatch(new RegExp(`^${repository}:devloop-`))
    expect(image.digest.slice('sha256:'.length)).toContain(image.ref.slice(-16))
    expect(stages).not.toContain('push')
    const record = { ref: image.ref } as BuildRecord
    expect(await createDockerBuilder().exists(record, undefined, never)).toBe(true)
    expect(await createDockerBuilder().exists({ ...record, ref: `${image.ref}0` }, undefined, never)).toBe(false)
  })

  test('exactly the files of the tree arrive, with modes, links and empty folders, and nothing of the Dockerfile when it is inline', async () => {
    await writeFile(path.join(context, 'run me'), '#!/bin/sh\n', { mode: 0o755 })
    await symlink('src/a.txt', path.join(context, 'link'))
    await writeFile(path.join(context, 'src', 'empty'), '')
    await mkdir(path.join(context, 'public', 'nothing'), { recursive: true })
    const list = 'cd /ctx && find . | sort && stat -c "%a %n" "run me" src && readlink link && exit 9'
    const error = await failure(
      build('', { env, dockerfile: { inline: `FROM ${base}\nCOPY . /ctx\nCOPY public /public\nRUN ${list}\n` } }),
    )
    const expected =
      '.\n./link\n./public\n./public/nothing\n./run me\n./src\n./src/a.txt\n./src/empty\n755 run me\n755 src\nsrc/a.txt'
    expect(error).toMatchObject({
      code: 'build/failed',
      message: expect.stringContaining('(line 4 of the inline Dockerfile)') as string,
      why: expect.stringContaining(expected) as string,
      where: { file: '/shop/Devloopfile.ts', line: 3 },
    })
  })

  test('a failed instruction is named with its line, exit code and output', async () => {
    const dockerfile = `FROM ${base} AS one\nRUN true\n\nFROM one\nCOPY src /src\nRUN echo out && \\\n  # why not\n  echo err >&2 && \\\n  exit 3\n`
    expect(await failure(build(dockerfile, { env }))).toMatchObject({
      code: 'build/failed',
      message: expect.stringMatching(/^`RUN echo out && .*` of image .* failed with exit code 3\.$/) as string,
      why: expect.stringMatching(/^(out\nerr|err\nout)\n.*3/) as string,
      where: { file: path.join(context, 'Dockerfile'), line: 6 },
    })
  })

  test.each([
    ['an unknown instruction', `FROM BASE\n\nRUNN x\n`, { why: 'unknown instruction: RUNN' }, 3],
    [
      'a file that is not there',
      `FROM BASE\nRUN true\nCOPY nope /\n`,
      { help: expect.stringContaining('.dockerignore') as string },
      3,
    ],
    ['a base image that is not there', `FROM BASE-missing\n`, { message: expect.stringContaining('base image') as string }, 1],
    [
      'a user that is not there',
      `FROM BASE\nUSER nobody-such\nRUN true\n`,
      { why: expect.stringContaining('nobody-such') as string },
      3,
    ],
  ])('%s is placed in the Dockerfile', async (_, dockerfile, info, line) => {
    expect(await failure(build(dockerfile.replace('BASE', base), { env }))).toMatchObject({
      ...info,
      code: 'build/failed',
      where: { file: path.join(context, 'Dockerfile'), line },
    })
  })

  test('aborting stops the work in the engine, and the next build is not in its way', async () => {
    const stop = new AbortController()
    const seconds = String(randomInt(1e6, 1e7))
    const dockerfile = `FROM ${base}\nCOPY . /ctx\nRUN sleep ${seconds}\n`
    const building = build(dockerfile, { env, signal: stop.signal })
    building.catch(() => undefined)
    await waitFor(() => isRunning('sleep', seconds), { what: 'the step to run' })
    stop.abort()
    await expect(building).rejects.toMatchObject({ name: 'AbortError' })
    await waitFor(async () => !(await isRunning('sleep', seconds)), { what: 'the step to end', timeoutMs: 10_000 })
    expect((await build(`FROM ${base}\nCOPY . /ctx\nRUN true\n`, { env })).image.config.shell).toBe(true)
  })

  test('aborting before the start touches nothing', async () => {
    await expect(build(`FROM ${base}\n`, { env, signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  })
})

test("a step that lasts longer than the engine's patience with sessions is no trouble", async () => {
  const { image } = await build(`FROM ${base}\nRUN sleep 16 # ${repository}\nCOPY src /\n`)
  expect(image.config.shell).toBe(true)
})

test('BuildKit is sent what changed, and only what the Dockerfile copies', async () => {
  for (let index = 0; index < 50; index++) await writeFile(path.join(context, 'src', `f${index}`), `${index}`)
  await mkdir(path.join(context, 'unused'))
  await writeFile(path.join(context, 'unused', 'large'), randomBytes(1_000_000))
  const dockerfile = `FROM ${base}\nCOPY src /src\n`
  expect(sentOf(await build(dockerfile))).toMatch(/sent 51 of 53 files/)
  expect(sentOf(await build(dockerfile))).toMatch(/sent 0 of 53 files \(0 bytes\)/)
  await writeFile(path.join(context, 'src', 'f7'), 'other')
  await rm(path.join(context, 'src', 'f8'))
  const changed = await build(`${dockerfile}RUN cat /src/f7 && test ! -e /src/f8\n`)
  expect(sentOf(changed)).toMatch(/sent 1 of 52 files \(5 bytes\)/)
  expect(changed.lines).toEqual(['other'])
})

test('an aborted build does not make the next one send everything again', async () => {
  for (let index = 0; index < 50; index++) await writeFile(path.join(context, 'src', `f${index}`), `${index}`)
  await build(`FROM ${base}\nCOPY src /src\n`)
  const stop = new AbortController()
  await writeFile(path.join(context, 'src', 'f1'), 'one')
  const onLine = (): void => stop.abort()
  const aborted = build(`FROM ${base}\nCOPY src /src\nRUN echo begun; sleep 600\n`, { signal: stop.signal, onLine })
  await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
  await writeFile(path.join(context, 'src', 'f1'), 'two')
  expect(sentOf(await build(`FROM ${base}\nCOPY src /src\n`))).toMatch(/sent 1 of 52 files/)
})

test.each([
  [
    '/bin is a link',
    'RUN mkdir -p /new/usr/bin && cp /bin/busybox /new/usr/bin/busybox && ln -s busybox /new/usr/bin/sh && ln -s usr/bin /new/bin',
    true,
  ],
  ['the link leads nowhere', 'RUN mkdir -p /new/bin && ln -s /bin/dash /new/bin/sh', false],
  ['it may not be executed', 'RUN mkdir -p /new/bin && cp /bin/busybox /new/bin/sh && chmod 644 /new/bin/sh', false],
  ['it is a folder', 'RUN mkdir -p /new/bin/sh', false],
  ['it is missing', 'RUN mkdir -p /new/bin', false],
])('whether there is a shell: %s', async (_, instruction, expected) => {
  const { image } = await build(`FROM ${base} AS made\n${instruction}\nFROM scratch\nCOPY --from=made /new /\n`)
  expect(image.config.shell).toBe(expected)
  await noProbesLeft()
})

test('a registry that refuses credentials, one that fails and one that is not there are told apart', async () => {
  let status = 401
  const refusing = http.createServer((_, response) => {
    if (status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="test"')
    response.writeHead(status).end(`{"errors":[{"code":"${status === 401 ? 'UNAUTHORIZED' : 'UNSUPPORTED'}","message":"no"}]}`)
  })
  refusing.listen(0, '127.0.0.1')
  await once(refusing, 'listening')
  const address = `127.0.0.1:${(refusing.address() as AddressInfo).port}`
  const there = { push: address, pull: 'registry.test', help: 'https://example.test/registry' }
  const record = { ref: `registry.test/${repository}:devloop-1` } as BuildRecord
  const asking = (): Promise<unknown> =>
    createDockerBuilder()
      .exists(record, there, never)
      .catch((error: { info: unknown }) => error.info)
  const dockerfile = `FROM ${base}\nCOPY src /\n`
  try {
    const message = expect.stringContaining(address) as string
    expect(await failure(build(dockerfile, { registry: there }))).toMatchObject({ code: 'registry/auth', message })
    expect(await asking()).toMatchObject({ code: 'registry/auth', message })
    // not one of those that the engine tries again
    status = 400
    expect(await failure(build(dockerfile, { registry: there }))).toMatchObject({ code: 'registry/refused', message })
    expect(await asking()).toMatchObject({ code: 'registry/refused', message })
  } finally {
    refusing.closeAllConnections()
    await new Promise((resolve) => refusing.close(resolve))
  }
  const gone = { code: 'registry/unreachable', help: 'See https://example.test/registry' }
  expect(await failure(build(dockerfile, { registry: there }))).toMatchObject(gone)
  expect(await asking()).toMatchObject(gone)
})

test('credentials of the Docker configuration reach the registry, for base images and for the push', async () => {
  const seen = new Set<string>()
  const asking = http.createServer((incoming, response) => {
    seen.add(incoming.headers.authorization ?? '')
    response
      .writeHead(401, { 'WWW-Authenticate': 'Basic realm="test"' })
      .end('{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}')
  })
  asking.listen(0, '127.0.0.1')
  await once(asking, 'listening')
  const address = `127.0.0.1:${(asking.address() as AddressInfo).port}`
  const auth = Buffer.from('me:s3cret').toString('base64')
  const folder = await mkdtemp(path.join(tmpdir(), 'devloop-config-'))
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ auths: { [address]: { auth } } }))
  const env = { DOCKER_CONFIG: folder }
  try {
    for (const builder of ['1', '0']) {
      seen.clear()
      const error = await failure(build(`FROM ${address}/private:1\n`, { env: { ...env, DOCKER_BUILDKIT: builder } }))
      expect(error).toMatchObject({ code: 'registry/auth', where: { line: 1 } })
      expect(JSON.stringify(error)).not.toMatch(/s3cret/)
      expect(seen).toContain(`Basic ${auth}`)
    }
    seen.clear()
    await failure(build(`FROM ${base}\nCOPY src /\n`, { env, registry: { push: address, pull: address } }))
    expect(seen).toContain(`Basic ${auth}`)
  } finally {
    asking.closeAllConnections()
    await new Promise((resolve) => asking.close(resolve))
    await rm(folder, { recursive: true })
  }
})

test('a context that changes while it is sent fails by the name of the file', async () => {
  await writeFile(path.join(context, 'Dockerfile'), `FROM ${base}\nCOPY . /\n`)
  for (const builder of ['1', '0']) {
    const tree = new Map(scanTree(context))
    tree.set('src/a.txt', { kind: 'file', hash: '0'.repeat(64), mode: 0o644, size: 3 })
    const image = {
      name: repository,
      context,
      dockerfile: { path: path.join(context, 'Dockerfile') },
      args: {},
      live: [],
      at: { file: '/D', line: 1 },
    }
    const progress = { step: () => undefined, log: () => undefined, stage: () => undefined, sent: () => undefined }
    const building = createDockerBuilder({ env: { ...process.env, DOCKER_BUILDKIT: builder } }).build(
      { image, tree, inputs: 'x', registry: undefined, platform: undefined },
      progress,
      never,
    )
    await expect(building).rejects.toMatchObject({
      info: { code: 'build/context', message: expect.stringContaining('src/a.txt') as string },
    })
  }
})

test('builds at once do not disturb each other', async () => {
  const built = await Promise.all(
    ['one', 'two', 'three'].map((word) =>
      build('', { dockerfile: { inline: `FROM ${base}\nCOPY src /\nRUN echo ${word}\n` }, registry }),
    ),
  )
  expect(built.map(({ lines }) => lines)).toEqual([['one'], ['two'], ['three']])
  expect(new Set(built.map(({ image }) => image.ref)).size).toBe(3)
  await noProbesLeft()
})

test('a connection to the engine that is cut in the middle of a build is one clear error, and the next build works', async () => {
  const { socketPath, host: engineHost, port } = engine.endpoint
  const sockets = new Set<net.Socket>()
  const proxy = net.createServer((near) => {
    const far = socketPath === undefined ? net.connect(port!, engineHost) : net.connect(socketPath)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => other.destroy())
      one.pipe(other)
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${(proxy.address() as AddressInfo).port}` }
  const builder = createDockerBuilder({ env: { ...process.env, ...env } })
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  try {
    const endless = build(`FROM ${base}\nRUN echo begun; sleep ${randomInt(1e6, 1e7)}\n`, { builder, onLine: cut })
    expect(await failure(endless)).toMatchObject({ code: 'engine/unreachable' })
    expect((await build(`FROM ${base}\nCOPY src /\n`, { builder })).image.config.shell).toBe(true)
  } finally {
    cut()
    await new Promise((resolve) => proxy.close(resolve))
  }
})
