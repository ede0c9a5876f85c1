// What Helm notes of a release in the cluster: its newest revision. Read without Helm, and without what the release holds.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { instanceLabel, projectLabel, resourceLabel } from '../labels.js'
import type { Owner } from '../deploy/rendered.js'

export interface ReleaseState {
  readonly revision: number
  /** Helm's word: `deployed`, `failed`, `pending-install`, `pending-upgrade`, `pending-rollback`, `uninstalling` and so on. */
  readonly status: string
  readonly labels: Readonly<Record<string, string>>
}

/** Label of the release: what it was made from, so that nothing is upgraded when nothing changed. */
export const releaseKeyLabel = 'devloop.dev/applied'

/** Undefined = there is none. @throws DevloopError cluster/*, release/failed where Helm keeps releases elsewhere */
export async function readRelease(
  connection: KubeConnection,
  namespace: string,
  name: string,
  signal?: AbortSignal,
): Promise<ReleaseState | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${storage()}`
  let list: unknown
  try {
    list = await connection.request('GET', path, {
      query: { labelSelector: `owner=helm,name=${name}` },
      // the releases themselves are large
      accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
      what: `list the releases in ${namespace}`,
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (statusOf(error)?.code === 404) return undefined
    throw error
  }
  // in this form, none are null
  const { items } = list as { items: readonly { metadata: { labels?: Record<string, string> } }[] | null }
  const all = (items ?? []).map(({ metadata: { labels = {} } }): ReleaseState => ({
    revision: Number(labels.version ?? 0),
    status: labels.status ?? 'unknown',
    labels,
  }))
  const newest = all.reduce<ReleaseState | undefined>(
    (best, one) => (best && best.revision > one.revision ? best : one),
    undefined,
  )
  // its history may be kept
  return newest?.status === 'uninstalled' ? undefined : newest
}

/** Whether devloop made the release, for this resource. */
export const isOwnRelease = ({ labels }: ReleaseState, owner: Owner): boolean =>
  labels[projectLabel] === owner.project && labels[instanceLabel] === owner.instance && labels[resourceLabel] === owner.resource

/** Whether a release holds what was made from this key. */
export const isUpToDate = ({ status, labels }: ReleaseState, key: string): boolean =>
  status === 'deployed' && labels[releaseKeyLabel] === key

/** Where Helm is told to keep releases. */
function storage(): 'secrets' | 'configmaps' {
  const driver = process.env.HELM_DRIVER ?? ''
  if (/^(?:secrets?)?$/.test(driver)) return 'secrets'
  if (/^configmaps?$/.test(driver)) return 'configmaps'
  throw new DevloopError('release/failed', 'devloop does not know where Helm keeps its releases.', {
    why: `HELM_DRIVER is ${driver}: devloop reads them from Secrets or ConfigMaps.`,
    help: 'Unset HELM_DRIVER, or leave out `release`.',
  })
}
