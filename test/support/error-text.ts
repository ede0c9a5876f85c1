// An error as text for inline snapshots, with what differs from run to run masked.
import type { ErrorInfo } from '../../src/errors/devloop-error.js'

/**
 * Code and place, message, reason, help: a line each.
 * @param masks what differs from run to run, and the word for it; folders are best given with their trailing slash and an empty word
 */
export function errorText(error: ErrorInfo | undefined, masks: Readonly<Record<string, string>> = {}): string {
  if (!error) return 'no error'
  const { code, message, why, where, help } = error
  const at = where ? ` at ${where.file}:${where.line}` : ''
  const text = [`${code}${at}`, message, ...(why ? [why] : []), `-> ${help}`].join('\n')
  return Object.entries(masks).reduce((masked, [volatile, word]) => masked.replaceAll(volatile, word), text)
}
