// What a Multi Tenant Operator brings to a cluster, imitated: its kinds as schemas alone, its gate as an admission policy, and its
// controller as far as sandboxes and rights go. Fields of tenant-operator 1.10 (github.com/stakater).
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { statusOf } from '../../src/adapters/kube/errors.js'
import { randomSuffix } from './cluster.js'
import { waitFor } from './wait-for.js'

const group = 'tenantoperator.stakater.com'
const rbac = 'rbac.authorization.k8s.io'

const strings = { type: 'array', items: { type: 'string' } }
const members = { type: 'object', properties: { users: strings, groups: strings } }
const names = { type: 'array', items: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])$' } }
const pairs = { type: 'object', additionalProperties: { type: 'string' } }
const metadata = { type: 'object', properties: { labels: pairs, annotations: pairs } }
const sandboxes = { type: 'object', properties: { enabled: { type: 'boolean' }, private: { type: 'boolean' } } }
const status = {
  type: 'object',
  properties: { ready: { type: 'boolean' }, deployedNamespaces: strings, deployedSandboxes: pairs },
}

const schema = (spec: object): object => ({
  openAPIV3Schema: { type: 'object', required: ['spec'], properties: { spec, status } },
})

const tenantVersions = [
  {
    name: 'v1beta3',
    served: true,
    storage: true,
    subresources: { status: {} },
    schema: schema({
      type: 'object',
      required: ['quota'],
      properties: {
        quota: { type: 'string' },
        desc: { type: 'string' },
        accessControl: { type: 'object', properties: { owners: members, editors: members, viewers: members } },
        namespaces: {
          type: 'object',
          properties: {
            withTenantPrefix: names,
            withoutTenantPrefix: names,
            sandboxes,
            onDeletePurgeNamespaces: { type: 'boolean', default: false },
            metadata: { type: 'object', properties: { common: metadata, sandbox: metadata } },
          },
        },
      },
    }),
  },
  {
    name: 'v1beta2',
    served: true,
    storage: false,
    subresources: { status: {} },
    schema: schema({
      type: 'object',
      required: ['quota'],
      properties: { quota: { type: 'string' }, owners: members, editors: members, viewers: members, sandboxConfig: sandboxes },
    }),
  },
]

const limits = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const quotaVersions = [
  {
    name: 'v1beta1',
    served: true,
    storage: true,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: {
              resourcequota: { type: 'object', properties: { hard: pairs, scopes: strings } },
              limitrange: { type: 'object', properties: { limits: { type: 'array', items: limits } } },
            },
          },
        },
      },
    },
  },
]

const definition = (plural: string, kind: string, versions: readonly object[]): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Cluster',
    names: { plural, kind, singular: kind.toLowerCase() },
    versions,
    conversion: { strategy: 'None' },
  },
})

/** Make an object unless it is there. @returns whether it was made */
export async function ensure(connection: KubeConnection, path: string, body: object): Promise<boolean> {
  try {
    await connection.request('POST', path, { body, query: { fieldValidation: 'Strict' } })
    return true
  } catch (thrown) {
    if (statusOf(thrown)?.code !== 409) throw thrown
    return false
  }
}

/**
 * Tenants and Quotas as kinds of the cluster, without an operator. Files of tests that need them install them, whoever comes first, and
 * nobody takes them away: others may be using them.
 */
export async function installTenants(connection: KubeConnection): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  await ensure(connection, path, definition('tenants', 'Tenant', tenantVersions))
  await ensure(connection, path, definition('quotas', 'Quota', quotaVersions))
  for (const served of [`/apis/${group}/v1beta3/tenants`, `/apis/${group}/v1beta1/quotas`])
    await waitFor(() => connection.request('GET', served), { what: `${served} to be served`, timeoutMs: 60_000 })
}

export const tenantPath = (name = ''): string => `/apis/${group}/v1beta3/tenants${name === '' ? '' : `/${name}`}`

/** Rights in a namespace, as the operator binds them. */
export function bindRole(connection: KubeConnection, namespace: string, user: string, role = 'edit'): Promise<boolean> {
  return ensure(connection, `/apis/${rbac}/v1/namespaces/${namespace}/rolebindings`, {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { name: `tenant-${role}` },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
  })
}

export interface Gate {
  /** Users of this group are let through it, and may make namespaces, but neither read nor change them. */
  readonly group: string
  remove(): Promise<void>
}

/** The operator's rule for members of tenants, in place of its webhook: no namespace without the label. For one group alone. */
export async function tenantGate(connection: KubeConnection): Promise<Gate> {
  const name = `devloop-gate-${randomSuffix()}`
  const admission = '/apis/admissionregistration.k8s.io/v1'
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const made: string[] = []
  const make = async (path: string, body: object): Promise<void> => {
    await connection.request('POST', path, { body })
    made.push(`${path}/${name}`)
  }
  await make(`/apis/${rbac}/v1/clusterroles`, {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name },
    rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create'] }],
  })
  await make(`/apis/${rbac}/v1/clusterrolebindings`, {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [{ apiGroup: rbac, kind: 'Group', name }],
  })
  await make(`${admission}/validatingadmissionpolicies`, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['namespaces'] }],
      },
      matchConditions: [{ name: 'members', expression: `'${name}' in request.userInfo.groups` }],
      validations: [
        {
          expression: `has(object.metadata.labels) && 'stakater.com/tenant' in object.metadata.labels`,
          messageExpression: `'Cannot CREATE namespace ' + object.metadata.name + ' without label stakater.com/tenant. User: ' + request.userInfo.username`,
          reason: 'Forbidden',
        },
      ],
    },
  })
  await make(`${admission}/validatingadmissionpolicybindings`, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  })
  return {
    group: name,
    async remove() {
      for (const path of made.toReversed()) await connection.request('DELETE', path).catch(() => undefined)
    },
  }
}
