// Routes on a cluster that has none: the definition with the fields that devloop uses, so that strict validation finds mistakes.
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { waitFor } from './wait-for.js'

const text = { type: 'string' }
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'routes.route.openshift.io' },
  spec: {
    group: 'route.openshift.io',
    scope: 'Namespaced',
    names: { kind: 'Route', plural: 'routes', singular: 'route' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['to'],
                properties: {
                  host: text,
                  subdomain: text,
                  path: { type: 'string', pattern: '^/' },
                  wildcardPolicy: { type: 'string', enum: ['None', 'Subdomain', ''] },
                  to: {
                    type: 'object',
                    required: ['kind', 'name'],
                    properties: {
                      kind: { type: 'string', enum: ['Service', ''] },
                      name: { type: 'string', minLength: 1 },
                      weight: { type: 'integer', minimum: 0, maximum: 256 },
                    },
                  },
                  port: {
                    type: 'object',
                    required: ['targetPort'],
                    properties: { targetPort: { 'x-kubernetes-int-or-string': true } },
                  },
                  tls: {
                    type: 'object',
                    required: ['termination'],
                    properties: {
                      termination: { type: 'string', enum: ['edge', 'reencrypt', 'passthrough'] },
                      insecureEdgeTerminationPolicy: { type: 'string', enum: ['Allow', 'None', 'Redirect', ''] },
                      externalCertificate: { type: 'object', properties: { name: text } },
                    },
                  },
                },
              },
              status: {
                type: 'object',
                properties: {
                  ingress: {
                    type: 'array',
                    items: {
                      type: 'object',
                      properties: {
                        host: text,
                        routerName: text,
                        conditions: {
                          type: 'array',
                          items: {
                            type: 'object',
                            required: ['type', 'status'],
                            properties: { type: text, status: text, reason: text, message: text },
                          },
                        },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
}

const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** Bring Routes into the cluster, for all who use it. @returns takes them away again */
export async function installRoutes(connection: KubeConnection): Promise<() => Promise<void>> {
  await connection.request('POST', collection, { body: definition, query: { fieldValidation: 'Strict' } })
  const served = () =>
    connection.request('GET', '/apis/route.openshift.io/v1').then(
      () => true,
      () => false,
    )
  await waitFor(served, { what: 'Routes to be served', timeoutMs: 60_000 })
  return async () => {
    await connection.request('DELETE', `${collection}/${definition.metadata.name}`)
    await waitFor(async () => !(await served()), { what: 'Routes to be gone', timeoutMs: 60_000 })
  }
}
