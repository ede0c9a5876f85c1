// Kustomizations: built by kubectl, applied, live-synced, built again when a file of any base changes, and pruned.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { statusOf } from '../../src/adapters/kube/errors.js'
import { waitFor } from '../support/cluster.js'
import { withKubeTools } from '../support/kube-tools.js'
import { appFiles, loop, type Loop, type Names } from '../support/loop.js'
import { deploymentYaml } from '../support/workloads.js'

const write = ({ name, namespace, base, port }: Names): string => `
import { defineDevloop, image, kustomize, restart, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('src', '/app/src'), sync('public', '/app/public'), restart({ on: 'src/**' })] })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [kustomize('shop', 'deploy/dev', { images: [web], forward: { 8080: ${port} } })],
}))
`

const deployment = deploymentYaml(
  'containers: [{ name: web, image: NAME/web:any, envFrom: [{ configMapRef: { name: settings } }] }]',
)

const files = (name: string): Record<string, string> => ({
  ...appFiles,
  'deploy/base/kustomization.yaml': 'resources: [web.yaml, extra.yaml]\n',
  'deploy/base/web.yaml': deployment.replace('NAME', name),
  'deploy/base/extra.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra }\ndata: { a: "1" }\n',
  'deploy/dev/kustomization.yaml': `
resources: [../base]
namePrefix: dev-
configMapGenerator:
  - name: settings
    envs: [settings.env]
`,
  'deploy/dev/settings.env': 'MODE=one\n',
})

async function begin(): Promise<{ one: Loop; watching: Awaited<ReturnType<Loop['begin']>> }> {
  const one = await loop({ devloopfile: write, files: {}, env: await withKubeTools() })
  for (const [path, text] of Object.entries(files(one.name))) await one.save(path, text)
  return { one, watching: await one.begin() }
}

const found = async (one: Loop, path: string): Promise<boolean> => {
  try {
    await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/${path}`)
    return true
  } catch (error) {
    if (statusOf(error)?.code === 404) return false
    throw error
  }
}

test('a kustomization is applied, synced into, and built again when a file of a base or a generator changes', async () => {
  const { one, watching } = await begin()
  await one.answers('one')
  const [before] = await one.pods('shop')
  expect(before?.name).toMatch(/^dev-web-/)

  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  expect((await one.pods('shop'))[0]?.uid).toBe(before?.uid)

  // a generated ConfigMap has another name, so the pods are replaced, and what was synced is in the new ones
  await one.save('deploy/dev/settings.env', 'MODE=two\n')
  await one.answers(/"MODE":"two"/, '/env', 60_000)
  await watching.ready(60_000)
  await one.answers('two')
  expect((await one.pods('shop'))[0]?.uid).not.toBe(before?.uid)
  await waitFor(() => watching.changes().at(-1)?.outcome === 'live', { what: 'the change to be live' })
  expect(watching.changes().at(-1)?.resources).toEqual(['shop'])

  await one.save('deploy/base/kustomization.yaml', 'resources: [web.yaml]\n')
  await waitFor(async () => !(await found(one, 'configmaps/dev-extra')), { what: 'the object to be pruned', timeoutMs: 30_000 })
  await watching.ready(60_000)
})

test('a kustomization that cannot be built says so in its words, what runs stays, and its mending is seen', async () => {
  const { one, watching } = await begin()
  const [before] = await one.pods('shop')
  await one.save('deploy/base/kustomization.yaml', 'resources: [web.yaml, later.yaml]\n')
  await waitFor(() => watching.resource('shop')?.error?.code === 'render/failed', { what: 'the error', timeoutMs: 30_000 })
  expect(watching.resource('shop')?.error?.why).toMatch(/later\.yaml/)
  expect((await one.pods('shop'))[0]?.uid).toBe(before?.uid)

  // a file that was not there when it was looked for
  await one.save('deploy/base/later.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: later }\n')
  await watching.ready(60_000)
  expect(await found(one, 'configmaps/dev-later')).toBe(true)

  await rm(join(one.folder, 'deploy/base/later.yaml'))
  await waitFor(() => watching.resource('shop')?.error?.code === 'render/failed', { what: 'the error', timeoutMs: 30_000 })
  expect(await found(one, 'configmaps/dev-later')).toBe(true)
})

test('without kustomize and kubectl, one error says how to get them', async () => {
  const one = await loop({ devloopfile: write, files: {}, env: { PATH: '/nowhere' } })
  for (const [path, text] of Object.entries(files(one.name))) await one.save(path, text)
  const watching = await one.watch()
  await waitFor(() => watching.resource('shop')?.error?.code === 'tool/missing', { what: 'the error', timeoutMs: 30_000 })
  expect(watching.resource('shop')?.error).toMatchObject({
    message: 'The kustomization shop needs `kustomize`, which is not installed.',
    help: expect.stringMatching(/https:\/\/kubernetes\.io/) as string,
  })
})
