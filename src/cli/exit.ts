// Exit codes, and errors as people read them.
import { DevloopError, isDevloopError, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'

export const exitCodes = { ok: 0, failure: 1, usage: 2, defect: 70, interrupted: 130 } as const

/** Four parts: what, where, why, what to do. */
export function errorText(error: ErrorInfo): string {
  const lines = [`${error.message} [${error.code}]`]
  if (error.where) lines.push(`  at ${error.where.file}:${error.where.line}${error.where.column === undefined ? '' : `:${error.where.column}`}`)
  if (error.why) lines.push(...error.why.trimEnd().split('\n').map((line) => `  ${line}`))
  if (error.help) lines.push(`  ${error.help}`)
  return lines.join('\n')
}

/** Say what went wrong on stderr. @returns the exit code */
export function fail(thrown: unknown): number {
  const error = toErrorInfo(thrown)
  process.stderr.write(`devloop: ${errorText(error)}\n`)
  if (isDevloopError(thrown)) return thrown.code === 'usage' ? exitCodes.usage : exitCodes.failure
  process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`)
  return exitCodes.defect
}

export const usage = (message: string): DevloopError => new DevloopError('usage', message)
