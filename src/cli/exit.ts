// How a command ends: exit codes, and errors on stderr.
import { isDevloopError, toErrorInfo } from '../errors/devloop-error.js'
import { errorText } from '../client/status/error-text.js'

export const exitCodes = { ok: 0, failure: 1, usage: 2, defect: 70, interrupted: 130 } as const

/** Say what went wrong on stderr; for a defect also where in devloop. @returns the exit code */
export function fail(thrown: unknown): number {
  process.stderr.write(`devloop: ${errorText(toErrorInfo(thrown))}\n`)
  if (isDevloopError(thrown)) return thrown.code === 'usage' ? exitCodes.usage : exitCodes.failure
  process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`)
  return exitCodes.defect
}
