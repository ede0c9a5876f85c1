// What a cluster is to one developer: looked up with nothing written, for `devloop doctor`.
import type { MissingRight } from '../../model/missing-right.js'
import type { Registry } from '../../ports/image-builder.js'
import type { RightsSubject, RuntimeOptions } from '../../ports/runtime.js'
import { connectKube, type KubeConnection } from './connection.js'
import { discoverRegistry } from './discovery.js'
import { statusOf } from './errors.js'
import { createRightsChecker } from './rights/missing-rights.js'
import { resolveNamespace } from './sandbox/resolve-namespace.js'
import { verifiedUser } from './sandbox/verified-user.js'

export interface KubeFacts {
  readonly context: string
  readonly server: string
  /** Of the cluster, such as `v1.34.1`. @throws DevloopError cluster/unreachable, cluster/unauthorized; AbortError */
  version(signal: AbortSignal): Promise<string>
  /** User name as the API server knows it; undefined = it does not tell. */
  user(signal: AbortSignal): Promise<string | undefined>
  /** The developer's namespace, and whether it is there; undefined = that may not be asked. */
  namespace(signal: AbortSignal): Promise<{ readonly name: string; readonly exists: boolean | undefined }>
  rights(
    subjects: readonly RightsSubject[],
    namespace: string,
    signal: AbortSignal,
  ): Promise<{ readonly needed: number; readonly missing: readonly MissingRight[] }>
  registry(signal: AbortSignal): Promise<Registry | undefined>
  /** For an engine that is in it. */
  readonly connection: KubeConnection
  close(): void
}

/** @throws DevloopError cluster/none, cluster/context, cluster/not-allowed: then nothing was sent anywhere */
export async function openKubeFacts(options: RuntimeOptions, signal: AbortSignal): Promise<KubeFacts> {
  const connection = await connectKube(options, signal)
  const { project, instance, cluster } = options
  return {
    context: connection.context,
    server: connection.server,
    connection,
    async version(within) {
      const what = 'ask for the version of the cluster'
      const answer = (await connection.request('GET', '/version', { what, signal: within })) as { gitVersion?: string }
      return answer.gitVersion ?? 'of an unknown version'
    },
    user: async (within) => (await verifiedUser(connection, within))?.name,
    async namespace(within) {
      const question = { connection, project, instance, cluster, makes: false, tell: () => undefined }
      const { name } = await resolveNamespace(question, within)
      return { name, exists: await exists(connection, name, within) }
    },
    rights: (subjects, namespace, within) =>
      createRightsChecker(connection.withNamespace(namespace), cluster).check(subjects, within),
    registry: async (within) => (await discoverRegistry(connection, cluster.registry, within)).registry,
    close: () => connection.close(),
  }
}

async function exists(connection: KubeConnection, name: string, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    await connection.request('GET', `/api/v1/namespaces/${encodeURIComponent(name)}`, {
      what: `look at the namespace ${name}`,
      signal,
    })
    return true
  } catch (thrown) {
    const code = statusOf(thrown)?.code
    if (code === 404) return false
    if (code === 403) return undefined
    throw thrown
  }
}
