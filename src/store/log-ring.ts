// Keeps the newest log lines of all resources within one bound of bytes. When it is full, whoever holds most
// gives first, so a noisy resource never pushes out what quiet ones said.
import type { LogEntry } from '../model/log-entry.js'

/** A line as its writer hands it in; the ring gives the cursor. */
export type LogLine = Omit<LogEntry, 'cursor'>

export interface LogRead {
  readonly lines: readonly LogEntry[]
  /** Everything selected up to here was handed out or counted as dropped. */
  readonly cursor: number
  /** Selected lines after the start that are no longer kept. */
  readonly dropped: number
  /** Whether nothing more is waiting. */
  readonly caughtUp: boolean
}

export interface LogReadLimits {
  /** Stop after about this many bytes of text (always at least one line). Default: no bound. */
  readonly maxBytes?: number
  readonly maxLines?: number
}

export interface LogStart {
  /** Start behind this cursor; 0 = with the oldest line kept. */
  readonly after: number
  /** Undefined = all resources, also those that come later. */
  readonly resources?: readonly string[]
}

/** A place in the ring. Costs a number a resource, however far it falls behind. */
export interface LogReader {
  /** The next lines in order. `dropped` is exact for everything that went missing since the reader was made. */
  read(limits?: LogReadLimits): LogRead
}

export interface LogRing {
  append(lines: LogLine | readonly LogLine[]): void
  reader(start: LogStart): LogReader
  /**
   * Lines after a cursor, once. Of lines dropped before the call the count is exact over all resources, and for
   * a selection exact in the near past and an estimate farther back.
   */
  read(options: LogStart & LogReadLimits): LogRead
  /** The newest `n` lines, oldest first. */
  tail(n: number, resources?: readonly string[]): readonly LogEntry[]
  /** Called after each append; returns what ends it. */
  subscribe(callback: () => void): () => void
  /** Cursor of the newest line; 0 = there never was one. */
  readonly lastCursor: number
  /** Estimated memory of all lines kept. */
  readonly bytes: number
}

export interface LogRingOptions {
  /** Default 8 MiB. */
  readonly maxBytes?: number
  /** Longer lines are cut, and say so. Default 16,384 characters. */
  readonly maxLineLength?: number
}

/** What an entry costs beside its text: the object, the numbers, its slot. */
const entryOverhead = 144
const maxMarks = 512

/** The lines of one resource. The place of a line in its lane counts from 0 and includes evicted lines. */
interface Lane {
  readonly entries: LogEntry[]
  /** Index in `entries` of the oldest line kept. */
  head: number
  bytes: number
  evicted: number
  lastEvictedCursor: number
  /** Cursor and place of some evicted lines: all at first, then every second, fourth, ... so that they stay few. */
  marks: { readonly cursor: number; readonly place: number }[]
  stride: number
}

