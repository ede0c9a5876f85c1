// The namespace that a Multi Tenant Operator made for a user, wherever its word can be read. Fields of its Tenants of v1beta2 and v1beta3
// (github.com/stakater, tenant-operator 1.10).
import { setTimeout as sleep } from 'node:timers/promises'
import { tenantLabel, type TenantSettings } from '../../../model/sandbox.js'
import { DevloopError } from '../../../errors/devloop-error.js'
import { listed } from '../../../errors/did-you-mean.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { projectGroup, type ApiGroups } from './api-groups.js'
import type { VerifiedUser } from './verified-user.js'

/** The operator's API group. */
export const tenantGroup = 'tenantoperator.stakater.com'
/** Of namespaces that are sandboxes, as the operator's documented configuration labels them. */
const sandboxSelector = 'stakater.com/kind=sandbox'

/** Milliseconds for which a sandbox is waited for that its tenant promises. */
const promisedMs = 60_000
const pauseMs = 500

export interface TenantQuestion {
  readonly connection: KubeConnection
  readonly groups: ApiGroups
  readonly user: VerifiedUser
  /** Only of this tenant; undefined = of whichever the user is in. */
  readonly tenant: TenantSettings | undefined
  /** Whether a sandbox that is to come is waited for. */
  readonly waits: boolean
  /** Told what is waited for. */
  readonly tell: (text: string) => void
}

/**
 * The user's sandbox by the status of a tenant, or, where tenants may not be read, by the labels of namespaces. It is never computed: how
 * the operator makes names is its own affair. Undefined = there is none.
 * @throws DevloopError cluster/no-namespace when there are several, cluster/*; AbortError
 */
export async function tenantSandbox(question: TenantQuestion, signal: AbortSignal): Promise<string | undefined> {
  const deadline = Date.now() + promisedMs
  for (let told = false; ;) {
    const tenants = await readTenants(question, signal)
    if (!tenants) return labelledSandbox(question, signal)
    const found = tenants.flatMap((tenant) => {
      const namespace = tenant.status?.deployedSandboxes?.[question.user.name]
      return namespace ? [{ namespace, tenant: tenant.metadata.name }] : []
    })
    if (found.length > 1) {
      throw new DevloopError('cluster/no-namespace', 'You have sandboxes in several tenants, and none is named.', {
        why: found.map(({ tenant, namespace }) => `${tenant}: ${namespace}`).join(', '),
        help: `Name the tenant in the Devloopfile: cluster: { tenant: '${found[0]?.tenant}' }`,
      })
    }
    if (found[0]) return found[0].namespace
    const promised = tenants.find((tenant) => promises(tenant, question.user))
    if (!promised || !question.waits || Date.now() >= deadline) return undefined
    if (!told) question.tell(`waiting for the sandbox that the tenant ${promised.metadata.name} is to give you`)
    told = true
    await sleep(pauseMs, undefined, { signal })
  }
}

interface Members {
  readonly users?: readonly string[]
  readonly groups?: readonly string[]
}

interface Tenant {
  readonly metadata: { readonly name: string }
  readonly spec?: {
    readonly accessControl?: { readonly owners?: Members; readonly editors?: Members }
    readonly namespaces?: { readonly sandboxes?: { readonly enabled?: boolean } }
    /** These of v1beta2. */
    readonly owners?: Members
    readonly editors?: Members
    readonly sandboxConfig?: { readonly enabled?: boolean }
  }
  readonly status?: { readonly deployedSandboxes?: Readonly<Record<string, string>> }
}

/** Undefined when they may not be read; a tenant that does not exist is none. */
async function readTenants(
  { connection, groups, tenant }: TenantQuestion,
  signal: AbortSignal,
): Promise<readonly Tenant[] | undefined> {
  const version = groups.get(tenantGroup)?.[0]
  if (version === undefined) return []
  const path = `/apis/${tenantGroup}/${version}/tenants`
  try {
    if (!tenant) {
      const list = (await connection.request('GET', path, { what: 'list tenants', signal })) as {
        readonly items?: readonly Tenant[]
      }
      return list.items ?? []
    }
    const one = await connection.request('GET', `${path}/${encodeURIComponent(tenant.name)}`, {
      what: `read the tenant ${tenant.name}`,
      signal,
    })
    return [one as Tenant]
  } catch (thrown) {
    const code = statusOf(thrown)?.code
    if (code === 403) return undefined
    if (code === 404) return []
    throw thrown
  }
}

/** Whether a tenant will have a sandbox for a user: owners and editors get one. */
function promises({ spec = {} }: Tenant, user: VerifiedUser): boolean {
  if (!(spec.namespaces?.sandboxes?.enabled ?? spec.sandboxConfig?.enabled ?? false)) return false
  const { owners = spec.owners, editors = spec.editors } = spec.accessControl ?? {}
  return [owners, editors].some(
    (members) =>
      (members?.users?.includes(user.name) ?? false) || (members?.groups?.some((group) => user.groups.includes(group)) ?? false),
  )
}

interface Labelled {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
}

/** By the labels of the namespaces that may be listed. Members may see each other's, so the name must be the user's, too. */
async function labelledSandbox(question: TenantQuestion, signal: AbortSignal): Promise<string | undefined> {
  const { connection, groups, user, tenant } = question
  const label = tenant?.label ?? tenantLabel
  const query = { labelSelector: `${tenant ? `${label}=${tenant.name}` : label},${sandboxSelector}` }
  const list = async (path: string): Promise<readonly Labelled[] | undefined> => {
    try {
      const answer = (await connection.request('GET', path, { query, what: 'list namespaces', signal })) as {
        readonly items?: readonly Labelled[]
      }
      return answer.items ?? []
    } catch (thrown) {
      const code = statusOf(thrown)?.code
      if (code === 403 || code === 404) return undefined
      throw thrown
    }
  }
  // projects are the namespaces that the user may see, and anybody may list those
  const projects = groups.has(projectGroup) ? await list(`/apis/${projectGroup}/v1/projects`) : undefined
  const found = projects ?? (await list('/api/v1/namespaces')) ?? []
  const mine = found.filter(({ metadata: { name, labels } }) =>
    partsOf(user.name).some((part) => name === `${labels?.[label] ?? ''}-${part}-sandbox`),
  )
  if (mine.length > 1) {
    throw new DevloopError(
      'cluster/no-namespace',
      `Several sandboxes may be yours: ${listed(mine.map(({ metadata }) => metadata.name))}.`,
      {
        help: 'Name one of them with --namespace, or with cluster.namespace in the Devloopfile.',
      },
    )
  }
  return mine[0]?.metadata.name
}

/** How a user's name may stand in that of a sandbox, such as `anna-aurora` for `anna@aurora.org`. */
function partsOf(user: string): readonly string[] {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return [...new Set([plain(user), plain(user.replace(/\.[^.@]+$/, '')), plain(user.split('@')[0] ?? user)])]
}
