// Entry for clients on any platform.
import { browserSocket } from './browser-socket.js'
import { createDevloopClient, type ClientOptions, type DevloopClient } from './devloop-client.js'
import type { SocketFactory } from './socket.js'

export interface ConnectOptions extends Omit<ClientOptions, 'createSocket'> {
  /** Default: the `ws` library on Node, `browserSocket` where there is no Node. */
  readonly createSocket?: SocketFactory
}

/** Creates a client, which begins to connect. */
export const connectDevloop = (options: ConnectOptions): DevloopClient =>
  createDevloopClient({ ...options, createSocket: options.createSocket ?? (isNode() ? nodeSocket : browserSocket) })

const isNode = (): boolean => typeof process === 'object' && process.versions?.node !== undefined

/** Loaded when it is needed, so that browsers need nothing of it. */
const nodeSocket: SocketFactory = async (endpoint) => (await import('./node-socket.js')).nodeSocket(endpoint)
