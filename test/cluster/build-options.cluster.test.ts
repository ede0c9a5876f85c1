// Options of image builds on the real engine: secrets, ssh agents, network, hosts, cache, labels, tags, private base images.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { testImage } from '../support/cluster.js'
import { base, buildPlace, registry, registryHost } from '../support/docker-builds.js'
import { waitFor } from '../support/wait-for.js'

const classic = { DOCKER_BUILDKIT: '0' }
const both = [['BuildKit', { DOCKER_BUILDKIT: '1' }] as const, ['the classic builder', classic] as const]

test('secrets of a file and of the environment reach the step that mounts them, and no image, log or error', async () => {
  const { build, failure, context, repository } = await buildPlace()
  const file = path.join(await folder(), 'npmrc')
  await writeFile(file, '//registry.test/:_authToken=abc-file-secret\n')
  const options = { secrets: { npmrc: { file }, token: { env: 'TEST_BUILD_TOKEN' } } }
  const wishes = { image: { options }, env: { TEST_BUILD_TOKEN: 'xyz-env-secret' } }
  const mounts = '--mount=type=secret,id=npmrc --mount=type=secret,id=token'
  const show = 'cat /run/secrets/npmrc /run/secrets/token; echo; base64 /run/secrets/token'
  const { lines, image } = await build(
    `FROM ${base}\nCOPY own.txt /\nRUN ${mounts} ${show}; cat /run/secrets/token | wc -c\nRUN ls /run/secrets 2>&1 || true\n`,
    wishes,
  )
  expect(lines.slice(0, 4)).toEqual(['***', '***', '***=', '14'])
  expect(lines.join()).not.toMatch(/secret=|abc-file|xyz-env/)
  expect(image.config.shell).toBe(true)
  const error = await failure(`FROM ${base}\nCOPY own.txt /\nRUN ${mounts} ${show}; exit 4 # ${repository}\n`, wishes)
  expect(error).toMatchObject({ code: 'build/failed', why: expect.stringContaining('***') as string })
  expect(JSON.stringify(error)).not.toMatch(/abc-file|xyz-env/)
  expect(context).toBeTruthy()
})

test('a secret that is not there, and one that the image does not declare, are each one clear error', async () => {
  const { build, failure } = await buildPlace()
  const wants = `FROM ${base}\nRUN --mount=type=secret,id=npmrc,required true\n`
  expect(await failure(wants, { image: { options: { secrets: { npmrc: { file: '/nowhere/npmrc' } } } } })).toMatchObject({
    code: 'build/secret',
    why: 'There is no file /nowhere/npmrc.',
    where: { file: '/shop/Devloopfile.ts', line: 3 },
  })
  expect(await failure(wants, { image: { options: { secrets: { npmrc: { env: 'TEST_NO_SUCH' } } } } })).toMatchObject({
    code: 'build/secret',
    why: 'The environment of devloop has no variable TEST_NO_SUCH.',
  })
  const other = { image: { options: { secrets: { other: { env: 'HOME' } } } } }
  expect(await failure(wants, other)).toMatchObject({ code: 'build/failed' })
  await build(`FROM ${base}\nCOPY own.txt /\nRUN --mount=type=secret,id=npmrc true\n`, other)
})

test('an ssh agent is forwarded to the steps that ask for it', async () => {
  const { build, failure } = await buildPlace()
  const [agent, withNode] = [await sshAgent(), await testImage()]
  // one message of the agent protocol: list the identities
  const ask = `node -e "const s = require('net').connect(process.env.SSH_AUTH_SOCK, () => s.write(Buffer.from([0, 0, 0, 1, 11]))); s.on('data', (d) => { console.log(d.toString('latin1').replace(/[^ -~]/g, '')); s.end() })"`
  const step = (id: string, mark: string): string =>
    `FROM ${withNode}\nCOPY own.txt /\nRUN --mount=type=ssh${id} ${ask} && echo ${mark}\n`
  const own = await build(step('', 'one'), {
    image: { options: { ssh: { default: null } } },
    env: { SSH_AUTH_SOCK: agent.socket },
  })
  expect(own.lines.join('\n')).toContain(agent.comment)
  const named = await build(step(',id=git', 'two'), { image: { options: { ssh: { git: agent.socket } } } })
  expect(named.lines.join('\n')).toContain(agent.comment)
  const noAgent = { image: { options: { ssh: { default: null } } }, env: { SSH_AUTH_SOCK: undefined } }
  expect(await failure(step('', 'three'), noAgent)).toMatchObject({ code: 'build/ssh', why: 'SSH_AUTH_SOCK is not set.' })
  const key = { image: { options: { ssh: { default: agent.key } } } }
  expect(await failure(step('', 'four'), key)).toMatchObject({
    code: 'build/ssh',
    why: `${agent.key} is no socket of an agent.`,
    help: `Add the key to an agent with \`ssh-add ${agent.key}\`, and use \`ssh: true\`.`,
  })
  await agent.stop()
  const gone = await failure(step('', 'five'), { image: { options: { ssh: { default: agent.socket } } } })
  expect(gone.code).toBe('build/ssh')
})

