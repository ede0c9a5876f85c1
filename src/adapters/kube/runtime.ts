// The Kubernetes runtime: the parts of this folder put together behind the Runtime port.
import type { AppSpec, ManifestsSpec } from '../../model/plan.js'
import type { AgentProgram } from '../../ports/agent-program.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import type { EngineBuilder, EngineWish } from '../../ports/image-builder.js'
import type { ReleaseTool } from '../../ports/release-tool.js'
import type { OpenRuntime, Runtime, RuntimeInfo } from '../../ports/runtime.js'
import type { SyncTransport } from '../../ports/sync-transport.js'
import { createAdoptedWatches } from './adopted-watches.js'
import { createAgentNotes } from './agent/agent-notes.js'
import { createAgentSupply } from './agent/agent-supply.js'
import type { AgentParts } from './agent/agents-of.js'
import { attach } from './attach/attach.js'
import { agentOff } from './agent/put-agent.js'
import { connectKube, type KubeConnection } from './connection.js'
import { createCustomDeployer } from './custom/custom-deployer.js'
import { createDeployer } from './deploy/deployer.js'
import { createInventory } from './deploy/inventory.js'
import { deliveringBuilder } from './delivering-builder.js'
import { pullSource } from './deploy/pull-secret.js'
import { workloadKindOf } from './deploy/render-app.js'
import { manifestObjects } from './deploy/render-manifests.js'
import { exposeRegistryHelp, type OpenshiftRegistry } from './openshift-registry.js'
import { dialPod } from './dial.js'
import { engineWish } from './engine-wish.js'
import { discoverPlatform, discoverRegistry, discoverVersion } from './discovery.js'
import { followLogs } from './logs.js'
import { createObserver, type ExpectedObject } from './observe.js'
import { referencedImages } from './references.js'
import { createReleaseDeployer, expectedOf as releaseExpected } from './release/release-deployer.js'
import { reachByExec } from './reach.js'
import { replacePod } from './replace-pod.js'
import { createRightsChecker } from './rights/missing-rights.js'
import { createSecretWatches } from './secret-watches.js'
import { developersNamespace } from './sandbox/resolve-namespace.js'
import { useSandbox, type SandboxUse } from './sandbox/use-sandbox.js'
import { keepToken } from './scoped/keep-token.js'
import type { AgentAccess } from './sync/choose-transport.js'
import { openExec } from './sync/exec.js'
import { watchAgent } from './agent/watch-agent.js'
import { watchExposed } from './watch-exposed.js'

/** Why there is no agent in pods that something else deploys. */
const foreign = 'devloop does not deploy its pods itself'

export interface KubeRuntimeParts {
  /** Makes the builder, with the engine that the Devloopfile names. */
  readonly builder: (engine: EngineWish) => EngineBuilder
  /** Makes the transport for live sync, such as createChoosingTransport. */
  readonly sync: (connection: KubeConnection, agent: AgentAccess) => SyncTransport
  /** What is put into the pods that run synced images. */
  readonly agent: AgentProgram
  /** Runs the commands of custom deploys. */
  readonly processes: ProcessRunner
  /** Installs Helm releases. */
  readonly releases: ReleaseTool
  /** For what is worth a line in the log. Holds no secret. Default: nothing. */
  readonly log?: (message: string) => void
}

/**
 * Opening it connects, passes the guard, and asks the cluster for its registry and nodes; nothing is written.
 * @throws DevloopError cluster/* as connectKube, and cluster/unreachable, cluster/unauthorized
 */
export const openKubeRuntime =
  (parts: KubeRuntimeParts): OpenRuntime =>
  async (options, signal) => {
    const bound = await connectKube(options, signal)
    try {
      const resolving = developersNamespace(bound, options, parts.log, signal)
      const [resolved, { registry, openshift }, platform, version] = await Promise.all([
        resolving,
        // OpenShift's own registry has a place for each namespace
        resolving.then(({ name }) => discoverRegistry(bound.withNamespace(name), options.cluster.registry, signal)),
        discoverPlatform(bound, signal),
        discoverVersion(bound, signal),
      ])
      const connection = bound.withNamespace(resolved.name)
      const { context, server, namespace } = connection
      const info: RuntimeInfo = {
        kind: 'kubernetes',
        context,
        server,
        namespace,
        ...(registry === undefined ? {} : { registry }),
        ...(platform === undefined ? {} : { platform }),
        ...(version === undefined ? {} : { version }),
      }
      const life = new AbortController()
      const { runtime, pullConfig } = compose(parts, connection, { info, openshift }, options, life)
      try {
        const log = parts.log ?? (() => undefined)
        await useSandbox({ connection, options, resolved, pullConfig, log, life: life.signal }, signal)
        return runtime
      } catch (thrown) {
        await runtime.close()
        throw thrown
      }
    } catch (thrown) {
      bound.close()
      throw thrown
    }
  }

interface Composed {
  readonly runtime: Runtime
  /** The login that nodes may pull with. */
  readonly pullConfig: SandboxUse['pullConfig']
}

