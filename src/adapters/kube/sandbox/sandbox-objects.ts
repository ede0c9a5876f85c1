// The objects of one developer's namespace. Pure: the same for whoever makes them, the developer's own devloop or an administrator.
import type { KubeObject } from '../../../model/plan.js'
import { userSlug, type SandboxSettings, type TenantSettings } from '../../../model/sandbox.js'
import { expiresAnnotation, madeForAnnotation, managedBy, managedByLabel, ownerLabel, ownerUserAnnotation } from '../labels.js'

export interface SandboxRequest {
  readonly namespace: string
  /** User name as the API server knows it; whose namespace it is. */
  readonly owner: string
  readonly settings: SandboxSettings
  readonly tenant?: TenantSettings | undefined
  /** When it may be deleted unless it is used, as RFC 3339 writes times; undefined = never. */
  readonly expires?: string | undefined
  /** `PROJECT.INSTANCE`; undefined = it is for none in particular. */
  readonly madeFor?: string | undefined
  /** ServiceAccounts of the namespace that get the same rights as the owner. */
  readonly serviceAccounts?: readonly string[]
  /** Content of `.dockerconfigjson` for pods that pull. Secret. Undefined = none is made. */
  readonly pullConfig?: string | undefined
}

/** Name of every object in the namespace that there is one of. */
export const sandboxName = 'devloop'
/** The Secret that pods pull with. */
const pullSecret = 'devloop-pull'
/** The account of pods that name none. */
const defaultAccount = 'default'

const labels = { [managedByLabel]: managedBy }

/**
 * The Namespace itself. It is to be created: who may do that may often neither read nor change it.
 * @param request without settings, what pods must keep to is left to the cluster
 */
export function namespaceObject({
  namespace,
  owner,
  settings,
  tenant,
  expires,
  madeFor,
}: Omit<SandboxRequest, 'settings'> & { readonly settings?: SandboxSettings | undefined }): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: {
        ...labels,
        [ownerLabel]: userSlug(owner),
        ...(tenant ? { [tenant.label]: tenant.name } : {}),
        ...(settings ? podSecurityLabels(settings) : {}),
      },
      annotations: {
        [ownerUserAnnotation]: owner,
        ...(madeFor === undefined ? {} : { [madeForAnnotation]: madeFor }),
        ...(expires === undefined ? {} : { [expiresAnnotation]: expires }),
      },
    },
  }
}

/** What Pod Security admission goes by. */
export const podSecurityLabels = ({ podSecurity }: SandboxSettings): Readonly<Record<string, string>> => ({
  'pod-security.kubernetes.io/enforce': podSecurity,
  'pod-security.kubernetes.io/enforce-version': 'latest',
  'pod-security.kubernetes.io/audit': 'restricted',
  'pod-security.kubernetes.io/audit-version': 'latest',
  'pod-security.kubernetes.io/warn': 'restricted',
  'pod-security.kubernetes.io/warn-version': 'latest',
})

/** What is in it, in the order in which it is applied: rights last, so that whoever gets them finds all else in force. */
export function sandboxObjects(request: SandboxRequest): readonly KubeObject[] {
  const { settings } = request
  return [
    ...limitRange(settings),
    ...resourceQuota(settings),
    ...networkPolicy(request),
    ...pullObjects(request),
    ...serviceAccount(request),
    roleBinding(request),
  ].map((object) => ({ ...object, metadata: { labels, ...object.metadata, namespace: request.namespace } }))
}

function resourceQuota({ quota }: SandboxSettings): readonly KubeObject[] {
  if (Object.keys(quota).length === 0) return []
  return [{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: sandboxName }, spec: { hard: quota } }]
}

function limitRange({ defaults: { requests, limits } }: SandboxSettings): readonly KubeObject[] {
  const [hasRequests, hasLimits] = [requests, limits].map((amounts) => Object.keys(amounts).length > 0)
  if (!hasRequests && !hasLimits) return []
  const container = {
    type: 'Container',
    ...(hasLimits ? { default: limits } : {}),
    ...(hasRequests ? { defaultRequest: requests } : {}),
  }
  return [{ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: sandboxName }, spec: { limits: [container] } }]
}

/** From the namespace itself, from those of no developer (the system's, ingress controllers), and from those of the same tenant. */
function networkPolicy({ settings, tenant }: SandboxRequest): readonly KubeObject[] {
  if (settings.network === 'open') return []
  const nobodys = [ownerLabel, ...(tenant ? [tenant.label] : [])].map((key) => ({ key, operator: 'DoesNotExist' }))
  const from = [
    { podSelector: {} },
    { namespaceSelector: { matchExpressions: nobodys } },
    ...(tenant ? [{ namespaceSelector: { matchLabels: { [tenant.label]: tenant.name } } }] : []),
  ]
  const spec = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from }] }
  return [{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: sandboxName }, spec }]
}

function pullObjects({ pullConfig }: SandboxRequest): readonly KubeObject[] {
  if (pullConfig === undefined) return []
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: pullSecret },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(pullConfig).toString('base64') },
    },
    // the cluster makes this one itself, so it is not devloop's: only its pull secret is added
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: defaultAccount, labels: {} },
      imagePullSecrets: [{ name: pullSecret }],
    },
  ]
}

function serviceAccount({ settings, pullConfig }: SandboxRequest): readonly KubeObject[] {
  if (settings.serviceAccount === undefined) return []
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: settings.serviceAccount },
      automountServiceAccountToken: false,
      ...(pullConfig === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
    },
  ]
}

function roleBinding({ namespace, owner, settings: { access }, serviceAccounts = [] }: SandboxRequest): KubeObject {
  const apiGroup = 'rbac.authorization.k8s.io'
  const users = [...new Set([owner, ...access.users])]
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'devloop-access' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: access.role },
    subjects: [
      ...users.map((user) => ({ apiGroup, kind: 'User', name: user })),
      ...[...new Set(access.groups)].map((group) => ({ apiGroup, kind: 'Group', name: group })),
      ...[...new Set(serviceAccounts)].map((account) => ({ kind: 'ServiceAccount', name: account, namespace })),
    ],
  }
}
