// What the daemon answers to requests, by method.
import type { Requests } from '../protocol/messages.js'

/** Each returns its result, or throws a DevloopError that the client gets as data. Parameters are validated before. */
export type RequestHandlers = {
  readonly [M in keyof Requests]: (params: Requests[M]['params']) => Requests[M]['result'] | Promise<Requests[M]['result']>
}
