import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findCredentials, registryHost, type RegistryAuth } from '../../../../src/adapters/docker/auth.js'

let folder: string
let env: Record<string, string>
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'devloop-auth-'))
  env = { DOCKER_CONFIG: folder, HOME: folder, PATH: `${folder}:${process.env['PATH'] ?? ''}` }
})
afterEach(() => rm(folder, { recursive: true }))

const config = (value: object): Promise<void> => writeFile(path.join(folder, 'config.json'), JSON.stringify(value))
const helper = async (name: string, script: string): Promise<void> => {
  const file = path.join(folder, `docker-credential-${name}`)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}
const find = (host: string): Promise<RegistryAuth | undefined> => findCredentials(host, env, new AbortController().signal)
const base64 = (text: string): string => Buffer.from(text).toString('base64')

test.each([
  ['localhost:5000/shop/api', 'localhost:5000'],
  ['localhost/api', 'localhost'],
  ['ghcr.io/me/x', 'ghcr.io'],
  ['shop/api', 'docker.io'],
  ['node:20', 'docker.io'],
  ['registry-1.docker.io/', 'docker.io'],
  ['https://quay.io/', 'quay.io'],
])('the registry of %s is %s', (reference, host) => {
  expect(registryHost(reference)).toBe(host)
})

test('credentials stand in auths, with a colon in the password', async () => {
  await config({ auths: { 'quay.io': { auth: base64('me:pass:word') }, 'https://old.io/v1/': { auth: base64('you:x') } } })
  expect(await find('quay.io')).toEqual({ username: 'me', password: 'pass:word', serveraddress: 'quay.io' })
  expect(await find('old.io')).toMatchObject({ username: 'you' })
  expect(await find('other.io')).toBeUndefined()
})

test('Docker Hub has a key of its own', async () => {
  await config({ auths: { 'https://index.docker.io/v1/': { auth: base64('me:secret') } } })
  expect(await find('docker.io')).toMatchObject({ username: 'me', serveraddress: 'https://index.docker.io/v1/' })
})

test('an identity token outweighs the password', async () => {
  await config({ auths: { 'acr.io': { auth: base64('me:x'), identitytoken: 'tok' } } })
  expect(await find('acr.io')).toEqual({ username: 'me', identitytoken: 'tok', serveraddress: 'acr.io' })
})

test("a registry's own helper is asked, and given the registry", async () => {
  await helper('mine', 'read host; echo "{\\"Username\\":\\"u-$host\\",\\"Secret\\":\\"s\\"}"')
  await config({ credHelpers: { 'ghcr.io': 'mine' }, auths: { 'ghcr.io': { auth: base64('a:b') } } })
  expect(await find('ghcr.io')).toEqual({ username: 'u-ghcr.io', password: 's', serveraddress: 'ghcr.io' })
})

test('the general helper may know nothing; then auths counts', async () => {
  await helper('store', 'echo "credentials not found in native keychain"; exit 1')
  await config({ credsStore: 'store', auths: { 'ghcr.io': { auth: base64('a:b') } } })
  expect(await find('ghcr.io')).toMatchObject({ username: 'a' })
})

test('a token of a helper is an identity token', async () => {
  await helper('store', 'echo \'{"Username":"<token>","Secret":"tok"}\'')
  await config({ credsStore: 'store' })
  expect(await find('ghcr.io')).toEqual({ identitytoken: 'tok', serveraddress: 'ghcr.io' })
})

test.each([
  ['exit 3', /exit code 3/],
  ['echo hello', /no JSON/],
])('a helper that fails (%s) is named, without what it printed', async (script, why) => {
  await helper('bad', `echo s3cret >&2; ${script}`)
  await config({ credsStore: 'bad' })
  const error: unknown = await find('ghcr.io').catch((thrown: unknown) => thrown)
  const message = expect.stringContaining('docker-credential-bad') as string
  expect(error).toMatchObject({ info: { code: 'registry/auth', message, why: expect.stringMatching(why) as string } })
  expect(JSON.stringify(error)).not.toContain('s3cret')
})

test('a helper that is not installed is said so', async () => {
  await config({ credsStore: 'absent' })
  const why = expect.stringContaining('not installed') as string
  await expect(find('ghcr.io')).rejects.toMatchObject({ info: { code: 'registry/auth', why } })
})

test('a helper that hangs ends with the signal', async () => {
  await helper('slow', 'exec sleep 600')
  await config({ credsStore: 'slow' })
  const stop = new AbortController()
  const found = findCredentials('ghcr.io', env, stop.signal)
  stop.abort()
  await expect(found).rejects.toMatchObject({ name: 'AbortError' })
})

test('the containers auth.json counts where Docker has nothing', async () => {
  const file = path.join(folder, '.config', 'containers', 'auth.json')
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, JSON.stringify({ auths: { 'quay.io': { auth: base64('p:q') } } }))
  expect(await find('quay.io')).toMatchObject({ username: 'p' })
})

test('unreadable configuration counts as none', async () => {
  await writeFile(path.join(folder, 'config.json'), '{ not json')
  expect(await find('quay.io')).toBeUndefined()
  await config({ auths: { 'quay.io': 3 }, credHelpers: [], credsStore: 7 })
  expect(await find('quay.io')).toBeUndefined()
})
