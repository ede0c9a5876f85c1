// When each view last changed, so that any client can be told exactly what it does not know yet.
import type { View, ViewKey } from '../protocol/messages.js'
import type { ViewSource } from './view-source.js'

export interface ViewHistory {
  /** Looks for changes; the keys of the views that changed or went since the last call. */
  refresh(): readonly string[]
  /** The sequence number of the last refresh. */
  readonly seq: number
  /** The views as of `seq`, by `kind/name`. */
  readonly views: ReadonlyMap<string, View>
  /** What changed after `seq`; undefined when that is not known any more (or not yet). */
  since(seq: number): readonly string[] | undefined
  /** JSON of `upserts` and `removes` for these keys, as they are now. A view that is not wanted counts as gone; default: all are. */
  changes(keys: Iterable<string>, wanted?: ReadonlySet<string>): { readonly upserts: string; readonly removes: string }
  /** Gives the cached JSON free. */
  forgetJson(): void
}

interface Known {
  readonly view: View
  /** Not after this the view took its present value. */
  readonly seq: number
  /** Made at most once for all clients. */
  json: string | undefined
}

/** Creates the history of a source, beginning with the source as it is now. */
export function createViewHistory(source: ViewSource, maxTombstones: number): ViewHistory {
  const known = new Map<string, Known>()
  /** Removed views by key, the oldest first. */
  const tombstones = new Map<string, number>()
  /** Everything that went after this is in the tombstones. */
  let horizon = source.seq()
  let seq = -1
  let views: ReadonlyMap<string, View> = new Map()

  function refresh(): string[] {
    const now = source.seq()
    if (now === seq) return []
    const first = seq < 0
    seq = now
    views = source.views()
    const changed: string[] = []
    for (const [key, view] of views) {
      if (known.get(key)?.view === view) continue
      known.set(key, { view, seq, json: undefined })
      tombstones.delete(key)
      changed.push(key)
    }
    if (known.size !== views.size) {
      for (const key of known.keys()) {
        if (views.has(key)) continue
        known.delete(key)
        tombstones.set(key, seq)
        changed.push(key)
      }
    }
    for (const [key, at] of tombstones) {
      if (tombstones.size <= maxTombstones) break
      tombstones.delete(key)
      horizon = at
    }
    return first ? [] : changed
  }

  function jsonOf(entry: Known): string {
    return (entry.json ??= JSON.stringify(entry.view))
  }

  refresh()
  return {
    refresh,
    get seq() {
      return seq
    },
    get views() {
      return views
    },
    since(from) {
      if (from < horizon || from > seq) return undefined
      const keys: string[] = []
      for (const [key, entry] of known) if (entry.seq > from) keys.push(key)
      for (const [key, at] of tombstones) if (at > from) keys.push(key)
      return keys
    },
    changes(keys, wanted) {
      const upserts: string[] = []
      const removes: string[] = []
      for (const key of keys) {
        const entry = known.get(key)
        if (entry && (wanted?.has(key) ?? true)) upserts.push(jsonOf(entry))
        else removes.push(JSON.stringify(keyOf(key)))
      }
      return { upserts: `[${upserts.join(',')}]`, removes: `[${removes.join(',')}]` }
    },
    forgetJson() {
      for (const entry of known.values()) entry.json = undefined
    },
  }
}

/** Names may hold a slash, kinds do not. */
function keyOf(key: string): ViewKey {
  const slash = key.indexOf('/')
  return { kind: key.slice(0, slash) as ViewKey['kind'], name: key.slice(slash + 1) }
}
