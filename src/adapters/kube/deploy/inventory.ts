// What this project's instance applied, resource by resource: a ConfigMap in its namespace. Written before anything is applied, so
// that a process that is killed in between leaves nothing unknown behind.
import type { RuntimeOptions } from '../../../ports/runtime.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { fieldManager, instanceLabel, managedBy, managedByLabel, projectLabel } from '../labels.js'
import { readObject, type LiveObject } from './cluster-objects.js'
import type { KindInfo } from './kinds.js'
import { inNamespace } from './namespaces.js'

/** Where an object is; all that deleting it needs. */
export interface ObjectRef extends KindInfo {
  readonly namespace?: string
  readonly name: string
}

/** By resource. */
export type InventoryContent = ReadonlyMap<string, readonly ObjectRef[]>

export interface Inventory {
  /** What is recorded, at most a second old. Asked by many at once, it is read once. */
  read(signal: AbortSignal): Promise<InventoryContent>
  /** Record the objects of a resource; none = forget it. Writes of many at once become one. */
  write(resource: string, objects: readonly ObjectRef[]): Promise<void>
}

/** Milliseconds for which what was read is believed. */
const freshMs = 1000

/** Project and instance have no dots, so no two pairs meet. */
const inventoryName = ({ project, instance }: Pick<RuntimeOptions, 'project' | 'instance'>): string =>
  `devloop-inventory.${project}.${instance}`

export const sameRef = (a: ObjectRef, b: ObjectRef): boolean =>
  a.apiVersion === b.apiVersion && a.kind === b.kind && a.namespace === b.namespace && a.name === b.name

export function createInventory(connection: KubeConnection, options: Pick<RuntimeOptions, 'project' | 'instance'>): Inventory {
  const name = inventoryName(options)
  const collection = `/api/v1/namespaces/${encodeURIComponent(connection.namespace)}/configmaps`
  const path = `${collection}/${name}`
  let known: InventoryContent = new Map()
  let knownAt = -Infinity
  let reading: Promise<unknown> | undefined
  let writes = 0
  let pending = new Map<string, readonly ObjectRef[]>()
  let queued: Promise<void> | undefined
  let writing: Promise<void> = Promise.resolve()

  function learn(live: LiveObject | undefined): InventoryContent {
    known = parse(live)
    knownAt = performance.now()
    return known
  }

  async function send(batch: ReadonlyMap<string, readonly ObjectRef[]>): Promise<void> {
    const data = Object.fromEntries(
      [...batch].map(([resource, objects]) => [resource, objects.length > 0 ? encode(objects) : null]),
    )
    for (;;) {
      try {
        writes++
        const live = await connection.request('PATCH', path, {
          body: { data },
          contentType: 'application/merge-patch+json',
          query: { fieldManager },
        })
        if (learn(live as LiveObject).size === 0) await discard(live as LiveObject)
        return
      } catch (error) {
        if (statusOf(error)?.code !== 404) throw error
      }
      // not there yet, or somebody deleted it: then it is made whole again
      const all = new Map([...known, ...batch].filter(([, objects]) => objects.length > 0))
      if (all.size === 0) return
      try {
        const labels = { [managedByLabel]: managedBy, [projectLabel]: options.project, [instanceLabel]: options.instance }
        const content = Object.fromEntries([...all].map(([resource, objects]) => [resource, encode(objects)]))
        const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: content }
        learn(
          (await inNamespace(connection, connection.namespace, () =>
            connection.request('POST', collection, { body, query: { fieldManager } }),
          )) as LiveObject,
        )
        return
      } catch (error) {
        if (statusOf(error)?.reason !== 'AlreadyExists') throw error
      }
    }
  }

  async function discard(live: LiveObject): Promise<void> {
    const { uid, resourceVersion } = live.metadata
    try {
      await connection.request('DELETE', path, {
        body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } },
      })
    } catch (error) {
      // 409: somebody wrote into it meanwhile, so it stays
      const code = statusOf(error)?.code
      if (code !== 404 && code !== 409) throw error
    }
  }

  return {
    async read(signal) {
      if (performance.now() - knownAt > freshMs) {
        // not the caller's signal: others wait for the same answer
        const before = writes
        reading ??= readObject(connection, path)
          // an answer from before a write is no news
          .then((live) => (writes === before ? learn(live) : undefined))
          .finally(() => (reading = undefined))
        await reading
      }
      signal.throwIfAborted()
      return known
    },
    write(resource, objects) {
      pending.set(resource, objects)
      queued ??= writing.then(() => {
        const batch = pending
        pending = new Map()
        queued = undefined
        const sent = send(batch)
        writing = sent.catch(() => {})
        return sent
      })
      return queued
    },
  }
}

const encode = (objects: readonly ObjectRef[]): string =>
  JSON.stringify(
    objects.map((ref) => [ref.apiVersion, ref.kind, ref.plural, ref.name, ...(ref.namespaced ? [ref.namespace] : [])]),
  )

function parse(live: LiveObject | undefined): InventoryContent {
  const content = new Map<string, readonly ObjectRef[]>()
  for (const [resource, text] of Object.entries((live?.data ?? {}) as Record<string, string>)) content.set(resource, decode(text))
  return content
}

function decode(text: string): readonly ObjectRef[] {
  try {
    return (JSON.parse(text) as string[][]).map(([apiVersion = '', kind = '', plural = '', name = '', namespace]) => ({
      apiVersion,
      kind,
      plural,
      name,
      namespaced: namespace !== undefined,
      ...(namespace === undefined ? {} : { namespace }),
    }))
  } catch {
    // not written by devloop: nothing is known, so nothing is deleted
    return []
  }
}
