// WebSockets on Node, over the Unix socket or loopback TCP.
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { streamPath } from '../protocol/discovery.js'
import type { Endpoint, SocketLike } from './socket.js'

/** Connects with the `ws` library. */
export function nodeSocket(endpoint: Endpoint): SocketLike {
  const options = { perMessageDeflate: false, handshakeTimeout: 5_000 }
  const ws =
    'socket' in endpoint
      ? new WebSocket(`ws://localhost${streamPath}`, { ...options, createConnection: () => connect({ path: endpoint.socket }) })
      : new WebSocket(endpoint.url.replace(/^http/, 'ws').replace(/\/+$/, '') + streamPath, {
          ...options,
          headers: { authorization: `Bearer ${endpoint.token}` },
        })
  return ws as SocketLike
}
