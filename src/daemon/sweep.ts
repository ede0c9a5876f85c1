// What daemons that were killed have left in the runtime folders of this user.
import type { Discovery } from '../protocol/messages.js'
import { runtimeDirs } from '../protocol/discovery.js'
import { sweepDiscoveries } from '../server/sweep-discoveries.js'

/** Takes it away. @returns the discovery files that were there for nothing */
export const sweepStale = async (): Promise<readonly Discovery[]> =>
  (await Promise.all(runtimeDirs(process.env, process.getuid?.() ?? 0).map(sweepDiscoveries))).flat()
