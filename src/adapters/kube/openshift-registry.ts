// OpenShift's own registry: where it is reached from outside, what nodes call it, and the login that it takes.
import { DevloopError } from '../../errors/devloop-error.js'
import type { PullLogin } from '../../ports/image-builder.js'
import type { KubeConnection } from './connection.js'
import { statusOf } from './errors.js'

export interface OpenshiftRegistry {
  /** As engines reach it: the host of its Route. Undefined = it has none. */
  readonly host: string | undefined
  /** As nodes and pods name it. */
  readonly internal: string
}

/** Its Service, which every cluster has that has the registry at all. */
const internalHost = 'image-registry.openshift-image-registry.svc:5000'

/** It looks at the token alone, and takes any name without a colon. */
const userName = 'devloop'

/** What to do about one without a Route. */
export const exposeRegistryHelp = `Let an administrator give it a Route: oc patch configs.imageregistry.operator.openshift.io/cluster --type merge -p '{"spec":{"defaultRoute":true}}'.`

/**
 * Undefined where the cluster has no ImageStreams. Needs no right that a developer lacks: streams of the namespace, or those of
 * `openshift`, which everybody may see, say by which names they are reached.
 * @throws DevloopError cluster/*; AbortError
 */
export async function findOpenshiftRegistry(
  connection: KubeConnection,
  signal: AbortSignal,
): Promise<OpenshiftRegistry | undefined> {
  const ask = async <T>(path: string, what: string): Promise<T | undefined> => {
    try {
      return (await connection.request('GET', path, { what, signal })) as T
    } catch (error) {
      const code = statusOf(error)?.code
      if (code === 403 || code === 404) return undefined
      throw error
    }
  }
  const api = '/apis/image.openshift.io/v1'
  if ((await ask(api, 'look whether the cluster has ImageStreams')) === undefined) return undefined
  let internal: string | undefined
  for (const namespace of new Set([connection.namespace, 'openshift'])) {
    const path = `${api}/namespaces/${encodeURIComponent(namespace)}/imagestreams?limit=50`
    const { items = [] } = (await ask<Streams>(path, `look for ImageStreams in ${namespace}`)) ?? {}
    const hostOf = (name: keyof StreamStatus): string | undefined =>
      items.flatMap(({ status }) => status?.[name]?.split('/')[0] || [])[0]
    internal ??= hostOf('dockerImageRepository')
    const host = hostOf('publicDockerImageRepository')
    if (host !== undefined) return { host, internal: internal ?? internalHost }
  }
  const route = await ask<Route>(
    '/apis/route.openshift.io/v1/namespaces/openshift-image-registry/routes/default-route',
    'look for the Route of the registry',
  )
  return { host: route?.status?.ingress?.[0]?.host || route?.spec?.host || undefined, internal: internal ?? internalHost }
}

/**
 * The login for it: the token that the API server takes. It is read each time, since it may be renewed, and written nowhere.
 * @throws DevloopError registry/auth where the kubeconfig has no token
 */
export async function openshiftLogin(connection: KubeConnection, host: string): Promise<PullLogin> {
  const token = await connection.token()
  if (token !== undefined) return { host, username: userName, password: token }
  throw new DevloopError('registry/auth', `There is no login for the cluster's registry ${host}.`, {
    why: `It takes the token of the API server, and context "${connection.context}" logs in without one: a client certificate does not do for it.`,
    help: 'Log in with `oc login`, which gets a token, or with `docker login` by the token of a ServiceAccount.',
  })
}

interface StreamStatus {
  readonly dockerImageRepository?: string
  readonly publicDockerImageRepository?: string
}

interface Streams {
  readonly items?: readonly { readonly status?: StreamStatus }[]
}

interface Route {
  readonly spec?: { readonly host?: string }
  readonly status?: { readonly ingress?: readonly { readonly host?: string }[] }
}
