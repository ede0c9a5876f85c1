// The Kubernetes runtime: the parts of this folder put together behind the Runtime port.
import type { ImageBuilder } from '../../ports/image-builder.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import type { DeployableSpec, OpenRuntime, Runtime, RuntimeInfo } from '../../ports/runtime.js'
import type { SyncTransport } from '../../ports/sync-transport.js'
import { connectKube, type KubeConnection } from './connection.js'
import { createCustomDeployer } from './custom/custom-deployer.js'
import { createDeployer } from './deploy/deployer.js'
import { mayShareEngine } from './local-clusters.js'
import { workloadKindOf } from './deploy/render-app.js'
import { manifestObjects } from './deploy/render-manifests.js'
import { dialPod } from './dial.js'
import { DevloopError } from '../../errors/devloop-error.js'
import { discoverPlatform, discoverRegistry, discoverVersion } from './discovery.js'
import { followLogs } from './logs.js'
import { createObserver, type ExpectedObject } from './observe.js'
import { referencedImages } from './references.js'
import { replacePod } from './replace-pod.js'

export interface KubeRuntimeParts {
  readonly builder: ImageBuilder
  /** Makes the transport for live sync, such as createShellTransport. */
  readonly sync: (connection: KubeConnection) => SyncTransport
  /** Runs the commands of custom deploys. */
  readonly processes: ProcessRunner
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
    const connection = await connectKube(options, signal)
    try {
      const [registry, platform, version] = await Promise.all([
        discoverRegistry(connection, options.cluster.registry, signal),
        discoverPlatform(connection, signal),
        discoverVersion(connection, signal),
      ])
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
      return compose(parts, connection, info, options)
    } catch (thrown) {
      connection.close()
      throw thrown
    }
  }

function compose(
  parts: KubeRuntimeParts,
  connection: KubeConnection,
  info: RuntimeInfo,
  options: Parameters<OpenRuntime>[0],
): Runtime {
  const life = new AbortController()
  const deployer = createDeployer(connection, options)
  const observer = createObserver(connection, options, life.signal, parts.log)
  const customs = createCustomDeployer(connection, options, parts.processes, life.signal)
  const within = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, life.signal])
  return {
    info,
    builder: {
      ...(parts.builder.pruner ? { pruner: parts.builder.pruner } : {}),
      exists: (record, registry, signal) => parts.builder.exists(record, registry, signal),
      async build(request, progress, signal) {
        if (!request.registry && !mayShareEngine(connection.product)) throw noRegistry(request.image.name, connection.context)
        return parts.builder.build(request, progress, signal)
      },
    },
    sync: parts.sync(connection),
    async deploy(request, signal) {
      const { resource } = request
      if (resource.kind === 'custom') {
        // what was applied under this name, before it became a custom deploy
        await deployer.remove(resource.name, signal)
        return customs.deploy({ ...request, resource }, signal)
      }
      await customs.remove(resource.name)
      observer.deploying(resource.name, expectedOf(resource, connection.namespace))
      const deployed = await deployer.deploy({ ...request, resource }, signal)
      observer.deployed(request.resource.name, deployed.templates)
      return deployed
    },
    async remove(resource, signal, how) {
      const removed = [...(await customs.remove(resource)), ...(await deployer.remove(resource, signal, how))]
      observer.removed(resource)
      return removed
    },
    removeShared: (what, signal, how) => deployer.removeShared(what, signal, how),
    references: (namespaces, signal) => referencedImages(connection, namespaces, within(signal)),
    async deployed(signal) {
      return [...new Set([...(await deployer.deployed(signal)), ...(await customs.deployed())])]
    },
    observe(onObserved, onLost, onEvent = () => undefined) {
      customs.observe(onObserved, onEvent)
      observer.start(onObserved, onLost, onEvent)
    },
    replacePod: (pod, signal) => replacePod(connection, pod, within(signal)),
    logs: (request, onLine, signal) => followLogs(connection, request, onLine, within(signal)),
    dial: (pod, port, signal) => dialPod(connection, pod, port, within(signal)),
    workplace: () => undefined,
    async close() {
      life.abort()
      connection.close()
      return Promise.resolve()
    },
  }
}

function expectedOf(resource: Exclude<DeployableSpec, { kind: 'custom' }>, namespace: string): readonly ExpectedObject[] {
  if (resource.kind === 'app') return [{ kind: workloadKindOf(resource), namespace, name: resource.name }]
  return manifestObjects(resource).map(({ object }) => ({
    kind: object.kind,
    namespace: object.metadata.namespace ?? namespace,
    name: object.metadata.name,
  }))
}

const noRegistry = (image: string, context: string): DevloopError =>
  new DevloopError('registry/none', `No registry is known that ${image} could be pushed to and pulled from.`, {
    why: `The Devloopfile names none, and the cluster of context "${context}" announces none that you may read.`,
    help: "Name one in the Devloopfile: cluster: { registry: 'HOST:PORT' }",
  })
