import { expect, test } from 'vitest'
import { namespaceObject, sandboxObjects, type SandboxRequest } from '../../../../../src/adapters/kube/sandbox/sandbox-objects.js'
import { defaultSandbox, fittingDefaults } from '../../../../../src/model/sandbox.js'

const plain: SandboxRequest = { namespace: 'shop-ann', owner: 'ann', settings: defaultSandbox }
const quota = { 'requests.cpu': '4', 'requests.memory': '8Gi', 'limits.memory': '8Gi' }
const whole: SandboxRequest = {
  namespace: 'shop-ann',
  owner: 'ann@aurora.org',
  settings: {
    ...defaultSandbox,
    quota,
    defaults: fittingDefaults(quota, {}),
    access: { users: ['bob', 'ann@aurora.org'], groups: ['team'], role: 'edit' },
    serviceAccount: 'apps',
    ttl: 72,
  },
  tenant: { name: 'bluesky', label: 'stakater.com/tenant' },
  expires: '2026-11-26T00:00:00Z',
  madeFor: 'shop.i0123456789',
  serviceAccounts: ['dev'],
  pullConfig: '{"auths":{}}',
}

test('a namespace says whose it is, what for, and what pods must keep to', () => {
  expect(namespaceObject(whole)).toMatchInlineSnapshot(`
    {
      "apiVersion": "v1",
      "kind": "Namespace",
      "metadata": {
        "annotations": {
          "devloop.dev/expires": "2026-11-26T00:00:00Z",
          "devloop.dev/made-for": "shop.i0123456789",
          "devloop.dev/owner-user": "ann@aurora.org",
        },
        "labels": {
          "app.kubernetes.io/managed-by": "devloop",
          "devloop.dev/owner": "ann-aurora-org-79222c",
          "pod-security.kubernetes.io/audit": "restricted",
          "pod-security.kubernetes.io/audit-version": "latest",
          "pod-security.kubernetes.io/enforce": "baseline",
          "pod-security.kubernetes.io/enforce-version": "latest",
          "pod-security.kubernetes.io/warn": "restricted",
          "pod-security.kubernetes.io/warn-version": "latest",
          "stakater.com/tenant": "bluesky",
        },
        "name": "shop-ann",
      },
    }
  `)
})

test('of nothing said there are a network policy and the rights of the owner', () => {
  expect(sandboxObjects(plain).map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual([
    'NetworkPolicy shop-ann/devloop',
    'RoleBinding shop-ann/devloop-access',
  ])
  expect(sandboxObjects({ ...plain, settings: { ...defaultSandbox, network: 'open' } }).map(({ kind }) => kind)).toEqual([
    'RoleBinding',
  ])
})

test('everything that can be in it', () => {
  expect(sandboxObjects(whole)).toMatchInlineSnapshot(`
    [
      {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {
          "labels": {
            "app.kubernetes.io/managed-by": "devloop",
          },
          "name": "devloop",
          "namespace": "shop-ann",
        },
        "spec": {
          "limits": [
            {
              "default": {
                "memory": "512Mi",
              },
              "defaultRequest": {
                "cpu": "100m",
                "memory": "128Mi",
              },
              "type": "Container",
            },
          ],
        },
      },
      {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {
          "labels": {
            "app.kubernetes.io/managed-by": "devloop",
          },
          "name": "devloop",
          "namespace": "shop-ann",
        },
        "spec": {
          "hard": {
            "limits.memory": "8Gi",
            "requests.cpu": "4",
            "requests.memory": "8Gi",
          },
        },
      },
      {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
          "labels": {
            "app.kubernetes.io/managed-by": "devloop",
          },
          "name": "devloop",
          "namespace": "shop-ann",
        },
        "spec": {
          "ingress": [
            {
              "from": [
                {
                  "podSelector": {},
                },
                {
                  "namespaceSelector": {
                    "matchExpressions": [
                      {
                        "key": "devloop.dev/owner",
                        "operator": "DoesNotExist",
                      },
                      {
                        "key": "stakater.com/tenant",
                        "operator": "DoesNotExist",
                      },
                    ],
                  },
                },
                {
                  "namespaceSelector": {
                    "matchLabels": {
                      "stakater.com/tenant": "bluesky",
                    },
                  },
                },
              ],
            },
          ],
          "podSelector": {},
          "policyTypes": [
            "Ingress",
          ],
        },
      },
      {
        "apiVersion": "v1",
        "data": {
          ".dockerconfigjson": "eyJhdXRocyI6e319",
        },
        "kind": "Secret",
        "metadata": {
          "labels": {
            "app.kubernetes.io/managed-by": "devloop",
          },
          "name": "devloop-pull",
          "namespace": "shop-ann",
        },
        "type": "kubernetes.io/dockerconfigjson",
      },
      {
        "apiVersion": "v1",
        "imagePullSecrets": [
          {
            "name": "devloop-pull",
          },
        ],
        "kind": "ServiceAccount",
        "metadata": {
          "labels": {},
          "name": "default",
          "namespace": "shop-ann",
        },
      },
      {
        "apiVersion": "v1",
        "automountServiceAccountToken": false,
        "imagePullSecrets": [
          {
            "name": "devloop-pull",
          },
        ],
        "kind": "ServiceAccount",
        "metadata": {
          "labels": {
            "app.kubernetes.io/managed-by": "devloop",
          },
          "name": "apps",
          "namespace": "shop-ann",
        },
      },
      {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {
          "labels": {
            "app.kubernetes.io/managed-by": "devloop",
          },
          "name": "devloop-access",
          "namespace": "shop-ann",
        },
        "roleRef": {
          "apiGroup": "rbac.authorization.k8s.io",
          "kind": "ClusterRole",
          "name": "edit",
        },
        "subjects": [
          {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "User",
            "name": "ann@aurora.org",
          },
          {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "User",
            "name": "bob",
          },
          {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Group",
            "name": "team",
          },
          {
            "kind": "ServiceAccount",
            "name": "dev",
            "namespace": "shop-ann",
          },
        ],
      },
    ]
  `)
})
