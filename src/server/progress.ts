// Tells a client how far its request has come, no more often than people can read.
import type { DaemonMessage, RequestMessage } from '../protocol/messages.js'
import type { Progress } from './request-handlers.js'

/**
 * @param ms between two messages; of what is told within it only the last is sent, at its end or before the reply
 * @returns `tell` for the handler; `end` when the reply is about to be sent
 */
export function createProgress(
  { id, progress }: RequestMessage,
  ms: number,
  send: (message: DaemonMessage) => void,
): { readonly tell: Progress; end(): void } {
  let latest: { readonly message: string; readonly done?: number; readonly total?: number } | undefined
  let timer: NodeJS.Timeout | undefined
  let ended = progress !== true
  const flush = (): void => {
    timer = undefined
    if (!latest) return
    send({ type: 'progress', id, ...latest })
    latest = undefined
    if (!ended) timer = setTimeout(flush, ms)
  }
  return {
    tell(message, count) {
      if (ended) return
      latest = { message, ...count }
      if (!timer) flush()
    },
    end() {
      ended = true
      clearTimeout(timer)
      flush()
    },
  }
}
