// Values made once for a project's instance, kept in one Secret of its namespace and nowhere else. The Secret outlives the
// resources, because volumes that stay may hold data locked with these values.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { RuntimeOptions } from '../../../ports/runtime.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { fieldManager, instanceLabel, managedBy, managedByLabel, projectLabel } from '../labels.js'
import { deleteObject, isOwn, readObject } from './cluster-objects.js'
import { inNamespace } from './namespaces.js'
import { randomValue } from './random-value.js'

/** Of the value that hashes of secrets are made with. It is made like the others, and no name of a Devloopfile can be this. */
export const hashKeyName = 'devloop.hash-key'

type Owner = Pick<RuntimeOptions, 'project' | 'instance'>

/** The Secret. Project and instance have no dots, so no two pairs meet. */
function secretOf(
  { namespace }: KubeConnection,
  { project, instance }: Owner,
): { name: string; collection: string; path: string } {
  const name = `devloop-generated.${project}.${instance}`
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`
  return { name, collection, path: `${collection}/${name}` }
}

/** What it holds, decoded. */
const valuesOf = (secret: Awaited<ReturnType<typeof readObject>>): ReadonlyMap<string, string> =>
  new Map(
    Object.entries((secret?.data ?? {}) as Record<string, string>).map(([key, data]) => [
      key,
      Buffer.from(data, 'base64').toString(),
    ]),
  )

/**
 * The values with these names; those that are missing are made. Two that ask at once get the same values.
 * @throws DevloopError cluster/*
 */
export async function generatedValues(
  connection: KubeConnection,
  options: Owner,
  names: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if (names.size === 0) return {}
  const { name, collection, path } = secretOf(connection, options)
  for (let attempt = 1; attempt <= 10; attempt++) {
    const live = await readObject(connection, path, signal)
    const values = valuesOf(live)
    const missing = [...names].filter((key) => !values.has(key))
    if (missing.length === 0) return Object.fromEntries([...names].map((key) => [key, values.get(key) ?? '']))
    const added = Object.fromEntries(missing.map((key) => [key, Buffer.from(randomValue()).toString('base64')]))
    signal.throwIfAborted()
    try {
      if (live) {
        // the version makes it fail, and be read again, when somebody else was faster
        const body = { metadata: { resourceVersion: live.metadata.resourceVersion }, data: added }
        await connection.request('PATCH', path, { body, contentType: 'application/merge-patch+json', query: { fieldManager } })
      } else {
        const labels = { [managedByLabel]: managedBy, [projectLabel]: options.project, [instanceLabel]: options.instance }
        const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name, labels }, type: 'Opaque', data: added }
        await inNamespace(connection, connection.namespace, () =>
          connection.request('POST', collection, { body, query: { fieldManager } }),
        )
      }
    } catch (error) {
      const code = statusOf(error)?.code
      if (code !== 409 && code !== 404) throw error
    }
  }
  throw new DevloopError(
    'cluster/conflict',
    `Secret ${name} in namespace ${connection.namespace} changes too often to add a value.`,
    {
      help: 'See who else writes it.',
    },
  )
}

/** The values as far as they were made; the others are told to be missing. Makes nothing. @throws DevloopError cluster/* */
export async function knownGenerated(
  connection: KubeConnection,
  options: Owner,
  names: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if (names.size === 0) return {}
  const values = valuesOf(await readObject(connection, secretOf(connection, options).path, signal))
  return Object.fromEntries([...names].map((key) => [key, values.get(key) ?? 'made-at-the-first-deploy']))
}

/**
 * Delete the values, or only look whether there are any.
 * @returns the name of the Secret for people, such as `secret/...`; undefined = there are none
 */
export async function removeGenerated(
  connection: KubeConnection,
  options: Owner,
  act: 'delete' | 'look',
): Promise<string | undefined> {
  const { name, path } = secretOf(connection, options)
  const live = await readObject(connection, path)
  if (!live || !isOwn(live, options) || live.metadata.deletionTimestamp) return undefined
  // what only tells hashes apart is of use to nobody
  const onlyHashes = Object.keys((live.data ?? {}) as object).every((key) => key === hashKeyName)
  if (act === 'look' && onlyHashes) {
    await deleteObject(connection, path, live)
    return undefined
  }
  if (act === 'delete') await deleteObject(connection, path, live)
  return `secret/${name}`
}
