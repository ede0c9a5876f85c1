// Every right that resources of a plan need in the cluster, and what breaks without it. Pure.
import { listed } from '../../../errors/did-you-mean.js'
import { holdsSecrets } from '../../../model/config-uses.js'
import { objectKindOf } from '../../../model/config-values.js'
import { imagesOf, isSecretText, textsOf, type AppSpec, type KubeObject } from '../../../model/plan.js'
import type { RightsSubject } from '../../../ports/runtime.js'
import type { KindInfo } from '../deploy/kinds.js'
import { accountOf } from '../deploy/app-account.js'
import { exposingKinds } from '../deploy/app-expose.js'
import { manifestObjects } from '../deploy/render-manifests.js'
import { workloadKindOf } from '../deploy/render-app.js'
import { generatedNames } from '../deploy/resolve-text.js'
import { isWorkloadKind, workloadPaths } from '../observe-workload.js'
import type { Right } from './access.js'

export interface NeededRight extends Right {
  /** Empty = in the whole cluster. */
  readonly namespace: string
  /** What does not work without it. */
  readonly breaks: string
}

export interface RightsInput {
  readonly subjects: readonly RightsSubject[]
  /** Of everything that names none. */
  readonly namespace: string
  /** Whether built images are pulled with a Secret that devloop makes. */
  readonly copiesLogin: boolean
  /** Undefined = the cluster does not serve the kind. */
  readonly kindOf: (object: Pick<KubeObject, 'apiVersion' | 'kind'>) => KindInfo | undefined
}

/** What a right is for: the words for what breaks without it, given the names of the resources that need it. */
type Purpose = (names: string) => string

const purposes = {
  seen: (names) => `nothing is seen of ${names}: never ready`,
  rollouts: (names) => `nothing tells when a rollout of ${names} is done`,
  reasons: () => 'nothing tells why pods do not start',
  logs: (names) => `no logs of ${names}`,
  sync: (names) => `no live sync into ${names}`,
  links: (names) => `nothing tells whether ${names} reach what they use`,
  replaced: (names) => `pods of ${names} that went wrong are not replaced`,
  forwards: (names) => `no forwarded ports of ${names}`,
  applied: (names) => `${names} cannot be deployed`,
  deleted: (names) => `${names} cannot be deleted`,
  inventory: (names) => `${names} cannot be deployed: what was applied is recorded there`,
  generated: (names) => `generated values of ${names} cannot be made`,
  release: (names) => `Helm cannot install ${names}: it keeps its releases there`,
} satisfies Record<string, Purpose>

/** These are never deleted with their resource: they hold what is not devloop's to lose. */
const kept = new Set(['PersistentVolumeClaim', 'Namespace', 'CustomResourceDefinition'])

/** Names that are written out where many resources need a right. */
const mostNames = 4

/** Each right once, in the order in which a deploy needs them. */
export function neededRights(input: RightsInput): readonly NeededRight[] {
  const found = new Map<string, { right: Omit<NeededRight, 'breaks'>; why: Map<Purpose, Set<string>> }>()
  const need = (
    purpose: Purpose,
    resource: string,
    place: { readonly namespace: string; readonly group?: string; readonly name: string },
    ...verbs: readonly string[]
  ): void => {
    const { namespace, group = '', name } = place
    for (const verb of verbs) {
      const key = `${namespace} ${group} ${resource} ${verb}`
      const entry = found.get(key) ?? { right: { verb, resource, namespace, ...(group ? { group } : {}) }, why: new Map() }
      found.set(key, entry)
      entry.why.set(purpose, (entry.why.get(purpose) ?? new Set<string>()).add(name))
    }
  }

  for (const { resource, synced, linked } of input.subjects) {
    const { name } = resource
    const own = { namespace: input.namespace, name }
    const objects = objectsOf(input, resource)
    const isInventoried =
      resource.kind === 'app' || resource.kind === 'config' || resource.kind === 'manifests' || resource.kind === 'release'
    if (isInventoried) need(purposes.inventory, 'configmaps', own, 'get', 'create', 'patch', 'delete')
    const makesValues =
      resource.kind === 'app' ? holdsSecrets(resource) : resource.kind === 'config' && generatedNames(resource).size > 0
    if (makesValues) need(purposes.generated, 'secrets', own, 'get', 'create', 'patch')
    if (resource.kind === 'release') {
      const place = { namespace: resource.namespace ?? input.namespace, name }
      need(purposes.release, 'secrets', place, 'get', 'list', 'create', 'update', 'delete')
    }
    for (const { info, namespace } of objects.values()) {
      const [group, version] = info.apiVersion.split('/')
      const place = { namespace, name, ...(version === undefined ? {} : { group }) }
      need(purposes.applied, info.plural, place, 'get', 'create', 'patch')
      if (!kept.has(info.kind)) need(purposes.deleted, info.plural, place, 'delete')
    }
    const watched = workloadsOf(input, resource, objects)
    for (const [namespace, kinds] of watched) {
      const place = { namespace, name }
      need(purposes.seen, 'pods', place, 'list', 'watch')
      need(purposes.reasons, 'events', place, 'list', 'watch')
      need(purposes.logs, 'pods/log', place, 'get')
      for (const kind of kinds) {
        const { group, plural } = workloadPaths[kind]
        need(purposes.rollouts, plural, { ...place, group: group.split('/')[1] ?? '' }, 'list', 'watch')
      }
      if (resource.forward.length > 0 || (resource.kind === 'app' && resource.debug))
        need(purposes.forwards, 'pods/portforward', place, 'get', 'create')
      if (linked) need(purposes.links, 'pods/exec', place, 'get', 'create')
      if (!imagesOf(resource).some((image) => synced.has(image))) continue
      need(purposes.sync, 'pods/exec', place, 'get', 'create')
      if (resource.kind !== 'attach') need(purposes.replaced, 'pods', place, 'get', 'delete')
    }
  }
  return [...found.values()].map(({ right, why }) => ({
    ...right,
    breaks: [...why].map(([purpose, names]) => purpose(shortList([...names]))).join('; '),
  }))
}

