// When something that failed is tried again by itself.
import { errorCodes } from '../errors/codes.js'
import type { ErrorInfo } from '../errors/devloop-error.js'

/** Time of the next try in milliseconds since 1970, growing from 0.5 s to 15 s; undefined = not before something changes. */
export function retryAt(error: ErrorInfo, attempts: number, now: number): number | undefined {
  if (errorCodes[error.code].retry !== 'backoff') return undefined
  return now + Math.min(15_000, 500 * 2 ** Math.min(attempts, 6))
}
