// Ctrl-C and its likes.
import { exitCodes } from './exit.js'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Calls back at the first such signal. A second one ends the process at once. */
export function onInterrupt(listener: (signal: (typeof signals)[number]) => void): void {
  let asked = false
  for (const signal of signals) {
    process.on(signal, () => {
      if (asked) process.exit(exitCodes.interrupted)
      asked = true
      listener(signal)
    })
  }
}

/** The exit code for it, at the first such signal. */
export const interrupted = (): Promise<number> => new Promise((resolve) => onInterrupt(() => resolve(exitCodes.interrupted)))