test('what only BuildKit can do is refused before the classic builder begins', async () => {
  const { failure } = await buildPlace()
  for (const options of [{ secrets: { a: { env: 'HOME' } } }, { ssh: { default: null } }]) {
    expect(await failure(`FROM ${base}\n`, { image: { options }, env: classic })).toMatchObject({
      code: 'build/buildkit',
      message: expect.stringContaining(`\`${Object.keys(options)[0]}\``) as string,
    })
  }
})

test.each(both)('network, hosts, labels, more tags and cache reach %s', async (_, env) => {
  const { build, engine, repository } = await buildPlace()
  const dockerfile = `FROM ${base}\nCOPY own.txt /\nRUN cat /etc/hosts; ls /sys/class/net\n`
  const options = {
    network: 'none',
    extraHosts: { 'db.test': '192.0.2.7' },
    labels: { team: 'shop' },
    tags: ['latest', 'v1'],
    cacheFrom: [base],
  }
  const { image, lines } = await build(dockerfile, { image: { options }, env, request: { registry } })
  expect(lines.filter((line) => /^192\.0\.2\.7\s+db\.test$/.test(line))).toHaveLength(1)
  expect(lines).not.toContain('eth0')
  const inspect = async (reference: string) =>
    engine.json<{ Id: string; Config: { Labels: Record<string, string> } }>({ method: 'GET', path: `/images/${reference}/json` })
  const built = await inspect(image.ref)
  expect(built.Config.Labels).toMatchObject({ team: 'shop', 'dev.devloop.image': repository })
  const pushed = image.ref.replace(/:[^:]*$/, '').slice(registryHost.length + 1)
  for (const tag of ['latest', 'v1']) {
    expect((await inspect(`${registryHost}/${pushed}:${tag}`)).Id).toBe(built.Id)
    const manifest = await fetch(`http://${registryHost}/v2/${pushed}/manifests/${tag}`, {
      headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    })
    expect(manifest.headers.get('docker-content-digest')).toBe(image.digest)
  }
})

test.each(both)('%s builds for another platform than its own', async (_, env) => {
  const { build, engine } = await buildPlace()
  const options = { platform: 'linux/arm64' }
  const { image } = await build('FROM scratch\nCOPY own.txt /\n', {
    image: { options },
    request: { platform: 'linux/amd64' },
    env,
  })
  const built = await engine.json<{ Architecture: string }>({ method: 'GET', path: `/images/${image.ref}/json` })
  expect(built.Architecture).toBe('arm64')
})

test.each(both)('a private base image is pulled by %s with the credentials of the Docker configuration', async (_, env) => {
  const { build, failure } = await buildPlace()
  const door = await privateRegistry('me', 's3cret-word')
  const config = await folder()
  const auth = Buffer.from('me:s3cret-word').toString('base64')
  await writeFile(path.join(config, 'config.json'), JSON.stringify({ auths: { [door.host]: { auth } } }))
  const dockerfile = `FROM ${door.host}/testbed/busybox:1\nCOPY own.txt /\nRUN echo pulled\n`
  const refused = await failure(dockerfile, { env: { ...env, DOCKER_CONFIG: await folder() } })
  expect(refused).toMatchObject({ code: 'registry/auth' })
  const { lines } = await build(dockerfile, { env: { ...env, DOCKER_CONFIG: config } })
  expect(lines).toContain('pulled')
  expect(JSON.stringify(refused)).not.toContain('s3cret-word')
})

/** A folder that is removed after the test. */
async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'devloop-options-'))
  onTestFinished(() => rm(made, { recursive: true }))
  return made
}

/** An ssh agent with one key, whose comment tells it from others. */
async function sshAgent(): Promise<{ socket: string; key: string; comment: string; stop(): Promise<void> }> {
  const at = await folder()
  const [socket, key, comment] = [path.join(at, 'agent.sock'), path.join(at, 'id_ed25519'), `key-${process.pid}-${Date.now()}`]
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', key])
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  const ended = once(agent, 'exit')
  const stop = async (): Promise<void> => {
    agent.kill()
    await ended
  }
  onTestFinished(stop)
  const add = (): Promise<boolean> =>
    promisify(execFile)('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } }).then(
      () => true,
      () => false,
    )
  await waitFor(add, { what: 'the ssh agent to take the key' })
  return { socket, key, comment, stop }
}

/** The test registry behind a door that wants a user and a password. */
async function privateRegistry(user: string, password: string): Promise<{ host: string }> {
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const { hostname, port } = new URL(`http://${registryHost}`)
  const server = http.createServer((request, response) => {
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="test"' })
      return response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')
    }
    const { authorization: _, host: __, ...headers } = request.headers
    const onward = http.request({ hostname, port, method: request.method, path: request.url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
    return undefined
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}
