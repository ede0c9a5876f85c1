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
    const code = statusOf(error)?.code
    // who may not ask gets a claim: it waits with the cluster's own reason where there is no class
    if (code === 403 || code === 404) return { hasDefaultClass: undefined }
    throw error
  }
}
