// So many things begun at once, and no more: the others wait for their turn, first come, first served.

export interface Slots {
  /**
   * Resolves when it is one's turn, with what gives the slot back. Call that in any case; a slot that is held for longer than
   * `holdMs` counts as given back, so that one thing that hangs holds up nobody.
   * @throws AbortError when the signal says so first
   */
  take(signal: AbortSignal): Promise<() => void>
}

/** @param holdMs milliseconds */
export function createSlots(limit: number, holdMs: number): Slots {
  let free = limit
  const waiting = new Set<() => void>()
  const next = (): void => {
    const [first] = waiting
    if (!first || free === 0) return
    waiting.delete(first)
    first()
  }
  const taken = (): (() => void) => {
    free--
    let held = true
    const give = (): void => {
      if (!held) return
      held = false
      clearTimeout(timer)
      free++
      next()
    }
    const timer = setTimeout(give, holdMs)
    return give
  }
  return {
    take(signal) {
      return new Promise((resolve, reject) => {
        const turn = (): void => {
          signal.removeEventListener('abort', abort)
          resolve(taken())
        }
        const abort = (): void => {
          waiting.delete(turn)
          reject(signal.reason instanceof Error ? signal.reason : new DOMException('This operation was aborted', 'AbortError'))
        }
        if (signal.aborted) return abort()
        if (free > 0) return turn()
        waiting.add(turn)
        signal.addEventListener('abort', abort, { once: true })
      })
    },
  }
}
