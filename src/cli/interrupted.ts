// Ctrl-C and its likes.
import { exitCodes } from './exit.js'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Calls back at the first such signal. A second one ends the process at once. Returns what ends listening. */
export function onInterrupt(listener: (signal: NodeJS.Signals) => void): () => void {
  let asked = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(exitCodes.interrupted)
    asked = true
    listener(signal)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/** Runs something that Ctrl-C ends. @returns what it returns, or the exit code of an interrupt */
export async function interruptible(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const abort = new AbortController()
  const end = onInterrupt(() => abort.abort())
  try {
    return await work(abort.signal)
  } catch (thrown) {
    if (abort.signal.aborted) return exitCodes.interrupted
    throw thrown
  } finally {
    end()
  }
}
