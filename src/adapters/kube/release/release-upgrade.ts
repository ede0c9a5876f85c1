// What a release is upgraded with: the chart, what devloop puts into its objects, and the hash that stands for both.
import { containersOf, podBearing } from '../../../model/pod-bearing.js'
import type { ReleaseSpec } from '../../../model/plan.js'
import type { ReleasePlace, ReleaseTool, ReleaseUpgrade } from '../../../ports/release-tool.js'
import type { DeployRequest } from '../../../ports/runtime.js'
import type { AgentOf } from '../agent/agents-of.js'
import type { KubeConnection } from '../connection.js'
import { contentHash } from '../deploy/content-hash.js'
import { namesImage } from '../deploy/image-reference.js'
import { objectName, type Owner, type RenderedObject } from '../deploy/rendered.js'
import { instanceLabel, projectLabel, resourceLabel } from '../labels.js'
import { finishObjects, finishRelease, isHook, type FinishedRelease, type FinishInput } from './finish-release.js'
import { releaseKeyLabel } from './read-release.js'

export type ReleaseRequest = Omit<DeployRequest, 'resource'> & { readonly resource: ReleaseSpec }

/** Where the release of a resource is, or is to be. */
export const releasePlace = (connection: KubeConnection, spec: ReleaseSpec): ReleasePlace => ({
  resource: spec.name,
  name: spec.releaseName,
  namespace: spec.namespace ?? connection.namespace,
  kubeconfig: connection.kubeconfig(),
  at: spec.at,
})

/** What pods get beside what the chart says. */
export interface PodExtras {
  /** Secrets that pods with built images pull with. */
  readonly pullNames: readonly string[]
  readonly agentOf: AgentOf
}

/** What the objects of the chart are finished with. */
const finishInput = (
  connection: KubeConnection,
  owner: Owner,
  { resource: spec, images, restartable }: ReleaseRequest,
  { pullNames: pullSecrets, agentOf }: PodExtras,
): FinishInput => ({
  spec,
  owner,
  namespace: releasePlace(connection, spec).namespace,
  images,
  restartable,
  pullSecrets,
  agentOf,
})

/** The workloads that Helm will put there, as far as the chart's rendering on this machine tells. @throws DevloopError devloopfile/invalid */
export function expectedWorkloads(
  connection: KubeConnection,
  owner: Owner,
  request: ReleaseRequest,
  extras: PodExtras,
): readonly RenderedObject[] {
  const { resource: spec } = request
  const given = spec.objects.map(({ object }) => object)
  const { objects } = finishObjects(given, finishInput(connection, owner, request, extras))
  const workloads = objects.filter(({ object }) => podBearing(object))
  for (const { object } of workloads) object.metadata.namespace ??= releasePlace(connection, spec).namespace
  return workloads
}

/** What an upgrade is run with. @param onFinish told what Helm will apply */
export function releaseUpgrade(
  connection: KubeConnection,
  owner: Owner,
  request: ReleaseRequest,
  extras: PodExtras,
  key: string,
  onFinish: (finished: FinishedRelease) => void,
): ReleaseUpgrade {
  const { resource: spec, onOutput } = request
  const place = releasePlace(connection, spec)
  return {
    ...place,
    spec,
    hookImage: hookImage(spec),
    labels: {
      [projectLabel]: owner.project,
      [instanceLabel]: owner.instance,
      [resourceLabel]: owner.resource,
      [releaseKeyLabel]: key,
    },
    finish(manifest) {
      const finished = finishRelease(manifest, finishInput(connection, owner, request, extras))
      onFinish(finished)
      return finished.manifest
    },
    ...(onOutput ? { onOutput } : {}),
  }
}

/** What a release is made from, as one hash. */
export async function releaseKey(tool: ReleaseTool, request: ReleaseRequest, { pullNames, agentOf }: PodExtras): Promise<string> {
  const { resource: spec, images, restartable } = request
  const { releaseName, values, set, crds, imageFields, imageEnv } = spec
  const built = spec.images.map((name) => [name, images[name]?.ref, images[name]?.builtAt, restartable.has(name)])
  const agents = spec.images.flatMap((name) => {
    const agent = agentOf(name)
    return agent && 'ref' in agent ? [agent.ref] : []
  })
  const chart = await tool.chartKey(spec)
  const made = { releaseName, values, set, crds, imageFields, imageEnv, built, pullNames, agents, chart }
  return contentHash(made)
}

function hookImage(spec: ReleaseSpec): ReleaseUpgrade['hookImage'] {
  for (const { object, at } of spec.objects) {
    const bearing = isHook(object) ? podBearing(object) : undefined
    for (const { image: reference } of bearing ? containersOf(bearing.template) : []) {
      if (reference !== undefined && spec.images.some((name) => namesImage(reference, name)))
        return { hook: objectName(object), reference, at: at ?? spec.at }
    }
  }
  return undefined
}
