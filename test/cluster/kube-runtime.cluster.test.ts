// The Kubernetes runtime as its users see it: deploy, observe, log, dial, replace, remove, on a real cluster.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createReleaseTool } from '../../src/adapters/manifests/helm-release.js'
import { createProcessRunner } from '../../src/adapters/process/process-runner.js'
import { openKubeRuntime } from '../../src/adapters/kube/runtime.js'
import type { AppSpec } from '../../src/model/plan.js'
import type { EngineBuilder } from '../../src/ports/image-builder.js'
import type { Observed, Runtime, RuntimeOptions } from '../../src/ports/runtime.js'
import type { SyncTransport } from '../../src/ports/sync-transport.js'
import {
  limitedUser,
  testConnection,
  testImage,
  testKubeconfig,
  testNamespace,
  testOptions,
  waitFor,
  withKubeconfig,
  type TestNamespace,
} from '../support/cluster.js'
import { plainGraph } from '../support/plain-graph.js'

let namespace: TestNamespace
let image: string
const never = new AbortController().signal

beforeAll(async () => {
  namespace = await testNamespace()
  image = await testImage()
})
afterAll(() => namespace.remove())

/** Building and live sync have tests of their own; here nothing may use them. */
const unused = (): never => {
  throw new Error('not part of this test')
}
const builder: EngineBuilder = {
  build: unused,
  exists: unused,
  identity: unused,
  save: unused,
  pullLogin: unused,
  provide: unused,
}
const sync: SyncTransport = { open: unused }
const processes = createProcessRunner()
const releases = createReleaseTool(processes)
const agent = { version: () => Promise.resolve(undefined), read: () => Promise.resolve(undefined) }

const open = (changes: Partial<RuntimeOptions> = {}, kubeconfig?: string): Promise<Runtime> =>
  withKubeconfig(kubeconfig, () =>
    openKubeRuntime({ builder: () => builder, sync: () => sync, agent, processes, releases })(
      testOptions({ namespace: namespace.name, ...changes }),
      never,
    ),
  )

function app(name: string, command: string[]): AppSpec {
  return {
    kind: 'app',
    name,
    ...plainGraph,
    forward: [],
    at: { file: '/Devloopfile.ts', line: 1 },
    image: { ref: image },
    ports: { http: 8080 },
    env: {},
    command,
    replicas: 1,
  }
}
const serve = (answer: string): string[] => [
  'node',
  '-e',
  `console.log('serving'); require('http').createServer((q, r) => r.end('${answer}')).listen(8080)`,
]
const request = (resource: AppSpec) => ({
  resource,
  images: {},
  restartable: new Set<string>(),
  apps: { [resource.name]: resource },
})

function watch(runtime: Runtime): Map<string, Observed> {
  const latest = new Map<string, Observed>()
  runtime.observe(
    (observed) => latest.set(observed.resource, observed),
    () => undefined,
  )
  return latest
}

