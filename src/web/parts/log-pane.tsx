// Log lines, of one resource or of all: only the rows that can be seen are drawn, however many there are.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { resourcesOf } from '../../client/status/views.js'
import { hashOf } from '../address.js'
import { createLogFilter, type LogFilter } from '../log-filter.js'
import type { LogRow } from '../log-buffer.js'
import { usePage } from '../page-context.js'
import { LogLine, LogLineWhole } from './log-line.js'
import { LogTools } from './log-tools.js'

/** Of one line, in pixels. The style sheet has the same. */
export const rowHeight = 20
/** Drawn beyond what is seen, so that scrolling shows no gaps. */
const overscan = 12

export interface LogPaneProps {
  /** Of this one alone; undefined = of all, with a choice. */
  readonly resource?: string
  /** Whether another can be chosen. */
  readonly choice?: boolean
}

/** What the reader has set. */
export interface LogSettings {
  readonly level: LogRow['level']
  readonly query: string
  /** Show only lines that hold it. */
  readonly only: boolean
  readonly follow: boolean
  /** Number of the line that stands out: found, or chosen. */
  readonly chosen: number | undefined
}

export function LogPane({ resource, choice = false }: LogPaneProps) {
  const page = usePage()
  const [settings, setSettings] = useState<LogSettings>({
    level: 'info',
    query: '',
    only: false,
    follow: true,
    chosen: undefined,
  })
  const set = (change: Partial<LogSettings>): void => setSettings((old) => ({ ...old, ...change }))
  const filter = useFilter(resource, settings)
  const scroller = useRef<HTMLDivElement>(null)
  const [seen, setSeen] = useState({ top: 0, height: 400 })
  // read, so that this is drawn when lines come
  void page.logNews.value
  const lost = filter.update()
  const shift = useRef(0)
  shift.current += lost * rowHeight

  const { length } = filter
  useLayoutEffect(() => {
    const box = scroller.current
    if (!box) return
    // lines that were forgotten at the top must not move those that are being read
    if (settings.follow) box.scrollTop = box.scrollHeight
    else if (shift.current > 0) box.scrollTop = Math.max(0, box.scrollTop - shift.current)
    shift.current = 0
  })
  useEffect(() => {
    const box = scroller.current
    if (!box) return undefined
    const look = (): void => setSeen({ top: box.scrollTop, height: box.clientHeight })
    const observer = new ResizeObserver(look)
    observer.observe(box)
    return () => observer.disconnect()
  }, [])

  function scrolled(): void {
    const box = scroller.current
    if (!box) return
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - rowHeight
    setSeen({ top: box.scrollTop, height: box.clientHeight })
    if (settings.follow !== atEnd) set({ follow: atEnd })
  }

  /** Brings a place into the middle of what is seen. */
  function show(place: number): void {
    const row = filter.at(place)
    const box = scroller.current
    if (!row || !box) return
    set({ chosen: row.number, follow: false })
    const top = place * rowHeight
    if (top < box.scrollTop || top + rowHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = Math.max(0, top - box.clientHeight / 2)
  }

  const chosenPlace = placeOf(filter, settings.chosen)
  const current = filter.matches === 0 ? -1 : filter.matchFrom(Math.max(0, chosenPlace))
  const isOnMatch = chosenPlace >= 0 && current < filter.matches && filter.placeOfMatch(current) === chosenPlace

  function toMatch(by: 1 | -1): void {
    if (filter.matches === 0) return
    // behind the end it begins anew
    const next = by === 1 && !isOnMatch ? current : current + by
    show(filter.placeOfMatch((next + filter.matches) % filter.matches))
  }

  /** From line to line, once one is chosen. */
  function pressed(event: KeyboardEvent): void {
    if (event.target !== scroller.current) return
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (event.key === 'Enter') show(chosenPlace >= 0 ? chosenPlace : Math.ceil(seen.top / rowHeight))
    else if (by !== 0 && chosenPlace >= 0) show(Math.min(length - 1, Math.max(0, chosenPlace + by)))
    else return
    event.preventDefault()
  }

  function searched(query: string): void {
    set({ query })
    filter.search(query)
    if (filter.matches === 0) return
    const from = filter.matchFrom(Math.floor(seen.top / rowHeight))
    show(filter.placeOfMatch(Math.min(from, filter.matches - 1)))
  }

  // where the effect above is about to scroll to
  const top = settings.follow ? Math.max(0, length * rowHeight - seen.height) : seen.top
  const start = Math.max(0, Math.floor(top / rowHeight) - overscan)
  const end = Math.min(length, Math.ceil((top + seen.height) / rowHeight) + overscan)
  const rows = Array.from({ length: Math.max(0, end - start) }, (_, i) => filter.at(start + i))
  const chosen = settings.chosen === undefined ? undefined : page.logs.get(settings.chosen)

  return (
    <div class="log">
      <LogTools
        settings={settings}
        set={set}
        search={searched}
        toMatch={toMatch}
        found={settings.query === '' ? undefined : { count: filter.matches, index: isOnMatch ? current : undefined }}
        lines={length}
      >
        {choice && <ResourceChoice chosen={resource} />}
      </LogTools>
      <div
        class="log-lines"
        ref={scroller}
        onScroll={scrolled}
        onKeyDown={pressed}
        tabIndex={0}
        role="region"
        aria-label={resource === undefined ? 'Log lines' : `Log lines of ${resource === '' ? 'devloop' : resource}`}
      >
        <div class="log-space" style={{ height: `${length * rowHeight}px` }}>
          <div class="log-rows" style={{ transform: `translateY(${start * rowHeight}px)` }}>
            {rows.map(
              (row) =>
                row && (
                  <LogLine
                    key={row.number}
                    row={row}
                    query={filter.query}
                    named={resource === undefined}
                    chosen={row.number === settings.chosen}
                    choose={() => set({ chosen: row.number === settings.chosen ? undefined : row.number, follow: false })}
                  />
                ),
            )}
          </div>
        </div>
        {length === 0 && (
          <p class="empty">{page.logs.next > page.logs.first ? 'No line passes the filters.' : 'No lines yet.'}</p>
        )}
      </div>
      {chosen && <LogLineWhole row={chosen} close={() => set({ chosen: undefined })} />}
    </div>
  )
}

/** The filter of a pane, set as the reader wants it. */
function useFilter(resource: string | undefined, { level, only, query }: LogSettings): LogFilter {
  const page = usePage()
  const kept = useRef<{ filter: LogFilter; key: string } | undefined>(undefined)
  kept.current ??= { filter: createLogFilter(page.logs), key: '' }
  const { filter } = kept.current
  const text = only ? query : ''
  const key = JSON.stringify([resource, level, text])
  if (kept.current.key !== key) {
    kept.current.key = key
    filter.select({ resource, level, text })
  }
  filter.search(query)
  return filter
}

const placeOf = (filter: LogFilter, number: number | undefined): number => (number === undefined ? -1 : filter.placeOf(number))

function ResourceChoice({ chosen }: { readonly chosen: string | undefined }) {
  const names = resourcesOf(usePage().views.value).map(({ name }) => name)
  // the address says which: so it can be linked to, and gone back from
  const choose = (value: string): void => {
    location.hash = value === 'all' ? hashOf({ view: 'logs' }) : hashOf({ view: 'logs', name: value.slice(1) })
  }
  return (
    <select
      aria-label="Resource"
      value={chosen === undefined ? 'all' : `=${chosen}`}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      <option value="all">All resources</option>
      <option value="=devloop">devloop</option>
      {names.map((name) => (
        <option value={`=${name}`} key={name}>
          {name}
        </option>
      ))}
    </select>
  )
}