function compose(
  parts: KubeRuntimeParts,
  connection: KubeConnection,
  { info, openshift }: { readonly info: RuntimeInfo; readonly openshift: OpenshiftRegistry | undefined },
  options: Parameters<OpenRuntime>[0],
  life: AbortController,
): Composed {
  const { engine } = options.cluster
  const builder = parts.builder(engineWish(connection, engine, openshift))
  const delivering = deliveringBuilder(
    builder,
    connection,
    openshift && openshift.host === undefined ? { help: exposeRegistryHelp } : undefined,
  )
  const notes = createAgentNotes(options.stateDir)
  const log = parts.log ?? (() => undefined)
  const source = createAgentSupply({
    program: parts.agent,
    registry: info.registry,
    platform: info.platform,
    server: connection.server,
    options,
    builder: delivering,
    log,
    life: life.signal,
  })
  const agent: AgentParts = { source, notes, refused: new Map() }
  const inventory = createInventory(connection, options)
  const pull = pullSource(options.cluster.pullSecret, info.registry, builder)
  const secrets = createSecretWatches(connection, life.signal, log)
  const deployer = createDeployer(connection, options, pull, inventory, agent, secrets.read)
  const releases = createReleaseDeployer(connection, options, inventory, parts.releases, pull, agent)
  const observer = createObserver(connection, options, life.signal, parts.log)
  const exposed = watchExposed(connection, options, life.signal)
  const watches = createAdoptedWatches(connection, options, life.signal)
  const customs = createCustomDeployer(connection, options, parts.processes, watches, life.signal)
  if (connection.scoped) keepToken({ connection, user: connection.scoped, log, life: life.signal })
  const rights = createRightsChecker(connection, options.cluster)
  const within = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, life.signal])
  const runtime: Runtime = {
    info,
    builder: delivering,
    sync: parts.sync(connection, { program: parts.agent, notes, source }),
    async deploy(request, signal) {
      const { resource } = request
      if (resource.kind !== 'config') secrets.stop(resource.name)
      if (resource.kind === 'custom') {
        // what was applied under this name, before it became a custom deploy
        await releases.remove(resource.name, signal)
        await deployer.remove(resource.name, signal)
        await notes.set(resource.name, request.agent ? foreign : agentOff)
        return customs.deploy({ ...request, resource }, signal)
      }
      await customs.remove(resource.name)
      if (resource.kind === 'attach') {
        await releases.remove(resource.name, signal)
        await deployer.remove(resource.name, signal)
        await notes.set(resource.name, request.agent ? foreign : agentOff)
        return attach({ connection, owner: options, watches }, resource, signal)
      }
      watches.stop(resource.name)
      if (resource.kind === 'release') {
        const objects = resource.objects.map(({ object }) => object)
        observer.deploying(resource.name, releaseExpected(objects, resource.namespace ?? connection.namespace))
        const { expected, ...deployed } = await releases.deploy({ ...request, resource }, signal)
        // a chart that looks at the cluster may have given something else
        observer.deploying(resource.name, expected)
        observer.deployed(resource.name, deployed.templates)
        return deployed
      }
      await releases.remove(resource.name, signal, { handOver: true })
      if (resource.kind === 'config') {
        observer.deploying(resource.name, [])
        // also when it fails: a Secret that is not there may come
        const made = await deployer.deploy({ ...request, resource }, signal).finally(() => secrets.watch(resource))
        observer.deployed(resource.name, made.templates)
        return made
      }
      observer.deploying(resource.name, expectedOf(resource, connection.namespace))
      const deployed = await deployer.deploy({ ...request, resource }, signal)
      observer.deployed(request.resource.name, deployed.templates)
      exposed.deployed(deployed.objects)
      return deployed
    },
    config: (name) => deployer.config(name),
    async remove(resource, signal, how) {
      const removed = [
        ...(await customs.remove(resource)),
        ...(await releases.remove(resource, signal, how)),
        ...(await deployer.remove(resource, signal, how)),
      ]
      watches.stop(resource)
      secrets.stop(resource)
      observer.removed(resource)
      return removed
    },
    removeShared: (what, signal, how) => deployer.removeShared(what, signal, how),
    async missingRights(subjects, signal, patienceMs) {
      return (await rights.check(subjects, within(signal), patienceMs)).missing
    },
    references: (namespaces, signal) => referencedImages(connection, namespaces, within(signal)),
    async deployed(signal) {
      return [...new Set([...(await deployer.deployed(signal)), ...(await customs.deployed())])]
    },
    observe(onObserved, onLost, onEvent = () => undefined) {
      watches.observe(onObserved, onEvent)
      const onTrouble = (resource: string, why: string): void => {
        agent.refused.set(resource, why)
        log(`no agent is put into the pods of ${resource}: ${why}`)
      }
      observer.start(watchAgent(exposed.through(secrets.through(onObserved)), { onTrouble, life: life.signal }), onLost, onEvent)
    },
    replacePod: (pod, signal) => replacePod(connection, pod, within(signal)),
    logs: (request, onLine, signal) => followLogs(connection, request, onLine, within(signal)),
    dial: (pod, port, signal) => dialPod(connection, pod, port, within(signal)),
    reach: (from, link, signal) =>
      reachByExec((argv, options) => openExec(connection, from, argv, options), link, within(signal)),
    workplace: () => undefined,
    async close() {
      life.abort()
      connection.close()
      return Promise.resolve()
    },
  }
  const copied = pullSource({ copy: true }, info.registry, builder)
  return { runtime, pullConfig: async (signal) => copied?.config?.('', signal) }
}

function expectedOf(resource: AppSpec | ManifestsSpec, namespace: string): readonly ExpectedObject[] {
  if (resource.kind === 'app') return [{ kind: workloadKindOf(resource), namespace, name: resource.name }]
  return manifestObjects(resource).map(({ object }) => ({
    kind: object.kind,
    namespace: object.metadata.namespace ?? namespace,
    name: object.metadata.name,
  }))
}