/** Creates an empty ring. */
export function createLogRing(options: LogRingOptions = {}): LogRing {
  const maxBytes = options.maxBytes ?? 8 * 1024 * 1024
  const maxLineLength = options.maxLineLength ?? 16_384
  const lanes = new Map<string, Lane>()
  const sources = new Map<string, string>()
  const subscribers = new Set<() => void>()
  let lastCursor = 0
  let bytes = 0

  function appendOne(line: LogLine): void {
    let lane = lanes.get(line.resource)
    if (!lane) lanes.set(line.resource, (lane = newLane()))
    const text = compact(line.text, maxLineLength)
    // The fields are picked one by one: whatever else the caller's object holds must not be kept alive.
    const entry = {
      cursor: ++lastCursor,
      at: line.at,
      resource: line.resource,
      source: shared(line.source),
      ...(line.container === undefined ? {} : { container: shared(line.container) }),
      level: line.level,
      text,
    }
    lane.entries.push(entry)
    const size = sizeOf(entry)
    lane.bytes += size
    bytes += size
  }

  /** One string for all lines of a source. */
  function shared(source: string): string {
    const known = sources.get(source)
    if (known !== undefined) return known
    if (sources.size >= 1_000) sources.clear()
    sources.set(source, source)
    return source
  }

  function evict(): void {
    if (bytes <= maxBytes) return
    // A little more than needed, so that a full ring does not search the largest lane for every line.
    const goal = maxBytes - Math.floor(maxBytes / 64)
    while (bytes > goal) {
      const [largest, second] = twoLargest(lanes.values())
      if (!largest) return
      const floor = Math.max(0, (second?.bytes ?? 0) - entryOverhead)
      do evictOldest(largest)
      while (bytes > goal && largest.bytes > floor && largest.head < largest.entries.length)
      trim(largest)
    }
  }

  function evictOldest(lane: Lane): void {
    const entry = lane.entries[lane.head]
    if (!entry) return
    const size = sizeOf(entry)
    lane.bytes -= size
    bytes -= size
    if (lane.evicted % lane.stride === 0) lane.marks.push({ cursor: entry.cursor, place: lane.evicted })
    if (lane.marks.length > maxMarks) {
      lane.stride *= 2
      lane.marks = lane.marks.filter((mark) => mark.place % lane.stride === 0)
    }
    lane.lastEvictedCursor = entry.cursor
    lane.evicted++
    lane.head++
  }

  const selected = (resources: ReadonlySet<string> | undefined): [string, Lane][] =>
    [...lanes].filter(([name]) => resources === undefined || resources.has(name))

  function reader(start: LogStart): LogReader {
    const resources = start.resources && new Set(start.resources)
    const after = Math.min(start.after, lastCursor)
    // A lane that is not in here came later, so the reader stands at its beginning.
    const places = new Map<string, number>()
    let correction = 0
    let keptAfter = 0
    let missing = 0
    for (const [name, lane] of selected(resources)) {
      const place = placeAfter(lane, after)
      places.set(name, place)
      missing += Math.max(0, lane.evicted - place)
      keptAfter += lane.evicted + lane.entries.length - lane.head - Math.max(place, lane.evicted)
    }
    // Over all resources cursors have no gaps, which makes the count exact.
    if (!resources) correction = lastCursor - after - keptAfter - missing

    function read(limits: LogReadLimits = {}): LogRead {
      let dropped = correction
      correction = 0
      const open: { name: string; lane: Lane; place: number }[] = []
      for (const [name, lane] of selected(resources)) {
        const place = places.get(name) ?? 0
        dropped += Math.max(0, lane.evicted - place)
        const at = { name, lane, place: Math.max(place, lane.evicted) }
        places.set(name, at.place)
        if (entryAt(lane, at.place)) open.push(at)
      }
      const lines: LogEntry[] = []
      let size = 0
      while (open.length > 0 && lines.length < (limits.maxLines ?? Infinity) && size < (limits.maxBytes ?? Infinity)) {
        const next = earliest(open)
        const entry = entryAt(next.lane, next.place)!
        lines.push(entry)
        size += sizeOf(entry)
        places.set(next.name, ++next.place)
        if (!entryAt(next.lane, next.place)) open.splice(open.indexOf(next), 1)
      }
      const caughtUp = open.length === 0
      return { lines, dropped, caughtUp, cursor: caughtUp ? lastCursor : (lines.at(-1)?.cursor ?? after) }
    }
    return { read }
  }

  return {
    append(lines) {
      if (Array.isArray(lines)) for (const line of lines as readonly LogLine[]) appendOne(line)
      else appendOne(lines as LogLine)
      evict()
      for (const callback of subscribers) callback()
    },
    reader,
    read: (options) => reader(options).read(options),
    tail(n, resources) {
      const chosen = selected(resources && new Set(resources))
      const newest = chosen.flatMap(([, lane]) => lane.entries.slice(Math.max(lane.head, lane.entries.length - n)))
      return n <= 0 ? [] : newest.toSorted((a, b) => a.cursor - b.cursor).slice(-n)
    },
    subscribe(callback) {
      const own = (): void => callback()
      subscribers.add(own)
      return () => void subscribers.delete(own)
    },
    get lastCursor() {
      return lastCursor
    },
    get bytes() {
      return bytes
    },
  }
}

const newLane = (): Lane => ({ entries: [], head: 0, bytes: 0, evicted: 0, lastEvictedCursor: 0, marks: [], stride: 1 })

const entryAt = (lane: Lane, place: number): LogEntry | undefined => lane.entries[lane.head + place - lane.evicted]

/** Latin-1 text takes a byte a character in V8, any other two. */
const sizeOf = (entry: LogEntry): number => entryOverhead + (/[\u0100-\uffff]/.test(entry.text) ? 2 : 1) * entry.text.length

/** Copies the text: a line is often a slice that would keep the whole chunk it was read with in memory. */
function compact(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}… (${text.length - maxLength} more characters)` : text
  return cut.length < 13 ? cut : Buffer.from(cut).toString()
}

/** Gives evicted entries free. */
function trim(lane: Lane): void {
  if (lane.head < 256 && lane.head < lane.entries.length) {
    // splice of a long array for few entries costs more than it frees
    lane.entries.fill(undefined as never, 0, lane.head)
    return
  }
  lane.entries.splice(0, lane.head)
  lane.head = 0
}

function twoLargest(lanes: Iterable<Lane>): [Lane | undefined, Lane | undefined] {
  let first: Lane | undefined
  let second: Lane | undefined
  for (const lane of lanes) {
    if (!first || lane.bytes > first.bytes) [first, second] = [lane, first]
    else if (!second || lane.bytes > second.bytes) second = lane
  }
  return [first, second]
}

function earliest<T extends { lane: Lane; place: number }>(open: readonly T[]): T {
  let best = open[0]!
  let bestCursor = entryAt(best.lane, best.place)!.cursor
  for (const candidate of open) {
    const cursor = entryAt(candidate.lane, candidate.place)!.cursor
    if (cursor < bestCursor) [best, bestCursor] = [candidate, cursor]
  }
  return best
}

/** Place of the first line behind a cursor; for lines no longer kept it may be an estimate between two marks. */
function placeAfter(lane: Lane, after: number): number {
  if (lane.evicted === 0 || after >= lane.lastEvictedCursor) {
    let low = lane.head
    let high = lane.entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (lane.entries[middle]!.cursor <= after) low = middle + 1
      else high = middle
    }
    return lane.evicted + low - lane.head
  }
  const next = lane.marks.findIndex((mark) => mark.cursor > after)
  const upper = lane.marks[next] ?? { cursor: lane.lastEvictedCursor, place: lane.evicted - 1 }
  const lower = (next < 0 ? lane.marks.at(-1) : lane.marks[next - 1]) ?? { cursor: 0, place: -1 }
  if (upper.cursor <= lower.cursor) return lower.place + 1
  return lower.place + 1 + Math.floor(((after - lower.cursor) * (upper.place - lower.place)) / (upper.cursor - lower.cursor))
}
