// Custom kinds: applied definitions take a moment until their objects are accepted.
import { setTimeout as sleep } from 'node:timers/promises'
import { DevloopError } from '../../../errors/devloop-error.js'
import type { KubeConnection } from '../connection.js'
import type { ApplyTarget } from './apply-object.js'
import { readObject } from './cluster-objects.js'
import { objectName } from './rendered.js'

/** Milliseconds. */
const limitMs = 30_000

interface Condition {
  readonly type: string
  readonly status: string
  readonly message?: string
}

/** Wait until a CustomResourceDefinition is established. @throws DevloopError cluster/invalid when its names are taken, cluster/error */
export async function waitUntilServed(connection: KubeConnection, { path, rendered }: ApplyTarget): Promise<void> {
  const started = performance.now()
  for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
    const live = await readObject(connection, path)
    const conditions = (live?.status as { conditions?: Condition[] } | undefined)?.conditions ?? []
    if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) return
    const refused = conditions.find(({ type, status }) => type === 'NamesAccepted' && status === 'False')
    if (refused)
      throw new DevloopError('cluster/invalid', `${objectName(rendered.object)} is not accepted by the cluster.`, {
        why: refused.message,
        where: rendered.at,
      })
    if (performance.now() - started > limitMs) {
      throw new DevloopError(
        'cluster/error',
        `${objectName(rendered.object)} is not established after ${limitMs / 1000} seconds.`,
        {
          where: rendered.at,
        },
      )
    }
    await sleep(pause)
  }
}
