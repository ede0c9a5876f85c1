// The agent in pods that devloop deploys: where it gets to, what it does there, and what happens where it may not be.
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { KubeObject } from '../../src/model/plan.js'
import { randomSuffix, testRegistry, waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { withKubeTools } from '../support/kube-tools.js'
import { appFiles, devloopfile, loop, type Loop, type Names } from '../support/loop.js'
import { deploymentYaml, workload } from '../support/workloads.js'

const live = "[sync('public', '/app/public'), sync('src', '/app/src'), restart({ on: 'src/**' })]"

/** What is used to write into the one container of the one pod of a resource, once its stream is open. */
async function transport(watching: Watching): Promise<string | undefined> {
  const { pods } = await watching.until('web', (view) => {
    const [first, ...others] = view.pods
    return others.length === 0 && first?.targets[0]?.transport !== undefined
  })
  return pods[0]?.targets[0]?.transport
}

interface RawPod {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: { readonly initContainers?: readonly { readonly name: string; readonly image: string }[] }
}

const rawPods = async (one: Loop): Promise<readonly RawPod[]> =>
  ((await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/pods`)) as { items: RawPod[] }).items

/** Save a file that is read at each request, and one that restarts the process. The pod and its container stay. */
async function syncs(one: Loop, watching: Watching): Promise<void> {
  const [before] = await one.pods()
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live')
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  await watching.ready()
  expect(await one.pods()).toEqual([before])
}

/** Settings of the namespace of a test. */
const labelled = (one: Loop, labels: Readonly<Record<string, string>>): Promise<unknown> =>
  one.connection.request('PATCH', `/api/v1/namespaces/${one.namespace}`, {
    body: { metadata: { labels } },
    contentType: 'application/merge-patch+json',
  })

const make = (one: Loop, plural: string, object: Partial<KubeObject> & { kind: string }): Promise<unknown> =>
  one.connection.request('POST', `/api/v1/namespaces/${one.namespace}/${plural}`, { body: { apiVersion: 'v1', ...object } })

/** Refuse objects of the namespace of a test that have the agent in them, as long as the test takes. */
async function refuseAgent(one: Loop, group: string, resource: string, spec: string): Promise<void> {
  const name = `devloop-test-${randomSuffix()}`
  const base = '/apis/admissionregistration.k8s.io/v1'
  const create = (plural: string, kind: string, wanted: object): Promise<unknown> => {
    onTestFinished(async () => void (await one.connection.request('DELETE', `${base}/${plural}/${name}`)))
    const body = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name }, spec: wanted }
    return one.connection.request('POST', `${base}/${plural}`, { body })
  }
  const inits = `${spec}.initContainers`
  await create('validatingadmissionpolicies', 'ValidatingAdmissionPolicy', {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [{ apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: [resource] }],
    },
    validations: [
      { expression: `!has(${inits}) || ${inits}.all(one, one.name != 'devloop-agent')`, message: 'no strangers in our pods' },
    ],
  })
  await create('validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', {
    policyName: name,
    validationActions: ['Deny'],
    matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': one.namespace } } },
  })
  const pod = { initContainers: [{ name: 'devloop-agent', image: one.base }], containers: [{ name: 'main', image: one.base }] }
  const body =
    resource === 'pods'
      ? { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'try' }, spec: pod }
      : workload('apps/v1', 'Deployment', 'try', pod)
  const path = `${group === '' ? '/api/v1' : `/apis/${group}/v1`}/namespaces/${one.namespace}/${resource}`
  await waitFor(
    async () =>
      one.connection.request('POST', path, { body, query: { dryRun: 'All' } }).then(
        () => false,
        (error: unknown) => String(error).includes('no strangers') || JSON.stringify(error).includes('no strangers'),
      ),
    { what: 'the policy to be in force', timeoutMs: 60_000, everyMs: 200 },
  )
}

/** A release of Helm's that holds a Deployment of the image of the project. */
const release = ({ name, namespace, base, port }: Names): string => `
import { defineDevloop, helm, image, restart, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: ${live} })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [helm('web', { chart: 'chart', images: [web], forward: { 8080: ${port} }, set: { name: '${name}' }, release: true })],
}))
`
const chart = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.2.3\n',
  'chart/templates/web.yaml': deploymentYaml(
    'serviceAccountName: web',
    'containers: [{ name: web, image: "{{ .Values.name }}/web", ports: [{ containerPort: 8080 }] }]',
  ),
  'chart/templates/account.yaml': 'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: web }\n',
}

/** A Deployment `web` of the image of the project. */
const deployment =
  (pod: object, container: object = {}) =>
  ({ name, namespace, base, port }: Names): string => {
    const containers = [{ name: 'web', image: `${name}/web`, ports: [{ containerPort: 8080 }], ...container }]
    const object = workload('apps/v1', 'Deployment', 'web', { containers, ...pod })
    return `
