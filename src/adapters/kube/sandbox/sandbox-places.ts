// Where the objects of a developer's namespace are.

/** By kind, below a namespace. */
const places: Readonly<Record<string, { readonly root: string; readonly plural: string }>> = {
  LimitRange: { root: '/api/v1', plural: 'limitranges' },
  ResourceQuota: { root: '/api/v1', plural: 'resourcequotas' },
  NetworkPolicy: { root: '/apis/networking.k8s.io/v1', plural: 'networkpolicies' },
  Secret: { root: '/api/v1', plural: 'secrets' },
  ServiceAccount: { root: '/api/v1', plural: 'serviceaccounts' },
  RoleBinding: { root: '/apis/rbac.authorization.k8s.io/v1', plural: 'rolebindings' },
}

/** Of these there is one at most, which goes when nothing is said of it any more. */
export const optionalKinds = ['LimitRange', 'ResourceQuota', 'NetworkPolicy'] as const

export function sandboxPath(kind: string, namespace: string, name: string): string {
  const { root, plural } = places[kind] ?? { root: '/api/v1', plural: kind }
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`
}
