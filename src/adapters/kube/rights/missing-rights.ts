// Which of the rights that resources of a plan need the user of a connection lacks.
import { isDevloopError } from '../../../errors/devloop-error.js'
import type { MissingRight } from '../../../model/missing-right.js'
import type { ClusterSettings, KubeObject } from '../../../model/plan.js'
import type { RightsSubject } from '../../../ports/runtime.js'
import type { KubeConnection } from '../connection.js'
import { createKindCatalog, type KindInfo } from '../deploy/kinds.js'
import { manifestObjects } from '../deploy/render-manifests.js'
import { waitForRights } from './access.js'
import { appKinds, neededRights, type NeededRight } from './needed-rights.js'

export interface RightsChecker {
  /** How many rights the resources need, and those that are missing. @throws DevloopError cluster/*; AbortError */
  check(
    subjects: readonly RightsSubject[],
    signal: AbortSignal,
    patienceMs?: number,
  ): Promise<{ readonly needed: number; readonly missing: readonly MissingRight[] }>
}

export function createRightsChecker(connection: KubeConnection, cluster: Pick<ClusterSettings, 'pullSecret'>): RightsChecker {
  const kinds = createKindCatalog(connection)
  const copiesLogin = cluster.pullSecret !== undefined && 'copy' in cluster.pullSecret

  /** Each kind of the objects. What the cluster does not serve is told by the deploy. */
  const lookUp = async (subjects: readonly RightsSubject[], signal: AbortSignal): Promise<ReadonlyMap<string, KindInfo>> => {
    const all = subjects.flatMap(({ resource }) => objectsOf(resource))
    // definitions that come along bring kinds that are not served yet
    const definitions = all.filter(({ kind }) => kind === 'CustomResourceDefinition')
    const found = new Map<string, KindInfo>()
    for (const object of [secret, ...all]) {
      const key = keyOf(object)
      if (found.has(key)) continue
      try {
        const lookup = await kinds.resolve(
          [...definitions, object].map((one) => ({ object: one })),
          signal,
        )
        found.set(key, lookup(object))
      } catch (thrown) {
        if (!isDevloopError(thrown) || thrown.code !== 'cluster/invalid') throw thrown
      }
    }
    return found
  }

  return {
    async check(subjects, signal, patienceMs = 0) {
      const { namespace } = connection
      const served = await lookUp(subjects, signal)
      const needed = neededRights({ subjects, namespace, copiesLogin, kindOf: (object) => served.get(keyOf(object)) })
      const missing: NeededRight[] = []
      for (const space of new Set(needed.map((right) => right.namespace))) {
        const rights = needed.filter((right) => right.namespace === space)
        missing.push(...(await waitForRights(connection, space, rights, signal, patienceMs)))
      }
      return { needed: needed.length, missing: missing.map(told) }
    },
  }
}

const keyOf = ({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): string => `${apiVersion} ${kind}`

const secret: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: '' } }

function objectsOf(resource: RightsSubject['resource']): readonly KubeObject[] {
  if (resource.kind === 'app')
    return appKinds(resource).map(({ apiVersion, kind }) => ({ apiVersion, kind, metadata: { name: resource.name } }))
  if (resource.kind === 'manifests' || resource.kind === 'release') return manifestObjects(resource).map(({ object }) => object)
  return []
}

/** As `kubectl auth can-i` names a resource: the group stands before the subresource. */
function told({ verb, resource, group, namespace, breaks }: NeededRight): MissingRight {
  const [name = '', subresource] = resource.split('/')
  const whole = [group ? `${name}.${group}` : name, subresource].filter((part) => part !== undefined).join('/')
  return { verb, resource: whole, namespace, breaks }
}
