// The whole way with registries that want a login: built, pushed, and pulled by pods with a pull secret; and what is told when not.
// Needs what registry-login.cluster.test.ts needs, and nodes that can be told to trust a registry (DEVLOOP_TEST_CERTS_D).
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createAuthority, type Authority } from '../support/certificates.js'
import { withKubeTools } from '../support/kube-tools.js'
import { appFiles, loop, type Loop, type Names } from '../support/loop.js'
import { htpasswdUser, nodeCertificates, ownAddresses, startRegistry, type TestRegistry } from '../support/registries.js'
import { startTokenServer, type TokenServer } from '../support/token-server.js'

const run = promisify(execFile)
const writer = { name: 'writer', password: 'wr1ter-pass', identityToken: 'identity-of-writer-0123', may: () => ['pull', 'push'] }
const reader = { name: 'reader', password: 're4der-pass', identityToken: 'identity-of-reader-0123', may: () => ['pull'] }
const wrong = 'n0t-the-password'
const secrets = [htpasswdUser.password, writer.password, writer.identityToken, reader.password, reader.identityToken, wrong]

let authority: Authority
let tokens: TokenServer
let basic: TestRegistry
let bearer: TestRegistry

beforeAll(async () => {
  if (!nodeCertificates())
    throw new Error('Set DEVLOOP_TEST_CERTS_D to the folder where the nodes find which registries they trust.')
  authority = await createAuthority()
  const certificate = await authority.issue('registry', ownAddresses())
  tokens = await startTokenServer(ownAddresses()[0] ?? '', certificate, [writer, reader])
  basic = await startRegistry({ authority, certificate, auth: 'htpasswd' })
  bearer = await startRegistry({ authority, certificate, auth: tokens })
})
afterAll(async () => {
  await Promise.all([basic?.remove(), bearer?.remove(), tokens?.close()])
  await authority?.remove()
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const login = (name: string, password: string): object => ({ auth: base64(`${name}:${password}`) })

/** A Docker configuration of the test's own. */
async function docker(config: object): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'devloop-docker-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(config))
  return folder
}

const devloopfile =
  (cluster: string) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, image, manifests } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' } })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}', ${cluster} },
  resources: [
    app('web', { image: web, ports: { http: 8080 }, forward: { http: ${port} } }),
    manifests('other', [{
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'other' },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'web', image: '${name}/web' }] },
    }], { images: [web] }),
  ],
}))
`

/** No secret, in any form, in what was printed, logged, sent to clients or kept on disk. */
async function expectNoSecret(one: Loop, printed: string, views: unknown): Promise<void> {
  const { stdout } = await run(
    'sh',
    ['-c', 'find "$0" "$1" -type f -exec cat {} +', one.env['XDG_STATE_HOME'] ?? '', one.env['XDG_RUNTIME_DIR'] ?? ''],
    {
      maxBuffer: 1e8,
    },
  )
  for (const text of [printed, JSON.stringify(views), stdout]) {
    for (const secret of secrets) {
      expect(text).not.toContain(secret)
      expect(text).not.toContain(base64(secret))
    }
  }
}

const imagesOfPods = async (one: Loop): Promise<readonly string[]> => {
  const { items } = (await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/pods`)) as {
    items: { spec: { containers: { image: string }[] }; status: { conditions?: { type: string; status: string }[] } }[]
  }
  return items
    .filter(({ status }) => status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    .flatMap(({ spec }) => spec.containers.map(({ image }) => image))
}

