// Making one namespace, by the least right that suffices: a plain create. What the cluster refuses becomes one error that says what to do.
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { DevloopError, isDevloopError } from '../../../errors/devloop-error.js'
import {
  defaultSandbox,
  isReservedNamespace,
  tenantLabel,
  type SandboxSettings,
  type TenantSettings,
} from '../../../model/sandbox.js'
import type { KubeConnection } from '../connection.js'
import { statusOf, type KubeStatus } from '../errors.js'
import { fieldManager } from '../labels.js'
import { projectGroup } from './api-groups.js'
import { namespaceObject, sandboxObjects } from './sandbox-objects.js'

/** Milliseconds for which a namespace of the same name may take to be gone. */
const goingMs = 60_000
const pauseMs = 500

export interface NamespaceWish {
  readonly connection: KubeConnection
  readonly namespace: string
  /** User name as the API server knows it; whose it will be. */
  readonly owner: string
  /** Undefined = it is given nothing beside itself. */
  readonly settings: SandboxSettings | undefined
  readonly tenant: TenantSettings | undefined
  readonly expires: string | undefined
  readonly madeFor: string
  /** Whether it is asked for as a project of OpenShift: that gives rights in it, which making a namespace does not. */
  readonly asProject: boolean
  /** Told what is waited for. */
  readonly tell: (text: string) => void
  /** For tests. Default: a minute. */
  readonly goingMs?: number
}

/**
 * Make a namespace. It is neither read nor changed: whoever may make namespaces, such as members of a tenant, may often do no more. One of
 * the same name that is being deleted is waited for.
 * @throws DevloopError cluster/no-namespace, with what an administrator may apply instead; cluster/*; AbortError
 */
export async function makeNamespace(wish: NamespaceWish, signal: AbortSignal): Promise<'made' | 'exists'> {
  const { connection, namespace, asProject, tell } = wish
  if (isReservedNamespace(namespace)) {
    throw new DevloopError('cluster/no-namespace', `devloop makes no namespace "${namespace}": that name is the cluster's own.`, {
      help: 'Name another one with --namespace, or with cluster.namespace in the Devloopfile.',
    })
  }
  const deadline = Date.now() + (wish.goingMs ?? goingMs)
  const path = asProject ? `/apis/${projectGroup}/v1/projectrequests` : '/api/v1/namespaces'
  const body = asProject ? projectRequest(wish) : namespaceObject(wish)
  const what = `make the namespace ${namespace}`
  for (let told = false; ;) {
    signal.throwIfAborted()
    try {
      await connection.request('POST', path, { body, query: { fieldManager }, what, signal })
      return 'made'
    } catch (thrown) {
      const status = statusOf(thrown)
      if (!isDevloopError(thrown) || !status) throw thrown
      if (status.code !== 409) throw status.code === 403 ? refused(wish, status, thrown) : thrown
      if (!/is being deleted/.test(status.message)) return 'exists'
      if (Date.now() >= deadline) throw staying(namespace, thrown)
      if (!told) tell(`waiting until the namespace ${namespace}, which is being deleted, is gone`)
      told = true
    }
    await sleep(pauseMs, undefined, { signal })
  }
}

/** OpenShift takes no labels in it. */
const projectRequest = ({ namespace, owner }: NamespaceWish): object => ({
  apiVersion: `${projectGroup}/v1`,
  kind: 'ProjectRequest',
  metadata: { name: namespace },
  displayName: namespace,
  description: `Made by devloop for ${owner}`,
})

function staying(namespace: string, cause: unknown): DevloopError {
  return new DevloopError('cluster/no-namespace', `The namespace ${namespace} is still being deleted.`, {
    why: 'Something in it has a finalizer that nobody removes, or the cluster is busy.',
    help: `See what is left: kubectl get namespace ${namespace} -o jsonpath='{.status.conditions}'. Or name another one with --namespace.`,
    cause,
  })
}

function refused(wish: NamespaceWish, { message }: KubeStatus, cause: unknown): DevloopError {
  const { namespace, tenant } = wish
  const mayNot = / cannot create resource /.test(message)
  if (!mayNot && !wish.asProject) {
    const help = message.includes(tenant?.label ?? tenantLabel)
      ? tenant
        ? `See that the tenant ${tenant.name} exists and that you are in it; an administrator may run: ${provisionCommand(wish)}`
        : "Name your tenant in the Devloopfile: cluster: { tenant: 'NAME' }"
      : `Read the reason: it is the cluster's own. Or ask an administrator to run: ${provisionCommand(wish)}`
    return new DevloopError('cluster/no-namespace', `The cluster does not admit the namespace "${namespace}".`, {
      why: message,
      help,
      cause,
    })
  }
  return new DevloopError(
    'cluster/no-namespace',
    `There is no namespace for you to work in: "${namespace}" does not exist for you, and you may not make it.`,
    { why: message, help: adminHelp(wish), cause },
  )
}

/** What an administrator can do about it: the command, and exactly what it would apply. */
export function adminHelp(wish: NamespaceWish): string {
  // rights are needed in any case
  const objects = sandboxObjects({ ...wish, settings: wish.settings ?? { ...defaultSandbox, network: 'open' } })
  // one document: it may be copied with an indentation, which would hide what separates documents
  const list = { apiVersion: 'v1', kind: 'List', items: [namespaceObject(wish), ...objects] }
  return [
    `Let an administrator run: ${provisionCommand(wish)}`,
    'or apply this; or name a namespace that you may use with --namespace:',
    stringify(list, { lineWidth: 0 }).trimEnd(),
  ].join('\n')
}

const provisionCommand = ({ owner, namespace, tenant }: NamespaceWish): string =>
  `devloop provision --user '${owner.replaceAll("'", "'\\''")}' --namespace ${namespace}${tenant ? ` --tenant ${tenant.name}` : ''}`
