// Which path of the API serves a kind, and whether its objects live in a namespace.
import { DevloopError, type SourcePosition } from '../../../errors/devloop-error.js'
import type { KubeObject } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { didYouMean } from './did-you-mean.js'

export interface KindInfo {
  readonly apiVersion: string
  readonly kind: string
  /** As in paths, such as `deployments`. */
  readonly plural: string
  readonly namespaced: boolean
}

/** A finder of kinds that are known: pure. */
export type KindLookup = (object: KubeObject) => KindInfo

export interface KindCatalog {
  /**
   * Make a lookup for these objects. Kinds that a CustomResourceDefinition among them defines are known before it is applied.
   * @throws DevloopError cluster/invalid for a kind that the cluster does not have, cluster/*
   */
  resolve(
    objects: readonly { readonly object: KubeObject; readonly at?: SourcePosition | undefined }[],
    signal: AbortSignal,
  ): Promise<KindLookup>
}

/** Path of an object, or of its collection when no name is given. */
export function apiPath(info: KindInfo, namespace: string | undefined, name?: string): string {
  const root = info.apiVersion.includes('/') ? `/apis/${info.apiVersion}` : `/api/${info.apiVersion}`
  const space = info.namespaced ? `/namespaces/${encodeURIComponent(namespace ?? 'default')}` : ''
  return `${root}${space}/${info.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

// Served by every cluster since long, so nobody has to ask. `*` = not in a namespace.
const builtIn: Readonly<Record<string, string>> = {
  v1: 'ConfigMap:configmaps Endpoints:endpoints LimitRange:limitranges Namespace:namespaces* PersistentVolume:persistentvolumes* PersistentVolumeClaim:persistentvolumeclaims Pod:pods ReplicationController:replicationcontrollers ResourceQuota:resourcequotas Secret:secrets Service:services ServiceAccount:serviceaccounts',
  'apps/v1': 'DaemonSet:daemonsets Deployment:deployments ReplicaSet:replicasets StatefulSet:statefulsets',
  'batch/v1': 'CronJob:cronjobs Job:jobs',
  'networking.k8s.io/v1': 'Ingress:ingresses IngressClass:ingressclasses* NetworkPolicy:networkpolicies',
  'policy/v1': 'PodDisruptionBudget:poddisruptionbudgets',
  'rbac.authorization.k8s.io/v1':
    'ClusterRole:clusterroles* ClusterRoleBinding:clusterrolebindings* Role:roles RoleBinding:rolebindings',
  'apiextensions.k8s.io/v1': 'CustomResourceDefinition:customresourcedefinitions*',
  'autoscaling/v2': 'HorizontalPodAutoscaler:horizontalpodautoscalers',
}

const keyOf = (apiVersion: string, kind: string): string => `${apiVersion} ${kind}`

function parseBuiltIn(): Map<string, KindInfo> {
  const all = new Map<string, KindInfo>()
  for (const [apiVersion, list] of Object.entries(builtIn)) {
    for (const item of list.split(' ')) {
      const [kind = '', plural = ''] = item.split(':')
      all.set(keyOf(apiVersion, kind), { apiVersion, kind, plural: plural.replace('*', ''), namespaced: !plural.endsWith('*') })
    }
  }
  return all
}

export function createKindCatalog(connection: KubeConnection): KindCatalog {
  const known = parseBuiltIn()
  /** Group versions that were asked for. */
  const asked = new Map<string, Promise<readonly KindInfo[] | undefined>>()

  function discover(apiVersion: string): Promise<readonly KindInfo[] | undefined> {
    const found = asked.get(apiVersion)
    if (found) return found
    // no caller's signal: others wait for the same answer
    const answer = askFor(apiVersion)
    asked.set(apiVersion, answer)
    answer.catch(() => asked.delete(apiVersion))
    return answer
  }

  async function askFor(apiVersion: string): Promise<readonly KindInfo[] | undefined> {
    const root = apiVersion.includes('/') ? '/apis' : '/api'
    try {
      const list = (await connection.request('GET', `${root}/${apiVersion}`, {
        what: `look up the kinds of ${apiVersion}`,
      })) as ApiResourceList
      return list.resources
        .filter(({ name }) => !name.includes('/'))
        .map(({ kind, name, namespaced }) => ({ apiVersion, kind, plural: name, namespaced }))
    } catch (error) {
      if (statusOf(error)?.code === 404) return undefined
      throw error
    }
  }

  async function find(object: KubeObject, at: SourcePosition | undefined, signal: AbortSignal): Promise<KindInfo> {
    const { apiVersion, kind } = object
    let served: readonly KindInfo[] | undefined
    // what was found earlier may be old by now: somebody may have installed the kind since
    for (const again of asked.has(apiVersion) ? [true, false] : [false]) {
      served = await discover(apiVersion)
      signal.throwIfAborted()
      const info = served?.find((candidate) => candidate.kind === kind)
      if (info) return info
      if (again) asked.delete(apiVersion)
    }
    asked.delete(apiVersion)
    const name = `${kind} "${object.metadata.name}"`
    if (served) {
      throw new DevloopError(
        'cluster/invalid',
        `${name}: the cluster has no kind ${kind} in ${apiVersion}.${didYouMean(
          kind,
          served.map((candidate) => candidate.kind),
        )}`,
        {
          where: at,
          help: `Correct the kind; if another resource brings it, name that one in \`needs\`.`,
        },
      )
    }
    throw new DevloopError(
      'cluster/invalid',
      `${name}: the cluster does not serve ${apiVersion}.${await otherVersion(object, signal)}`,
      {
        where: at,
        help: `Correct apiVersion; if another resource brings it, name that one in \`needs\`.`,
      },
    )
  }

  /** A hint at what was meant: the same kind elsewhere among what is built in, or a near name of a served group. */
  async function otherVersion({ apiVersion, kind }: KubeObject, signal: AbortSignal): Promise<string> {
    const elsewhere = [...known.values()].find((info) => info.kind === kind)
    if (elsewhere) return ` ${kind} is in ${elsewhere.apiVersion}.`
    const groups = (await connection.request('GET', '/apis', { signal })) as ApiGroupList
    return didYouMean(apiVersion, [
      'v1',
      ...groups.groups.flatMap((group) => group.versions.map((version) => version.groupVersion)),
    ])
  }

  return {
    async resolve(objects, signal) {
      const defined = new Map(
        objects.flatMap(({ object }) => definedKinds(object)).map((info) => [keyOf(info.apiVersion, info.kind), info]),
      )
      const found = new Map<string, KindInfo>()
      for (const { object, at } of objects) {
        const key = keyOf(object.apiVersion, object.kind)
        if (found.has(key)) continue
        found.set(key, known.get(key) ?? defined.get(key) ?? (await find(object, at, signal)))
      }
      return (object) => {
        const info = found.get(keyOf(object.apiVersion, object.kind))
        if (!info) throw new Error(`kind ${object.kind} of ${object.apiVersion} was not resolved`)
        return info
      }
    },
  }
}

interface ApiResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[]
}

interface ApiGroupList {
  readonly groups: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[]
}

/** The kinds that a CustomResourceDefinition brings; none for any other object. */
function definedKinds(object: KubeObject): readonly KindInfo[] {
  if (object.kind !== 'CustomResourceDefinition') return []
  const { group, names, scope, versions } = object.spec as CrdSpec
  return (versions ?? []).map(({ name }) => ({
    apiVersion: `${group}/${name}`,
    kind: names?.kind ?? '',
    plural: names?.plural ?? '',
    namespaced: scope !== 'Cluster',
  }))
}

interface CrdSpec {
  readonly group?: string
  readonly names?: { readonly kind?: string; readonly plural?: string }
  readonly scope?: string
  readonly versions?: readonly { readonly name: string }[]
}