describe('the kubernetes runtime', () => {
  it('deploys, follows, reaches and removes an app', async () => {
    const options = testOptions()
    const runtime = await open(options)
    expect(runtime.info).toMatchObject({
      kind: 'kubernetes',
      namespace: namespace.name,
      registry: { push: expect.any(String) as string },
    })
    const latest = watch(runtime)
    const first = await runtime.deploy(request(app('web', serve('one'))), never)
    expect(first.objects).toContain('deployment/web')
    const observed = await waitFor(() => (latest.get('web')?.rolledOut ? latest.get('web') : undefined), { what: 'the rollout' })
    const [pod] = observed.pods
    if (!pod) throw new Error('rolled out without a pod')
    expect(first.templates).toContain(pod.template)
    const [container] = pod.containers
    if (!container) throw new Error('a pod without a container')

    const lines: string[] = []
    const stop = new AbortController()
    const target = { containerId: container.containerId, namespace: pod.namespace, pod: pod.name, container: container.name }
    const logs = runtime.logs({ target, since: 0 }, (line) => lines.push(line.text), stop.signal)
    await waitFor(() => lines.includes('serving'), { what: 'its output' })
    stop.abort()
    await logs

    const stream = await runtime.dial(pod, 8080, never)
    stream.write('GET / HTTP/1.0\r\n\r\n')
    let answer = ''
    for await (const chunk of stream as AsyncIterable<Buffer>) answer += chunk.toString()
    expect(answer).toMatch(/^HTTP\/1.1 200[^]*one$/)

    // The same again changes nothing; something else makes a new pod.
    await runtime.deploy(request(app('web', serve('one'))), never)
    const second = await runtime.deploy(request(app('web', serve('two'))), never)
    // that the first was rolled out says nothing of the second
    expect(latest.get('web')).toMatchObject({ rolledOut: false })
    expect(latest.get('web')?.pods.map((one) => one.uid)).toContain(pod.uid)
    const after = await waitFor(
      () =>
        latest.get('web')?.rolledOut && latest.get('web')?.pods.every((one) => one.uid !== pod.uid)
          ? latest.get('web')
          : undefined,
      {
        what: 'the second rollout',
      },
    )
    expect(second.templates).toContain(after.pods[0]?.template)

    await runtime.replacePod(after.pods[0] as { namespace: string; name: string }, never)
    await waitFor(
      () => latest.get('web')?.rolledOut && latest.get('web')?.pods.some((one) => one.ready && one.uid !== after.pods[0]?.uid),
      { what: 'the replacement' },
    )

    expect(await runtime.deployed(never)).toEqual(['web'])
    await runtime.remove('web', never)
    await waitFor(() => latest.get('web')?.pods.length === 0, { what: 'the pods to go', timeoutMs: 60_000 })
    expect(await runtime.deployed(never)).toEqual([])
    await runtime.close()
  })

  it('refuses a cluster that the Devloopfile does not allow, and asks it for nothing', async () => {
    const production = await testKubeconfig({ context: 'kind-prod', server: 'https://203.0.113.9:6443' })
    const refused = open({ cluster: { contexts: ['dev'] } }, production.file)
    await expect(refused).rejects.toMatchObject({
      code: 'cluster/not-allowed',
      info: { help: expect.stringContaining(`cluster: { contexts: ['kind-prod'] }`) as string },
    })
    await production.remove()
  })

  it('names the right that a user lacks, and goes on when it is given', async () => {
    const read = ['get', 'list', 'watch']
    const user = await limitedUser(namespace.name, [
      { apiGroups: [''], resources: ['pods', 'services', 'secrets', 'configmaps', 'serviceaccounts'], verbs: ['*'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: read },
    ])
    const runtime = await open(
      { cluster: { contexts: ['*'], registry: { push: 'registry.example/dev', fallback: false } } },
      user.file,
    )
    expect(runtime.info.registry).toEqual({ push: 'registry.example/dev', pull: 'registry.example/dev' })
    const latest = watch(runtime)
    const refused = await runtime.deploy(request(app('late', serve('late'))), never).catch((thrown: unknown) => thrown)
    expect(refused).toMatchObject({
      code: 'cluster/forbidden',
      message: expect.stringContaining(`deployments.apps in namespace "${namespace.name}"`) as string,
    })
    const admin = await testConnection()
    const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace.name}/roles`
    const { items } = (await admin.request('GET', roles)) as { items: { metadata: { name: string } }[] }
    await admin.request('PATCH', `${roles}/${items.at(-1)?.metadata.name}`, {
      contentType: 'application/merge-patch+json',
      body: { rules: [{ apiGroups: ['', 'apps'], resources: ['*'], verbs: ['*'] }] },
    })
    await waitFor(async () => runtime.deploy(request(app('late', serve('late'))), never), { what: 'the deploy', everyMs: 200 })
    await waitFor(() => latest.get('late')?.rolledOut && latest.get('late')?.pods.some((pod) => pod.ready), {
      what: 'the rollout',
    })
    await runtime.remove('late', never)
    admin.close()
    await runtime.close()
    await user.remove()
  })

  it('says in time that the API server does not answer', async () => {
    const away = await testKubeconfig({ server: 'https://127.0.0.1:1' })
    await expect(open({}, away.file)).rejects.toMatchObject({
      code: 'cluster/unreachable',
      info: { why: 'Nothing listens there (connection refused).' },
    })
    await away.remove()
  })
})
