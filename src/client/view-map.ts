// The client's copy of the daemon's state.
import type { DeltaMessage, View, ViewKey } from '../protocol/messages.js'

/** What an update did to the views. After a snapshot this is the difference to the views before. */
export interface ViewsChange {
  readonly upserts: readonly View[]
  readonly removes: readonly ViewKey[]
}

export interface ViewMap {
  readonly views: ReadonlyMap<string, View>
  apply(changes: Pick<DeltaMessage, 'upserts' | 'removes'>): ViewsChange
  replace(snapshot: readonly View[]): ViewsChange
}

/** The key of a view in the map. */
export const viewKey = (key: ViewKey): string => `${key.kind}/${key.name}`

/** Creates an empty copy. */
export function createViewMap(): ViewMap {
  const views = new Map<string, View>()
  return {
    views,
    apply({ upserts, removes }) {
      for (const view of upserts) views.set(viewKey(view), view)
      const removed = removes.filter((key) => views.delete(viewKey(key)))
      return { upserts, removes: removed }
    },
    replace(snapshot) {
      const present = new Set(snapshot.map(viewKey))
      const removes = [...views.values()].filter((view) => !present.has(viewKey(view))).map(({ kind, name }) => ({ kind, name }))
      views.clear()
      for (const view of snapshot) views.set(viewKey(view), view)
      return { upserts: snapshot, removes }
    },
  }
}
