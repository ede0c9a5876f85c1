// The objects of Stakater's Multi Tenant Operator for one member of a tenant: v1beta3 of Tenant, v1beta1 of Quota. Pure.
import type { KubeObject } from '../../../model/plan.js'
import type { ContainerDefaults, SandboxSettings } from '../../../model/sandbox.js'
import { managedBy, managedByLabel } from '../labels.js'

export const tenantApi = 'tenantoperator.stakater.com/v1beta3'
const quotaApi = 'tenantoperator.stakater.com/v1beta1'

/** What a tenant may use of which nobody said anything: the operator demands a quota. */
const usualQuota: Readonly<Record<string, string>> = {
  'requests.cpu': '8',
  'requests.memory': '16Gi',
  'limits.memory': '16Gi',
  pods: '100',
}
/** With such a quota, containers that say nothing would be refused. */
const usualDefaults: ContainerDefaults = {
  requests: { cpu: '100m', memory: '128Mi' },
  limits: { memory: '512Mi' },
}

const labels = { [managedByLabel]: managedBy }

/** @param settings of the sandbox, whose quota and defaults are the tenant's; both empty = the usual ones */
export function quotaObject(name: string, { quota, defaults }: SandboxSettings): KubeObject {
  const isSaid = Object.keys(quota).length > 0
  const { requests, limits } = isSaid ? defaults : usualDefaults
  const container = {
    type: 'Container',
    ...(Object.keys(limits).length > 0 ? { default: limits } : {}),
    ...(Object.keys(requests).length > 0 ? { defaultRequest: requests } : {}),
  }
  return {
    apiVersion: quotaApi,
    kind: 'Quota',
    metadata: { name, labels },
    spec: {
      resourcequota: { hard: isSaid ? quota : usualQuota },
      ...(Object.keys(container).length > 1 ? { limitrange: { limits: [container] } } : {}),
    },
  }
}

export interface TenantMember {
  readonly tenant: string
  readonly user: string
  readonly groups: readonly string[]
  /** Name of the Quota of a tenant that is made. */
  readonly quota: string
}

interface Subjects {
  readonly users?: readonly string[]
  readonly groups?: readonly string[]
}

interface TenantSpec {
  readonly quota?: string
  readonly accessControl?: { readonly owners?: Subjects; readonly editors?: Subjects; readonly viewers?: Subjects }
  readonly namespaces?: { readonly sandboxes?: { readonly enabled?: boolean } }
}

/** A tenant with this user as editor, and sandboxes. */
export const newTenant = ({ tenant, user, groups, quota }: TenantMember): KubeObject => ({
  apiVersion: tenantApi,
  kind: 'Tenant',
  metadata: { name: tenant, labels },
  spec: {
    quota,
    accessControl: { editors: { users: [user], ...(groups.length > 0 ? { groups: [...groups] } : {}) } },
    namespaces: { sandboxes: { enabled: true } },
  },
})

/**
 * What of a tenant must change so that the user has a sandbox in it, as a merge patch; undefined = nothing. Whoever is in it stays, and so
 * does all that others said of it.
 */
export function tenantPatch({ spec: given }: KubeObject, { user, groups }: TenantMember): object | undefined {
  const { accessControl: { owners = {}, editors = {} } = {}, namespaces } = (given ?? {}) as TenantSpec
  const missing = (kind: 'users' | 'groups', wanted: readonly string[]): readonly string[] =>
    wanted.filter((name) => ![...(owners[kind] ?? []), ...(editors[kind] ?? [])].includes(name))
  const users = missing('users', [user])
  const more = missing('groups', groups)
  const access = {
    ...(users.length > 0 ? { users: [...(editors.users ?? []), ...users] } : {}),
    ...(more.length > 0 ? { groups: [...(editors.groups ?? []), ...more] } : {}),
  }
  const spec = {
    ...(Object.keys(access).length > 0 ? { accessControl: { editors: access } } : {}),
    ...(namespaces?.sandboxes?.enabled === true ? {} : { namespaces: { sandboxes: { enabled: true } } }),
  }
  return Object.keys(spec).length > 0 ? { spec } : undefined
}
