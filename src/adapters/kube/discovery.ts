// What the cluster says of itself: the registry for development (KEP-1755), and what its nodes can run.
import { parse } from 'yaml'
import type { RegistrySettings } from '../../model/plan.js'
import type { Registry } from '../../ports/image-builder.js'
import type { KubeConnection } from './connection.js'
import { statusOf } from './errors.js'
import { findOpenshiftRegistry, type OpenshiftRegistry } from './openshift-registry.js'

/** What is known of the registry to use. */
export interface FoundRegistry {
  /** Undefined = none is known. */
  readonly registry: Registry | undefined
  /** OpenShift's own, where the cluster has that and announces no other. */
  readonly openshift?: OpenshiftRegistry
}

/**
 * The registry to use. The Devloopfile's word counts more than what the cluster announces, unless it says that it is a fallback;
 * the announcement then only tells by which name the nodes know the same place.
 * @throws DevloopError cluster/* when the cluster cannot be asked; not being allowed to is taken as "nothing announced"
 */
export async function discoverRegistry(
  connection: KubeConnection,
  settings: RegistrySettings | undefined,
  signal: AbortSignal,
): Promise<FoundRegistry> {
  const announced = (await announcedRegistry(connection, signal)) ?? (await microk8sRegistry(connection, signal))
  if (announced) return { registry: chooseRegistry(settings, announced) }
  const openshift = await findOpenshiftRegistry(connection, signal)
  const own = openshift?.host === undefined ? undefined : inNamespace(openshift.host, openshift.internal, connection.namespace)
  return { registry: chooseRegistry(settings, own), ...(openshift ? { openshift } : {}) }
}

/** A repository of OpenShift's is in a namespace, and its path has nothing else. */
const inNamespace = (host: string, internal: string, namespace: string): Registry => ({
  push: `${host}/${namespace}`,
  pull: `${internal}/${namespace}`,
})

/** The same, from what is known of both. */
export function chooseRegistry(settings: RegistrySettings | undefined, announced: Registry | undefined): Registry | undefined {
  if (!settings || (settings.fallback && announced)) return announced
  const { push, singleName } = settings
  const same = announced && (push === announced.push || push.startsWith(`${announced.push}/`))
  const pull = settings.pull ?? (same ? announced.pull + push.slice(announced.push.length) : push)
  return { ...(same ? announced : {}), push, pull, ...(singleName === undefined ? {} : { singleName }) }
}

async function announcedRegistry(connection: KubeConnection, signal: AbortSignal): Promise<Registry | undefined> {
  const map = await optional(
    connection.request('GET', '/api/v1/namespaces/kube-public/configmaps/local-registry-hosting', {
      what: 'ask for the announced registry',
      signal,
    }),
  )
  const text = (map as { data?: Record<string, string> } | undefined)?.data?.['localRegistryHosting.v1']
  return text === undefined ? undefined : parseAnnouncement(text)
}

/** MicroK8s' registry add-on announces nothing, but always has this Service; nodes know it by localhost. */
async function microk8sRegistry(connection: KubeConnection, signal: AbortSignal): Promise<Registry | undefined> {
  if (connection.product !== 'microk8s') return undefined
  const service = await optional(
    connection.request('GET', '/api/v1/namespaces/container-registry/services/registry', {
      what: 'ask for the registry of MicroK8s',
      signal,
    }),
  )
  const port = (service as { spec?: { ports?: { nodePort?: number }[] } } | undefined)?.spec?.ports?.[0]?.nodePort
  if (port === undefined) return undefined
  const { hostname } = new URL(connection.server)
  const host = hostname.startsWith('127.') ? 'localhost' : hostname
  return { push: `${host}:${port}`, pull: `localhost:${port}` }
}

/** Undefined when it names no host, or is not what KEP-1755 describes. */
export function parseAnnouncement(text: string): Registry | undefined {
  let content: unknown
  try {
    content = parse(text)
  } catch {
    return undefined
  }
  const { host, hostFromContainerRuntime, help } = (content ?? {}) as Record<string, unknown>
  if (typeof host !== 'string' || host === '') return undefined
  return {
    push: host,
    pull: typeof hostFromContainerRuntime === 'string' && hostFromContainerRuntime !== '' ? hostFromContainerRuntime : host,
    ...(typeof help === 'string' && help !== '' ? { help } : {}),
  }
}

/** `os/arch` of the nodes when they all agree; undefined when not, or when that may not be asked. */
export async function discoverPlatform(connection: KubeConnection, signal: AbortSignal): Promise<string | undefined> {
  const nodes = await optional(
    connection.request('GET', '/api/v1/nodes', {
      query: { limit: 500 },
      // Names and labels only: whole nodes list every image that they hold.
      accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=1,application/json',
      what: 'ask for the nodes',
      signal,
    }),
  )
  const platforms = new Set(
    ((nodes as { items?: { metadata: { labels?: Record<string, string> } }[] } | undefined)?.items ?? []).map(
      ({ metadata: { labels } }) => `${labels?.['kubernetes.io/os'] ?? ''}/${labels?.['kubernetes.io/arch'] ?? ''}`,
    ),
  )
  const [platform] = platforms
  return platforms.size === 1 && platform && /^\w+\/\w+$/.test(platform) ? platform : undefined
}

/** Such as `v1.34.1`; undefined when the cluster does not say. */
export async function discoverVersion(connection: KubeConnection, signal: AbortSignal): Promise<string | undefined> {
  const answer = await optional(connection.request('GET', '/version', { what: 'ask for the version of the cluster', signal }))
  const { gitVersion } = (answer ?? {}) as { gitVersion?: unknown }
  return typeof gitVersion === 'string' && /^v?\d+\.\d+/.test(gitVersion) ? gitVersion : undefined
}

/**
 * `os/arch` of one node. To whom the node may not be shown it is that of the API server, which is nearly always the same.
 * Undefined when neither tells. @throws DevloopError cluster/*
 */
export async function discoverNodePlatform(
  connection: KubeConnection,
  node: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = `/api/v1/nodes/${encodeURIComponent(node)}`
  const found = (await optional(connection.request('GET', path, { what: `ask for the node ${node}`, signal }))) as
    | { readonly status?: { readonly nodeInfo?: { readonly operatingSystem?: string; readonly architecture?: string } } }
    | undefined
  const { operatingSystem, architecture } = found?.status?.nodeInfo ?? {}
  if (operatingSystem && architecture) return `${operatingSystem}/${architecture}`
  const { platform } = ((await optional(
    connection.request('GET', '/version', { what: 'ask for the version of the cluster', signal }),
  )) ?? {}) as { platform?: unknown }
  return typeof platform === 'string' && /^\w+\/\w+$/.test(platform) ? platform : undefined
}

async function optional(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (thrown) {
    const code = statusOf(thrown)?.code
    if (code === 403 || code === 404) return undefined
    throw thrown
  }
}
