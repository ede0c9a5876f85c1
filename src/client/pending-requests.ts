// Requests that wait for their reply.
import { DevloopError } from '../errors/devloop-error.js'
import { errorCodes } from '../errors/codes.js'
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { ReplyMessage } from '../protocol/messages.js'

export interface PendingRequests {
  /** Calls `send` with a new id; settles with the reply, the time limit, the signal, or `fail`. */
  begin(method: string, send: (id: number) => void, options: WaitOptions): Promise<unknown>
  settle(reply: ReplyMessage): void
  /** Ends all: the connection is gone, and whether they were carried out is not known. */
  fail(error: ErrorInfo): void
}

export interface WaitOptions {
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Creates an empty table. */
export function createPendingRequests(): PendingRequests {
  const pending = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }>()
  let lastId = 0
  return {
    begin(method, send, options) {
      const id = ++lastId
      const reply = new Promise<unknown>((resolve, reject) => pending.set(id, { resolve, reject }))
      send(id)
      return limited(reply, `the reply to ${method}`, options).finally(() => pending.delete(id))
    },
    settle(reply) {
      const waiting = typeof reply.id === 'number' ? pending.get(reply.id) : undefined
      if (!waiting) return
      if ('error' in reply)
        waiting.reject(
          errorOf(reply.error.data ?? { code: 'defect', message: reply.error.message, help: errorCodes.defect.help }),
        )
      else waiting.resolve(reply.result)
    },
    fail(error) {
      for (const { reject } of pending.values()) reject(errorOf(error))
    },
  }
}

/** An error that came as data, to be thrown. */
export const errorOf = ({ code, message, why, where, help }: ErrorInfo): DevloopError =>
  new DevloopError(code, message, { why, where, help })

/** The promise, but at most until the time limit or the signal. `what` it waits for is named in the error. */
export function limited<T>(promise: Promise<T>, what: string, { timeoutMs, signal }: WaitOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      settle()
    }
    const aborted = (): void => end(() => reject(signal?.reason))
    const expired = (): void => end(() => reject(new DevloopError('timeout', `Waited ${timeoutMs! / 1000} s for ${what}.`)))
    const timer = timeoutMs === undefined ? undefined : setTimeout(expired, timeoutMs)
    promise.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    )
    if (signal?.aborted) aborted()
    else signal?.addEventListener('abort', aborted, { once: true })
  })
}
