// One object: server-side apply, and what to do when the cluster cannot change it as it is.
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { fieldManager, replaceAnnotation, templateLabel } from '../labels.js'
import { applyError, immutable, isFieldConflict, isImmutable } from './apply-errors.js'
import { deleteObject, isOwn, readObject, waitUntilGone, type LiveObject } from './cluster-objects.js'
import { contentHash } from './content-hash.js'
import { covers } from './covers.js'
import { inNamespace } from './namespaces.js'
import { objectName, type Owner, type RenderedObject } from './rendered.js'

/** On every object: hash of what was applied, so that nothing is sent when nothing changed. */
export const appliedAnnotation = 'devloop.dev/applied'

export interface ApplyTarget {
  readonly rendered: RenderedObject
  readonly path: string
  /** As it was just read; undefined = it is not there. */
  readonly live: LiveObject | undefined
  readonly owner: Owner
}

/** Whose pods cannot be changed by changing the object: it is made anew when its template differs. */
export const templateIsFixed = new Set(['Pod', 'Job', 'ReplicaSet', 'ReplicationController'])

/** Nothing that anybody misses is in these, so they may be deleted and made anew when a field is immutable. */
const replaceable = new Set([
  'Deployment',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'Pod',
  'Service',
  'ConfigMap',
  'Secret',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
])

/** Milliseconds for which answers that the cluster soon takes back are tried again. */
const settleMs = 10_000

/**
 * Make the cluster hold the object. Never cut in the middle.
 * @throws DevloopError cluster/invalid, cluster/conflict with the place in the manifest, cluster/*
 */
export async function applyObject(connection: KubeConnection, target: ApplyTarget): Promise<'applied' | 'unchanged'> {
  const { rendered, path, owner } = target
  const object = withHash(rendered.object)
  let { live } = target
  if (live?.metadata.deletionTimestamp) {
    await waitUntilGone(connection, path, live)
    live = undefined
  }
  if (live && isOwn(live, owner) && templateIsFixed.has(object.kind) && templateId(live) !== rendered.template) {
    await replace(live)
    live = undefined
  }
  if (live && isOwn(live, owner) && covers(live, object)) return 'unchanged'
  try {
    await send(live !== undefined && isOwn(live, owner))
  } catch (error) {
    if (!isImmutable(error)) throw applyError(error, rendered)
    const now = await readObject(connection, path)
    if (!now) throw applyError(error, rendered)
    if (!isOwn(now, owner)) throw immutable(error, rendered, 'devloop did not make it, so it does not delete it either.')
    if (!replaceable.has(object.kind) && object.metadata.annotations?.[replaceAnnotation] !== 'true')
      throw immutable(error, rendered, 'It holds what would be lost with it, so devloop does not delete it by itself.')
    await replace(now)
    await send(false).catch((again: unknown) => {
      throw applyError(again, rendered)
    })
  }
  return 'applied'

  async function replace(old: LiveObject): Promise<void> {
    await deleteObject(connection, path, old)
    await waitUntilGone(connection, path, old)
  }

  /** `force` takes fields over from others: only in objects that are devloop's anyway. */
  async function send(force: boolean): Promise<void> {
    const started = performance.now()
    const query = { fieldManager, force, fieldValidation: 'Strict' }
    const what = `apply ${objectName(object)}${object.metadata.namespace ? ` in ${object.metadata.namespace}` : ''}`
    const patch = () =>
      connection.request('PATCH', path, { body: object, contentType: 'application/apply-patch+yaml', query, what })
    for (let pause = 50; ; pause = Math.min(pause * 2, 500)) {
      try {
        await (object.metadata.namespace ? inNamespace(connection, object.metadata.namespace, patch) : patch())
        return
      } catch (error) {
        if (!soonDifferent(error) || performance.now() - started > settleMs) throw error
        const leaving = await readObject(connection, path)
        if (leaving?.metadata.deletionTimestamp) await waitUntilGone(connection, path, leaving)
      }
      await sleep(pause)
    }
  }
}

/** Refusals that pass by themselves: changes at the same time, a kind not served yet, a namespace without its ServiceAccount or its count yet. */
function soonDifferent(error: unknown): boolean {
  const status = statusOf(error)
  if (!status) return false
  if (status.code === 409) return !isFieldConflict(status)
  if (status.code === 404) return status.details?.kind !== 'namespaces'
  return status.code === 403 && /serviceaccount "[^"]*" not found|status unknown for quota/.test(status.message)
}

export function withHash(object: KubeObject): KubeObject {
  // of a Secret's values only the names count: their hash must not be readable, and the values are compared themselves
  const data = object.kind === 'Secret' ? Object.keys((object.data ?? {}) as object).sort() : object.data
  const { metadata } = object
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [appliedAnnotation]: contentHash({ ...object, data }) } },
  }
}

export function templateId(live: LiveObject): string | undefined {
  if (live.kind === 'Pod') return live.metadata.labels?.[templateLabel]
  const spec = live.spec as { template?: { metadata?: { labels?: Record<string, string> } } } | undefined
  return spec?.template?.metadata?.labels?.[templateLabel]
}
