import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findEndpoint } from '../../../../src/adapters/docker/endpoint.js'
import { hasBuildkit } from '../../../../src/adapters/docker/engine.js'
import { parseSsh, sshArguments, type SshPlace } from '../../../../src/adapters/docker/ssh-connection.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'devloop-endpoint-'))
})
afterEach(() => rm(folder, { recursive: true }))

const withContext = async (name: string, docker: object): Promise<void> => {
  const id = createHash('sha256').update(name).digest('hex')
  await mkdir(path.join(folder, 'contexts', 'meta', id), { recursive: true })
  await writeFile(path.join(folder, 'contexts', 'meta', id, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker } }))
  await mkdir(path.join(folder, 'contexts', 'tls', id, 'docker'), { recursive: true })
  await writeFile(path.join(folder, 'contexts', 'tls', id, 'docker', 'ca.pem'), 'the ca')
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ currentContext: name }))
}

test('DOCKER_HOST names a socket or a host', async () => {
  expect(await findEndpoint({ DOCKER_HOST: 'unix:///x.sock' })).toMatchObject({ socketPath: '/x.sock', origin: 'DOCKER_HOST' })
  expect(await findEndpoint({ DOCKER_HOST: 'tcp://build:1234' })).toMatchObject({ host: 'build', port: 1234 })
  expect(await findEndpoint({ DOCKER_HOST: 'build' })).toMatchObject({ host: 'build', port: 2375 })
  expect(await findEndpoint({ DOCKER_HOST: 'tcp://[::1]:80' })).toMatchObject({ host: '::1', port: 80 })
})

test('DOCKER_TLS_VERIFY and DOCKER_CERT_PATH bring certificates', async () => {
  await writeFile(path.join(folder, 'cert.pem'), 'a certificate')
  const env = { DOCKER_HOST: 'tcp://build', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder }
  expect(await findEndpoint(env)).toMatchObject({ port: 2376, tls: { cert: Buffer.from('a certificate'), skipVerify: false } })
})

test('the current context of the Docker configuration is used, with its certificates', async () => {
  await withContext('remote', { Host: 'tcp://far:2376', SkipTLSVerify: true })
  expect(await findEndpoint({ DOCKER_CONFIG: folder })).toMatchObject({
    host: 'far',
    port: 2376,
    origin: "the Docker context 'remote'",
    tls: { ca: Buffer.from('the ca'), skipVerify: true },
  })
})

test('DOCKER_HOST outweighs the context, DOCKER_CONTEXT the configuration', async () => {
  await withContext('remote', { Host: 'tcp://far:2376' })
  expect(await findEndpoint({ DOCKER_CONFIG: folder, DOCKER_HOST: 'unix:///x' })).toMatchObject({ socketPath: '/x' })
  expect(await findEndpoint({ DOCKER_CONFIG: folder, DOCKER_CONTEXT: 'default' })).toMatchObject({ origin: 'the default' })
  await expect(findEndpoint({ DOCKER_CONFIG: folder, DOCKER_CONTEXT: 'gone' })).rejects.toMatchObject({
    info: { code: 'engine/unreachable', message: "The Docker context 'gone' does not exist." },
  })
})

test.each(['ssh://me:secret@host', 'ssh://-oProxyCommand=x', 'ssh://', 'ftp://host', 'tcp://', 'tcp://a b'])(
  '%s is refused with what to do',
  async (address) => {
    await expect(findEndpoint({ DOCKER_HOST: address })).rejects.toMatchObject({
      info: { code: 'engine/unreachable', message: expect.stringContaining(address) as string },
    })
  },
)

test('what the Devloopfile names outweighs the environment', async () => {
  await withContext('remote', { Host: 'tcp://far:2376' })
  const env = { DOCKER_CONFIG: folder, DOCKER_HOST: 'unix:///x' }
  const named = { origin: 'the Devloopfile', host: 'build' }
  expect(await findEndpoint(env, { settings: { address: 'tcp://build:2375' } })).toMatchObject(named)
  expect(await findEndpoint(env, { settings: { context: 'remote' } })).toMatchObject({ host: 'far' })
})

test('an address of ssh becomes the command that the docker command runs', async () => {
  const endpoint = await findEndpoint({ DOCKER_HOST: 'ssh://me@build:2222' })
  expect(endpoint).toMatchObject({ address: 'ssh://me@build:2222', origin: 'DOCKER_HOST' })
  expect(endpoint.connect).toBeInstanceOf(Function)
  const options = ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=30', '-T']
  const argumentsOf = (address: string) => sshArguments(parseSsh(address) as SshPlace)
  expect(argumentsOf('ssh://me@build:2222')).toEqual([
    ...options,
    ...['-l', 'me', '-p', '2222', '--', 'build', 'docker', 'system', 'dial-stdio'],
  ])
  expect(argumentsOf("ssh://[::1]/run/user/1000/it's.sock")).toEqual([
    ...options,
    ...['--', '::1', 'docker', '--host', `'unix:///run/user/1000/it'\\''s.sock'`, 'system', 'dial-stdio'],
  ])
})

test.each<[string, string, string | undefined, string | undefined, boolean]>([
  ['1.41', 'linux', undefined, undefined, true],
  ['1.41', 'linux', '2', undefined, true],
  ['1.41', 'linux', '1', undefined, false],
  ['1.41', 'linux', '1', '1', true],
  ['1.41', 'linux', '2', '0', false],
  ['1.38', 'linux', undefined, '1', false],
  ['1.50', 'windows', '1', '1', false],
])('API %s on %s, header %s, wish %s: BuildKit %s', (api, os, header, wish, expected) => {
  expect(hasBuildkit(api, os, header, wish)).toBe(expected)
})
