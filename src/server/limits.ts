// The bounds that keep one client from harming the daemon or the other clients.
import { maxLogSelections } from '../protocol/discovery.js'

export interface ServerLimits {
  /** Bytes of one message of a client. */
  readonly payload: number
  /** Connected clients, both transports together. */
  readonly clients: number
  /** Time for the first message. */
  readonly helloMs: number
  /** Unsent bytes above which nothing new is written for a client. */
  readonly highWater: number
  /** Size of one log message. */
  readonly logBytes: number
  readonly logLines: number
  /** Lines that are looked at in one go for a client that wants few of them. */
  readonly logLooked: number
  /** Log selections of one client at once. */
  readonly logSelections: number
  /** While busy, state and logs go out at most this often. */
  readonly paceMs: number
  readonly pingMs: number
  /** A client that neither reads nor says anything for so long is disconnected. */
  readonly stallMs: number
  /** Requests of one client that are running or whose reply is not sent yet; above it, its messages wait. */
  readonly requests: number
  /** Time between two messages of progress of one request. */
  readonly progressMs: number
  /** Messages that were not valid, after which a client is disconnected. */
  readonly errors: number
  /** Removed views remembered for clients that resume. */
  readonly tombstones: number
  /** Grace for the closing handshake. */
  readonly closeMs: number
}

export const defaultLimits: ServerLimits = {
  payload: 1024 * 1024,
  clients: 64,
  helloMs: 5_000,
  highWater: 256 * 1024,
  logBytes: 128 * 1024,
  logLines: 500,
  logLooked: 5_000,
  logSelections: maxLogSelections,
  paceMs: 30,
  pingMs: 20_000,
  stallMs: 120_000,
  requests: 16,
  progressMs: 100,
  errors: 50,
  tombstones: 1_000,
  closeMs: 500,
}
