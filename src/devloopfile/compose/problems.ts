// What is found in Compose files: errors, all of them, and warnings by service.
import { errorCodes, type ErrorCode } from '../../errors/codes.js'
import type { ErrorInfo, SourcePosition } from '../../errors/devloop-error.js'

export interface ComposeProblems {
  /** Something that keeps the file from being used. Always undefined, for `return problems.error(...)`. */
  error(message: string, details: ProblemDetails): undefined
  /** Something of a service that cannot be followed, or of all services. */
  warn(service: string | undefined, message: string, details: ProblemDetails): undefined
  readonly errors: () => readonly ErrorInfo[]
  readonly warningsOf: (service: string, isFirst: boolean) => readonly ErrorInfo[]
}

export interface ProblemDetails {
  readonly at: SourcePosition
  readonly why?: string | undefined
  readonly help?: string | undefined
  /** Default: compose/invalid for errors, compose/unsupported for warnings. */
  readonly code?: ErrorCode
}

/** What stops reading at once: there is nothing more to find in the file. */
export class ComposeStop extends Error {}

export function createComposeProblems(): ComposeProblems {
  const errors = new Map<string, ErrorInfo>()
  const warnings = new Map<string, { service: string | undefined; info: ErrorInfo }>()
  const infoOf = (fallback: ErrorCode, message: string, { at, why, help, code = fallback }: ProblemDetails): ErrorInfo => ({
    code,
    message,
    ...(why ? { why } : {}),
    where: at,
    help: help ?? errorCodes[code].help,
  })
  return {
    error(message, details) {
      const info = infoOf('compose/invalid', message, details)
      errors.set(JSON.stringify(info), info)
    },
    warn(service, message, details) {
      const info = infoOf('compose/unsupported', message, details)
      warnings.set(JSON.stringify([service, info]), { service, info })
    },
    errors: () => [...errors.values()].sort(byPlace),
    warningsOf: (service, isFirst) =>
      [...warnings.values()]
        .filter((one) => one.service === service || (isFirst && one.service === undefined))
        .map(({ info }) => info)
        .sort(byPlace),
  }
}

function byPlace({ where: a }: ErrorInfo, { where: b }: ErrorInfo): number {
  if (!a || !b || a.file !== b.file) return (a?.file ?? '') < (b?.file ?? '') ? -1 : 1
  return a.line - b.line || (a.column ?? 0) - (b.column ?? 0)
}
