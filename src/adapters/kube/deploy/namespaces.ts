// Namespaces that are not there yet, or on their way out.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { KeptObject } from '../../../ports/runtime.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import {
  expiresAnnotation,
  instanceLabel,
  madeForAnnotation,
  managedBy,
  managedByLabel,
  ownerUserAnnotation,
  projectLabel,
} from '../labels.js'
import { verifiedUser } from '../sandbox/verified-user.js'
import { deleteObject, readObject, waitUntilGone, type LiveObject } from './cluster-objects.js'

/**
 * Do something in a namespace; make the namespace when the answer is that there is none, and try again. A namespace that is being
 * deleted is waited for first.
 * @throws DevloopError cluster/namespace when it cannot be made
 */
export async function inNamespace<T>(connection: KubeConnection, namespace: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const status = statusOf(error)
    const terminating =
      status?.code === 403 && (status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false)
    const missing = status?.code === 404 && status.details?.kind === 'namespaces'
    if (!terminating && !missing) throw error
    const path = namespacePath(namespace)
    const live = terminating ? await readObject(connection, path) : undefined
    if (live) await waitUntilGone(connection, path, live)
    await makeNamespace(connection, namespace)
    return await work()
  }
}

async function makeNamespace(connection: KubeConnection, name: string): Promise<void> {
  try {
    // a plain create: members of a tenant may do that, but neither read nor apply namespaces
    const { tenant } = connection
    const metadata = {
      name,
      labels: { [managedByLabel]: managedBy, ...(tenant ? { [tenant.label]: tenant.name } : {}) },
      annotations: { [madeForAnnotation]: madeFor(connection) },
    }
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata }
    await connection.request('POST', '/api/v1/namespaces', { body, query: { fieldManager: 'devloop' } })
  } catch (error) {
    const status = statusOf(error)
    if (status?.reason === 'AlreadyExists') return
    throw new DevloopError('cluster/namespace', `Namespace ${name} does not exist and could not be made.`, {
      why: status?.message,
      help: `Ask an administrator to run \`kubectl create namespace ${name}\`, or name another one with --namespace.`,
      cause: error,
    })
  }
}

/** Project and instance have no dots, so no two pairs meet. */
const madeFor = ({ owner }: KubeConnection): string => `${owner.project}.${owner.instance}`

/**
 * Delete the namespaces that were made for this project and instance, and the user's own that it works in; wait until they are gone.
 * What is somebody else's stays, and what another devloop has something in; with `look`, all do.
 * @returns names such as `namespace/dev-ada`
 * @throws DevloopError cluster/*
 */
export async function removeNamespaces(
  connection: KubeConnection,
  act: 'delete' | 'look',
  onKept?: (kept: KeptObject) => void,
): Promise<readonly string[]> {
  const removed: string[] = []
  for (const live of await madeNamespaces(connection)) {
    const { name } = live.metadata
    const object = `namespace/${name}`
    if (act === 'look') {
      onKept?.({ object, why: 'it may hold what others put there (--delete-namespace deletes it)' })
      continue
    }
    const owner = ownerOf(live)
    if (owner !== undefined && owner !== (await userOf(connection))) {
      onKept?.({ object, why: `it belongs to ${owner}` })
      continue
    }
    const other = await otherDevloop(connection, name)
    if (other !== undefined) {
      onKept?.({ object, why: `devloop deployed ${other} into it, too` })
      continue
    }
    const path = namespacePath(name)
    await deleteObject(connection, path, live)
    await waitUntilGone(connection, path, live)
    removed.push(object)
  }
  return removed
}

/**
 * Delete the namespaces of this user, of whatever project, that have not been used for the time that they were given; wait until they
 * are gone. Only those that say they are devloop's and this user's.
 * @returns as `removeNamespaces`
 * @throws DevloopError cluster/*
 */
export async function removeExpired(connection: KubeConnection, now: number): Promise<readonly string[]> {
  const user = await userOf(connection)
  const removed: string[] = []
  for (const live of await listNamespaces(connection)) {
    const { name, deletionTimestamp, annotations } = live.metadata
    if (deletionTimestamp || ownerOf(live) !== user || !(Date.parse(annotations?.[expiresAnnotation] ?? '') < now)) continue
    const path = namespacePath(name)
    await deleteObject(connection, path, live)
    await waitUntilGone(connection, path, live)
    removed.push(`namespace/${name}`)
  }
  return removed
}

async function madeNamespaces(connection: KubeConnection): Promise<readonly LiveObject[]> {
  const all = await listNamespaces(connection)
  const isMeant = (one: LiveObject): boolean =>
    one.metadata.annotations?.[madeForAnnotation] === madeFor(connection) ||
    (ownerOf(one) !== undefined && one.metadata.name === connection.namespace)
  return all.filter((one) => !one.metadata.deletionTimestamp && isMeant(one))
}

const ownerOf = (live: LiveObject): string | undefined => live.metadata.annotations?.[ownerUserAnnotation]

/** Of whom nobody knows the name nothing is deleted. */
const userOf = async (connection: KubeConnection): Promise<string> =>
  (await verifiedUser(connection, new AbortController().signal))?.name ?? ''

async function listNamespaces(connection: KubeConnection): Promise<readonly LiveObject[]> {
  try {
    const list = (await connection.request('GET', '/api/v1/namespaces', {
      query: { labelSelector: `${managedByLabel}=${managedBy}` },
    })) as { items: LiveObject[] }
    return list.items
  } catch (error) {
    // who may not list them may still own the one
    if (statusOf(error)?.code !== 403) throw error
    const own = await readObject(connection, namespacePath(connection.namespace))
    return own?.metadata.labels?.[managedByLabel] === managedBy ? [own] : []
  }
}

/** The project of another devloop that has something in a namespace. */
async function otherDevloop(connection: KubeConnection, namespace: string): Promise<string | undefined> {
  const maps = (await connection.request('GET', `${namespacePath(namespace)}/configmaps`, {
    query: {
      labelSelector: `${managedByLabel}=${managedBy},${instanceLabel},${instanceLabel}!=${connection.owner.instance}`,
      limit: 1,
    },
  })) as { items: LiveObject[] }
  return maps.items[0]?.metadata.labels?.[projectLabel]
}

const namespacePath = (name: string): string => `/api/v1/namespaces/${encodeURIComponent(name)}`
