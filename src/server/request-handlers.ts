// What the daemon answers to requests, by method.
import type { Access, Requests } from '../protocol/messages.js'

/** How far a request has come, for people; `count` where that can be counted. */
export type Progress = (message: string, count?: { readonly done: number; readonly total: number }) => void

/** How a request came, and who waits for it. */
export interface RequestOrigin {
  /** On the Unix socket: only this user can be there, and nothing leaves the machine. */
  readonly viaSocket: boolean
  readonly access: Access
  /** Aborted when the request is called off, or the client is gone. A handler that then throws is answered as cancelled. */
  readonly signal: AbortSignal
  /** May be called at any rate. */
  readonly progress: Progress
}

/** Each returns its result, or throws a DevloopError that the client gets as data. Parameters and access are checked before. */
export type RequestHandlers = {
  readonly [M in keyof Requests]: (
    params: Requests[M]['params'],
    origin: RequestOrigin,
  ) => Requests[M]['result'] | Promise<Requests[M]['result']>
}
