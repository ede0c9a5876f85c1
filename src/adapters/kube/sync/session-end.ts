// How a session ends with the channel that carries it.
import type { DevloopError } from '../../../errors/devloop-error.js'
import type { SyncSession } from '../../../ports/sync-transport.js'

/** Why a channel is over. */
export interface ChannelEnd {
  readonly reason: 'asked' | 'lost'
  readonly error: DevloopError
}

/** What a session says of its end, and how it is ended. `closed` of the channel never rejects. */
export const sessionEnd = (channel: {
  readonly closed: Promise<ChannelEnd>
  close(): void
}): Pick<SyncSession, 'closed' | 'close'> => ({
  closed: channel.closed.then(({ reason, error }) => ({
    reason,
    message: error.info.why ? `${error.message} ${error.info.why}` : error.message,
  })),
  async close() {
    channel.close()
    await channel.closed
  },
})
