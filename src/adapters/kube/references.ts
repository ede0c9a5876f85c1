// Which images the cluster may start containers of: those of pods, and those of what makes pods.
import type { KubeConnection } from './connection.js'
import { statusOf } from './errors.js'

interface PodSpec {
  readonly containers?: readonly { readonly image?: string }[]
  readonly initContainers?: readonly { readonly image?: string }[]
  readonly ephemeralContainers?: readonly { readonly image?: string }[]
}

interface Item {
  readonly spec?: PodSpec & {
    readonly template?: { readonly spec?: PodSpec }
    readonly jobTemplate?: { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } }
  }
}

interface Page {
  readonly items?: readonly Item[]
  readonly metadata?: { readonly continue?: string }
}

/** Pods, and what may make a pod tomorrow without anybody applying anything. Jobs make theirs at once. */
const kinds: readonly (readonly [api: string, plural: string])[] = [
  ['/api/v1', 'pods'],
  ['/apis/apps/v1', 'deployments'],
  ['/apis/apps/v1', 'statefulsets'],
  ['/apis/apps/v1', 'daemonsets'],
  ['/apis/batch/v1', 'cronjobs'],
]

/** How many objects one answer holds at most. */
const pageSize = 250

/**
 * References as they stand in the objects, of the whole cluster (`isWhole`); where that may not be read, of these namespaces.
 * @throws DevloopError cluster/* also when not even these may be read; AbortError
 */
export async function referencedImages(
  connection: KubeConnection,
  namespaces: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<{ readonly images: ReadonlySet<string>; readonly isWhole: boolean }> {
  let isWhole = true
  const found = new Set<string>()
  for (const [api, plural] of kinds) {
    try {
      await collect(connection, `${api}/${plural}`, found, signal)
    } catch (error) {
      if (statusOf(error)?.code !== 403) throw error
      isWhole = false
      for (const namespace of namespaces) await collect(connection, `${api}/namespaces/${namespace}/${plural}`, found, signal)
    }
  }
  return { images: found, isWhole }
}

async function collect(connection: KubeConnection, path: string, found: Set<string>, signal: AbortSignal): Promise<void> {
  for (let next: string | undefined = ''; next !== undefined;) {
    const page = (await connection.request('GET', path, {
      query: { limit: pageSize, continue: next || undefined },
      signal,
    })) as Page
    for (const { spec } of page.items ?? [])
      for (const pod of [spec, spec?.template?.spec, spec?.jobTemplate?.spec?.template?.spec])
        for (const list of [pod?.containers, pod?.initContainers, pod?.ephemeralContainers])
          for (const { image } of list ?? []) if (image) found.add(image)
    next = page.metadata?.continue || undefined
  }
}
