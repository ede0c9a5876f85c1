// The next work, computed once per state and told to every controller; wakes up by itself for what is tried again later.
import { nextWork, type NextWork } from './next-work.js'
import type { Store } from './store.js'
import type { State } from '../model/state.js'

export interface WorkFeed {
  current(): NextWork
  /** Called after each change of the state, and when the time for another try has come. Returns the way to stop. */
  subscribe(listener: () => void): () => void
  stop(): void
}

export function createWorkFeed(store: Store, now: () => number = Date.now): WorkFeed {
  let known: { state: State; work: NextWork } | undefined
  let timer: NodeJS.Timeout | undefined
  const listeners = new Set<() => void>()

  const current = (): NextWork => {
    const state = store.state()
    if (known?.state === state) return known.work
    known = { state, work: nextWork(state, now()) }
    return known.work
  }
  const tell = (): void => {
    const { wakeAt } = current()
    clearTimeout(timer)
    timer = wakeAt === undefined ? undefined : setTimeout(wake, Math.max(1, wakeAt - now() + 1))
    for (const listener of listeners) listener()
  }
  const wake = (): void => {
    known = undefined
    tell()
  }
  const unsubscribe = store.subscribe(tell)
  return {
    current,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop() {
      unsubscribe()
      clearTimeout(timer)
    },
  }
}
