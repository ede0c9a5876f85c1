// Whether the cluster makes volumes for claims that name no storage class.
import type { AppSpec } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import type { Storage } from './app-volumes.js'

interface StorageClassList {
  readonly items: readonly { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }[]
}

/** Asked only for an app that needs it. @throws DevloopError cluster/* */
export async function storageFor(connection: KubeConnection, app: AppSpec, signal: AbortSignal): Promise<Storage> {
  const asks = app.volumes?.some((volume) => volume.kind === 'named' && volume.storageClass === undefined)
  if (!asks) return { hasDefaultClass: undefined }
  try {
    const path = '/apis/storage.k8s.io/v1/storageclasses'
    const { items } = (await connection.request('GET', path, { what: 'look for a storage class', signal })) as StorageClassList
    const isDefault = 'storageclass.kubernetes.io/is-default-class'
    return { hasDefaultClass: items.some(({ metadata }) => metadata.annotations?.[isDefault] === 'true') }
  } catch (error) {
    if (!isRefused(error)) throw error
    return { hasDefaultClass: await claimGetsClass(connection, signal) }
  }
}

/**
 * Whether the API server gives a claim a class. It writes the default one into claims that name none, also when it only tries, so that who
 * may see no classes, as most developers, can tell.
 * @returns undefined where that may not be tried either: such a claim waits with the cluster's own reason
 */
async function claimGetsClass(connection: KubeConnection, signal: AbortSignal): Promise<boolean | undefined> {
  const body = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { generateName: 'devloop-' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
  }
  try {
    const path = `/api/v1/namespaces/${connection.namespace}/persistentvolumeclaims`
    const query = { dryRun: 'All' }
    const tried = await connection.request('POST', path, { what: 'try a volume claim', body, query, signal })
    return (tried as { spec?: { storageClassName?: string } }).spec?.storageClassName !== undefined
  } catch (error) {
    if (!isRefused(error)) throw error
    return undefined
  }
}

const isRefused = (error: unknown): boolean => [403, 404, 422].includes(statusOf(error)?.code ?? 0)
