// One line of log as text.
import { harmless } from '../../client/status/harmless.js'
import { logWords } from '../../client/status/log-words.js'
import type { LogEntry } from '../../protocol/messages.js'
import type { Style } from './style.js'

export interface LogTextOptions {
  /** Leave JSON as it was written. */
  readonly raw?: boolean
  /** Begin with the time. */
  readonly timestamps?: boolean
}

/** `api │ text`, with the source where it is not the resource's own output, and the container where its pod has several. */
export function logText(entry: LogEntry, style: Style, { raw, timestamps }: LogTextOptions = {}): string {
  const { label, level, text } = logWords(entry, raw ? { raw } : {})
  const body = harmless(text)
  const time = timestamps ? `${style.dim(new Date(entry.at).toISOString())} ` : ''
  const paint = entry.container === undefined ? style.dim : style.hue(label)
  return `${time}${paint(`${harmless(label)} │`)} ${level === 'error' ? style.red(body) : level === 'warn' ? style.yellow(body) : body}`
}
