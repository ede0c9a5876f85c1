// What makes an app reachable from outside of the cluster: a Route where the cluster has them, else an Ingress.
import type { AppSpec } from '../../../model/plan.js'
import type { ObjectBesideApp } from './app-account.js'

/** The kinds by which apps are exposed. */
export const exposingKinds = {
  Route: { apiVersion: 'route.openshift.io/v1', kind: 'Route' },
  Ingress: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
} as const
export type ExposingKind = keyof typeof exposingKinds

/** Undefined = the app is not exposed. */
export function exposing({ name, expose }: AppSpec, kind: ExposingKind): ObjectBesideApp | undefined {
  if (!expose) return undefined
  const { annotations } = expose
  const spec = kind === 'Route' ? routeSpec(name, expose) : ingressSpec(name, expose)
  return { ...exposingKinds[kind], name, ...(annotations ? { annotations } : {}), spec }
}

type Expose = NonNullable<AppSpec['expose']>

// a host that is given needs a right of its own (routes/custom-host), so none is where none is said
const routeSpec = (service: string, { host, path, port, tls }: Expose): object => ({
  ...(host === undefined ? {} : { host }),
  ...(path === '/' ? {} : { path }),
  to: { kind: 'Service', name: service, weight: 100 },
  port: { targetPort: port },
  ...(tls
    ? {
        tls: {
          termination: 'edge',
          insecureEdgeTerminationPolicy: 'Redirect',
          ...(tls === true ? {} : { externalCertificate: { name: tls.secret } }),
        },
      }
    : {}),
  wildcardPolicy: 'None',
})

const ingressSpec = (service: string, { host, path, port, tls, ingressClass }: Expose): object => ({
  ...(ingressClass === undefined ? {} : { ingressClassName: ingressClass }),
  rules: [
    {
      ...(host === undefined ? {} : { host }),
      http: { paths: [{ path, pathType: 'Prefix', backend: { service: { name: service, port: { name: port } } } }] },
    },
  ],
  ...(tls
    ? { tls: [{ ...(host === undefined ? {} : { hosts: [host] }), ...(tls === true ? {} : { secretName: tls.secret }) }] }
    : {}),
})
