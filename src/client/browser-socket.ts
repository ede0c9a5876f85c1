// WebSockets of a browser, which cannot set headers: the token goes as a subprotocol.
import { streamPath, subprotocol, tokenSubprotocol } from '../protocol/discovery.js'
import type { SocketFactory, SocketLike } from './socket.js'

/** Pass as `createSocket` where there is a global WebSocket. Reaches loopback TCP only. */
export const browserSocket: SocketFactory = (endpoint) => {
  if ('socket' in endpoint)
    throw new Error('A browser cannot reach a Unix socket; it needs the url and token of the discovery file.')
  const { WebSocket } = globalThis as unknown as { WebSocket: new (url: string, protocols: string[]) => SocketLike }
  return new WebSocket(endpoint.url.replace(/^http/, 'ws').replace(/\/+$/, '') + streamPath, [
    subprotocol,
    `${tokenSubprotocol}${endpoint.token}`,
  ])
}
