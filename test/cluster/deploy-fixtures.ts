// What the tests of deploying share: a namespace and a connection of their own, specs, and looks at the cluster.
import { setMaxListeners } from 'node:events'
import { afterAll, beforeAll } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { createDeployer } from '../../src/adapters/kube/deploy/deployer.js'
import { statusOf } from '../../src/adapters/kube/errors.js'
import type { AppSpec, KubeObject, ManifestsSpec } from '../../src/model/plan.js'
import type { Deployed, RuntimeOptions } from '../../src/ports/runtime.js'
import { testConnection, testImage, testNamespace, testOptions, waitFor, type TestNamespace } from '../support/cluster.js'
import { plainGraph } from '../support/plain-graph.js'

/** One that never aborts. */
export const signal = new AbortController().signal
setMaxListeners(0, signal)
export const at = { file: '/project/Devloopfile.ts', line: 3 }
export const serve = [
  'node',
  '-e',
  'require("http").createServer((q, r) => r.end(JSON.stringify(process.env))).listen(process.env.PORT)',
]
export const sleepForever = ['sh', '-c', 'trap exit TERM; while :; do sleep 1; done']

/** Set before the first test of a file that calls `useCluster`. */
export let image: string
export let connection: KubeConnection
export let space: TestNamespace
const made: TestNamespace[] = []

/** Call once in a test file: makes the namespace before and deletes it after. */
export function useCluster(): void {
  beforeAll(async () => {
    image = await testImage()
    space = await freshNamespace()
    connection = await testConnection(undefined, { namespace: space.name })
  })

  afterAll(async () => {
    for (const one of made) await one.remove()
    connection.close()
  })
}

export async function freshNamespace(): Promise<TestNamespace> {
  const one = await testNamespace('devloop-deploy')
  made.push(one)
  return one
}

export interface Live extends KubeObject {
  metadata: KubeObject['metadata'] & { uid: string; generation: number; resourceVersion: string }
}

export const core = (kind: string, name: string, namespace = space.name): string =>
  `/api/v1/namespaces/${namespace}/${kind}/${name}`
export const apps = (kind: string, name: string, namespace = space.name): string =>
  `/apis/apps/v1/namespaces/${namespace}/${kind}/${name}`
export const get = async (path: string): Promise<Live> => (await connection.request('GET', path)) as Live
export const exists = async (path: string): Promise<boolean> => {
  try {
    const live = await get(path)
    return live.metadata.deletionTimestamp === undefined
  } catch (error) {
    if (statusOf(error)?.code === 404) return false
    throw error
  }
}
export const apply = (object: KubeObject, path: string, manager: string) =>
  connection.request('PATCH', path, {
    body: object,
    contentType: 'application/apply-patch+yaml',
    query: { fieldManager: manager },
  })

export const appSpec = (name: string, changes: Partial<AppSpec> = {}): AppSpec => ({
  kind: 'app',
  name,
  ...plainGraph,
  forward: [],
  at,
  image: { ref: image },
  ports: {},
  env: {},
  replicas: 1,
  command: sleepForever,
  ...changes,
})

export const manifestsSpec = (name: string, objects: readonly KubeObject[]): ManifestsSpec => ({
  kind: 'manifests',
  name,
  ...plainGraph,
  forward: [],
  at,
  images: [],
  objects: objects.map((object, index) => ({ object, at: { file: '/project/deploy/all.yaml', line: 1 + 10 * index } })),
})

export const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})

export const deployment = (name: string, changes: { replicas?: number; label?: string; env?: string } = {}): KubeObject => {
  const labels = { app: changes.label ?? name }
  const container = { name: 'main', image, command: sleepForever, env: [{ name: 'MODE', value: changes.env ?? 'a' }] }
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: changes.replicas ?? 1, selector: { matchLabels: labels }, template },
  }
}

/** A deployer of its own: what a new daemon of this instance would be. */
export function deployer(options: Partial<RuntimeOptions> = {}, over: KubeConnection = connection) {
  const all = testOptions(options)
  const { deploy, ...rest } = createDeployer(over, all)
  return {
    ...rest,
    options: all,
    deploy: (resource: AppSpec | ManifestsSpec, others: readonly AppSpec[] = []): Promise<Deployed> => {
      const plan = Object.fromEntries([...others, ...(resource.kind === 'app' ? [resource] : [])].map((app) => [app.name, app]))
      return deploy({ resource, images: {}, restartable: new Set(), apps: plan }, signal)
    },
    again: () => deployer(all, over),
  }
}

export const rolledOut = (name: string) =>
  waitFor(
    async () => {
      const { status, spec, metadata } = (await get(apps('deployments', name))) as unknown as {
        status: Record<string, number>
        spec: { replicas: number }
        metadata: { generation: number }
      }
      return (
        status.observedGeneration === metadata.generation &&
        status.updatedReplicas === spec.replicas &&
        status.availableReplicas === spec.replicas &&
        status.replicas === spec.replicas
      )
    },
    { what: `${name} to be rolled out`, timeoutMs: 60_000 },
  )

export const pods = async (selector: string): Promise<{ metadata: Live['metadata']; status: { podIP: string } }[]> => {
  const list = (await connection.request('GET', `/api/v1/namespaces/${space.name}/pods`, {
    query: { labelSelector: selector },
  })) as { items: (Live & { status: { podIP: string } })[] }
  return list.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}
