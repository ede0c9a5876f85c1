// The one error class for what goes wrong in operation, and its plain-data form.
import { errorCodes, type ErrorCode } from './codes.js'

/** A place in a file. Lines and columns count from 1. */
export interface SourcePosition {
  /** Absolute path. */
  readonly file: string
  readonly line: number
  readonly column?: number
}

/** An error as data: what the state holds and the wire carries. Never contains a stack trace or a secret. */
export interface ErrorInfo {
  readonly code: ErrorCode
  /** What went wrong, in one sentence. */
  readonly message: string
  /** Why, where more than the message is known: the engine's, cluster's or compiler's own words. May have several lines. */
  readonly why?: string
  readonly where?: SourcePosition
  /** What to do about it. */
  readonly help: string
}

export interface DevloopErrorOptions {
  why?: string | undefined
  where?: SourcePosition | undefined
  /** Replaces the general help of the code. */
  help?: string | undefined
  cause?: unknown
}

/** An operational error: somebody else can put it right, and the daemon lives on. Everything else thrown is a defect. */
export class DevloopError extends Error {
  override readonly name = 'DevloopError'
  readonly info: ErrorInfo

  constructor(code: ErrorCode, message: string, options: DevloopErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.info = {
      code,
      message,
      ...(options.why ? { why: options.why } : {}),
      ...(options.where ? { where: options.where } : {}),
      help: options.help ?? errorCodes[code].help,
    }
  }

  get code(): ErrorCode {
    return this.info.code
  }
}

/** Whether an unknown value is an operational error. */
export const isDevloopError = (value: unknown): value is DevloopError => value instanceof DevloopError

/** The data form of anything thrown. What is not operational becomes code `defect`. */
export function toErrorInfo(thrown: unknown): ErrorInfo {
  if (isDevloopError(thrown)) return thrown.info
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { code: 'defect', message, help: errorCodes.defect.help }
}

/** Whether a thrown value, or a signal's reason, only says that the work was called off. */
export const isAbort = (thrown: unknown): boolean =>
  thrown instanceof Error && (thrown.name === 'AbortError' || (thrown as NodeJS.ErrnoException).code === 'ABORT_ERR')
