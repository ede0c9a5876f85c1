// One line of log as text.
import type { LogEntry } from '../../protocol/messages.js'
import type { Style } from './rows.js'

/** Escape sequences and other control characters of what programs print: they must not move our cursor. Tabs become spaces. */
// oxlint-disable-next-line no-control-regex
export const harmless = (text: string): string => text.replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g, '').replace(/\t/g, '  ').replace(/[\x00-\x1f\x7f-\x9f]/g, '')

/** `api │ text`, with the source where it is not the resource's own output. */
export function logText({ resource, source, level, text }: LogEntry, style: Style): string {
  const own = ['deploy', 'sync', 'run', 'local', 'serve', 'forward'].includes(source)
  const label = resource === '' ? (source === 'daemon' ? 'devloop' : source) : own && source !== 'serve' ? `${resource} ${source}` : resource
  const body = harmless(text)
  return `${style.dim(`${label} │`)} ${level === 'error' ? style.red(body) : level === 'warn' ? style.yellow(body) : body}`
}
