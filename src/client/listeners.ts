// A set of callbacks. One that throws does not keep the others, or the connection, from their work.

export interface Listeners<A extends unknown[]> {
  /** Returns what removes it. */
  readonly add: (callback: (...args: A) => void) => () => void
  readonly call: (...args: A) => void
}

/** Creates an empty set. What a callback throws surfaces as an uncaught exception, as in any event handler. */
export function createListeners<A extends unknown[]>(): Listeners<A> {
  const callbacks = new Set<{ readonly callback: (...args: A) => void }>()
  return {
    add(callback) {
      const own = { callback }
      callbacks.add(own)
      return () => void callbacks.delete(own)
    },
    call(...args) {
      for (const { callback } of [...callbacks]) {
        try {
          callback(...args)
        } catch (error) {
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
  }
}
