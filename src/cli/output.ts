// What happens when nobody reads our output any more (`devloop logs | head -1`), or it cannot be written.
import { exitCodes } from './exit.js'

type Closed = (problem: NodeJS.ErrnoException) => void

/** Whoever read is gone: no failure of ours. Anything else, such as a full disk, is. */
const leave: Closed = (problem) => {
  if (isGone(problem)) process.exit(exitCodes.ok)
  process.stderr.write(`devloop: the output cannot be written: ${problem.message}\n`)
  process.exit(exitCodes.failure)
}

/** Whether the reader (or the terminal) is gone for good. */
export const isGone = ({ code }: NodeJS.ErrnoException): boolean =>
  code === 'EPIPE' || code === 'EIO' || code === 'ERR_STREAM_DESTROYED'

let react = leave

/** Called once at the start of the process: without a listener, such an error would be an uncaught one. */
export function guardOutput(): void {
  process.stdout.on('error', (problem) => react(problem))
  // there is nowhere left to complain
  process.stderr.on('error', () => {})
}

/** For a command that has more to do then than to end at once. */
export function onOutputError(listener: Closed): void {
  react = listener
}

let uncaught: (thrown: unknown) => void = () => {}

/** What to do with an exception that nobody caught: a defect. The last call counts. */
export function onUncaught(listener: (thrown: unknown) => void): void {
  if (process.listenerCount('uncaughtException') === 0) process.on('uncaughtException', (thrown) => uncaught(thrown))
  uncaught = listener
}
