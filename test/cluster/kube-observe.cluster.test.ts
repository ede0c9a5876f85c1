// Pods and workloads of a real cluster as they are told.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import {
  imagesAnnotation,
  managedBy,
  managedByLabel,
  instanceLabel,
  projectLabel,
  resourceLabel,
  restartableAnnotation,
  templateLabel,
} from '../../src/adapters/kube/labels.js'
import { createObserver, type Observer } from '../../src/adapters/kube/observe.js'
import type { ErrorInfo } from '../../src/errors/devloop-error.js'
import type { Observed } from '../../src/ports/runtime.js'
import {
  limitedUser,
  proxiedCluster,
  randomSuffix,
  testConnection,
  testImage,
  testNamespace,
  waitFor,
  type TestNamespace,
} from '../support/cluster.js'

let namespace: TestNamespace
let connection: KubeConnection
let image: string
const owner = { project: 'observed', instance: `i-${randomSuffix()}` }
const life = new AbortController()

beforeAll(async () => {
  namespace = await testNamespace()
  connection = await testConnection(undefined, { namespace: namespace.name })
  image = await testImage()
})
afterAll(async () => {
  life.abort()
  connection.close()
  await namespace.remove()
})

interface Watching {
  readonly observer: Observer
  readonly latest: Map<string, Observed>
  readonly told: Observed[]
  readonly lost: (ErrorInfo | null)[]
  stop(): void
}

function observe(through: KubeConnection = connection): Watching {
  const controller = new AbortController()
  life.signal.addEventListener('abort', () => controller.abort())
  const observer = createObserver(through, owner, controller.signal)
  const latest = new Map<string, Observed>()
  const told: Observed[] = []
  const lost: (ErrorInfo | null)[] = []
  observer.start(
    (observed) => {
      latest.set(observed.resource, observed)
      told.push(observed)
    },
    (error) => lost.push(error),
    () => undefined,
  )
  return { observer, latest, told, lost, stop: () => controller.abort() }
}

const labelsOf = (resource: string, template?: string): Record<string, string> => ({
  [managedByLabel]: managedBy,
  [projectLabel]: owner.project,
  [instanceLabel]: owner.instance,
  [resourceLabel]: resource,
  ...(template === undefined ? {} : { [templateLabel]: template }),
})

interface ContainerPart {
  command?: string[]
  image?: string
  readinessProbe?: object
  envFrom?: object[]
  resources?: object
  volumeMounts?: object[]
}

async function applyDeployment(
  resource: string,
  template: string,
  container: ContainerPart = {},
  pod: object = {},
  replicas = 1,
): Promise<void> {
  const labels = labelsOf(resource, template)
  await connection.request('PATCH', `/apis/apps/v1/namespaces/${namespace.name}/deployments/${resource}`, {
    query: { fieldManager: 'test', force: true },
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: resource, labels: labelsOf(resource) },
      spec: {
        replicas,
        selector: { matchLabels: { [resourceLabel]: resource } },
        template: {
          metadata: {
            labels,
            annotations: { [imagesAnnotation]: JSON.stringify({ main: 'shop/api' }), [restartableAnnotation]: 'main' },
          },
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'], ...container }],
            ...pod,
          },
        },
      },
    },
  })
}

const expectedOf = (name: string) => [{ kind: 'Deployment', namespace: namespace.name, name }]

