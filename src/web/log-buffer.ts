// The newest log lines that the page has seen, within bounds: a ring, in which each line has a number for as long as the page lives.
import { logWords } from '../client/status/log-words.js'
import type { LogEntry } from '../protocol/messages.js'
import { plainLine } from './plain-line.js'

export interface LogRow {
  /** Counts up from 0. (The daemon's cursors begin anew with each daemon.) */
  readonly number: number
  /** Milliseconds since 1970. */
  readonly at: number
  /** '' is devloop itself. */
  readonly resource: string
  /** Who says it. */
  readonly label: string
  readonly level: LogEntry['level']
  /** With its colours. */
  readonly text: string
  /** Without: what is read and copied. */
  readonly plain: string
  /** That in lower case: what is searched. The same string where it has no other letters. */
  readonly lower: string
}

export interface LogBuffer {
  append(lines: readonly LogEntry[], dropped?: number): void
  /** Forgets all lines. */
  clear(): void
  /** Number of the oldest line kept, and that of the one that comes next. */
  readonly first: number
  readonly next: number
  /** Undefined for one that is not kept. */
  get(number: number): LogRow | undefined
}

export interface LogBounds {
  readonly lines: number
  /** Of text. */
  readonly characters: number
}

/** About 100 MB at most, and with lines of the usual length a third of that. */
const defaultBounds: LogBounds = { lines: 150_000, characters: 24_000_000 }

export function createLogBuffer(bounds: LogBounds = defaultBounds): LogBuffer {
  const ring: (LogRow | undefined)[] = []
  let first = 0
  let next = 0
  let characters = 0

  function drop(): void {
    const place = first % bounds.lines
    characters -= ring[place]?.text.length ?? 0
    ring[place] = undefined
    first++
  }

  function add(entry: Omit<LogEntry, 'cursor'>): void {
    const { at, resource } = entry
    const { label, level, text } = logWords({ ...entry, cursor: 0 })
    while (next - first >= bounds.lines || (next > first && characters + text.length > bounds.characters)) drop()
    characters += text.length
    const plain = plainLine(text)
    ring[next % bounds.lines] = { number: next, at, resource, label, level, text, plain, lower: plain.toLowerCase() }
    next++
  }

  return {
    append(lines, dropped = 0) {
      if (dropped > 0) {
        const text = `${dropped} ${dropped === 1 ? 'line is' : 'lines are'} missing here: devloop no longer keeps ${dropped === 1 ? 'it' : 'them'}`
        add({ at: lines[0]?.at ?? Date.now(), resource: '', source: 'page', level: 'warn', text })
      }
      for (const line of lines) add(line)
    },
    clear() {
      while (first < next) drop()
    },
    get first() {
      return first
    },
    get next() {
      return next
    },
    get: (number) => (number < first || number >= next ? undefined : ring[number % bounds.lines]),
  }
}
