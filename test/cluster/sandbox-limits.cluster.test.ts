// What a namespace does not allow: quotas, policies, and operators that put it to sleep. Told in the cluster's own words, and not fought.
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { apiProxy } from '../support/api-proxy.js'
import { randomSuffix, testConnection, testImage, testNamespace, waitFor } from '../support/cluster.js'
import { homes, project, put, watch } from '../support/devloop.js'

vi.setConfig({ testTimeout: 240_000 })

let connection: KubeConnection
let image: string
beforeAll(async () => {
  connection = await testConnection()
  image = await testImage()
})
afterAll(() => connection.close())

const pods = (name: string, more = ''): string => `{
  replicas: 1,
  selector: { matchLabels: { app: '${name}' } },
  template: {
    metadata: { labels: { app: '${name}' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: '${image}', command: ['sleep', '3600'] }],
    },
  },
  ${more}
}`

const workload = (kind: string, name: string, more?: string): string =>
  `manifests('${name}', { apiVersion: 'apps/v1', kind: '${kind}', metadata: { name: '${name}' }, spec: ${pods(name, more)} })`

const devloopfile = (name: string, namespace: string, resources: readonly string[]): string => `
import { defineDevloop, manifests } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [${resources.join(',\n')}],
}))
`

async function started(resources: readonly string[], kubeconfig?: string) {
  const place = await testNamespace('devloop-limits')
  onTestFinished(place.remove)
  const name = `limits-${randomSuffix()}`
  const cwd = await project({ 'Devloopfile.ts': devloopfile(name, place.name, resources) })
  const env = { ...(await homes()), CI: '', ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }) }
  return {
    namespace: place.name,
    begin: () => watch([], { cwd, env }),
    save: (more: readonly string[]) => put(`${cwd}/Devloopfile.ts`, devloopfile(name, place.name, more)),
  }
}

test("over quota, a Deployment and a StatefulSet tell the quota's own numbers, and go on when there is room", async () => {
  const { namespace, begin } = await started([workload('Deployment', 'web'), workload('StatefulSet', 'db', `serviceName: 'db',`)])
  const quotas = `/api/v1/namespaces/${namespace}/resourcequotas`
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small' }, spec: { hard: { pods: '0' } } }
  await connection.request('POST', quotas, { body: quota })
  await waitFor(
    async () => ((await connection.request('GET', `${quotas}/small`)) as { status?: { hard?: object } }).status?.hard,
    { what: 'the quota to count' },
  )
  const watching = await begin()
  for (const name of ['web', 'db']) {
    const { error } = await watching.until(name, (view) => view.error?.code === 'cluster/denied', 60_000)
    expect(error?.message).toContain('cannot make its pods')
    expect(error?.why).toMatch(/exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0/)
  }
  await connection.request('PATCH', `${quotas}/small`, {
    body: { spec: { hard: { pods: '9' } } },
    contentType: 'application/merge-patch+json',
  })
  await watching.ready(120_000)
  expect(watching.resource('web')?.error ?? watching.resource('db')?.error).toBeUndefined()
})

test('what a policy denies is told on the resource in its own words, once; and it is deployed after a change', async () => {
  const policy = `devloop-test-${randomSuffix()}`
  const proxy = await apiProxy()
  onTestFinished(proxy.close)
  const { namespace, begin, save } = await started([workload('Deployment', 'web')], proxy.kubeconfig.file)
  const root = '/apis/admissionregistration.k8s.io/v1'
  const rule = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] }
  const make = async (kind: string, plural: string, spec: object): Promise<void> => {
    const body = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: policy }, spec }
    await connection.request('POST', `${root}/${plural}`, { body })
    onTestFinished(async () => void (await connection.request('DELETE', `${root}/${plural}/${policy}`)))
  }
  await make('ValidatingAdmissionPolicy', 'validatingadmissionpolicies', {
    failurePolicy: 'Fail',
    matchConstraints: { resourceRules: [rule] },
    validations: [
      {
        expression: 'has(object.spec.minReadySeconds) && object.spec.minReadySeconds == 1',
        message: 'minReadySeconds must be 1 on this cluster',
        reason: 'Forbidden',
      },
    ],
  })
  await make('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', {
    policyName: policy,
    validationActions: ['Deny'],
    matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
  })
  const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`
  // a policy takes effect a moment after it was made
  await waitFor(
    async () => {
      const body = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'probe' },
        spec: {
          selector: { matchLabels: { app: 'probe' } },
          template: { metadata: { labels: { app: 'probe' } }, spec: { containers: [{ name: 'main', image }] } },
        },
      }
      const query = { dryRun: 'All' }
      return connection.request('POST', deployments, { body, query }).then(
        () => false,
        () => true,
      )
    },
    { what: 'the policy to hold', everyMs: 200 },
  )
  const watching = await begin()
  const { error } = await watching.until('web', (view) => view.status === 'failed', 60_000)
  expect(error).toMatchObject({
    code: 'cluster/denied',
    message: `deployment/web in namespace ${namespace} is not admitted by the cluster.`,
  })
  expect(error?.why).toContain('denied request: minReadySeconds must be 1 on this cluster')
  const tries = (): number => proxy.requests.filter((one) => one === `PATCH ${deployments}/web`).length
  const before = tries()
  expect(before).toBe(1)
  expect(watching.resource('web')?.hold?.code).toBe('failed')
  // longer than the first pauses of what is tried again by itself
  const asked = proxy.requests.length
  await watching.client.request('trigger', { resource: 'web' })
  await waitFor(() => tries() === 2, { what: 'the try that was asked for' })
  expect(proxy.requests.length).toBeGreaterThan(asked)
  await save([workload('Deployment', 'web', 'minReadySeconds: 1')])
  await watching.ready(90_000)
  expect(tries()).toBe(3)
})

test('replicas that somebody else set to 0 are sleep, not a failure, and stay so until something is to be deployed', async () => {
  const { namespace, begin, save } = await started([workload('Deployment', 'web')])
  const watching = await begin()
  await watching.ready(90_000)
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`
  const scale = (replicas: number): Promise<unknown> =>
    connection.request('PATCH', path, {
      body: { spec: { replicas } },
      contentType: 'application/merge-patch+json',
      query: { fieldManager: 'hibernation-operator' },
    })
  const replicas = async (): Promise<number | undefined> =>
    ((await connection.request('GET', path)) as { spec: { replicas?: number } }).spec.replicas
  await scale(0)
  const { status, error, hold } = await watching.until('web', (view) => view.hold?.code === 'asleep')
  expect({ status, error }).toEqual({ status: 'pending', error: undefined })
  expect(hold?.message).toBe('deployment/web is asleep: hibernation-operator set its replicas to 0; a save or a trigger wakes it')
  expect(watching.session()?.ready).toBe(false)
  // another resource comes and goes: this one is let sleep
  await save([workload('Deployment', 'web'), workload('Deployment', 'other')])
  await watching.until('other', (view) => view.ready, 60_000)
  expect(await replicas()).toBe(0)
  // whoever put it to sleep wakes it
  await scale(1)
  await watching.ready(90_000)
  await connection.request('PATCH', `${path}/scale`, {
    body: { spec: { replicas: 0 } },
    contentType: 'application/merge-patch+json',
  })
  await watching.until('web', (view) => view.hold?.message.startsWith('deployment/web is asleep: somebody') ?? false)
  await watching.client.request('trigger', { resource: 'web' })
  await watching.ready(90_000)
  expect(await replicas()).toBe(1)
})