import { defineDevloop, image, manifests, restart, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: ${live} })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [manifests('web', ${JSON.stringify(object)}, { images: [web], forward: { 8080: ${port} } })],
}))
`
  }

const nonRoot = `ARG BASE
FROM \${BASE}
WORKDIR /app
COPY . .
RUN chown -R 1000:1000 /app
USER 1000
CMD ["node", "src/server.js"]
`

const noShell = `ARG BASE
FROM \${BASE}
RUN ["node", "-e", "require('fs').rmSync('/bin', { recursive: true })"]
WORKDIR /app
COPY . .
CMD ["node", "src/server.js"]
`

test('where "restricted", a quota and a LimitRange are enforced, pods have it, and it writes and restarts', async () => {
  const one = await loop({
    devloopfile: devloopfile("pod: { limits: { cpu: '500m', memory: '200Mi' } }", live),
    files: { ...appFiles, 'app/Dockerfile': nonRoot },
  })
  await labelled(one, { 'pod-security.kubernetes.io/enforce': 'restricted' })
  await make(one, 'resourcequotas', {
    kind: 'ResourceQuota',
    metadata: { name: 'all' },
    spec: { hard: { 'requests.cpu': '2', 'requests.memory': '1Gi', 'limits.cpu': '2', 'limits.memory': '1Gi' } },
  })
  const bounds = { min: { cpu: '100m', memory: '100Mi' }, maxLimitRequestRatio: { cpu: '1', memory: '1' } }
  await make(one, 'limitranges', {
    kind: 'LimitRange',
    metadata: { name: 'all' },
    spec: { limits: [{ type: 'Container', ...bounds }] },
  })
  const watching = await one.begin()
  expect(await transport(watching)).toBe('agent')
  await syncs(one, watching)
  const [pod] = await rawPods(one)
  expect(pod?.spec.initContainers?.map(({ name }) => name)).toEqual(['devloop-agent'])
  expect(watching.resource('web')?.pods[0]?.containers.map(({ name }) => name)).toEqual(['web'])
  // what would be sent is what was sent
  expect((await one.devloop('render')).stdout).toContain(`image: ${pod?.spec.initContainers?.[0]?.image}`)
  expect(await one.devloop('diff')).toMatchObject({ code: 0, stdout: '' })
})

test('an image without a shell is written to and restarted', async () => {
  const one = await loop({ devloopfile: devloopfile('', live), files: { ...appFiles, 'app/Dockerfile': noShell } })
  const watching = await one.begin()
  expect([await transport(watching), watching.resource('web')?.warnings]).toEqual(['agent', []])
  await syncs(one, watching)
})

test.each([
  ['share their process namespace', { shareProcessNamespace: true }],
  ['see the processes of the node', { hostPID: true }],
  ['run as root by the pod', { securityContext: { runAsUser: 0 } }],
])('pods that %s', async (_what, pod) => {
  const one = await loop({ devloopfile: deployment(pod), files: appFiles })
  const watching = await one.begin()
  expect(await transport(watching)).toBe('agent')
  await syncs(one, watching)
})

test('`settings.agent: false`: the shell loop, which says so', async () => {
  const one = await loop({
    devloopfile: (names) => devloopfile('', live)(names).replace('resources:', 'settings: { agent: false }, resources:'),
  })
  const watching = await one.begin()
  expect(await transport(watching)).toMatch(/^shell loop .*; no agent: `settings.agent` is false$/)
  await syncs(one, watching)
  expect((await rawPods(one)).map(({ spec }) => spec.initContainers)).toEqual([undefined])

  // back again: another template
  const [before] = await one.pods()
  await one.save('Devloopfile.ts', devloopfile('', live)(one))
  await waitFor(async () => (await transport(watching)) === 'agent', { what: 'the agent', timeoutMs: 60_000 })
  await watching.ready(60_000)
  expect((await one.pods())[0]?.uid).not.toBe(before?.uid)
  await one.answers('two')
})

test.each([
  ['pods', '', 'pods', 'object.spec'],
  ['workloads', 'apps', 'deployments', 'object.spec.template.spec'],
])('where the cluster refuses %s because of it: the shell loop, and no failed deploy', async (_what, group, resource, spec) => {
  const one = await loop({ devloopfile: devloopfile('', live) })
  await refuseAgent(one, group, resource, spec)
  const watching = await one.begin()
  expect(await transport(watching)).toMatch(/^shell loop .*; no agent: the cluster refuses it: .*no strangers in our pods/s)
  await syncs(one, watching)
  expect(watching.resource('web')?.error).toBeUndefined()
  // the next run tries again, and rolls nothing out for that
  watching.child.kill('SIGINT')
  await watching.ended
  const before = await one.pods()
  const again = await one.begin()
  expect(await transport(again)).toContain('no strangers in our pods')
  expect(await one.pods()).toEqual(before)
})

/** The registry of the test bed at another address, where nodes get nothing of the agent. */
async function registryWithoutAgent(): Promise<string> {
  const { hostname, port } = new URL(`http://${await testRegistry()}`)
  const server = createServer((request, response) => {
    const { method, url = '', headers } = request
    if (url.includes('/devloop-agent') && headers['user-agent']?.startsWith('containerd')) {
      response.writeHead(403, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code: 'DENIED', message: 'nothing for nodes here' }] }))
      return
    }
    const passed = forward({ hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    request.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `localhost:${(server.address() as AddressInfo).port}`
}

test('where nodes cannot pull its image: the pods are soon deployed without it', async () => {
  const registry = await registryWithoutAgent()
  const one = await loop({
    devloopfile: (names) => devloopfile('', live)(names).replace("contexts: ['*'],", `contexts: ['*'], registry: '${registry}',`),
  })
  const watching = await one.begin()
  expect(await transport(watching)).toMatch(
    /^shell loop .*; no agent: it does not start in the pod: .*(?:denied|403|nothing for nodes)/is,
  )
  await syncs(one, watching)
  expect(watching.resource('web')?.error).toBeUndefined()
})

test.each<[string, [group: string, resource: string, spec: string]?]>([
  ['nothing'],
  ['pods', ['', 'pods', 'object.spec']],
  ['workloads', ['apps', 'deployments', 'object.spec.template.spec']],
])('a Helm release where the cluster refuses %s because of it', async (_what, refusal) => {
  const one = await loop({ devloopfile: release, files: { ...appFiles, ...chart }, env: await withKubeTools('helm 4') })
  if (refusal) await refuseAgent(one, ...refusal)
  const revisions = async (): Promise<readonly (string | undefined)[]> => {
    const list = await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/secrets`, {
      query: { labelSelector: 'owner=helm' },
    })
    return (list as { items: KubeObject[] }).items.map(({ metadata }) => metadata.labels?.['status'])
  }
  const told = refusal ? /^shell loop .*; no agent: the cluster refuses it: .*no strangers in our pods/s : /^agent$/
  const watching = await one.begin()
  expect(await transport(watching)).toMatch(told)
  expect(watching.resource('web')?.error).toBeUndefined()
  await syncs(one, watching)
  watching.child.kill('SIGINT')
  await watching.ended
  const before = await one.pods()
  const again = await one.begin()
  expect(await transport(again)).toMatch(told)
  expect(await one.pods()).toEqual(before)
  expect(await revisions()).toEqual(['deployed'])
})

test('the agent of another version in a pod: the shell loop, until the pod is replaced', async () => {
  const one = await loop({ devloopfile: devloopfile('', live) })
  const first = await one.begin()
  first.child.kill('SIGINT')
  await first.ended
  const [pod] = await one.pods()
  await one.connection.request('PATCH', `/api/v1/namespaces/${one.namespace}/pods/${pod?.name}`, {
    body: { metadata: { annotations: { 'devloop.dev/agent': '0000000000000000' } } },
    contentType: 'application/merge-patch+json',
  })
  const watching = await one.begin()
  expect(await transport(watching)).toMatch(/^shell loop .*; no agent: that in the pod is of another version of devloop$/)
  // the process is still the agent's, which the shell loop can ask as well
  await syncs(one, watching)
})
