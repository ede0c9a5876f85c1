// A client that says and shows exactly what crosses the wire.
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import type { DaemonMessage, HelloMessage } from '../../src/protocol/messages.js'

export interface RawClient {
  readonly ws: WebSocket
  readonly received: DaemonMessage[]
  send(message: unknown): void
  sendText(text: string): void
  /** The first message, of those not taken yet, that fits; waits for it. */
  take<T extends DaemonMessage>(fits: (message: DaemonMessage) => message is T): Promise<T>
  take(fits: (message: DaemonMessage) => boolean): Promise<DaemonMessage>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

export const isType =
  <T extends 'welcome' | 'delta' | 'snapshot' | 'log' | 'progress' | 'error' | 'ping' | 'goodbye'>(type: T) =>
  (message: DaemonMessage): message is Extract<DaemonMessage, { type: T }> =>
    'type' in message && message.type === type

export const isReply = (message: DaemonMessage): message is Extract<DaemonMessage, { jsonrpc: '2.0' }> => 'jsonrpc' in message

/** A hello for topic `state`, with changes. */
export const hello = (changes: Partial<HelloMessage> = {}): HelloMessage => ({
  type: 'hello',
  protocol: { major: 1, minor: 0 },
  client: 'test',
  topics: ['state'],
  ...changes,
})

/** Connects over the Unix socket and waits until it is open. */
export async function connectRaw(socketPath: string): Promise<RawClient> {
  const ws = new WebSocket('ws://localhost/v1/stream', {
    perMessageDeflate: false,
    createConnection: () => connect({ path: socketPath }),
  })
  const received: DaemonMessage[] = []
  const untaken: DaemonMessage[] = []
  const waiting = new Set<() => void>()
  ws.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as DaemonMessage
    received.push(message)
    untaken.push(message)
    for (const check of waiting) check()
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve)
    ws.on('error', reject)
  })
  return {
    ws,
    received,
    closed,
    send: (message) => ws.send(JSON.stringify(message)),
    sendText: (text) => ws.send(text),
    take: (fits: (message: DaemonMessage) => boolean) =>
      new Promise<never>((resolve, reject) => {
        const check = (): void => {
          const index = untaken.findIndex(fits)
          if (index < 0) return
          waiting.delete(check)
          resolve(untaken.splice(index, 1)[0] as never)
        }
        waiting.add(check)
        void closed.then(({ code, reason }) =>
          reject(new Error(`closed with ${code} ${reason}; received ${JSON.stringify(received.slice(-3))}`)),
        )
        check()
      }),
  }
}