type Objects = ReadonlyMap<string, { readonly info: KindInfo; readonly namespace: string }>

/** The kinds of a resource's objects, each once for a namespace. */
function objectsOf({ namespace: own, copiesLogin, kindOf }: RightsInput, resource: RightsSubject['resource']): Objects {
  const objects = new Map<string, { info: KindInfo; namespace: string }>()
  const add = (object: Pick<KubeObject, 'apiVersion' | 'kind'>, namespace: string): void => {
    const info = kindOf(object)
    if (info) objects.set(`${info.apiVersion} ${info.kind} ${namespace}`, { info, namespace: info.namespaced ? namespace : '' })
  }
  const secret = { apiVersion: 'v1', kind: 'Secret' }
  if (resource.kind === 'app') {
    const hasRoutes = kindOf(exposingKinds.Route) !== undefined
    for (const object of appKinds(resource)) if (object.kind !== 'Ingress' || !hasRoutes) add(object, own)
  }
  if (resource.kind === 'config') add({ apiVersion: 'v1', kind: objectKindOf(resource) }, own)
  if (resource.kind === 'manifests' || resource.kind === 'release') {
    const space = resource.namespace ?? own
    for (const { object } of manifestObjects(resource)) add(object, object.metadata.namespace ?? space)
  }
  const pullsBuilt = copiesLogin && imagesOf(resource).length > 0
  if (pullsBuilt && resource.kind !== 'custom' && resource.kind !== 'attach') add(secret, own)
  return objects
}

/** What an app may be rendered as; where it is exposed both kinds, of which a cluster with Routes needs only these. */
export function appKinds(app: AppSpec): readonly Pick<KubeObject, 'apiVersion' | 'kind'>[] {
  const secret = { apiVersion: 'v1', kind: 'Secret' }
  const isSecret = textsOf(app).some(isSecretText)
  const volumes = app.volumes ?? []
  const files = volumes.filter((volume) => volume.kind === 'files')
  return [
    { apiVersion: app.job ? 'batch/v1' : 'apps/v1', kind: workloadKindOf(app) },
    ...(Object.keys(app.ports).length > 0 || app.headless ? [{ apiVersion: 'v1', kind: 'Service' }] : []),
    ...(isSecret || files.some((volume) => volume.secret) ? [secret] : []),
    ...(files.length > 0 ? [{ apiVersion: 'v1', kind: 'ConfigMap' }] : []),
    ...(volumes.some((volume) => volume.kind === 'named' && volume.owner)
      ? [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' }]
      : []),
    ...accountOf(app).objects,
    ...(app.expose ? Object.values(exposingKinds) : []),
  ]
}

/** By namespace, the kinds of workloads that are watched there for a resource; also a namespace in which only pods are. */
function workloadsOf(
  { namespace: own }: RightsInput,
  resource: RightsSubject['resource'],
  objects: Objects,
): ReadonlyMap<string, ReadonlySet<keyof typeof workloadPaths>> {
  const found = new Map<string, Set<keyof typeof workloadPaths>>()
  const add = (namespace: string, kind: string): void => {
    const kinds = found.get(namespace) ?? new Set()
    found.set(namespace, kinds)
    if (isWorkloadKind(kind)) kinds.add(kind)
  }
  if (resource.kind === 'attach') {
    const namespace = resource.namespace ?? own
    add(namespace, resource.workload.kind)
    // what owns a ReplicaSet speaks for its pods
    if (resource.workload.kind === 'ReplicaSet') add(namespace, 'Deployment')
  } else if (resource.kind === 'custom') add(own, 'Pod')
  for (const { info, namespace } of objects.values())
    if (isWorkloadKind(info.kind) || info.kind === 'Pod' || info.kind === 'CronJob') add(namespace, info.kind)
  return found
}

function shortList(names: readonly string[]): string {
  if (names.length <= mostNames + 1) return listed(names)
  return `${names.slice(0, mostNames).join(', ')} and ${names.length - mostNames} more`
}
