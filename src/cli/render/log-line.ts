// One line of log as text.
import type { LogEntry } from '../../protocol/messages.js'
import { harmless } from './harmless.js'
import type { Style } from './style.js'

/** Sources of lines that devloop itself writes about a resource. */
const own = new Set(['deploy', 'sync', 'run', 'local', 'forward'])

/** `api │ text`, with the source where it is not the resource's own output. */
export function logText({ resource, source, level, text }: LogEntry, style: Style): string {
  const label =
    resource === '' ? (source === 'daemon' ? 'devloop' : source) : own.has(source) ? `${resource} ${source}` : resource
  const body = harmless(text)
  return `${style.dim(`${harmless(label)} │`)} ${level === 'error' ? style.red(body) : level === 'warn' ? style.yellow(body) : body}`
}
