// One line of log as text.
import type { LogEntry } from '../../protocol/messages.js'
import { harmless } from './harmless.js'
import { readJsonLog } from './json-log.js'
import type { Style } from './style.js'

export interface LogTextOptions {
  /** Leave JSON as it was written. */
  readonly raw?: boolean
  /** Begin with the time. */
  readonly timestamps?: boolean
}

/** Sources of lines that devloop itself writes about a resource. */
const own = new Set(['deploy', 'sync', 'run', 'local', 'forward', 'event'])

/** `api │ text`, with the source where it is not the resource's own output, and the container where its pod has several. */
export function logText(entry: LogEntry, style: Style, { raw, timestamps }: LogTextOptions = {}): string {
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
  const level = entry.level === 'info' ? (json?.level ?? 'info') : entry.level
  const body = harmless(json?.text ?? text)
  const time = timestamps ? `${style.dim(new Date(entry.at).toISOString())} ` : ''
  const paint = container === undefined ? style.dim : style.hue(label)
  return `${time}${paint(`${harmless(label)} │`)} ${level === 'error' ? style.red(body) : level === 'warn' ? style.yellow(body) : body}`
}
