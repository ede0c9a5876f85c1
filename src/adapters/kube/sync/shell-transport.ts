// Live sync into pods by a shell loop over the image's own tools.
import type { SyncTransport } from '../../../ports/sync-transport.js'
import type { KubeConnection } from '../connection.js'
import { containerName } from './exec-errors.js'
import { openExec } from './exec.js'
import { openShellSession } from './shell-session.js'

/** One exec for each target, kept open. */
export function createShellTransport(connection: KubeConnection): SyncTransport {
  return {
    open: (target, roots, signal) =>
      openShellSession(
        { exec: (argv, options) => openExec(connection, target, argv, options), roots, name: containerName(target) },
        signal,
      ),
  }
}
