// `devloop provision --tenant`: a place in a tenant of a Multi Tenant Operator, which is imitated here.
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import type { KubeObject } from '../../src/model/plan.js'
import { randomSuffix, testConnection, testNamespace, waitFor } from '../support/cluster.js'
import { homes, project, run, type Ended } from '../support/devloop.js'
import { installTenants, tenantPath } from '../support/tenants.js'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

let admin: KubeConnection
beforeAll(async () => {
  admin = await testConnection()
  await installTenants(admin)
})
afterAll(() => admin.close())

const read = async (path: string): Promise<KubeObject | undefined> =>
  admin.request('GET', path).then(
    (found) => found as KubeObject,
    () => undefined,
  )
const outcomes = ({ stdout }: Ended): string[] => stdout.split('\n').filter((line) => / (tenant|quota)\//.test(line))

test('a tenant with a quota is made for the first user, and a second one is added; the sandbox is what the operator says', async () => {
  const tenant = `sky-${randomSuffix()}`
  const quotas = '/apis/tenantoperator.stakater.com/v1beta1/quotas'
  const cwd = await project({
    'Devloopfile.ts': `
import { defineDevloop } from 'devloop'
export default defineDevloop(() => ({
  name: 'sky',
  cluster: { contexts: ['*'], tenant: '${tenant}', sandbox: { cpu: '2', memory: '1Gi' } },
  resources: [],
}))
`,
  })
  const env = { ...(await homes()), CI: '' }
  const provision = (user: string, ...args: readonly string[]): Promise<Ended> =>
    run(['provision', '--user', user, ...args], { cwd, env })
  const [ann, bob] = ['ann', 'bob'].map((name) => `${name}-${randomSuffix()}@aurora.org`) as [string, string]
  onTestFinished(async () => {
    for (const path of [tenantPath(tenant), `${quotas}/${tenant}`]) await admin.request('DELETE', path).catch(() => undefined)
  })

  const dry = await provision(ann, '--dry-run')
  expect([dry.code, dry.stderr, outcomes(dry)]).toEqual([
    0,
    '',
    [`would create quota/${tenant}`, `would create tenant/${tenant}`],
  ])
  expect(await read(tenantPath(tenant))).toBeUndefined()

  // as the controller does it: some time after, and by a name of its own
  const place = await testNamespace('any-name')
  onTestFinished(place.remove)
  const controller = waitFor(() => read(tenantPath(tenant)), { what: 'the tenant', timeoutMs: 60_000 }).then(() =>
    admin.request('PATCH', `${tenantPath(tenant)}/status`, {
      body: { status: { ready: true, deployedSandboxes: { [ann]: place.name } } },
      contentType: 'application/merge-patch+json',
    }),
  )
  const file = join(cwd, 'ann.kubeconfig')
  const first = await provision(ann, '--group', 'devs', '--kubeconfig', file)
  await controller
  expect([first.code, outcomes(first)]).toEqual([0, [`created quota/${tenant}`, `created tenant/${tenant}`]])
  expect(first.stdout).toContain(`the namespace of ${ann} in ${admin.context} is ${place.name}\n`)
  expect((await read(tenantPath(tenant)))?.spec).toMatchObject({
    quota: tenant,
    accessControl: { editors: { users: [ann], groups: ['devs'] } },
    namespaces: { sandboxes: { enabled: true } },
  })
  expect((await read(`${quotas}/${tenant}`))?.spec).toMatchObject({
    resourcequota: { hard: { 'requests.cpu': '2', 'limits.memory': '1Gi' } },
  })
  const connection = await testConnection(file)
  onTestFinished(() => connection.close())
  await connection.request('GET', `/api/v1/namespaces/${place.name}/pods`)

  const before = (await read(tenantPath(tenant)))?.metadata
  const again = await provision(ann, '--group', 'devs')
  expect([again.code, outcomes(again)]).toEqual([0, [`unchanged tenant/${tenant}`]])
  expect((await read(tenantPath(tenant)))?.metadata).toEqual(before)

  // what others said of it, and whoever is in it, stays
  const merge = { contentType: 'application/merge-patch+json' }
  await admin.request('PATCH', tenantPath(tenant), { body: { spec: { desc: 'by hand' } }, ...merge })
  await admin.request('PATCH', `${tenantPath(tenant)}/status`, {
    body: { status: { deployedSandboxes: { [bob]: place.name } } },
    ...merge,
  })
  const second = await provision(bob)
  expect([second.code, outcomes(second)]).toEqual([0, [`changed tenant/${tenant}`]])
  expect((await read(tenantPath(tenant)))?.spec).toMatchObject({
    desc: 'by hand',
    quota: tenant,
    accessControl: { editors: { users: [ann, bob], groups: ['devs'] } },
  })
})
