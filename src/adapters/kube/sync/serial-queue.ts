// One piece of work after the other, each of which can be called off.
import { isAbort } from '../../../errors/devloop-error.js'
import { abortError } from './remote-command.js'

/** Does one thing after the other, whether or not they fail. */
export interface Queue {
  add<T>(work: () => Promise<T>): Promise<T>
}

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve()
  return {
    add(work) {
      const next = last.then(work)
      last = next.catch(() => {})
      return next
    },
  }
}

/** Rejects as soon as the signal says so, while the work goes on to where it may end. */
export function abortable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (signal.aborted) {
    work.catch(() => {})
    return Promise.reject(abortError(signal))
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    work
      .then(resolve, (thrown: unknown) => reject(isAbort(thrown) && signal.aborted ? abortError(signal) : thrown))
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}