describe('observe', () => {
  it('tells of a rollout until it is done, and of the next one', async () => {
    const watching = observe()
    watching.observer.deploying('web', expectedOf('web'))
    await waitFor(() => watching.latest.get('web')?.rolledOut === false, { what: 'the expected workload to be missing' })
    await applyDeployment('web', 'one')
    watching.observer.deployed('web', ['one'])
    const first = await waitFor(() => (watching.latest.get('web')?.rolledOut ? watching.latest.get('web') : undefined), {
      what: 'the first rollout',
    })
    expect(first.pods).toHaveLength(1)
    expect(first.pods[0]).toMatchObject({ template: 'one', phase: 'running', ready: true, namespace: namespace.name })
    expect(first.pods[0]?.containers[0]).toMatchObject({
      name: 'main',
      image: 'shop/api',
      ref: image,
      running: true,
      restartable: true,
      restarts: 0,
    })
    expect(first.pods[0]?.containers[0]?.containerId).toMatch(/^\w+:\/\/\w+/)
    expect(first.error).toBeUndefined()

    await applyDeployment('web', 'two')
    watching.observer.deployed('web', ['two'])
    await waitFor(() => watching.latest.get('web')?.rolledOut === false, { what: 'the second rollout to begin', everyMs: 1 })
    const second = await waitFor(
      () => {
        const observed = watching.latest.get('web')
        return observed?.rolledOut && observed.pods.length === 1 ? observed : undefined
      },
      { what: 'the second rollout' },
    )
    expect(second.pods[0]?.template).toBe('two')
    // The state was never called rolled out without a ready pod of the template that was asked for.
    const early = watching.told.filter(
      (observed) => observed.rolledOut && !observed.pods.some((pod) => pod.ready && pod.phase === 'running'),
    )
    expect(early).toEqual([])
    // Only changes are told.
    const texts = watching.told.map((observed) => JSON.stringify(observed))
    expect(texts.filter((text, index) => text === texts[index - 1])).toEqual([])
    watching.stop()
  })

  it('tells a newcomer what is there, without having deployed it', async () => {
    await applyDeployment('there', 'one')
    const first = observe()
    await waitFor(() => first.latest.get('there')?.rolledOut, { what: 'the rollout' })
    first.stop()
    const second = observe()
    const observed = await waitFor(() => (second.latest.get('there')?.rolledOut ? second.latest.get('there') : undefined), {
      what: 'the state',
    })
    expect(observed.pods).toHaveLength(1)
    second.stop()
  })

  it('names what is wrong with pods', async () => {
    const watching = observe()
    await applyDeployment('no-image', 'one', { image: `${image.split('/')[0]}/no/such:image` })
    await applyDeployment('crash', 'one', { command: ['sh', '-c', 'echo no config >&2; exit 7'] })
    await applyDeployment('no-command', 'one', { command: ['/no/such/program'] })
    await applyDeployment('no-secret', 'one', { envFrom: [{ secretRef: { name: 'no-such-secret' } }] })
    await applyDeployment('too-large', 'one', { resources: { requests: { memory: '900Ti' } } })
    await applyDeployment(
      'no-volume',
      'one',
      { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      { volumes: [{ name: 'v', configMap: { name: 'no-such-map' } }] },
    )
    const errorOf = (resource: string) =>
      waitFor(() => watching.latest.get(resource)?.error, { what: `the error of ${resource}`, timeoutMs: 60_000 })
    expect(await errorOf('no-image')).toMatchObject({ code: 'pod/image', why: expect.stringContaining('no/such') as string })
    const crashed = await errorOf('crash')
    expect(crashed.code).toBe('pod/crashed')
    expect(crashed.message).toContain('Container main ended with exit code 7')
    const program = await errorOf('no-command')
    expect(program.code).toBe('pod/config')
    expect(program.message).toContain('has no `/no/such/program`')
    expect(await errorOf('no-secret')).toMatchObject({
      code: 'pod/config',
      why: expect.stringContaining('no-such-secret') as string,
    })
    expect(await errorOf('too-large')).toMatchObject({
      code: 'pod/unschedulable',
      why: expect.stringContaining('memory') as string,
    })
    expect(await errorOf('no-volume')).toMatchObject({
      code: 'pod/config',
      why: expect.stringContaining('no-such-map') as string,
    })
    // Still wrong while the node waits before it tries again.
    await waitFor(() => watching.latest.get('crash')?.error?.message.includes('started again'), {
      what: 'the crash loop',
      timeoutMs: 60_000,
    })
    // Put right, the error goes.
    await applyDeployment('crash', 'two')
    await waitFor(() => watching.latest.get('crash')?.rolledOut && !watching.latest.get('crash')?.error, { what: 'the recovery' })
    watching.stop()
  })

  it('sees jobs and bare pods to their end', async () => {
    const watching = observe()
    const spec = { restartPolicy: 'Never', containers: [{ name: 'main', image, command: ['true'] }] }
    const meta = (name: string) => ({ name, labels: labelsOf(name, 'one') })
    watching.observer.deploying('once', [{ kind: 'Job', namespace: namespace.name, name: 'once' }])
    watching.observer.deploying('bare', [{ kind: 'Pod', namespace: namespace.name, name: 'bare' }])
    watching.observer.deploying('settings', [{ kind: 'ConfigMap', namespace: namespace.name, name: 'settings' }])
    await connection.request('POST', `/apis/batch/v1/namespaces/${namespace.name}/jobs`, {
      body: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: meta('once'),
        spec: { template: { metadata: { labels: labelsOf('once', 'one') }, spec } },
      },
    })
    await connection.request('POST', `/api/v1/namespaces/${namespace.name}/pods`, {
      body: { apiVersion: 'v1', kind: 'Pod', metadata: meta('bare'), spec },
    })
    expect(watching.latest.get('once')?.rolledOut).not.toBe(true)
    await waitFor(() => watching.latest.get('once')?.rolledOut, { what: 'the job' })
    await waitFor(() => watching.latest.get('bare')?.rolledOut, { what: 'the pod' })
    expect(watching.latest.get('bare')?.pods[0]?.phase).toBe('succeeded')
    await waitFor(() => watching.latest.get('settings')?.rolledOut, { what: 'a resource without workloads' })
    watching.stop()
  })

  it('tells that a resource is gone', async () => {
    const watching = observe()
    await applyDeployment('gone', 'one')
    await waitFor(() => watching.latest.get('gone')?.rolledOut, { what: 'the rollout' })
    await connection.request('DELETE', `/apis/apps/v1/namespaces/${namespace.name}/deployments/gone`, {
      query: { propagationPolicy: 'Foreground' },
    })
    await waitFor(() => watching.latest.get('gone')?.pods.length === 0, { what: 'the end' })
    await waitFor(() => watching.latest.get('gone')?.rolledOut, { what: 'the workload to be gone' })
    expect(watching.latest.get('gone')).toEqual({ resource: 'gone', pods: [], rolledOut: true })
    watching.stop()
  })

  it('goes on after the connection was cut, and says meanwhile that it is stale', async () => {
    const { proxy, kubeconfig, close } = await proxiedCluster()
    const through = await testConnection(kubeconfig.file, { namespace: namespace.name })
    const watching = observe(through)
    await applyDeployment('cut', 'one')
    await waitFor(() => watching.latest.get('cut')?.rolledOut, { what: 'the rollout' })
    proxy.cut()
    await waitFor(() => watching.lost.at(-1)?.code === 'cluster/unreachable', { what: 'the loss to be told' })
    await applyDeployment('cut', 'two')
    proxy.restore()
    await waitFor(() => watching.lost.at(-1) === null, { what: 'the connection to be back', timeoutMs: 60_000 })
    await waitFor(() => watching.latest.get('cut')?.pods.some((pod) => pod.template === 'two' && pod.ready), {
      what: 'what changed meanwhile',
    })
    // After a short gap nothing is stale: either nobody was told of it, or it was taken back.
    proxy.drop()
    await applyDeployment('cut', 'three')
    await waitFor(() => watching.latest.get('cut')?.pods.some((pod) => pod.template === 'three' && pod.ready), {
      what: 'what changed in the gap',
    })
    await waitFor(() => watching.lost.at(-1) === null, { what: 'nothing to be stale' })
    watching.stop()
    through.close()
    await close()
  })

  it('says which right is missing', async () => {
    const user = await limitedUser(namespace.name, [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }])
    const through = await testConnection(user.file, { namespace: namespace.name })
    const watching = observe(through)
    const error = await waitFor(() => watching.lost.at(-1), { what: 'the refusal' })
    expect(error).toMatchObject({ code: 'cluster/forbidden', message: `You may not list pods in namespace "${namespace.name}".` })
    watching.stop()
    through.close()
    await user.remove()
  })
})
