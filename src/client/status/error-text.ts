// Errors as people read them: what, where, why, what to do.
import type { ErrorInfo } from '../../errors/devloop-error.js'
import { harmless } from './harmless.js'

/** The lines of an error; all but the first are indented by two spaces. The second is `at FILE:LINE:COLUMN`, where that is known. */
export function errorLines({ message, code, where, why, help }: ErrorInfo): string[] {
  const [first = '', ...more] = message.split('\n')
  return [
    `${first} [${code}]`,
    ...more.map((line) => `  ${line}`),
    ...(where ? [`  at ${where.file}:${where.line}${where.column === undefined ? '' : `:${where.column}`}`] : []),
    ...indented(why),
    ...indented(help),
  ].map(harmless)
}

const indented = (text = ''): string[] =>
  text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => `  ${line}`)

export const errorText = (error: ErrorInfo): string => errorLines(error).join('\n')
