// What an administrator does for a developer: a namespace with its objects, or a place in a tenant; and an account for a kubeconfig.
import { setTimeout as sleep } from 'node:timers/promises'
import { DevloopError } from '../../../errors/devloop-error.js'
import type { KubeObject } from '../../../model/plan.js'
import { isReservedNamespace, type SandboxSettings, type TenantSettings } from '../../../model/sandbox.js'
import type { KubeConnection } from '../connection.js'
import { deleteObject, readObject, type LiveObject } from '../deploy/cluster-objects.js'
import { apiPath, createKindCatalog } from '../deploy/kinds.js'
import { objectName } from '../deploy/rendered.js'
import { statusOf } from '../errors.js'
import { expiresAnnotation, fieldManager, managedBy, managedByLabel, ownerUserAnnotation } from '../labels.js'
import { namespaceObject, sandboxName, sandboxObjects } from '../sandbox/sandbox-objects.js'
import { optionalKinds, sandboxPath } from '../sandbox/sandbox-places.js'
import { accountName, accountObjects } from './account-objects.js'
import { bringObject, outcome, type Bringing, type Brought } from './bring-object.js'
import { newTenant, quotaObject, tenantApi, tenantPatch, type TenantMember } from './tenant-objects.js'

export interface ProvisionRequest {
  /** User name as the API server knows it. */
  readonly user: string
  /** Groups that get the same. */
  readonly groups: readonly string[]
  /** Undefined = the operator of the tenant makes it. */
  readonly namespace: string | undefined
  readonly settings: SandboxSettings
  readonly tenant: TenantSettings | undefined
  /** Name of the Quota of a tenant that is made. */
  readonly quota: string | undefined
  /** Whether a ServiceAccount is made for a kubeconfig. */
  readonly account: boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Provisioned {
  /** The developer's namespace; undefined = the operator has not said it (yet). */
  readonly namespace: string | undefined
  readonly objects: readonly {
    /** Such as `namespace/shop-ann`. */ readonly name: string
    readonly outcome: Brought | 'kept' | 'deleted'
  }[]
}

/** How long an operator may take to make a sandbox, and the pause between two looks. Milliseconds. */
const sandboxMs = 30_000
const pauseMs = 500

const hourMs = 3_600_000

/** Everything for a namespace, in the order in which it is applied. Pure. @param live as the cluster has the namespace, where that is known */
export function namespaceObjects(request: ProvisionRequest & { readonly namespace: string }, live?: LiveObject): KubeObject[] {
  const { user, groups, namespace, tenant, now } = request
  const { access, ttl, ...rest } = request.settings
  // the login of whoever provisions is no concern of the developer's pods
  const settings = { ...rest, access: { ...access, groups: [...access.groups, ...groups] }, pullSecret: false }
  const expires =
    live?.metadata.annotations?.[expiresAnnotation] ??
    (ttl === undefined ? undefined : new Date(now + ttl * hourMs).toISOString())
  const sandbox = { namespace, owner: user, settings, tenant, expires }
  return [
    namespaceObject(sandbox),
    ...sandboxObjects(sandbox),
    ...(request.account ? accountObjects({ namespace, user, role: access.role }) : []),
  ]
}

/**
 * Bring the cluster to what the request says; what is so already is not touched.
 * @param tell of what is waited for
 * @throws DevloopError provision/namespace for one that is somebody else's, provision/tenant, cluster/*; AbortError
 */
export async function provision(
  bringing: Bringing,
  request: ProvisionRequest,
  tell: (text: string) => void,
): Promise<Provisioned> {
  const { connection, signal } = bringing
  const kinds = createKindCatalog(connection)
  const objects: Provisioned['objects'][number][] = []
  const bring = async (object: KubeObject): Promise<void> => {
    const info = (await kinds.resolve([{ object }], signal))(object)
    const path = apiPath(info, object.metadata.namespace, object.metadata.name)
    objects.push({ name: objectName(object), outcome: await bringObject(bringing, object, path) })
  }

  let { namespace } = request
  if (request.tenant) {
    const isServed = await servesTenants(connection, signal)
    if (!isServed && namespace === undefined) throw noOperator(request.tenant.name)
    if (isServed) {
      const member = { ...request, tenant: request.tenant.name, quota: request.quota ?? request.tenant.name }
      objects.push(...(await bringTenant(bringing, member, request.settings, bring)))
      if (!bringing.dryRun && namespace === undefined) {
        tell(`waiting for the sandbox of ${request.user} in the tenant ${request.tenant.name}`)
        namespace = await deployedSandbox(connection, member, signal)
      }
    }
    if (namespace !== undefined && request.namespace === undefined && request.account)
      for (const object of accountObjects({ namespace, user: request.user, role: request.settings.access.role }))
        await bring(object)
  }
  if (request.namespace !== undefined) {
    const path = `/api/v1/namespaces/${encodeURIComponent(request.namespace)}`
    const live = await readObject(connection, path, signal)
    checkNamespace(request.namespace, request.user, live)
    const wanted = namespaceObjects({ ...request, namespace: request.namespace }, live)
    for (const object of wanted) await bring(object)
    if (live) for (const name of await takeAway(bringing, request.namespace, wanted)) objects.push({ name, outcome: 'deleted' })
  }
  return { namespace, objects }
}

/** The ServiceAccount that `account` asks for. */
export { accountName }

/** What is applied must not make somebody else's namespace devloop's, which may delete it later. */
function checkNamespace(namespace: string, user: string, live: LiveObject | undefined): void {
  const refuse = (message: string, help: string): never => {
    throw new DevloopError('provision/namespace', message, { help })
  }
  const another = 'Name another one with --namespace.'
  if (isReservedNamespace(namespace)) refuse(`The namespace ${namespace} is the cluster's own, and nobody's sandbox.`, another)
  if (!live) return
  if (live.metadata.deletionTimestamp) refuse(`The namespace ${namespace} is being deleted.`, 'Try again when it is gone.')
  if (live.metadata.labels?.[managedByLabel] !== managedBy) {
    refuse(
      `The namespace ${namespace} exists, and devloop did not make it.`,
      `${another} Or give rights in it yourself: kubectl create rolebinding ... --clusterrole=edit --user=... -n ${namespace}`,
    )
  }
  const owner = live.metadata.annotations?.[ownerUserAnnotation]
  if (owner !== undefined && owner !== user) refuse(`The namespace ${namespace} belongs to ${owner}.`, another)
}

/** What nothing is said of any more. */
async function takeAway(
  { connection, dryRun, signal }: Bringing,
  namespace: string,
  wanted: readonly KubeObject[],
): Promise<string[]> {
  const gone: string[] = []
  for (const kind of optionalKinds) {
    if (wanted.some((object) => object.kind === kind)) continue
    const path = sandboxPath(kind, namespace, sandboxName)
    const live = await readObject(connection, path, signal)
    if (live?.metadata.labels?.[managedByLabel] !== managedBy) continue
    if (!dryRun) await deleteObject(connection, path, live)
    gone.push(objectName(live))
  }
  return gone
}

const tenantPath = (name: string): string => `/apis/${tenantApi}/tenants/${encodeURIComponent(name)}`

async function servesTenants(connection: KubeConnection, signal: AbortSignal): Promise<boolean> {
  try {
    await connection.request('GET', `/apis/${tenantApi}`, { what: 'look for the Multi Tenant Operator', signal })
    return true
  } catch (thrown) {
    if (statusOf(thrown)?.code === 404) return false
    throw thrown
  }
}

const noOperator = (tenant: string): DevloopError =>
  new DevloopError('provision/tenant', `There is no Multi Tenant Operator that a tenant ${tenant} could belong to.`, {
    why: `The cluster does not serve ${tenantApi}.`,
    help: 'Leave out --tenant, or name a namespace with --namespace, which then only gets the label of the tenant.',
  })

/** A tenant may be in the hands of others (GitOps, a web console): only what is missing is added to it. */
async function bringTenant(
  { connection, dryRun, signal }: Bringing,
  member: TenantMember,
  settings: SandboxSettings,
  bring: (object: KubeObject) => Promise<void>,
): Promise<Provisioned['objects']> {
  const path = tenantPath(member.tenant)
  const name = `tenant/${member.tenant}`
  const dry = dryRun ? { dryRun: 'All' } : {}
  for (let attempt = 1; ; attempt++) {
    const live = await readObject(connection, path, signal)
    try {
      if (!live) {
        const quota = quotaObject(member.quota, settings)
        const there = await readObject(connection, `/apis/${quota.apiVersion}/quotas/${encodeURIComponent(member.quota)}`, signal)
        if (!there) await bring(quota)
        await connection.request('POST', `/apis/${tenantApi}/tenants`, {
          body: newTenant(member),
          query: { fieldManager, fieldValidation: 'Strict', ...dry },
          what: `make ${name}`,
          signal,
        })
        return [...(there ? [{ name: `quota/${member.quota}`, outcome: 'kept' as const }] : []), { name, outcome: 'created' }]
      }
      const patch = tenantPatch(live, member)
      if (!patch) return [{ name, outcome: 'unchanged' }]
      const after = (await connection.request('PATCH', path, {
        // somebody else may change its lists at the same time
        body: { metadata: { resourceVersion: live.metadata.resourceVersion }, ...patch },
        contentType: 'application/merge-patch+json',
        query: { fieldManager, fieldValidation: 'Strict', ...dry },
        what: `change ${name}`,
        signal,
      })) as LiveObject
      return [{ name, outcome: outcome(live, after) }]
    } catch (thrown) {
      if (statusOf(thrown)?.code !== 409 || attempt === 5) throw thrown
    }
  }
}

/** The namespace by the operator's own word: how it names sandboxes is its affair. Undefined when it does not say it in time. */
async function deployedSandbox(
  connection: KubeConnection,
  { tenant, user }: TenantMember,
  signal: AbortSignal,
): Promise<string | undefined> {
  const until = performance.now() + sandboxMs
  for (;;) {
    const live = await readObject(connection, tenantPath(tenant), signal)
    const { deployedSandboxes = {} } = (live?.status ?? {}) as { readonly deployedSandboxes?: Readonly<Record<string, string>> }
    if (deployedSandboxes[user] !== undefined) return deployedSandboxes[user]
    if (performance.now() >= until) return undefined
    await sleep(pauseMs, undefined, { signal })
  }
}
