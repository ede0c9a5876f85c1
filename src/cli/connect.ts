// A client of the running daemon, for the commands.
import { connectDevloop, findDaemon, type DevloopClient } from '../client/index.js'
import { DevloopError } from '../errors/devloop-error.js'
import type { Topic } from '../protocol/messages.js'
import { exitCodes } from './exit.js'
import { findDevloopfile } from './find-devloopfile.js'
import { onInterrupt } from './interrupted.js'
import { version } from './version.js'

/**
 * Connect to the daemon of a Devloopfile, do something, and let go of it.
 * @returns the exit code: what `use` says, or that it was interrupted
 * @throws DevloopError devloopfile/not-found, daemon/not-running
 */
export async function withDaemon(
  file: string | undefined,
  topics: readonly Topic[],
  use: (client: DevloopClient) => Promise<number>,
): Promise<number> {
  const devloopfile = findDevloopfile(file)
  let end = (): void => {}
  const stop = new Promise<number>((resolve) => (end = onInterrupt(() => resolve(exitCodes.interrupted))))
  try {
    return await Promise.race([connected(devloopfile, topics, use), stop])
  } finally {
    end()
  }
}

async function connected(
  devloopfile: string,
  topics: readonly Topic[],
  use: (client: DevloopClient) => Promise<number>,
): Promise<number> {
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
