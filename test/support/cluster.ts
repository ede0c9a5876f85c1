// What tests on a real cluster need: a connection, namespaces of their own, the registry, users with few rights, and a
// network in front of the API server that can be cut.
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parse, stringify } from 'yaml'
import { connectKube, type KubeConnection } from '../../src/adapters/kube/connection.js'
import type { RuntimeOptions } from '../../src/ports/runtime.js'
import { tcpProxy, type TcpProxy } from './tcp-proxy.js'

export type { TcpProxy } from './tcp-proxy.js'
export { waitFor } from './wait-for.js'

/** A few random letters and digits for names. */
export const randomSuffix = (): string => randomBytes(4).toString('hex')

/** Options of a runtime for tests; every context is allowed. */
export function testOptions(changes: Partial<RuntimeOptions> = {}): RuntimeOptions {
  return { project: 'test', instance: `test-${randomSuffix()}`, cluster: { contexts: ['*'] }, stateDir: tmpdir(), ...changes }
}

/** A connection to the cluster of KUBECONFIG as its own user, or as another kubeconfig says. */
export async function testConnection(kubeconfig?: string, changes: Partial<RuntimeOptions> = {}): Promise<KubeConnection> {
  return withKubeconfig(kubeconfig, () => connectKube(testOptions(changes), new AbortController().signal))
}

/** Run something that reads KUBECONFIG when it starts with another value of it. */
export async function withKubeconfig<T>(kubeconfig: string | undefined, work: () => Promise<T>): Promise<T> {
  if (kubeconfig === undefined) return work()
  const before = process.env.KUBECONFIG
  process.env.KUBECONFIG = kubeconfig
  try {
    return await work()
  } finally {
    process.env.KUBECONFIG = before
  }
}

export interface TestNamespace {
  readonly name: string
  /** Deletes it and all in it, without waiting until it is gone. For `afterAll`. */
  remove(): Promise<void>
}

/** Make a namespace of the test's own. */
export async function testNamespace(prefix = 'devloop-test'): Promise<TestNamespace> {
  const connection = await testConnection()
  const name = `${prefix}-${randomSuffix()}`
  await connection.request('POST', '/api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } })
  return {
    name,
    async remove() {
      await connection.request('DELETE', `/api/v1/namespaces/${name}`, { query: { gracePeriodSeconds: 1 } })
      connection.close()
    },
  }
}

/** Where tests push images and pull them from: DEVLOOP_TEST_REGISTRY, else what the cluster announces (KEP-1755). */
export async function testRegistry(): Promise<string> {
  if (process.env.DEVLOOP_TEST_REGISTRY) return process.env.DEVLOOP_TEST_REGISTRY
  const connection = await testConnection()
  const map = (await connection.request('GET', '/api/v1/namespaces/kube-public/configmaps/local-registry-hosting')) as {
    data: Record<string, string>
  }
  connection.close()
  const { host } = parse(map.data['localRegistryHosting.v1'] ?? '') as { host: string }
  return host
}

/** An image with a shell, tar and Node.js for pods of tests. DEVLOOP_TEST_IMAGE, else what the registry has for tests. */
export async function testImage(): Promise<string> {
  return process.env.DEVLOOP_TEST_IMAGE ?? `${await testRegistry()}/testbed/node:20`
}

export interface RbacRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

export interface TestKubeconfig {
  readonly file: string
  remove(): Promise<void>
}

interface KubeconfigFile {
  'current-context': string
  contexts: { name: string; context: { cluster: string; user: string; namespace?: string } }[]
  clusters: { name: string; cluster: Record<string, unknown> & { server: string } }[]
  users: { name: string; user: Record<string, unknown> }[]
}

/**
 * Write a kubeconfig that is the current context of KUBECONFIG with changes.
 * @param changes `as`: impersonate this user; `server`: another address of the same API server, such as a proxy's
 */
export async function testKubeconfig(changes: {
  as?: string
  server?: string
  namespace?: string
  context?: string
}): Promise<TestKubeconfig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'devloop-kubeconfig-'))
  const config = parse(await readFile((process.env.KUBECONFIG ?? '').split(path.delimiter)[0] ?? '', 'utf8')) as KubeconfigFile
  const context = config.contexts.find((one) => one.name === config['current-context'])
  const cluster = config.clusters.find((one) => one.name === context?.context.cluster)
  const user = config.users.find((one) => one.name === context?.context.user)
  if (!context || !cluster || !user) throw new Error('KUBECONFIG has no whole current context')
  if (changes.as) user.user.as = changes.as
  if (changes.namespace) context.context.namespace = changes.namespace
  if (changes.server) {
    const { hostname } = new URL(cluster.cluster.server)
    cluster.cluster.server = changes.server
    if (!/^[\d.:[\]]+$/.test(hostname)) cluster.cluster['tls-server-name'] = hostname
  }
  if (changes.context) {
    context.name = changes.context
    config['current-context'] = changes.context
  }
  const file = path.join(folder, 'config')
  await writeFile(file, stringify({ ...config, contexts: [context], clusters: [cluster], users: [user] }), { mode: 0o600 })
  return { file, remove: () => rm(folder, { recursive: true, force: true }) }
}

/**
 * A kubeconfig of a user who may do in a namespace what the rules say and nothing else. The role, named as the user, goes with the
 * namespace.
 */
export async function limitedUser(
  namespace: string,
  rules: readonly RbacRule[],
): Promise<TestKubeconfig & { readonly name: string }> {
  const connection = await testConnection()
  const name = `limited-${randomSuffix()}`
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const apiGroup = 'rbac.authorization.k8s.io'
  await connection.request('POST', `${rbac}/roles`, { body: { apiVersion, kind: 'Role', metadata: { name }, rules } })
  await connection.request('POST', `${rbac}/rolebindings`, {
    body: {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup, kind: 'Role', name },
      subjects: [{ apiGroup, kind: 'User', name }],
    },
  })
  connection.close()
  return { name, ...(await testKubeconfig({ as: name, namespace })) }
}

/** A TCP proxy in front of the API server, and a kubeconfig that leads through it. */
export async function proxiedCluster(): Promise<{ proxy: TcpProxy; kubeconfig: TestKubeconfig; close(): Promise<void> }> {
  const connection = await testConnection()
  const { hostname, port } = new URL(connection.server)
  connection.close()
  const proxy = await tcpProxy({ target: { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) } })
  const kubeconfig = await testKubeconfig({ server: `https://127.0.0.1:${proxy.port}` })
  return {
    proxy,
    kubeconfig,
    async close() {
      await proxy.close()
      await kubeconfig.remove()
    },
  }
}
