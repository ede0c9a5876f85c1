// Asks the cluster whether this user has rights before they are used, and says which role would give those that are missing.
import { DevloopError } from '../../errors/devloop-error.js'
import type { KubeConnection } from './connection.js'
import { statusOf } from './errors.js'

export interface Right {
  readonly verb: string
  /** With a subresource behind a slash, such as `pods/exec`. */
  readonly resource: string
  /** API group; undefined = the core one. */
  readonly group?: string
}

/**
 * Those of some rights that the user of a connection lacks in a namespace. A cluster that does not answer that question lacks none: what
 * is refused then is told when it is.
 * @throws DevloopError cluster/*; AbortError
 */
export async function missingRights(
  connection: KubeConnection,
  namespace: string,
  rights: readonly Right[],
  signal: AbortSignal,
): Promise<readonly Right[]> {
  const allowed = await Promise.all(rights.map((right) => isAllowed(connection, namespace, right, signal)))
  return rights.filter((_right, index) => !allowed[index])
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
