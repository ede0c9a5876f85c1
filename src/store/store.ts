// The one place the state lives. Actions go in, listeners are told that something changed and look for themselves.
import type { State } from '../model/state.js'
import type { Action } from './actions.js'
import { reduce } from './reduce.js'

type Untimed<A> = A extends { readonly at: number } ? Omit<A, 'at'> : never

/** An action without its time, which the store adds. */
export type NewAction = Untimed<Action>

export interface Store {
  state(): State
  /** The state after it is in force when this returns; listeners are called soon after, once for all actions of one turn. */
  dispatch(action: NewAction): void
  /** Called after changes. A listener must look at the state and never count calls. Returns the way to stop. */
  subscribe(listener: () => void): () => void
}

export interface StoreOptions {
  readonly initial: State
  readonly now?: () => number
  /** Called with each action that changed something, before anybody else hears of it. */
  readonly onAction?: (action: Action) => void
  /** Called with what a listener threw: a defect. */
  readonly onDefect: (thrown: unknown) => void
}

export function createStore({ initial, now = Date.now, onAction, onDefect }: StoreOptions): Store {
  let state = initial
  let scheduled = false
  const listeners = new Set<() => void>()

  const notify = (): void => {
    scheduled = false
    for (const listener of listeners) {
      try {
        listener()
      } catch (thrown) {
        onDefect(thrown)
      }
    }
  }

  return {
    state: () => state,
    dispatch(action) {
      const timed = { ...action, at: now() } as Action
      const next = reduce(state, timed)
      if (next === state) return
      state = next
      onAction?.(timed)
      if (scheduled) return
      scheduled = true
      queueMicrotask(notify)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
