// Where the page has its data from: a running daemon, or data that stand in the page itself. Nothing else of the page knows which.
import type { Views } from '../client/status/views.js'
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { LogEntry, Requests } from '../protocol/messages.js'

export interface Connection {
  /**
   * `lost`: it was there, and is tried again. `refused`: a daemon is there, and does not take this page. `frozen`: there is none,
   * and never was.
   */
  readonly state: 'connecting' | 'open' | 'lost' | 'refused' | 'frozen'
  /** Why it is not open. */
  readonly error?: ErrorInfo
  /** Of the daemon, as far as it is known. */
  readonly daemon?: { readonly epoch: string; readonly version: string }
  /** What this page may do there. */
  readonly access: 'control' | 'read'
}

export interface LogBatch {
  /** Oldest first. */
  readonly lines: readonly LogEntry[]
  /** How many before these were missed. */
  readonly dropped: number
}

/** Called as often as the source likes. */
export interface SourceListener {
  views(): void
  connection(): void
  logs(batch: LogBatch): void
}

export interface PageSource {
  /** When the data were taken, of a source that never changes. */
  readonly frozenAt?: number
  /** Begins to listen; there is one listener. */
  start(listener: SourceListener): void
  connection(): Connection
  /** By `kind/name`; updated in place. */
  views(): Views
  /** Whether a request may be made. */
  may(method: keyof Requests): boolean
  /** @throws DevloopError */
  request<M extends keyof Requests>(method: M, params: Requests[M]['params']): Promise<Requests[M]['result']>
}
