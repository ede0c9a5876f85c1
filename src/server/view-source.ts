// What the status server needs of the state: the views, and word that they may have changed.
import type { View } from '../protocol/messages.js'

export interface ViewSource {
  /** By `kind/name`. A view that did not change is the same object as before: that is how changes are found. */
  views(): ReadonlyMap<string, View>
  /** Never falls; rises at least whenever a view changes. Belongs to what `views` answers at the same moment. */
  seq(): number
  /** The callback must be cheap and may come at any rate; returns what ends it. */
  subscribe(callback: () => void): () => void
}
