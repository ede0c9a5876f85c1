// The names that a running daemon knows, for completion: at once, or not at all.
import { basename, dirname } from 'node:path'
import { connectDevloop, findDaemon, findDiscoveries } from '../../client/index.js'
import { imagesOf, resourcesOf, sessionOf } from '../../client/status/views.js'
import { findDevloopfile } from '../find-devloopfile.js'
import type { Candidate, LiveNames } from './complete-words.js'

/** An answer comes within some 10 ms; somebody has pressed a key and waits, also where a daemon hangs. Milliseconds. */
const patience = 1_000

const none: LiveNames = { resources: [], labels: [], images: [], choices: [] }

/** Of the daemon of a Devloopfile; nothing where none runs, or none answers in time. Never throws. */
export async function liveNames(file: string | undefined): Promise<LiveNames> {
  try {
    const discovery = await findDaemon({ devloopfile: findDevloopfile(file) })
    if (!discovery) return none
    const client = connectDevloop({
      endpoint: { socket: discovery.socket },
      name: 'devloop complete',
      state: { kinds: ['session', 'resource', 'image'] },
      reconnect: false,
    })
    try {
      await client.whenOpen({ timeoutMs: patience })
      const views = client.views()
      const resources = resourcesOf(views)
      return {
        resources: resources.map(({ name, type, status, pods }) => ({
          name,
          type,
          status,
          containers: [...new Set(pods.flatMap((pod) => pod.containers.map((one) => one.name)))],
        })),
        labels: [...new Set(resources.flatMap(({ labels }) => labels))],
        images: imagesOf(views).map(({ name }) => name),
        choices: Object.keys(sessionOf(views)?.choices ?? {}),
      }
    } finally {
      client.close()
    }
  } catch {
    return none
  }
}

/** For which daemons have left their file; whether each still runs would take too long. */
export const liveProjects = async (): Promise<readonly Candidate[]> =>
  (await findDiscoveries()).map(({ project, devloopfile }) => ({
    value: project || basename(dirname(devloopfile)),
    description: devloopfile,
  }))
