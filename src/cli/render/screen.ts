// The screen of `devloop watch` as lines: resources, then what is wrong now, then the newest log lines.
import type { LogEntry } from '../../protocol/messages.js'
import { errorLines } from './error-text.js'
import { fit, wrap } from './fit.js'
import { harmless } from './harmless.js'
import { logText } from './log-line.js'
import { resourceRows } from './rows.js'
import type { Style } from './style.js'
import { timeSpan } from './time-span.js'
import { changesOf, troublesOf, type Trouble, type Views } from './views.js'

export interface ScreenOptions {
  readonly columns: number
  readonly rows: number
  readonly style: Style
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Exactly `rows` lines, none wider than `columns`. Pure. */
export function renderScreen(views: Views, log: readonly LogEntry[], { columns, rows, style, now }: ScreenOptions): string[] {
  const all = resourceRows(views, { style, columns, now })
  const troubles = troublesOf(views).filter((one) => one.level === 'error')
  // the rest is for errors and log
  const most = Math.max(1, Math.floor(rows * (troubles.length > 0 ? 0.5 : 0.65)))
  const top =
    all.length <= most
      ? all
      : [...all.slice(0, most - 1), fit(style.dim(`… ${all.length - most + 1} more; devloop status shows all`), columns)]
  const room = Math.max(0, rows - top.length - 2)
  const errors = troubleLines(troubles, columns, Math.floor(room * 0.7)).map((line) => style.red(line))
  const left = room - errors.length
  const tail = left === 0 ? [] : log.slice(-left).map((line) => fit(logText(line, style), columns))
  const rule = style.dim('─'.repeat(Math.max(0, columns)))
  return [
    ...top,
    rule,
    ...errors,
    ...tail,
    ...Array.from({ length: left - tail.length }, () => ''),
    footer(views, style, columns),
  ].slice(0, rows)
}

/** What is wrong, whole where there is room: each error gets its share of the lines. */
function troubleLines(troubles: readonly Trouble[], columns: number, room: number): string[] {
  const blocks = troubles.map(({ subjects, error }) => {
    const [first = '', ...more] = errorLines(error).filter((line) => line.trim() !== '')
    return [
      ...wrap(`  ${subjects.join(', ')}: ${first}`, columns).map((line, index) => (index === 0 ? `✗${line.slice(1)}` : line)),
      ...more.flatMap((line) => wrap(`  ${line}`, columns)),
    ]
  })
  const shown: string[] = []
  for (const [index, block] of blocks.entries()) {
    const share = Math.floor((room - shown.length) / (blocks.length - index))
    if (share === 0) continue
    shown.push(...shorten(block, share, columns))
  }
  return shown.map((line) => fit(line, columns))
}

/** The beginning and the end of a block: the first says what and where, the last what to do. */
function shorten(block: readonly string[], lines: number, columns: number): string[] {
  if (block.length <= lines) return [...block]
  if (lines < 3) return block.slice(0, lines)
  const head = Math.ceil(((lines - 1) * 2) / 3)
  const tail = lines - 1 - head
  return [
    ...block.slice(0, head),
    fit(`    … ${block.length - head - tail} lines; devloop status shows all`, columns),
    ...block.slice(-tail),
  ]
}

function footer(views: Views, style: Style, columns: number): string {
  const last = changesOf(views).at(-1)
  if (!last) return fit(style.dim('q quits'), columns)
  const paths = last.pathCount === 1 ? (last.paths[0] ?? '') : `${last.pathCount} paths`
  const stages = last.stages.map(({ stage, ms, detail }) => `${stage}${detail === undefined ? '' : ` ${detail}`} ${timeSpan(ms)}`)
  const why = last.images.filter(({ action }) => action !== 'none').map((one) => one.why)
  return fit(
    style.dim(
      harmless(`last change: ${paths}: ${stages.join(', ')}${why.length > 0 ? ` (${[...new Set(why)].join('; ')})` : ''}`),
    ),
    columns,
  )
}
