// The newest lines of one log selection, a bounded number of them, and what is found in them.
import { harmless } from '../../client/status/harmless.js'
import { logWords } from '../../client/status/log-words.js'
import type { LogEntry, LogMessage } from '../../protocol/messages.js'

/** A line as it is shown. `text` is safe to print. */
export interface ShownLine {
  readonly cursor: number
  /** Milliseconds since 1970. */
  readonly time: number
  /** Name of the resource; '' for devloop itself. */
  readonly resource: string
  readonly label: string
  readonly level: LogEntry['level']
  readonly text: string
  /** Whether a container said it, and not devloop. */
  readonly said: boolean
  /** Lines that are missing before it, because they came too fast or are no longer kept. */
  readonly missing: number
}

export interface LogBuffer {
  add(message: Pick<LogMessage, 'lines' | 'dropped'>): void
  clear(): void
  readonly length: number
  /** The line at an index, counted from the oldest that is kept. */
  at(index: number): ShownLine | undefined
  /** Index of the line with this cursor, or of the first after it; `length` when all are before it. */
  indexOf(cursor: number): number
  /** Indexes of the lines that hold a text, in whatever case; oldest first. */
  find(text: string): readonly number[]
}

interface Kept {
  readonly entry: LogEntry
  readonly missing: number
  shown?: ShownLine
  search?: string
}

/** Creates an empty buffer for so many lines. */
export function createLogBuffer(most: number): LogBuffer {
  let lines: Kept[] = []
  let head = 0
  /** Missing before the next line that comes. */
  let missing = 0
  let found: { readonly text: string; readonly version: number; readonly indexes: readonly number[] } | undefined
  let version = 0
  const at = (index: number): ShownLine | undefined => {
    const kept = index < 0 ? undefined : lines[head + index]
    return kept && (kept.shown ??= shown(kept))
  }
  return {
    add({ lines: more, dropped }) {
      version++
      missing += dropped
      for (const entry of more) {
        lines.push({ entry, missing })
        missing = 0
      }
      head = Math.max(head, lines.length - most)
      // in pieces, so that each line is moved once at most
      if (head >= most) [lines, head] = [lines.slice(head), 0]
    },
    clear() {
      version++
      ;[lines, head, missing] = [[], 0, 0]
    },
    get length() {
      return lines.length - head
    },
    at,
    indexOf(cursor) {
      let [low, high] = [head, lines.length]
      while (low < high) {
        const middle = (low + high) >> 1
        if (lines[middle]!.entry.cursor < cursor) low = middle + 1
        else high = middle
      }
      return low - head
    },
    find(text) {
      if (text === '') return []
      if (found?.text === text && found.version === version) return found.indexes
      const wanted = text.toLowerCase()
      const indexes: number[] = []
      for (let index = 0; index < lines.length - head; index++) {
        const kept = lines[head + index]!
        kept.search ??= searched(at(index)!)
        if (kept.search.includes(wanted)) indexes.push(index)
      }
      found = { text, version, indexes }
      return indexes
    },
  }
}

function shown({ entry, missing }: Kept): ShownLine {
  const { label, level, text } = logWords(entry)
  return {
    cursor: entry.cursor,
    time: entry.at,
    resource: entry.resource,
    label: harmless(label),
    level,
    text: harmless(text),
    said: entry.container !== undefined,
    missing,
  }
}

const searched = ({ label, text }: ShownLine): string => `${label} │ ${text}`.toLowerCase()
