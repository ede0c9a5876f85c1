// One thing at a time, in the order of asking.

/** Runs jobs one after another; each result goes to who asked. A failed job does not stop the next. */
export function createTurns(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (job) => {
    const mine = last.then(job)
    last = mine.catch(() => {})
    return mine
  }
}
