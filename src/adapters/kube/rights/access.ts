// Asks the cluster whether this user has rights before they are used, and says which role would give those that are missing.
import { setTimeout as sleep } from 'node:timers/promises'
import { DevloopError } from '../../../errors/devloop-error.js'
import { forEachLimited } from '../../../model/for-each-limited.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'

export interface Right {
  readonly verb: string
  /** With a subresource behind a slash, such as `pods/exec`. */
  readonly resource: string
  /** API group; undefined = the core one. */
  readonly group?: string
}

/** How many reviews are under way at once: enough to hide the way to the API server, few enough to leave it to the rest. */
const atOnce = 4

/** Milliseconds for which a right that was granted is believed. What was refused is asked for again: it may have been granted since. */
const believedMs = 60_000

/** By connection: when each right was last seen granted. */
const granted = new WeakMap<KubeConnection, Map<string, number>>()

/**
 * Those of some rights that the user of a connection lacks in a namespace, which need not exist (empty = in the whole cluster). A cluster that does not answer that
 * question lacks none: what is refused then is told when it is.
 * @throws DevloopError cluster/*; AbortError
 */
export async function missingRights<R extends Right>(
  connection: KubeConnection,
  namespace: string,
  rights: readonly R[],
  signal: AbortSignal,
): Promise<readonly R[]> {
  const known = granted.get(connection) ?? new Map<string, number>()
  granted.set(connection, known)
  const keyOf = ({ verb, resource, group = '' }: Right): string => `${namespace} ${verb} ${group} ${resource}`
  const missing = new Set<string>()
  const ask = async ([key, right]: readonly [string, R]): Promise<void> => {
    if (performance.now() - (known.get(key) ?? -Infinity) < believedMs) return
    if (await isAllowed(connection, namespace, right, signal)) known.set(key, performance.now())
    else missing.add(key)
  }
  await forEachLimited(new Map(rights.map((right) => [keyOf(right), right])), atOnce, ask, signal)
  return rights.filter((right) => missing.has(keyOf(right)))
}

/** Pause between two looks at rights that come late, and how long they are waited for. Milliseconds. */
const pauseMs = 500
const lateMs = 30_000

/**
 * Wait until the user of a connection has rights in a namespace that was just made: operators bind them seconds after.
 * @param limitMs default: half a minute
 * @returns those that are still missing after that time
 * @throws DevloopError cluster/*; AbortError
 */
export async function waitForRights<R extends Right>(
  connection: KubeConnection,
  namespace: string,
  rights: readonly R[],
  signal: AbortSignal,
  limitMs = lateMs,
): Promise<readonly R[]> {
  const until = performance.now() + limitMs
  for (;;) {
    const missing = await missingRights(connection, namespace, rights, signal)
    const left = until - performance.now()
    if (missing.length === 0 || left <= 0) return missing
    await sleep(Math.min(pauseMs, left), undefined, { signal })
  }
}

async function isAllowed(
  connection: KubeConnection,
  namespace: string,
  { verb, resource: name, group = '' }: Right,
  signal: AbortSignal,
): Promise<boolean> {
  const [resource, subresource] = name.split('/')
  const resourceAttributes = { namespace, verb, group, resource, ...(subresource === undefined ? {} : { subresource }) }
  try {
    const review = (await connection.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } },
      what: `ask whether ${verb} ${name} is allowed in ${namespace}`,
      signal,
    })) as { readonly status?: { readonly allowed?: boolean } }
    return review.status?.allowed ?? true
  } catch (thrown) {
    const code = statusOf(thrown)?.code
    if (code === 403 || code === 404) return true
    throw thrown
  }
}

/** @param role name for the role @param purpose what needs them, such as `Attaching to deployment/web` */
export const rightsError = (namespace: string, missing: readonly Right[], role: string, purpose: string): DevloopError =>
  new DevloopError('cluster/forbidden', `${purpose} needs rights in the namespace ${namespace} that you do not have.`, {
    why: `You may not ${missing.map(({ verb, resource }) => `${verb} ${resource}`).join(', ')}.`,
    help: grantHelp(namespace, missing, role),
  })

/** How somebody who may grants rights. */
export function grantHelp(namespace: string, rights: readonly Right[], role: string): string {
  const verbs = new Map<string, string[]>()
  for (const { verb, resource, group = '' } of rights) {
    const key = `${group} ${resource}`
    verbs.set(key, [...(verbs.get(key) ?? []), verb])
  }
  const rules = [...verbs].map(([key, list]) => {
    const [group = '', resource = ''] = key.split(' ')
    return `- { apiGroups: ['${group}'], resources: [${resource}], verbs: [${list.join(', ')}] }`
  })
  return [
    'Let somebody who may apply this role, and bind it to you:',
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: Role',
    `metadata: { name: ${role}, namespace: ${namespace} }`,
    'rules:',
    ...rules,
    `(kubectl create rolebinding ${role} --role=${role} --user=YOU -n ${namespace})`,
  ].join('\n')
}