const secretNames = async (one: Loop): Promise<readonly string[]> => {
  const { items } = (await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/secrets`)) as {
    items: { type: string; metadata: { name: string } }[]
  }
  return items.filter(({ type }) => type === 'kubernetes.io/dockerconfigjson').map(({ metadata }) => metadata.name)
}

test('a copied login: pushed by one name, pulled by another, and gone with `down`', async () => {
  const [push = '', pull = push] = basic.names
  const one = await loop({
    files: appFiles,
    devloopfile: devloopfile(`registry: { push: '${push}/team', pull: '${pull}/team' }, pullSecret: true`),
    env: { DOCKER_CONFIG: await docker({ auths: { [push]: login(htpasswdUser.name, htpasswdUser.password) } }) },
  })
  const devloop = await one.begin()
  await one.answers('one')
  for (const image of await imagesOfPods(one)) expect(image).toContain(`${pull}/team/${one.name}_web:devloop-`)
  expect(await secretNames(one)).toEqual(['other.devloop-pull', 'web.devloop-pull'])
  // what the nodes do not have yet is pulled with it too
  await one.save('app/src/word.txt', 'two')
  await one.answers('two', '/', 60_000)
  await expectNoSecret(one, devloop.output(), [...devloop.client.views().values()])
  devloop.child.kill('SIGINT')
  await devloop.ended
  expect((await one.devloop('down')).code).toBe(0)
  expect(await secretNames(one)).toEqual([])
})

test('a Helm release pulls with a copied login, its hooks before anything is installed, and nothing is left after `down`', async () => {
  const [host = ''] = basic.names
  const one = await loop({
    files: {
      ...appFiles,
      'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
      'chart/templates/hook.yaml':
        'apiVersion: batch/v1\nkind: Job\nmetadata: { name: before, annotations: { helm.sh/hook: pre-install } }\nspec: { backoffLimit: 0, template: { spec: { restartPolicy: Never, containers: [{ name: web, image: "{{ .Values.image }}", command: ["true"] }] } } }\n',
      'chart/templates/web.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { terminationGracePeriodSeconds: 0, containers: [{ name: web, image: "{{ .Values.image }}" }] }\n',
    },
    devloopfile: ({ name, namespace, base, port }) => `
import { defineDevloop, helm, image } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' } })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}', registry: '${host}', pullSecret: true },
  resources: [helm('web', { chart: 'chart', values: { image: '${name}/web' }, images: [web], forward: { 8080: ${port} }, release: true })],
}))
`,
    env: {
      DOCKER_CONFIG: await docker({ auths: { [host]: login(htpasswdUser.name, htpasswdUser.password) } }),
      ...(await withKubeTools()),
    },
  })
  const devloop = await one.begin()
  await one.answers('one')
  expect(await secretNames(one)).toEqual(['web.devloop-pull'])
  await expectNoSecret(one, devloop.output(), [...devloop.client.views().values()])
  devloop.child.kill('SIGINT')
  await devloop.ended
  expect(await one.devloop('diff')).toMatchObject({ code: 0, stdout: '' })
  expect((await one.devloop('down')).code).toBe(0)
  expect(await secretNames(one)).toEqual([])
})

test('an identity token pushes, and pods pull with a Secret that is there, which only reads', async () => {
  const [host = ''] = bearer.names
  const one = await loop({
    files: appFiles,
    devloopfile: devloopfile(`registry: '${host}', pullSecret: 'reader'`),
    env: { DOCKER_CONFIG: await docker({ auths: { [host]: { identitytoken: writer.identityToken } } }) },
  })
  const text = JSON.stringify({ auths: { [host]: login(reader.name, reader.password) } })
  await one.connection.request('POST', `/api/v1/namespaces/${one.namespace}/secrets`, {
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'reader' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': base64(text) },
    },
  })
  const devloop = await one.begin()
  await one.answers('one')
  expect(await imagesOfPods(one)).toHaveLength(2)
  expect(tokens.asked).toContainEqual({ user: 'writer', by: 'identity token', scope: expect.stringMatching(/push/) as string })
  expect(tokens.asked).toContainEqual({ user: 'reader', by: 'password', scope: expect.stringMatching(/pull/) as string })
  await expectNoSecret(one, devloop.output(), [...devloop.client.views().values()])
  devloop.child.kill('SIGINT')
  await devloop.ended
  expect((await one.devloop('down')).code).toBe(0)
  expect(await secretNames(one)).toEqual(['reader'])
})

test('an identity token cannot be copied, which is told', async () => {
  const [host = ''] = bearer.names
  const one = await loop({
    files: appFiles,
    devloopfile: devloopfile(`registry: '${host}', pullSecret: true`),
    env: { DOCKER_CONFIG: await docker({ auths: { [host]: { identitytoken: writer.identityToken } } }) },
  })
  const devloop = await one.watch()
  const { error } = await devloop.until('web', (view) => view.error?.code === 'registry/pull-secret', 90_000)
  expect(error?.help).toContain('kubectl create secret docker-registry')
  await expectNoSecret(one, devloop.output(), [...devloop.client.views().values()])
})

test('a wrong password and a right that is missing: one error each, and a login that comes is used', async () => {
  const [host = ''] = bearer.names
  const config = await docker({ auths: { [host]: login(writer.name, wrong) } })
  const file = path.join(config, 'config.json')
  const one = await loop({
    files: appFiles,
    devloopfile: devloopfile(`registry: '${host}', pullSecret: true`),
    env: { DOCKER_CONFIG: config },
  })
  const devloop = await one.watch()
  const told = async (code: string): Promise<string> => {
    const { error } = await devloop.until('web', (view) => view.error?.code === code, 60_000)
    return error?.message ?? ''
  }
  expect(await told('registry/auth')).toContain(`refused the credentials of writer to push ${host}/`)
  await writeFile(file, JSON.stringify({ auths: { [host]: login(reader.name, reader.password) } }))
  expect(await told('registry/denied')).toContain('took the login of reader')
  await writeFile(file, JSON.stringify({ auths: { [host]: login(writer.name, writer.password) } }))
  await devloop.ready(90_000)
  await expectNoSecret(one, devloop.output(), [...devloop.client.views().values()])
  expect(await readFile(file, 'utf8')).toContain(base64(`${writer.name}:${writer.password}`))
})
