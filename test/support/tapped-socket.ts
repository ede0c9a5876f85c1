// A client's socket whose messages a test sees, and that it can cut.
import { nodeSocket } from '../../src/client/node-socket.js'
import type { Endpoint, SocketLike } from '../../src/client/socket.js'

export interface TappedSocket extends SocketLike {
  terminate(): void
}

/** @param onText each message that comes, before the client has it */
export function tappedSocket(endpoint: Endpoint, onText: (text: string) => void): TappedSocket {
  const ws = nodeSocket(endpoint) as TappedSocket & { on(event: 'message', callback: (data: Buffer) => void): void }
  ws.on('message', (data) => onText(data.toString()))
  return ws
}
