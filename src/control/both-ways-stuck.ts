// Moves of what is synced both ways that were tried in vain. Such a path is tried again when one of its sides is another, and now and then: what was
// in the way may be gone.
import { sameEntry, type Wanted } from '../model/tree.js'

export interface StuckMoves {
  /** Note a path that is left as it is on both sides; `message` says why. */
  add(path: string, local: Wanted, container: Wanted, message: string): void
  /** Whether a path is not tried again yet. One of which a side has changed since is stuck no more. */
  has(path: string, local: Wanted, container: Wanted): boolean
  /** @returns whether it was stuck */
  delete(path: string): boolean
  /** Forget all paths but some. */
  keep(isWanted: (path: string) => boolean): void
  clear(): void
  /** Why each path is stuck. */
  messages(): readonly (readonly [path: string, message: string])[]
}

interface Stuck {
  readonly local: Wanted
  readonly container: Wanted
  readonly message: string
  /** In a row. */
  readonly tries: number
  /** When it is tried again, milliseconds since 1970. */
  readonly until: number
}

/** How long a path rests after it was tried so often: 1 s, 2 s, ..., 60 s. */
const restMs = (tries: number): number => Math.min(60_000, 500 * 2 ** tries)

/** @param again called when something is to be tried again; not once the signal is aborted */
export function createStuckMoves(again: () => void, signal: AbortSignal): StuckMoves {
  const all = new Map<string, Stuck>()
  return {
    add(path, local, container, message) {
      const tries = (all.get(path)?.tries ?? 0) + 1
      const rest = restMs(tries)
      all.set(path, { local, container, message, tries, until: Date.now() + rest })
      setTimeout(() => signal.aborted || again(), rest + 1).unref()
    },
    has(path, local, container) {
      const one = all.get(path)
      if (!one) return false
      if (sameEntry(one.local, local) && sameEntry(one.container, container)) return Date.now() < one.until
      all.delete(path)
      return false
    },
    delete: (path) => all.delete(path),
    keep(isWanted) {
      for (const path of all.keys()) if (!isWanted(path)) all.delete(path)
    },
    clear: () => all.clear(),
    messages: () => [...all].map(([path, { message }]) => [path, message]),
  }
}
