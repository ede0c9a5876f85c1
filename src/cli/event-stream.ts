// The messages of one connection as they come: for `devloop events`, which tells each sequence number and can go on behind one.
import type { HelloMessage, DaemonMessage, DeltaMessage, WelcomeMessage } from '../protocol/messages.js'
import { protocolVersion } from '../protocol/messages.js'
import { nodeSocket } from '../client/node-socket.js'
import { DevloopError } from '../errors/devloop-error.js'
import { version } from './version.js'

export interface EventStream {
  /** Why it ended; rejects with daemon/not-running when it never began. */
  readonly ended: Promise<{ readonly reason: string }>
  /** Reads no more for now: the daemon queues nothing, and sends what has become of it all later. */
  pause(): void
  resume(): void
  close(): void
}

export interface EventStreamOptions {
  /** Path of the daemon's socket. */
  readonly socket: string
  readonly resume?: HelloMessage['resume']
  readonly state?: HelloMessage['state']
  readonly onWelcome: (welcome: WelcomeMessage) => void
  readonly onDelta: (delta: DeltaMessage) => void
}

/** Connects, and calls back until the daemon ends or it is closed. */
export function openEventStream({ socket, resume: place, state, onWelcome, onDelta }: EventStreamOptions): EventStream {
  const ws = nodeSocket({ socket })
  let farewell: string | undefined
  let isWelcome = false
  const send = (message: object): void => ws.send(JSON.stringify(message))
  const receive = (message: DaemonMessage): void => {
    if (!('type' in message)) return
    if (message.type === 'welcome') {
      isWelcome = true
      onWelcome(message)
    } else if (message.type === 'delta') onDelta(message)
    else if (message.type === 'ping') send({ type: 'pong' })
    else if (message.type === 'goodbye') farewell = message.reason
    else if (message.type === 'error') farewell = message.error.message
  }
  const ended = new Promise<{ readonly reason: string }>((resolve, reject) => {
    ws.onopen = () => {
      const hello: HelloMessage = {
        type: 'hello',
        protocol: protocolVersion,
        client: `devloop events ${version}`,
        topics: ['state'],
        ...(place && { resume: place }),
        ...(state && { state }),
      }
      send(hello)
    }
    ws.onmessage = ({ data }) => receive(JSON.parse(String(data)) as DaemonMessage)
    ws.onerror = ({ message }) => (farewell ??= message)
    ws.onclose = ({ reason }) => {
      const why = farewell ?? (reason || 'the daemon ended')
      if (isWelcome) resolve({ reason: why })
      else reject(new DevloopError('daemon/not-running', 'the connection to devloop could not be made', { why }))
    }
  })
  // the `ws` library can; what a page has cannot
  const { pause, resume } = ws as { pause?: () => void; resume?: () => void }
  return { ended, pause: () => pause?.call(ws), resume: () => resume?.call(ws), close: () => ws.close(1000) }
}

/** A place in the stream of one daemon, as `EPOCH:SEQ`. */
export const placeText = ({ epoch, seq }: { readonly epoch: string; readonly seq: number }): string => `${epoch}:${seq}`

/** @throws DevloopError usage */
export function readPlace(text: string): { readonly epoch: string; readonly seq: number } {
  const [, epoch, seq] = /^([\w-]{1,100}):(\d{1,15})$/.exec(text) ?? []
  if (epoch === undefined || seq === undefined)
    throw new DevloopError('usage', `'${text}' is no place in the events`, {
      help: 'Give what stood as `place` in the last line that you have, such as 0b9c7a52-7c5e-4b0b-9a43-0e6b6a4a2f11:19.',
    })
  return { epoch, seq: Number(seq) }
}
