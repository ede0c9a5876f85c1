// The requests of one client: some run, some more wait for them, and each can be called off.
import type { DaemonMessage, ReplyMessage, RequestMessage } from '../protocol/messages.js'
import { createProgress } from './progress.js'
import type { RequestOrigin } from './request-handlers.js'
import { cancelled } from './request-runner.js'

export interface ClientRequests {
  /** Begins it, or keeps it until others are done. */
  take(request: RequestMessage): void
  /** Calls off what has this id; what is done or not known stays as it is. */
  cancel(id: number | string): void
  /** Nobody waits for any of them any more. */
  cancelAll(): void
  /** Whether no more should be read from the client now. */
  readonly isFull: boolean
  /** Whether there is none, and every reply was taken. */
  readonly isIdle: boolean
  /** Whether there are some, and no reply waits to be taken by the client. */
  readonly isWorking: boolean
}

export interface ClientRequestsOptions {
  /** How many may run; as many more are kept, so that the client can still be heard to call one off. */
  readonly most: number
  readonly progressMs: number
  /** Never rejects. */
  run(request: RequestMessage, way: Pick<RequestOrigin, 'signal' | 'progress'>): Promise<ReplyMessage>
  /** `taken` is called when the socket has taken it. */
  send(message: DaemonMessage, taken: () => void): void
  /** Sends what is of no use later, unless the client reads too slowly. */
  mention(message: DaemonMessage): void
  /** Called when there may be room for more. */
  onRoom(): void
}

export function createClientRequests(options: ClientRequestsOptions): ClientRequests {
  const { most, progressMs } = options
  const running = new Set<{ readonly id: number | string; readonly abort: AbortController }>()
  const waiting: RequestMessage[] = []
  /** Replies that the socket has not taken yet. */
  let replies = 0

  const hasRoom = (): boolean => running.size + replies < most

  function begin(request: RequestMessage): void {
    const own = { id: request.id, abort: new AbortController() }
    const progress = createProgress(request, progressMs, options.mention)
    running.add(own)
    void options.run(request, { signal: own.abort.signal, progress: progress.tell }).then((reply) => {
      running.delete(own)
      progress.end()
      answer(reply)
    })
  }

  function answer(reply: ReplyMessage): void {
    replies++
    options.send(reply, () => {
      replies--
      while (waiting.length > 0 && hasRoom()) begin(waiting.shift()!)
      options.onRoom()
    })
  }

  return {
    take(request) {
      if (hasRoom()) begin(request)
      else waiting.push(request)
    },
    cancel(id) {
      for (const one of running) if (one.id === id) one.abort.abort()
      for (const request of waiting.filter((one) => one.id === id)) {
        waiting.splice(waiting.indexOf(request), 1)
        answer(cancelled(request))
      }
    },
    cancelAll() {
      waiting.length = 0
      for (const { abort } of running) abort.abort()
    },
    get isFull() {
      return running.size + waiting.length + replies >= 2 * most
    },
    get isIdle() {
      return running.size + waiting.length + replies === 0
    },
    get isWorking() {
      return running.size > 0 && replies === 0
    },
  }
}
