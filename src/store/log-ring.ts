// Keeps the newest log lines of all resources within one bound of bytes. When it is full, whoever holds most
// gives first, so a noisy resource never pushes out what quiet ones said.
import type { LogEntry } from '../model/log-entry.js'
import { createLogFilter, type LogWish } from './log-filter.js'

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
  /** Stop after having looked at so many lines, wanted or not. */
  readonly maxLooked?: number
}

export interface LogStart extends LogWish {
  /** Start behind this cursor; 0 = with the oldest line kept. */
  readonly after: number
  /** Undefined = all resources, also those that come later. */
  readonly resources?: readonly string[]
}

/** A place in the ring. Costs a number a resource, however far it falls behind. */
export interface LogReader {
  /**
   * The next lines in order. `dropped` is exact for everything that went missing since the reader was made, except that lines which
   * are gone count whether they were wanted or not.
   */
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
  /** The newest `n` lines that are wanted, oldest first. */
  tail(n: number, wish?: Omit<LogStart, 'after'>): readonly LogEntry[]
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

interface Mark {
  readonly cursor: number
  readonly place: number
  readonly at: number
}

/** The lines of one resource. The place of a line in its lane counts from 0 and includes evicted lines. */
interface Lane {
  readonly entries: LogEntry[]
  /** Index in `entries` of the oldest line kept. */
  head: number
  bytes: number
  evicted: number
  lastEvictedCursor: number
  /** The latest time of an evicted line. */
  lastEvictedAt: number
  /** Some evicted lines: all at first, then every second, fourth, ... so that they stay few. */
  marks: Mark[]
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
    if (lane.evicted % lane.stride === 0) lane.marks.push({ cursor: entry.cursor, place: lane.evicted, at: entry.at })
    if (lane.marks.length > maxMarks) {
      lane.stride *= 2
      lane.marks = lane.marks.filter((mark) => mark.place % lane.stride === 0)
    }
    lane.lastEvictedCursor = entry.cursor
    lane.lastEvictedAt = Math.max(lane.lastEvictedAt, entry.at)
    lane.evicted++
    lane.head++
  }

  const selected = (resources: ReadonlySet<string> | undefined): [string, Lane][] =>
    [...lanes].filter(([name]) => resources === undefined || resources.has(name))

  function reader(start: LogStart): LogReader {
    const { since } = start
    const resources = start.resources && new Set(start.resources)
    const isWanted = createLogFilter(start)
    const after = Math.min(start.after, lastCursor)
    // A lane that is not in here came later, so the reader stands at its beginning.
    const places = new Map<string, number>()
    let correction = 0
    let keptAfter = 0
    let missing = 0
    let cursor = after
    for (const [name, lane] of selected(resources)) {
      const behind = placeAfter(lane, after)
      const place = since === undefined ? behind : Math.max(behind, Math.min(placeSince(lane, since), lane.evicted))
      places.set(name, place)
      missing += Math.max(0, lane.evicted - place)
      keptAfter += lane.evicted + lane.entries.length - lane.head - Math.max(place, lane.evicted)
    }
    // Over all resources and times cursors have no gaps, which makes the count exact.
    if (!resources && since === undefined) correction = lastCursor - after - keptAfter - missing

    function read({ maxLines = Infinity, maxBytes = Infinity, maxLooked = Infinity }: LogReadLimits = {}): LogRead {
      let dropped = correction
      correction = 0
      const open: OpenLane[] = []
      for (const [name, lane] of selected(resources)) {
        const before = places.get(name) ?? 0
        dropped += Math.max(0, lane.evicted - before)
        const place = Math.max(before, lane.evicted)
        places.set(name, place)
        const entry = entryAt(lane, place)
        if (entry) open.push({ name, lane, place, entry })
      }
      const lines: LogEntry[] = []
      let size = 0
      let looked = 0
      while (open.length > 0 && lines.length < maxLines && size < maxBytes && looked < maxLooked) {
        const next = earliest(open)
        const { entry, lane } = next
        looked++
        cursor = entry.cursor
        if (isWanted?.(entry) ?? true) {
          lines.push(entry)
          size += sizeOf(entry)
        }
        const following = entryAt(lane, ++next.place)
        if (following) next.entry = following
        else {
          places.set(next.name, next.place)
          open.splice(open.indexOf(next), 1)
        }
      }
      for (const { name, place } of open) places.set(name, place)
      const caughtUp = open.length === 0
      if (caughtUp) cursor = lastCursor
      return { lines, dropped, caughtUp, cursor }
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
    tail(n, wish = {}) {
      if (n <= 0) return []
      const isWanted = createLogFilter(wish)
      const chosen = selected(wish.resources && new Set(wish.resources))
      const newest = chosen.flatMap(([, lane]) => newestOf(lane, n, isWanted))
      return newest.toSorted((a, b) => a.cursor - b.cursor).slice(-n)
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

const newLane = (): Lane => ({
  entries: [],
  head: 0,
  bytes: 0,
  evicted: 0,
  lastEvictedCursor: 0,
  lastEvictedAt: -Infinity,
  marks: [],
  stride: 1,
})

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

/** A lane with lines that a reader has not had, and the first of them. */
interface OpenLane {
  readonly name: string
  readonly lane: Lane
  place: number
  entry: LogEntry
}

function earliest(open: readonly OpenLane[]): OpenLane {
  let best = open[0]!
  for (const candidate of open) if (candidate.entry.cursor < best.entry.cursor) best = candidate
  return best
}

/** The newest `n` lines of a lane, in no order. */
function newestOf(lane: Lane, n: number, isWanted: ((entry: LogEntry) => boolean) | undefined): LogEntry[] {
  if (!isWanted) return lane.entries.slice(Math.max(lane.head, lane.entries.length - n))
  const found: LogEntry[] = []
  for (let index = lane.entries.length - 1; index >= lane.head && found.length < n; index--) {
    const entry = lane.entries[index]!
    if (isWanted(entry)) found.push(entry)
  }
  return found
}

/** Place of the first line of a time among those no longer kept, between two marks perhaps; the first that is kept, if none is. */
function placeSince(lane: Lane, since: number): number {
  if (lane.lastEvictedAt < since) return lane.evicted
  return lane.marks.find((mark) => mark.at >= since)?.place ?? lane.evicted - 1
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
