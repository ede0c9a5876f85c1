// Who an app's pods are to the API server: the ServiceAccount that they name, and what it may do.
import type { AppSpec, KubeObject } from '../../../model/plan.js'

/** Names that a cluster itself gives to ServiceAccounts of each namespace; OpenShift has the last three. */
const taken = new Set(['default', 'builder', 'deployer', 'pipeline'])

const group = 'rbac.authorization.k8s.io'

/** An object of an app, whose labels and namespace are those of all. */
export type ObjectBesideApp = Pick<KubeObject, 'apiVersion' | 'kind'> & {
  readonly name: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly [key: string]: unknown
}

export interface AppAccount {
  /** For pod specs. */
  readonly pod: { readonly serviceAccountName: string; readonly automountServiceAccountToken?: boolean }
  readonly objects: readonly ObjectBesideApp[]
}

/** One of the user's own is used as it is. */
export function accountOf({ name: app, serviceAccount }: AppSpec): AppAccount {
  if (serviceAccount && 'name' in serviceAccount) return { pod: { serviceAccountName: serviceAccount.name }, objects: [] }
  const { token = false, rules, annotations } = serviceAccount ?? {}
  const name = taken.has(app) ? `${app}-app` : app
  const role = rules
    ? [
        { apiVersion: `${group}/v1`, kind: 'Role', name, rules },
        {
          apiVersion: `${group}/v1`,
          kind: 'RoleBinding',
          name,
          roleRef: { apiGroup: group, kind: 'Role', name },
          subjects: [{ kind: 'ServiceAccount', name }],
        },
      ]
    : []
  return {
    // said twice: a pod's word counts also where somebody changes the account
    pod: { serviceAccountName: name, automountServiceAccountToken: token },
    objects: [
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        name,
        ...(annotations ? { annotations } : {}),
        automountServiceAccountToken: token,
      },
      ...role,
    ],
  }
}
