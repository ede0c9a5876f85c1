// Why a Devloopfile gave no declaration, in words for its author.
import { basename } from 'node:path'
import { errorCodes, type ErrorCode } from '../errors/codes.js'
import type { ErrorInfo, SourcePosition } from '../errors/devloop-error.js'
import type { Failure } from './worker-messages.js'

interface Details {
  readonly why?: string | undefined
  readonly where?: SourcePosition | undefined
  readonly help?: string | undefined
}

export function loadError(code: ErrorCode, message: string, { why, where, help }: Details = {}): ErrorInfo {
  return { code, message, ...(why ? { why } : {}), ...(where ? { where } : {}), help: help ?? errorCodes[code].help }
}

/** @param file the Devloopfile */
export const failureErrors = (failure: Failure, file: string): readonly ErrorInfo[] =>
  failure.kind === 'problems' ? failure.problems : [failureError(failure, file)]

function failureError(failure: Exclude<Failure, { kind: 'problems' }>, file: string): ErrorInfo {
  switch (failure.kind) {
    case 'usage':
      return loadError(failure.file ? 'devloopfile/file' : 'devloopfile/invalid', failure.message, {
        where: failure.at,
        help: failure.help,
      })
    case 'threw':
    case 'unhandled': {
      const [first = '', ...rest] = failure.message.split('\n')
      const what =
        failure.kind === 'threw' ? `${basename(file)} threw: ${first}` : `A promise was rejected and nobody handled it: ${first}`
      const why = [...rest, ...failure.causes.map((cause) => `Caused by: ${cause}`)].join('\n')
      const help = failure.kind === 'threw' ? undefined : 'Put `await` before the call that the error names, or catch its error.'
      return loadError('devloopfile/threw', what, { why, where: failure.at, help })
    }
    case 'exit':
      return loadError('devloopfile/threw', `${basename(file)} called process.exit(${failure.code}).`, {
        where: failure.at,
        help: 'Throw an Error instead, with a message that says what is wrong.',
      })
    case 'export':
      return loadError('devloopfile/invalid', `${basename(file)} must export what defineDevloop gives, as the default.`, {
        why: failure.received === undefined ? 'It has no default export.' : `Its default export is ${failure.received}.`,
        where: { file, line: 1 },
        help: 'Write: export default defineDevloop(({ user }) => ({ name: ..., resources: [...] }))',
      })
  }
}

export function timeoutError(file: string, timeoutMs: number, where: SourcePosition | undefined): ErrorInfo {
  const why = where
    ? 'It was still running at this place: an endless loop, or much work.'
    : 'It was waiting: for a promise, a timer or the network.'
  return loadError('devloopfile/timeout', `${basename(file)} did not finish within ${timeoutMs / 1_000} s.`, {
    why,
    where: where ?? { file, line: 1 },
  })
}

export const neverError = (file: string): ErrorInfo =>
  loadError('devloopfile/timeout', `${basename(file)} waits for a promise that can never settle.`, {
    why: 'Nothing was left to do, and there was no result.',
    where: { file, line: 1 },
    help: 'Look for an await whose promise nobody resolves.',
  })

export const memoryError = (file: string, memoryMb: number): ErrorInfo =>
  loadError('devloopfile/threw', `${basename(file)} used more than ${memoryMb} MB of memory.`, {
    where: { file, line: 1 },
    help: 'Look for a list that grows without end.',
  })
