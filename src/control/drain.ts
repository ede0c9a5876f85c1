// One running unit of work and at most one to follow, for work that looks at the state anew each time.

export interface Drain {
  /** Run soon; when it runs already, once more after that. */
  poke(): void
  /** Resolves when nothing runs and nothing is to follow. No run starts after stop(). */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** @param run must not reject for reasons of operation; what it throws is a defect */
export function createDrain(run: () => Promise<void>, onDefect: (thrown: unknown) => void): Drain {
  let running: Promise<void> | undefined
  let again = false
  let stopped = false

  const loop = async (): Promise<void> => {
    while (again && !stopped) {
      again = false
      try {
        await run()
      } catch (thrown) {
        onDefect(thrown)
      }
    }
    running = undefined
  }
  return {
    poke() {
      if (stopped) return
      again = true
      running ??= loop()
    },
    async idle() {
      while (running) await running
    },
    async stop() {
      stopped = true
      await running
    },
  }
}
