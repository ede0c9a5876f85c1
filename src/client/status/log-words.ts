// One line of log, taken apart for whoever shows it.
import type { LogEntry } from '../../protocol/messages.js'
import { readJsonLog } from './json-log.js'

/** Sources of lines that devloop itself writes about a resource. */
const own = new Set(['deploy', 'sync', 'run', 'local', 'forward', 'event'])

export interface LogWords {
  /** Who says it: the resource, with the source where it is not its own output, and the container where its pod has several. */
  readonly label: string
  readonly level: LogEntry['level']
  /** As it was written; of a line of JSON with level and message, these in words. May hold escape sequences. */
  readonly text: string
}

/** @param raw leave JSON as it was written */
export function logWords(entry: LogEntry, { raw = false }: { readonly raw?: boolean } = {}): LogWords {
  const { resource, source, container, text } = entry
  const several = container !== undefined && source.includes('/')
  const label =
    resource === ''
      ? source === 'daemon'
        ? 'devloop'
        : source
      : own.has(source)
        ? `${resource} ${source}`
        : several
          ? `${resource}/${container}`
          : resource
  const json = raw || own.has(source) || resource === '' ? undefined : readJsonLog(text)
  return { label, level: entry.level === 'info' ? (json?.level ?? 'info') : entry.level, text: json?.text ?? text }
}
