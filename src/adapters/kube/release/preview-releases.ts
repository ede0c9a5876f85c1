// What Helm would install, and how that differs from what the release holds: told by Helm's own dry run on the cluster.
import type { KubeObject } from '../../../model/plan.js'
import type { ReleasePlace, ReleaseTool } from '../../../ports/release-tool.js'
import type { RuntimeOptions } from '../../../ports/runtime.js'
import type { AgentSource } from '../agent/agent-supply.js'
import { agentsOf } from '../agent/agents-of.js'
import type { KubeConnection } from '../connection.js'
import { nameOf, type ObjectChange } from '../object-change.js'
import { createKindCatalog } from '../deploy/kinds.js'
import { pullSecretName } from '../deploy/pull-secret.js'
import type { Owner } from '../deploy/rendered.js'
import { isKept, releaseObjects } from './finish-release.js'
import { isOwnRelease, isUpToDate, readRelease, type ReleaseState } from './read-release.js'
import { isUnknownKind, type ReleaseRef } from './release-deployer.js'
import { releaseKey, releasePlace, releaseUpgrade, type PodExtras, type ReleaseRequest } from './release-upgrade.js'

export interface ReleasePreview {
  /** Everything that would be installed, hooks included. @throws DevloopError release/*, tool/*, cluster/*, devloopfile/invalid */
  wanted(request: ReleaseRequest, signal: AbortSignal): Promise<readonly KubeObject[]>
  /** @throws DevloopError as `wanted` */
  diff(request: ReleaseRequest, signal: AbortSignal): Promise<readonly ObjectChange[]>
  /** What would go with these releases of a resource that has left the plan. @throws DevloopError as `wanted` */
  leaving(refs: readonly ReleaseRef[], resource: string, signal: AbortSignal): Promise<readonly ObjectChange[]>
}

/** @param agent as it would be put into pods */
export function previewReleases(
  connection: KubeConnection,
  options: RuntimeOptions,
  tool: ReleaseTool,
  agent: AgentSource,
): ReleasePreview {
  const ownerOf = (resource: string): Owner => ({ project: options.project, instance: options.instance, resource, byHelm: true })
  const kinds = createKindCatalog(connection)
  const { pullSecret } = options.cluster

  /** By what names them; with the namespace that Helm puts them into. */
  const within = async (
    objects: readonly KubeObject[],
    namespace: string,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, KubeObject>> => {
    const entries = objects.map((object) => ({ object }))
    const kindOf = await kinds.resolve(entries, signal).catch((error: unknown) => {
      // a kind that comes with the chart
      if (isUnknownKind(error)) return undefined
      throw error
    })
    return new Map(
      objects.map((object) => {
        const placed = kindOf?.(object).namespaced
          ? { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace } }
          : object
        return [`${object.apiVersion} ${nameOf(placed)}`, placed]
      }),
    )
  }

  /** What the release holds; nothing when it is not there, or somebody else's. */
  const held = async (
    place: ReleasePlace,
    state: ReleaseState | undefined,
    signal: AbortSignal,
  ): Promise<readonly KubeObject[]> =>
    state ? releaseObjects(await tool.manifest(place, true, signal), `The release ${place.name}`) : []

  const own = async (place: ReleasePlace, signal: AbortSignal): Promise<ReleaseState | undefined> => {
    const state = await readRelease(connection, place.namespace, place.name, signal)
    return state && isOwnRelease(state, ownerOf(place.resource)) ? state : undefined
  }

  /** A login that is copied is taken as there. */
  const pullNames = ({ resource, images }: ReleaseRequest): readonly string[] => {
    if (!pullSecret || Object.keys(images).length === 0) return []
    return 'names' in pullSecret ? pullSecret.names : [pullSecretName(resource.name)]
  }

  const extrasOf = async (request: ReleaseRequest): Promise<PodExtras> => ({
    pullNames: pullNames(request),
    agentOf: await agentsOf(agent, request),
  })

  const wanted: ReleasePreview['wanted'] = async (request, signal) => {
    const { resource: spec } = request
    const upgrade = releaseUpgrade(connection, ownerOf(spec.name), request, await extrasOf(request), '', () => {})
    return releaseObjects(await tool.tryUpgrade(upgrade, signal), `The release ${spec.releaseName}`)
  }

  return {
    wanted,
    async diff(request, signal) {
      const place = releasePlace(connection, request.resource)
      const extras = await extrasOf(request)
      const [state, key] = await Promise.all([own(place, signal), releaseKey(tool, request, extras)])
      // what was made from the same is not upgraded, even if the chart would give something else in an upgrade
      if (state && isUpToDate(state, key)) return []
      const [there, coming] = await Promise.all([held(place, state, signal), wanted(request, signal)])
      const [before, after] = await Promise.all([within(there, place.namespace, signal), within(coming, place.namespace, signal)])
      const changes: ObjectChange[] = []
      for (const [key, object] of after) {
        const old = before.get(key)
        if (JSON.stringify(old) !== JSON.stringify(object))
          changes.push({ name: nameOf(object), ...(old ? { before: old } : {}), after: object, anew: false })
      }
      for (const [key, old] of before)
        if (!after.has(key) && !isKept(old)) changes.push({ name: nameOf(old), before: old, anew: false })
      return changes
    },
    async leaving(refs, resource, signal) {
      const all = refs.map(async ({ name, namespace }) => {
        const place = { resource, name, namespace, kubeconfig: connection.kubeconfig(), at: undefined }
        const objects = await within(await held(place, await own(place, signal), signal), namespace, signal)
        return [...objects.values()].filter((object) => !isKept(object))
      })
      return (await Promise.all(all)).flat().map((object) => ({ name: nameOf(object), before: object, anew: false }))
    },
  }
}
