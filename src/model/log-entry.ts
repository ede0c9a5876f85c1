// One line of log, as the log ring keeps it and the status protocol carries it.

export interface LogEntry {
  /** Counts up over all resources; resume with `after`. */
  readonly cursor: number
  /** Milliseconds since 1970. */
  readonly at: number
  /** Name of a resource, or '' for the daemon itself. */
  readonly resource: string
  /** Where it comes from: `build`, `deploy`, `sync`, `run`, `local`, `link`, `event`, `daemon`, or the pod, as `POD/CONTAINER` where it has several. */
  readonly source: string
  /** Name of the container that said it. */
  readonly container?: string
  readonly level: 'info' | 'warn' | 'error'
  readonly text: string
}
