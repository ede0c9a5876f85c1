// What one client does not know yet of the state that it selected: a set of keys, from which messages are made when they can be sent.
import type { StateSelection } from '../protocol/messages.js'
import { createStateFilter } from './state-filter.js'
import type { ViewHistory } from './view-history.js'

export interface StateFeed {
  /** Views that changed or went. */
  changed(keys: readonly string[]): void
  /** Whether anything was not taken yet, of concern to the client or not. */
  readonly pending: boolean
  /** JSON of the whole, a list of views. Nothing is pending then. */
  snapshot(): string
  /** JSON of what changed since, `{"upserts":[...],"removes":[...]}`; undefined = not known any more. Nothing is pending then. */
  since(seq: number): string | undefined
  /** JSON of what is pending, in the same form; undefined = nothing that concerns the client. Nothing is pending then. */
  take(): string | undefined
}

/** @param selection null = all */
export function createStateFeed(history: ViewHistory, selection: StateSelection | null): StateFeed {
  const filter = selection && createStateFilter(selection)
  const dirty = new Set<string>()
  /** What the client has; undefined = everything. */
  let known: ReadonlySet<string> | undefined

  const select = (): ReadonlySet<string> | undefined => (known = filter?.selected(history.views))

  function changes(keys: Iterable<string>): string {
    const { upserts, removes } = history.changes(keys, known)
    return `{"upserts":${upserts},"removes":${removes}}`
  }

  return {
    changed(keys) {
      for (const key of keys) dirty.add(key)
    },
    get pending() {
      return dirty.size > 0
    },
    snapshot() {
      dirty.clear()
      return history.changes(select() ?? history.views.keys()).upserts
    },
    since(seq) {
      const changed = history.since(seq)
      if (!changed) return undefined
      dirty.clear()
      if (!filter) return changes(changed)
      select()
      // What was selected at that time is not known here. Where it may have been others than now, these are sent, or said to be gone, again.
      const keys = new Set(changed.some(filter.dependsOn) ? [...changed, ...history.views.keys()] : changed)
      return changes([...keys].filter(filter.mayMean))
    },
    take() {
      const changed = new Set(dirty)
      dirty.clear()
      const before = known
      const wanted = select()
      if (!wanted || !before) return changes(changed)
      const added = [...wanted].filter((key) => changed.has(key) || !before.has(key))
      const gone = [...before].filter((key) => !wanted.has(key))
      return added.length + gone.length === 0 ? undefined : changes([...added, ...gone])
    },
  }
}
