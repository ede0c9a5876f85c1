// Reading and deleting single objects.
import { setTimeout as sleep } from 'node:timers/promises'
import { DevloopError } from '../../../errors/devloop-error.js'
import type { KubeObject } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { instanceLabel, projectLabel } from '../labels.js'
import type { Owner } from './rendered.js'

/** An object as the cluster has it. */
export interface LiveObject extends KubeObject {
  metadata: KubeObject['metadata'] & { uid: string; resourceVersion: string; deletionTimestamp?: string; finalizers?: string[] }
}

/** How long a deletion may take, in milliseconds. */
const deletionLimitMs = 60_000

/** The object, or undefined when there is none. */
export async function readObject(
  connection: KubeConnection,
  path: string,
  signal?: AbortSignal,
): Promise<LiveObject | undefined> {
  try {
    return (await connection.request('GET', path, signal ? { signal } : {})) as LiveObject
  } catch (error) {
    if (statusOf(error)?.code === 404) return undefined
    throw error
  }
}

/** Whether this project and instance applied it. */
export const isOwn = (live: LiveObject, owner: Pick<Owner, 'project' | 'instance'>): boolean =>
  live.metadata.labels?.[projectLabel] === owner.project && live.metadata.labels[instanceLabel] === owner.instance

/**
 * Delete exactly this object, not one that took its name. Gone already is no error. Does not wait.
 * @param dependents `first`: it goes when all that it owns (a Deployment's pods) is gone; `after`: they follow it
 */
export async function deleteObject(
  connection: KubeConnection,
  path: string,
  live: LiveObject,
  dependents: 'first' | 'after' = 'after',
): Promise<void> {
  try {
    await connection.request('DELETE', path, {
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: dependents === 'first' ? 'Foreground' : 'Background',
        preconditions: { uid: live.metadata.uid },
      },
    })
  } catch (error) {
    const code = statusOf(error)?.code
    // 409: another object has the name by now
    if (code !== 404 && code !== 409) throw error
  }
}

/** Wait until this object is gone. @param limitMs default: a minute @throws DevloopError cluster/error after that time */
export async function waitUntilGone(
  connection: KubeConnection,
  path: string,
  live: LiveObject,
  limitMs = deletionLimitMs,
): Promise<void> {
  const deadline = Date.now() + limitMs
  for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
    const now = await readObject(connection, path)
    if (!now || now.metadata.uid !== live.metadata.uid) return
    if (Date.now() > deadline) throw stillThere(now, limitMs)
    await sleep(pause)
  }
}

function stillThere({ kind, metadata }: LiveObject, limitMs: number): DevloopError {
  const finalizers = metadata.finalizers ?? []
  return new DevloopError(
    'cluster/error',
    `${kind.toLowerCase()}/${metadata.name} is still being deleted after ${limitMs / 1000} seconds.`,
    {
      why: finalizers.length > 0 ? `It waits for: ${finalizers.join(', ')}.` : undefined,
      help: 'See what holds up the deletion (kubectl describe), then try again.',
    },
  )
}
