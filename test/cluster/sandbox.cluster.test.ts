// A developer's namespace on a plain cluster: made, given what the Devloopfile says, found again, taken away; or asked of an administrator.
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { parse } from 'yaml'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import type { KubeObject } from '../../src/model/plan.js'
import { ownNamespace } from '../../src/model/sandbox.js'
import { randomSuffix, testConnection, testKubeconfig, testNamespace, waitFor } from '../support/cluster.js'
import { homes, project, put, run, start, watch } from '../support/devloop.js'
import { certificateUser } from '../support/users.js'

vi.setConfig({ testTimeout: 240_000 })

let connection: KubeConnection
/** The user of KUBECONFIG as the API server knows it. */
let self: string
beforeAll(async () => {
  connection = await testConnection()
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const review = await connection.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { body })
  self = (review as { status: { userInfo: { username: string } } }).status.userInfo.username
})
afterAll(() => connection.close())

/** A project with one ConfigMap: nothing has to be built or started. */
const devloopfile = (name: string, cluster: string): string => `
import { defineDevloop, manifests } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], ${cluster} },
  resources: [manifests('settings', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { word: 'one' } })],
}))
`

async function sandboxed(cluster: string, kubeconfig?: string) {
  const name = `box-${randomSuffix()}`
  const cwd = await project({ 'Devloopfile.ts': devloopfile(name, cluster) })
  const config = await testKubeconfig({ namespace: 'default' })
  onTestFinished(config.remove)
  const env = { ...(await homes()), KUBECONFIG: kubeconfig ?? config.file, CI: '' }
  return { name, cwd, env, save: (text: string) => put(`${cwd}/Devloopfile.ts`, devloopfile(name, text)) }
}

const read = async (path: string): Promise<KubeObject | undefined> =>
  connection.request('GET', path).then(
    (found) => found as KubeObject,
    () => undefined,
  )
const leave = (namespace: string): void =>
  onTestFinished(async () => void (await connection.request('DELETE', `/api/v1/namespaces/${namespace}`).catch(() => undefined)))

/** Every object of a sandbox, with its version. */
async function versions(namespace: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const add = (kind: string, { name, resourceVersion }: { name: string; resourceVersion?: string }): void => {
    found[`${kind}/${name}`] = resourceVersion ?? ''
  }
  for (const [root, kinds] of [
    ['/api/v1', ['limitranges', 'serviceaccounts']],
    ['/apis/networking.k8s.io/v1', ['networkpolicies']],
    ['/apis/rbac.authorization.k8s.io/v1', ['rolebindings']],
  ] as const) {
    for (const kind of kinds) {
      const { items } = (await connection.request('GET', `${root}/namespaces/${namespace}/${kind}`)) as { items: KubeObject[] }
      for (const { metadata } of items) add(kind, metadata as { name: string })
    }
  }
  const itself = await read(`/api/v1/namespaces/${namespace}`)
  if (itself) add('namespace', itself.metadata as { name: string })
  return found
}

