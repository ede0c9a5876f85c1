// A client of the running daemon, for the commands.
import { connectDevloop, findDaemon, type DevloopClient } from '../client/index.js'
import { DevloopError } from '../errors/devloop-error.js'
import type { Topic } from '../protocol/messages.js'
import { findDevloopfile } from './find-devloopfile.js'
import { version } from './version.js'

/** Connect to the daemon of a Devloopfile, do something, and let go of it. @throws DevloopError daemon/not-running */
export async function withDaemon<T>(file: string | undefined, topics: readonly Topic[], use: (client: DevloopClient) => Promise<T>): Promise<T> {
  const devloopfile = findDevloopfile(file)
  const discovery = await findDaemon({ devloopfile })
  if (!discovery) throw new DevloopError('daemon/not-running', `devloop does not run for ${devloopfile}`)
  const client = connectDevloop({ endpoint: { socket: discovery.socket }, name: `devloop ${version}`, topics, reconnect: false })
  try {
    await client.whenOpen({ timeoutMs: 10_000 })
    return await use(client)
  } finally {
    client.close()
  }
}
