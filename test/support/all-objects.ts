// Every object that a cluster has, to see that what is not devloop's is left alone.
import type { KubeConnection } from '../../src/adapters/kube/connection.js'

export interface SeenObject {
  /** Such as `apps/v1 deployments NAMESPACE/NAME`; without a namespace for one of the whole cluster. */
  readonly key: string
  readonly uid: string
  readonly resourceVersion: string
  readonly labels: Readonly<Record<string, string>>
}

interface RawList {
  readonly items?: readonly {
    metadata: { name: string; namespace?: string; uid: string; resourceVersion: string; labels?: Record<string, string> }
  }[]
}

/** They come and go by themselves, or change all the time. */
const restless = new Set(['events', 'leases', 'nodes', 'csinodes', 'componentstatuses', 'ipaddresses'])

/** All objects of a namespace, or without one all that belong to none; by their key. */
export async function allObjects(connection: KubeConnection, namespace?: string): Promise<ReadonlyMap<string, SeenObject>> {
  const get = (path: string): Promise<unknown> => connection.request('GET', path)
  const { groups } = (await get('/apis')) as { groups: { preferredVersion: { groupVersion: string } }[] }
  const roots = ['/api/v1', ...groups.map((one) => `/apis/${one.preferredVersion.groupVersion}`)]
  const seen = new Map<string, SeenObject>()
  for (const root of roots) {
    // a group may vanish while it is looked at: another test's
    const kinds = (await get(root).catch(() => ({ resources: [] }))) as {
      resources: { name: string; namespaced: boolean; verbs: string[] }[]
    }
    for (const { name: plural, namespaced, verbs } of kinds.resources) {
      if (plural.includes('/') || !verbs.includes('list') || restless.has(plural) || namespaced !== (namespace !== undefined))
        continue
      const path = namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`
      const { items = [] } = (await get(path).catch(() => ({}))) as RawList
      for (const { metadata } of items) {
        const place = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`
        const key = `${root.replace(/^\/apis?\//, '')} ${plural} ${place}`
        const { uid, resourceVersion, labels = {} } = metadata
        seen.set(key, { key, uid, resourceVersion, labels })
      }
    }
  }
  return seen
}

/** The keys of those that carry a label of devloop with this project's name. */
export const ofProject = (objects: ReadonlyMap<string, SeenObject>, project: string): readonly string[] =>
  [...objects.values()].filter(({ labels }) => labels['devloop.dev/project'] === project).map(({ key }) => key)

/**
 * What differs between two looks, in words: gone, new, made anew, changed.
 * @param strict also whether anything at all was written to them; else only whether they are the same objects
 */
export function differences(
  before: ReadonlyMap<string, SeenObject>,
  after: ReadonlyMap<string, SeenObject>,
  strict: 'strict' | 'same objects',
): readonly string[] {
  const told: string[] = []
  for (const [key, one] of before) {
    const now = after.get(key)
    if (!now) told.push(`gone: ${key}`)
    else if (now.uid !== one.uid) told.push(`made anew: ${key}`)
    else if (strict === 'strict' && now.resourceVersion !== one.resourceVersion) told.push(`changed: ${key}`)
  }
  for (const key of after.keys()) if (!before.has(key)) told.push(`new: ${key}`)
  return told
}