test("a namespace of one's own is made with all that was asked for, found again unchanged, and deleted", async () => {
  const { name, cwd, env, save } = await sandboxed(
    `sandbox: { cpu: '4', memory: '2Gi', pods: 9, serviceAccount: 'apps', expires: 48, access: { groups: ['team'] } }`,
  )
  const namespace = ownNamespace(self, name)
  leave(namespace)
  const first = await watch([], { cwd, env })
  await first.ready()
  expect(first.session()?.runtime.namespace).toBe(namespace)

  const { metadata } = (await read(`/api/v1/namespaces/${namespace}`)) ?? {}
  expect(metadata?.labels).toMatchObject({
    'app.kubernetes.io/managed-by': 'devloop',
    'devloop.dev/owner': expect.stringMatching(/^[-a-z0-9]+$/) as string,
    'pod-security.kubernetes.io/enforce': 'baseline',
  })
  expect(metadata?.annotations).toMatchObject({ 'devloop.dev/owner-user': self })
  const hours = (Date.parse(metadata?.annotations?.['devloop.dev/expires'] ?? '') - Date.now()) / 3_600_000
  expect(hours).toBeGreaterThan(47)
  expect(hours).toBeLessThanOrEqual(48)
  expect((await read(`/api/v1/namespaces/${namespace}/resourcequotas/devloop`))?.spec).toEqual({
    hard: { 'limits.memory': '2Gi', pods: '9', 'requests.cpu': '4', 'requests.memory': '2Gi' },
  })
  const before = await versions(namespace)
  expect(Object.keys(before)).toEqual(
    expect.arrayContaining([
      'limitranges/devloop',
      'networkpolicies/devloop',
      'rolebindings/devloop-access',
      'serviceaccounts/apps',
      'namespace/' + namespace,
    ]),
  )
  first.child.kill('SIGINT')
  await first.ended

  const second = await watch([], { cwd, env })
  await second.ready()
  expect(await versions(namespace)).toEqual(before)
  // what is asked for differently is brought there, and what is not asked for any more goes
  await save(`sandbox: { network: 'open', podSecurity: 'restricted', access: { role: 'view' } }`)
  await waitFor(async () => (await versions(namespace))['networkpolicies/devloop'] === undefined, { what: 'the policy to go' })
  const binding = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/devloop-access`
  await waitFor(async () => ((await read(binding)) as { roleRef?: { name: string } } | undefined)?.roleRef?.name === 'view', {
    what: 'the other role',
  })
  await waitFor(
    async () =>
      (await read(`/api/v1/namespaces/${namespace}`))?.metadata.labels?.['pod-security.kubernetes.io/enforce'] === 'restricted',
    { what: 'the other level' },
  )
  expect(await read(`/api/v1/namespaces/${namespace}/resourcequotas/devloop`)).toBeUndefined()
  await second.ready()
  second.child.kill('SIGINT')
  await second.ended

  const annotate = (annotations: object): Promise<unknown> =>
    connection.request('PATCH', `/api/v1/namespaces/${namespace}`, {
      body: { metadata: { annotations } },
      contentType: 'application/merge-patch+json',
    })
  await annotate({ 'devloop.dev/owner-user': 'somebody-else', 'devloop.dev/expires': '2026-01-01T00:00:00Z' })
  const theirs = await run(['down', '--delete-namespace'], { cwd, env })
  expect(theirs.stdout).toContain(`kept namespace/${namespace}: it belongs to somebody-else`)
  const others = await run(['down', '--expired'], { cwd, env })
  expect(others.stdout).not.toContain(namespace)
  await annotate({ 'devloop.dev/owner-user': self })
  const down = await run(['down', '--expired'], { cwd, env })
  expect(down).toMatchObject({ code: 0, stdout: expect.stringContaining(`namespace/${namespace}`) as string })
  expect(await read(`/api/v1/namespaces/${namespace}`)).toBeUndefined()
  const again = await run(['ci'], { cwd, env })
  expect(again).toMatchObject({ code: 0 })
  const last = await run(['down', '--delete-namespace'], { cwd, env })
  expect(last).toMatchObject({ code: 0, stdout: expect.stringContaining(`namespace/${namespace}`) as string })
  expect(await read(`/api/v1/namespaces/${namespace}`)).toBeUndefined()
})

test('the login of the registry is given to all pods that name no account, and shown nowhere', async () => {
  const { name, cwd, env } = await sandboxed(
    `registry: 'registry.example.com/dev', sandbox: { pullSecret: true, network: 'open' }`,
  )
  const namespace = ownNamespace(self, name)
  leave(namespace)
  const password = `pw-${randomSuffix()}${randomSuffix()}`
  const auth = Buffer.from(`ann:${password}`).toString('base64')
  await put(`${cwd}/docker/config.json`, JSON.stringify({ auths: { 'registry.example.com': { auth } } }))
  const watching = await watch([], { cwd, env: { ...env, DOCKER_CONFIG: `${cwd}/docker` } })
  await watching.ready()
  const secret = await read(`/api/v1/namespaces/${namespace}/secrets/devloop-pull`)
  const config = (secret?.data as Record<string, string> | undefined)?.['.dockerconfigjson'] ?? ''
  expect(JSON.parse(Buffer.from(config, 'base64').toString())).toEqual({ auths: { 'registry.example.com': { auth } } })
  expect(await read(`/api/v1/namespaces/${namespace}/serviceaccounts/default`)).toMatchObject({
    imagePullSecrets: [{ name: 'devloop-pull' }],
  })
  expect(`${watching.output()}${JSON.stringify([...watching.client.views().values()])}`).not.toContain(password)
})

test('what devloop did not make for this user is used and left as it is', async () => {
  const place = await testNamespace()
  onTestFinished(place.remove)
  const before = await versions(place.name)
  const { cwd, env } = await sandboxed(`sandbox: { cpu: '4' }, namespace: '${place.name}'`)
  const watching = await watch([], { cwd, env })
  await watching.ready()
  await waitFor(() => watching.output().includes('devloop did not make it for you'), { what: 'the line' })
  expect(await versions(place.name)).toEqual(before)
  watching.child.kill('SIGINT')
  await watching.ended
  const { stdout } = await run(['down', '--delete-namespace'], { cwd, env })
  expect(stdout).not.toContain('namespace/')
  expect(await read(`/api/v1/namespaces/${place.name}`)).toBeDefined()
})

test('who may make nothing gets one error with what an administrator applies, and after that all goes by itself', async () => {
  const user = await certificateUser(`ann-${randomSuffix()}@aurora.org`)
  onTestFinished(user.remove)
  const { name, cwd, env } = await sandboxed('sandbox: true', user.kubeconfig)
  const namespace = ownNamespace(user.name, name)
  leave(namespace)
  const refused = await start(['watch'], { cwd, env }).ended
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(`"${namespace}" does not exist for you, and you may not make it`)
  expect(refused.stderr).toContain(`devloop provision --user '${user.name}' --namespace ${namespace}`)
  // told once, and not tried again
  expect(refused.stderr.split('you may not make it')).toHaveLength(2)

  const verdict = await run(['ci'], { cwd, env })
  expect(verdict.code).toBe(1)
  expect(verdict.stdout + verdict.stderr).toContain('you may not make it')

  const manifest = parse(refused.stderr.slice(refused.stderr.indexOf('  apiVersion: v1'))) as { items: KubeObject[] }
  const [itself, ...objects] = manifest.items
  await connection.request('POST', '/api/v1/namespaces', { body: itself, query: { fieldValidation: 'Strict' } })
  const roots: Record<string, string> = {
    NetworkPolicy: 'apis/networking.k8s.io/v1/NS/networkpolicies',
    RoleBinding: 'apis/rbac.authorization.k8s.io/v1/NS/rolebindings',
  }
  for (const object of objects) {
    const path = `/${roots[object.kind]?.replace('NS', `namespaces/${namespace}`)}`
    await connection.request('POST', path, { body: object, query: { fieldValidation: 'Strict' } })
  }
  const watching = await watch([], { cwd, env })
  await watching.ready()
  expect(watching.session()?.runtime.namespace).toBe(namespace)
  // what it may neither read nor change (the rights) is as it should be: nothing to warn of
  expect(watching.output()).not.toContain('is not as cluster.sandbox says')
})

test('a namespace that is being deleted is waited for, with a line that says so', async () => {
  const place = await testNamespace()
  onTestFinished(place.remove)
  const maps = `/api/v1/namespaces/${place.name}/configmaps`
  const held = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['devloop.dev/test'] } }
  await connection.request('POST', maps, { body: held })
  await connection.request('DELETE', `/api/v1/namespaces/${place.name}`)
  const { cwd, env } = await sandboxed(`sandbox: true, namespace: '${place.name}'`)
  const watching = await watch([], { cwd, env })
  await waitFor(() => watching.output().includes(`waiting until the namespace ${place.name}, which is being deleted, is gone`), {
    what: 'the line',
  })
  await connection.request('PATCH', `${maps}/held`, {
    body: { metadata: { finalizers: null } },
    contentType: 'application/merge-patch+json',
  })
  await watching.ready()
  expect((await read(`/api/v1/namespaces/${place.name}`))?.metadata.annotations).toMatchObject({ 'devloop.dev/owner-user': self })
})
