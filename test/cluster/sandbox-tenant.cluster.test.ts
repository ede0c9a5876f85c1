// A developer's namespace under a Multi Tenant Operator: the sandbox that it gave is used; else one is made as members of tenants may.
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import type { KubeObject } from '../../src/model/plan.js'
import { apiProxy } from '../support/api-proxy.js'
import { randomSuffix, testConnection, testNamespace, waitFor } from '../support/cluster.js'
import { homes, project, start, watch } from '../support/devloop.js'
import { bindRole, ensure, installTenants, tenantGate, tenantPath, type Gate } from '../support/tenants.js'
import { certificateUser, type TestUser } from '../support/users.js'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

let connection: KubeConnection
let gate: Gate
let ann: TestUser
beforeAll(async () => {
  connection = await testConnection()
  await installTenants(connection)
  gate = await tenantGate(connection)
  ann = await certificateUser(`ann-${randomSuffix()}@aurora.org`, { groups: [gate.group] })
})
afterAll(async () => {
  await gate.remove()
  await ann.remove()
  connection.close()
})

const devloopfile = (name: string, cluster: string): string => `
import { defineDevloop, manifests } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], ${cluster} },
  resources: [manifests('settings', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { word: 'one' } })],
}))
`

async function member(cluster: string, kubeconfig = ann.kubeconfig) {
  const name = `mto-${randomSuffix()}`
  const cwd = await project({ 'Devloopfile.ts': devloopfile(name, cluster) })
  return { cwd, env: { ...(await homes()), KUBECONFIG: kubeconfig, CI: '' } }
}

/** A tenant with Ann as an editor, and rights to read it. */
async function tenantOfAnn(): Promise<string> {
  const name = `bluesky-${randomSuffix()}`
  await connection.request('POST', tenantPath(), {
    body: {
      apiVersion: 'tenantoperator.stakater.com/v1beta3',
      kind: 'Tenant',
      metadata: { name },
      spec: {
        quota: 'small',
        accessControl: { editors: { users: [ann.name] } },
        namespaces: { sandboxes: { enabled: true } },
      },
    },
    query: { fieldValidation: 'Strict' },
  })
  const rbac = 'rbac.authorization.k8s.io'
  const role = { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name } }
  const rules = [{ apiGroups: ['tenantoperator.stakater.com'], resources: ['tenants'], verbs: ['get'], resourceNames: [name] }]
  await ensure(connection, `/apis/${rbac}/v1/clusterroles`, { ...role, rules })
  await ensure(connection, `/apis/${rbac}/v1/clusterrolebindings`, {
    ...role,
    kind: 'ClusterRoleBinding',
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [{ apiGroup: rbac, kind: 'User', name: ann.name }],
  })
  onTestFinished(async () => {
    for (const path of [
      tenantPath(name),
      `/apis/${rbac}/v1/clusterroles/${name}`,
      `/apis/${rbac}/v1/clusterrolebindings/${name}`,
    ])
      await connection.request('DELETE', path).catch(() => undefined)
  })
  return name
}

test('the sandbox that the tenant gives is waited for and used, whatever its name, and left as it is', async () => {
  const tenant = await tenantOfAnn()
  const place = await testNamespace('some-sandbox')
  onTestFinished(place.remove)
  const { cwd, env } = await member(`tenant: '${tenant}', sandbox: { cpu: '1' }`)
  const watching = await watch([], { cwd, env })
  await waitFor(() => watching.output().includes(`waiting for the sandbox that the tenant ${tenant} is to give you`), {
    what: 'the line',
  })
  // as the controller does it: rights, and then the word of it
  await bindRole(connection, place.name, ann.name)
  await connection.request('PATCH', `${tenantPath(tenant)}/status`, {
    body: { status: { ready: true, deployedSandboxes: { [ann.name]: place.name } } },
    contentType: 'application/merge-patch+json',
  })
  await watching.ready()
  expect(watching.session()?.runtime.namespace).toBe(place.name)
  const { items } = (await connection.request('GET', `/api/v1/namespaces/${place.name}/resourcequotas`)) as { items: unknown[] }
  expect(items).toEqual([])
})

test('without a tenant, who may only make namespaces is told the denial and what to write', async () => {
  const { cwd, env } = await member('sandbox: true')
  const { code, stderr } = await start(['watch'], { cwd, env }).ended
  expect(code).toBe(1)
  expect(stderr).toMatch(/Cannot CREATE namespace mto-\S+ without label stakater.com\/tenant/)
  expect(stderr).toContain("Name your tenant in the Devloopfile: cluster: { tenant: 'NAME' }")
})

test('with a tenant, its label is on the one POST that makes the namespace, which is not read before; rights may come late', async () => {
  const proxy = await apiProxy(ann.kubeconfig)
  onTestFinished(proxy.close)
  const tenant = `redsky-${randomSuffix()}`
  const name = `${tenant}-dev`
  onTestFinished(async () => void (await connection.request('DELETE', `/api/v1/namespaces/${name}`).catch(() => undefined)))
  const { cwd, env } = await member(`tenant: '${tenant}', namespace: '${name}'`, proxy.kubeconfig.file)
  const watching = await watch([], { cwd, env })
  await waitFor(() => watching.output().includes(`waiting for rights in the namespace ${name}`), { what: 'the line' })
  const path = `/api/v1/namespaces/${name}`
  const before = proxy.requests.slice(0, proxy.requests.indexOf('POST /api/v1/namespaces'))
  expect(before.filter((one) => one.endsWith(path))).toEqual([])
  expect(proxy.requests.filter((one) => one === 'POST /api/v1/namespaces')).toHaveLength(1)
  const made = (await connection.request('GET', path)) as KubeObject
  expect(made.metadata.labels).toMatchObject({ 'stakater.com/tenant': tenant, 'app.kubernetes.io/managed-by': 'devloop' })
  expect(made.metadata.annotations).toMatchObject({ 'devloop.dev/owner-user': ann.name })
  await bindRole(connection, name, ann.name)
  await watching.ready()
  expect(watching.session()?.runtime.namespace).toBe(name)
})
