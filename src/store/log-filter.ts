// Which lines of log are wanted, beside the resources that they are of.
import type { LogEntry } from '../model/log-entry.js'

/** What is left out takes all. */
export interface LogWish {
  /** Milliseconds since 1970. */
  readonly since?: number
  /** The lowest that is wanted. */
  readonly level?: LogEntry['level']
  /** In any case. */
  readonly text?: string
  /** Each whole, with `*` for any text. */
  readonly sources?: readonly string[]
  /** Names of containers, in the same way; what no container wrote is left out. */
  readonly containers?: readonly string[]
}

const levels = { info: 0, warn: 1, error: 2 } as const
// oxlint-disable-next-line no-control-regex
const colours = /\x1b\[[\d;]*m/g

/** Whether a line is wanted; undefined = every line is. */
export function createLogFilter({
  since,
  level,
  text,
  sources,
  containers,
}: LogWish): ((entry: LogEntry) => boolean) | undefined {
  const checks: ((entry: LogEntry) => boolean)[] = []
  if (since !== undefined) checks.push((entry) => entry.at >= since)
  if (level !== undefined && level !== 'info') checks.push((entry) => levels[entry.level] >= levels[level])
  if (sources) checks.push(fitting(sources, (entry) => entry.source))
  if (containers) checks.push(fitting(containers, (entry) => entry.container))
  if (text) checks.push(byText(text))
  return checks.length === 0 ? undefined : (entry) => checks.every((check) => check(entry))
}

function byText(text: string): (entry: LogEntry) => boolean {
  // faster than a copy of each line in lower case
  const wanted = new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'iu')
  return (entry) => wanted.test(entry.text.includes('\x1b') ? entry.text.replace(colours, '') : entry.text)
}

function fitting(wanted: readonly string[], nameOf: (entry: LogEntry) => string | undefined): (entry: LogEntry) => boolean {
  const patterns = wanted.map((pattern) => pattern.split('*'))
  /** Lines are many, and their sources and containers few. */
  const known = new Map<string, boolean>()
  return (entry) => {
    const name = nameOf(entry)
    if (name === undefined) return false
    const before = known.get(name)
    if (before !== undefined) return before
    if (known.size >= 1_000) known.clear()
    const fits = patterns.some((parts) => fitsParts(name, parts))
    known.set(name, fits)
    return fits
  }
}

/** Whether a text consists of these parts in order, with any text between them. In linear time, which a regular expression is not. */
function fitsParts(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (parts.length === 1) return text === first
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  const end = text.length - last.length
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
