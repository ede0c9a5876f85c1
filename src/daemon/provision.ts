// `devloop provision`, behind the command line: an administrator gives a developer a namespace, or a place in a tenant.
import { userInfo } from 'node:os'
import { realpath } from 'node:fs/promises'
import { stringify } from 'yaml'
import type { Provisioned } from '../adapters/kube/provision/provision.js'
import { DevloopError } from '../errors/devloop-error.js'
import { defaultSandbox, ownNamespace, tenantLabel, userSlug } from '../model/sandbox.js'
import type { Plan } from '../model/plan.js'
import { loadPlan } from './down.js'

export interface ProvisionOptions {
  /** The Devloopfile; undefined = there is none, and everything is as by default. */
  readonly file: string | undefined
  /** User name as the API server knows it. */
  readonly user: string
  readonly groups: readonly string[]
  readonly tenant?: string
  /** Name of the Quota of a tenant that is made; default: as the tenant. */
  readonly quota?: string
  readonly namespace?: string
  readonly context?: string
  readonly dryRun: boolean
  /** Where to write a kubeconfig for the namespace. */
  readonly kubeconfig?: string
  /** Of its token, in milliseconds. */
  readonly lifetimeMs: number
  /** Replace what stands in that file, whatever it is. */
  readonly force: boolean
}

export interface ProvisionResult extends Provisioned {
  readonly context: string
  readonly kubeconfig?: { readonly file: string; /** As RFC 3339 writes times. */ readonly expires: string }
}

/**
 * @param tell of what is waited for
 * @throws DevloopError devloopfile/*, provision/*, kubeconfig/*, cluster/*; AbortError
 */
export async function provisionUser(
  options: ProvisionOptions,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<ProvisionResult> {
  const { plan, request } = await requestOf(options, signal)
  const [{ connectKube }, { accountName, provision }, { requestToken }, { scopedKubeconfig, writeKubeconfig }] =
    await Promise.all([
      import('../adapters/kube/connection.js'),
      import('../adapters/kube/provision/provision.js'),
      import('../adapters/kube/scoped/request-token.js'),
      import('../adapters/kube/scoped/kubeconfig-file.js'),
    ])
  const { context } = options
  const connection = await connectKube(
    {
      project: plan?.name ?? 'provision',
      instance: userSlug(userInfo().username),
      // whoever names the context on the command line means it
      cluster: { ...plan?.cluster, contexts: [...(plan?.cluster.contexts ?? []), ...(context === undefined ? [] : [context])] },
      stateDir: '',
      ...(context === undefined ? {} : { context }),
    },
    signal,
  )
  try {
    const { dryRun, user, lifetimeMs, force } = options
    const done = await provision({ connection, dryRun, signal }, request, tell)
    const result = { ...done, context: connection.context }
    if (options.kubeconfig === undefined || dryRun) return result
    const { namespace } = done
    if (namespace === undefined) {
      throw new DevloopError('provision/tenant', `The operator has not made a sandbox for ${user} yet.`, {
        why: 'A kubeconfig is for one namespace, which must be there first.',
        help: 'Look at the status of the tenant, then run the same command again.',
      })
    }
    const issued = await requestToken(connection, { user, namespace, account: accountName(user) }, lifetimeMs, signal)
    await writeKubeconfig(options.kubeconfig, scopedKubeconfig(connection.kubeconfig(), issued), force)
    return { ...result, kubeconfig: { file: options.kubeconfig, expires: issued.facts.expires } }
  } finally {
    connection.close()
  }
}

/** The objects as YAML, for whoever applies them in another way. Of a tenant, as if it were new. Asks the cluster for nothing. */
export async function provisionYaml(options: ProvisionOptions, signal: AbortSignal): Promise<string> {
  const { request } = await requestOf(options, signal)
  const [{ namespaceObjects }, { newTenant, quotaObject }] = await Promise.all([
    import('../adapters/kube/provision/provision.js'),
    import('../adapters/kube/provision/tenant-objects.js'),
  ])
  const { tenant, namespace, settings } = request
  const quota = request.quota ?? tenant?.name
  const objects = [
    ...(tenant && quota !== undefined
      ? [
          ...(request.quota === undefined ? [quotaObject(quota, settings)] : []),
          newTenant({ ...request, tenant: tenant.name, quota }),
        ]
      : []),
    ...(namespace === undefined ? [] : namespaceObjects({ ...request, namespace })),
  ]
  return objects.map((object) => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`).join('')
}

async function requestOf(options: ProvisionOptions, signal: AbortSignal) {
  const { user, groups, quota } = options
  const plan: Plan | undefined =
    options.file === undefined ? undefined : await loadPlan(await realpath(options.file), userSlug(user), signal)
  const name = options.tenant ?? plan?.cluster.tenant?.name
  const tenant = name === undefined ? undefined : { name, label: plan?.cluster.tenant?.label ?? tenantLabel }
  // an operator names the sandboxes of its tenants itself
  const own = tenant ? undefined : (plan?.cluster.namespace ?? ownNamespace(user, plan?.name))
  const request = {
    user,
    groups,
    namespace: options.namespace ?? own,
    settings: plan?.cluster.sandbox ?? defaultSandbox,
    tenant,
    quota,
    account: options.kubeconfig !== undefined,
    now: Date.now(),
  }
  return { plan, request }
}
