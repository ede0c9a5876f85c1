// Which lines of the buffer a pane shows, and which of these hold what is searched for. Both are lists of numbers of lines that
// grow and shrink at their ends as the buffer does, so that a new line costs no second look at the old ones.
import type { LogBuffer, LogRow } from './log-buffer.js'

export interface LogSelectionOfPane {
  /** Undefined = all; '' is devloop itself. */
  readonly resource?: string | undefined
  /** The lowest. */
  readonly level: LogRow['level']
  /** Only lines that hold it, whatever the case of its letters. */
  readonly text?: string | undefined
}

export interface LogFilter {
  /** Changes what is shown. Lines that are there are looked at again. */
  select(selection: LogSelectionOfPane): void
  /** Changes what is searched for, whatever the case of its letters; '' = nothing. */
  search(text: string): void
  /** Takes in what the buffer got and lost. @returns how many shown lines were lost at the beginning */
  update(): number
  /** How many lines are shown, and the one at a place from 0. */
  readonly length: number
  at(place: number): LogRow | undefined
  /** The place of the line with a number; -1 where it is not shown. */
  placeOf(number: number): number
  /** What is searched for, in lower case. */
  readonly query: string
  /** How many lines hold it. */
  readonly matches: number
  /** The place among the shown lines of the match with an index from 0. */
  placeOfMatch(index: number): number
  /** The index of the first match at or behind a place; `matches` when there is none. */
  matchFrom(place: number): number
}

const ranks: Readonly<Record<LogRow['level'], number>> = { info: 0, warn: 1, error: 2 }

export function createLogFilter(buffer: LogBuffer): LogFilter {
  let selection: LogSelectionOfPane = { level: 'info' }
  let query = ''
  /** Undefined = every line is shown. */
  let shown: Numbers | undefined
  let found = createNumbers()
  let seen = buffer.first
  let first = buffer.first

  let wantedText = ''
  const isAll = (): boolean => selection.resource === undefined && selection.level === 'info' && wantedText === ''
  const passes = (row: LogRow): boolean =>
    (selection.resource === undefined || row.resource === selection.resource) &&
    ranks[row.level] >= ranks[selection.level] &&
    (wantedText === '' || row.lower.includes(wantedText))
  const holds = (row: LogRow): boolean => row.lower.includes(query)

  function takeIn(): void {
    for (let number = Math.max(seen, buffer.first); number < buffer.next; number++) {
      const row = buffer.get(number)
      if (!row || (shown && !passes(row))) continue
      shown?.push(number)
      if (query !== '' && holds(row)) found.push(number)
    }
    seen = buffer.next
  }

  function begin(): void {
    shown = isAll() ? undefined : createNumbers()
    found = createNumbers()
    seen = buffer.first
    first = buffer.first
    takeIn()
  }

  const length = (): number => (shown ? shown.length : buffer.next - buffer.first)
  const at = (place: number): LogRow | undefined => {
    const number = shown ? shown.at(place) : buffer.first + place
    return number === undefined ? undefined : buffer.get(number)
  }

  return {
    select(next) {
      selection = next
      wantedText = next.text?.toLowerCase() ?? ''
      begin()
    },
    search(text) {
      const wanted = text.toLowerCase()
      if (wanted === query) return
      // whoever types on narrows what was found
      const narrower = query !== '' && wanted.startsWith(query)
      query = wanted
      const old = found
      found = createNumbers()
      if (query === '') return
      const count = narrower ? old.length : length()
      for (let i = 0; i < count; i++) {
        const row = narrower ? buffer.get(old.at(i) ?? -1) : at(i)
        if (row && holds(row)) found.push(row.number)
      }
    },
    update() {
      const lost = shown ? shown.dropBelow(buffer.first) : buffer.first - first
      first = buffer.first
      found.dropBelow(buffer.first)
      takeIn()
      return lost
    },
    get length() {
      return length()
    },
    at,
    placeOf(number) {
      const place = shown ? shown.lowerBound(number) : number - buffer.first
      return at(place)?.number === number ? place : -1
    },
    get query() {
      return query
    },
    get matches() {
      return found.length
    },
    placeOfMatch(index) {
      const number = found.at(index)
      if (number === undefined) return -1
      return shown ? shown.lowerBound(number) : number - buffer.first
    },
    matchFrom(place) {
      const row = at(place)
      return row ? found.lowerBound(row.number) : found.length
    },
  }
}

/** Ascending numbers that come at one end and go at the other. */
interface Numbers {
  readonly length: number
  at(index: number): number | undefined
  push(number: number): void
  /** @returns how many went */
  dropBelow(limit: number): number
  /** Index of the first that is not smaller. */
  lowerBound(number: number): number
}

function createNumbers(): Numbers {
  let list: number[] = []
  let head = 0
  const lowerBound = (number: number): number => {
    let [low, high] = [head, list.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (list[middle]! < number) low = middle + 1
      else high = middle
    }
    return low - head
  }
  return {
    get length() {
      return list.length - head
    },
    at: (index) => list[head + index],
    push: (number) => void list.push(number),
    dropBelow(limit) {
      const gone = lowerBound(limit)
      head += gone
      if (head > 10_000 && head > list.length / 2) {
        list = list.slice(head)
        head = 0
      }
      return gone
    },
    lowerBound,
  }
}
