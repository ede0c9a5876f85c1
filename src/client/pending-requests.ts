// Requests that wait for their reply.
import { DevloopError } from '../errors/devloop-error.js'
import { errorCodes } from '../errors/codes.js'
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { ProgressMessage, ReplyMessage } from '../protocol/messages.js'

export interface PendingRequests {
  /** Calls `begin` with a new id; settles with the reply, or with the time limit or signal (then `cancel` is called), or by `fail`. */
  begin(
    method: string,
    send: { readonly begin: (id: number) => void; readonly cancel: (id: number) => void },
    options: RequestOptions,
  ): Promise<unknown>
  settle(reply: ReplyMessage): void
  progress(message: ProgressMessage): void
  /** Ends all: the connection is gone, and whether they were carried out is not known. */
  fail(error: ErrorInfo): void
}

export interface WaitOptions {
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface RequestOptions extends WaitOptions {
  /** Called with how far it has come, where the daemon tells. */
  readonly onProgress?: ((progress: Pick<ProgressMessage, 'message' | 'done' | 'total'>) => void) | undefined
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly onProgress: RequestOptions['onProgress']
}

/** Creates an empty table. */
export function createPendingRequests(): PendingRequests {
  const pending = new Map<number, Pending>()
  let lastId = 0
  return {
    begin(method, send, options) {
      const id = ++lastId
      const reply = new Promise<unknown>((resolve, reject) =>
        pending.set(id, { resolve, reject, onProgress: options.onProgress }),
      )
      send.begin(id)
      return limited(reply, `the reply to ${method}`, options).finally(() => {
        // nobody waits for the answer that has not come
        if (pending.delete(id)) send.cancel(id)
      })
    },
    progress({ id, message, done, total }) {
      const onProgress = typeof id === 'number' ? pending.get(id)?.onProgress : undefined
      onProgress?.({ message, ...(done !== undefined && total !== undefined && { done, total }) })
    },
    settle(reply) {
      const waiting = typeof reply.id === 'number' ? pending.get(reply.id) : undefined
      if (!waiting) return
      pending.delete(reply.id as number)
      if ('error' in reply)
        waiting.reject(
          errorOf(reply.error.data ?? { code: 'defect', message: reply.error.message, help: errorCodes.defect.help }),
        )
      else waiting.resolve(reply.result)
    },
    fail(error) {
      const all = [...pending.values()]
      pending.clear()
      for (const { reject } of all) reject(errorOf(error))
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
