// An app that could not be started because its image lacks the debugger: said as that.
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import { missingDebugger } from './debug-command.js'
import type { ResourceSpec } from './plan.js'

/** @returns the error itself where it is about something else */
export function debuggerMissing(spec: ResourceSpec | undefined, error: ErrorInfo): ErrorInfo {
  if (spec?.kind !== 'app' || !spec.debug) return error
  const missing = missingDebugger(spec.debug.language, `${error.message} ${error.why ?? ''}`)
  if (!missing) return error
  return new DevloopError('debug/missing', `${spec.name} was not started under its debugger: there is no ${missing.what}.`, {
    why: [error.message, error.why].filter(Boolean).join('\n'),
    help: missing.help,
    where: spec.at,
  }).info
}
