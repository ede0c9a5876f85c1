// The problem matcher of docs/cli.md, applied as an editor would.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './devloop.js'

interface Pattern {
  readonly regexp: string
  readonly file: number
  readonly line: number
  readonly column: number
  readonly severity: number
  readonly message: number
  readonly code: number
}

/** What the pattern in the document makes of a line; undefined = it does not fit. */
export function problemLine(
  text: string,
): Readonly<Record<'file' | 'line' | 'column' | 'severity' | 'message' | 'code', string>> | undefined {
  const document = readFileSync(join(repository, 'docs/cli.md'), 'utf8')
  const [, task = ''] = /```json\n(\{\n {2}"label": "devloop"[^]*?)\n```/.exec(document) ?? []
  const { pattern } = (JSON.parse(task) as { problemMatcher: { pattern: Pattern } }).problemMatcher
  const { regexp, file, line, column, severity, message, code } = pattern
  const found = new RegExp(regexp).exec(text)
  const part = (index: number): string => found?.[index] ?? ''
  return found
    ? {
        file: part(file),
        line: part(line),
        column: part(column),
        severity: part(severity),
        message: part(message),
        code: part(code),
      }
    : undefined
}
