// What the daemon answers to requests, by method.
import type { Requests } from '../protocol/messages.js'

/** How a request came. */
export interface RequestOrigin {
  /** On the Unix socket: only this user can be there, and nothing leaves the machine. */
  readonly viaSocket: boolean
}

/** Each returns its result, or throws a DevloopError that the client gets as data. Parameters are validated before. */
export type RequestHandlers = {
  readonly [M in keyof Requests]: (
    params: Requests[M]['params'],
    origin: RequestOrigin,
  ) => Requests[M]['result'] | Promise<Requests[M]['result']>
}
