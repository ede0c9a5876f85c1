// The ServiceAccount of a kubeconfig for one namespace, and its rights there. Pure.
import type { KubeObject } from '../../../model/plan.js'
import { userSlug } from '../../../model/sandbox.js'
import { managedBy, managedByLabel, ownerUserAnnotation } from '../labels.js'

export interface AccountRequest {
  readonly namespace: string
  /** Of the person who will use it. */
  readonly user: string
  /** Name of the ClusterRole that it gets in the namespace. */
  readonly role: string
}

/** Longest part of a name that comes from the user's: the whole fits into a label's value. */
const longest = 48

/** Name of the account of a user. */
export const accountName = (user: string): string => `devloop-user-${userSlug(user, longest)}`

/** It may ask for its own next token, whatever the role says: that is how a kubeconfig is renewed. */
export function accountObjects({ namespace, user, role }: AccountRequest): readonly KubeObject[] {
  const name = accountName(user)
  const metadata = {
    name,
    namespace,
    labels: { [managedByLabel]: managedBy },
    annotations: { [ownerUserAnnotation]: user },
  }
  const token = { ...metadata, name: `devloop-token-${userSlug(user, longest)}` }
  const rbac = 'rbac.authorization.k8s.io'
  const apiVersion = `${rbac}/v1`
  const subjects = [{ kind: 'ServiceAccount', name, namespace }]
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    {
      apiVersion,
      kind: 'Role',
      metadata: token,
      rules: [{ apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: [name], verbs: ['create'] }],
    },
    { apiVersion, kind: 'RoleBinding', metadata: token, roleRef: { apiGroup: rbac, kind: 'Role', name: token.name }, subjects },
    { apiVersion, kind: 'RoleBinding', metadata, roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role }, subjects },
  ]
}
