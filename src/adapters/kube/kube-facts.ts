// What a cluster is to one developer, for `devloop doctor`: looked up with nothing written, but for what `provide` and `probe` say.
import type { MissingRight } from '../../model/missing-right.js'
import type { AgentProgram } from '../../ports/agent-program.js'
import type { EngineBuilder, EngineWish, ProvideProgress, Registry } from '../../ports/image-builder.js'
import type { RightsSubject, RuntimeOptions } from '../../ports/runtime.js'
import { agentImages } from './agent/agent-supply.js'
import type { NoAgent } from './agent/put-agent.js'
import { connectKube, type KubeConnection } from './connection.js'
import { deliveringBuilder } from './delivering-builder.js'
import { discoverPlatform, discoverRegistry, type FoundRegistry } from './discovery.js'
import { engineWish } from './engine-wish.js'
import { statusOf } from './errors.js'
import { lookupInPod } from './lookup-in-pod.js'
import { exposeRegistryHelp } from './openshift-registry.js'
import { pullSecretName, pullSource } from './deploy/pull-secret.js'
import { probeByPod, type PodProbe, type ProbeOutcome } from './probe-pod.js'
import { createRightsChecker } from './rights/missing-rights.js'
import { resolveNamespace } from './sandbox/resolve-namespace.js'
import { verifiedUser } from './sandbox/verified-user.js'

export interface KubeFacts {
  readonly context: string
  readonly server: string
  /** Which known local product the cluster is, such as `minikube`. */
  readonly product: string | undefined
  /** Of the cluster, such as `v1.34.1`. @throws DevloopError cluster/unreachable, cluster/unauthorized; AbortError */
  version(signal: AbortSignal): Promise<string>
  /** User name as the API server knows it; undefined = it does not tell. */
  user(signal: AbortSignal): Promise<string | undefined>
  /** The developer's namespace, which what is below it is about from then on, and whether it is there; undefined = that may not be asked. */
  namespace(signal: AbortSignal): Promise<{ readonly name: string; readonly exists: boolean | undefined }>
  rights(
    subjects: readonly RightsSubject[],
    namespace: string,
    signal: AbortSignal,
  ): Promise<{ readonly needed: number; readonly missing: readonly MissingRight[] }>
  registry(signal: AbortSignal): Promise<Registry | undefined>
  /** What an answer takes, the quickest of some. Milliseconds. */
  latency(signal: AbortSignal): Promise<number>
  /** How far its clock is ahead of this machine's, and how exactly that is known; undefined = it does not tell. Milliseconds. */
  clock(signal: AbortSignal): Promise<{ readonly aheadMs: number; readonly withinMs: number } | undefined>
  /**
   * Bring the agent's image to where nodes pull it, as a deploy does; what is there already is not sent again.
   * @returns its reference, as nodes have it; or why there is none for these nodes
   * @throws DevloopError registry/*, engine/*; AbortError
   */
  provide(supply: ProbeSupply, signal: AbortSignal): Promise<string | NoAgent>
  /** How pods are to log in to pull: names of Secrets; or why that cannot be said before a deploy. */
  pullSecrets(
    builder: EngineBuilder,
    resource: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly string[] | { readonly why: string }>
  /** Run a small pod, see probeByPod. Nothing of it stays. */
  probe(probe: PodProbe, limitMs: number, signal: AbortSignal): Promise<ProbeOutcome>
  /** The same lookup by a pod of this instance that runs and holds the agent; undefined = there is none, or it cannot be asked. */
  lookup(host: string, signal: AbortSignal): Promise<{ readonly pod: string; readonly unknown?: string } | undefined>
  /** Which engine to use, as the Devloopfile and the cluster say. */
  engine(signal: AbortSignal): Promise<EngineWish>
  close(): void
}

export interface ProbeSupply {
  readonly program: AgentProgram
  readonly builder: EngineBuilder
  /** `os/arch`, where the nodes do not tell theirs. */
  readonly platform: string | undefined
  readonly made: NonNullable<ProvideProgress['made']>
}

/** @throws DevloopError cluster/none, cluster/context, cluster/not-allowed: then nothing was sent anywhere */
export async function openKubeFacts(options: RuntimeOptions, signal: AbortSignal): Promise<KubeFacts> {
  const connection = await connectKube(options, signal)
  const { project, instance, cluster } = options
  /** With the developer's namespace, once that is known. */
  let placed = connection
  const registries = (within: AbortSignal): Promise<FoundRegistry> => discoverRegistry(placed, cluster.registry, within)
  return {
    context: connection.context,
    server: connection.server,
    product: connection.product,
    async latency(within) {
      const times: number[] = []
      while (times.length < 3) {
        const began = performance.now()
        await connection.request('GET', '/version', { signal: within })
        times.push(performance.now() - began)
      }
      return Math.min(...times)
    },
    async clock(within) {
      const asked = Date.now()
      const answer = await connection.stream('/version', { what: 'ask for the time', signal: within })
      const answered = Date.now()
      answer.resume()
      const theirs = Date.parse(String(answer.headers.date ?? ''))
      // it comes in whole seconds, cut off
      const half = (answered - asked) / 2
      return Number.isNaN(theirs)
        ? undefined
        : { aheadMs: Math.round(theirs + 500 - asked - half), withinMs: 500 + Math.ceil(half) }
    },
    async provide({ program, builder, platform, made }, within) {
      const nodes = (await discoverPlatform(connection, within)) ?? platform
      const image = await agentImages(program, instance)(nodes)
      if ('why' in image) return image
      const { registry, openshift } = await registries(within)
      const hidden = openshift && openshift.host === undefined ? { help: exposeRegistryHelp } : undefined
      const { provide } = deliveringBuilder(builder, placed, hidden)
      return provide ? provide(image, registry, { made, log: () => {} }, within) : { why: 'nothing brings images there' }
    },
    async pullSecrets(builder, resource, within) {
      const source = pullSource(cluster.pullSecret, (await registries(within)).registry, builder)
      if (!source?.config || resource === undefined) return source?.names ?? []
      // devloop makes it with the first deploy of a resource
      const name = pullSecretName(resource)
      const path = `/api/v1/namespaces/${encodeURIComponent(placed.namespace)}/secrets/${encodeURIComponent(name)}`
      const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=1,application/json'
      const isThere = await connection.request('GET', path, { accept, signal: within }).then(
        () => true,
        (thrown: unknown) => {
          if (statusOf(thrown)) return false
          throw thrown
        },
      )
      return isThere ? [name] : { why: `nodes pull with a login that ${resource} gets at its first deploy` }
    },
    probe: (probe, limitMs, within) => probeByPod(placed, probe, limitMs, within),
    lookup: (host, within) => lookupInPod(placed, host, within),
    engine: async (within) => engineWish(placed, cluster.engine, (await registries(within)).openshift),
    async version(within) {
      const what = 'ask for the version of the cluster'
      const answer = (await connection.request('GET', '/version', { what, signal: within })) as { gitVersion?: string }
      return answer.gitVersion ?? 'of an unknown version'
    },
    user: async (within) => (await verifiedUser(connection, within))?.name,
    async namespace(within) {
      const question = { connection, project, instance, cluster, makes: false, tell: () => undefined }
      const { name } = await resolveNamespace(question, within)
      placed = connection.withNamespace(name)
      return { name, exists: await exists(connection, name, within) }
    },
    rights: (subjects, namespace, within) =>
      createRightsChecker(connection.withNamespace(namespace), cluster).check(subjects, within),
    registry: async (within) => (await registries(within)).registry,
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
