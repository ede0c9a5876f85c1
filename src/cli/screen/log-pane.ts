// The log as lines of a screen.
import stringWidth from 'string-width'
import { fit, wrap } from '../render/fit.js'
import type { Style } from '../render/style.js'
import { clock } from './details.js'
import type { LogBuffer, ShownLine } from './log-buffer.js'

export interface LogPaneOptions {
  readonly style: Style
  readonly columns: number
  readonly rows: number
  /** Cursor of the line that is pointed at and shown whole; undefined = the newest lines. */
  readonly at: number | undefined
  /** Text to mark; '' = none. */
  readonly search: string
  /** Name of the resource whose log it is: its own lines need no label. */
  readonly resource: string | undefined
  /** Begin with the time of the day. */
  readonly times: boolean
}

/** At most `rows` lines, none wider than `columns`. */
export function logPane(log: LogBuffer, options: LogPaneOptions): string[] {
  const { rows, at } = options
  if (rows <= 0 || log.length === 0) return []
  if (at === undefined) return newest(log, log.length - 1, rows, options)
  const index = Math.min(log.indexOf(at), log.length - 1)
  const pointed = whole(log.at(index)!, options).slice(0, rows)
  const room = rows - pointed.length
  const before = newest(log, index - 1, room, options)
  const after: string[] = []
  for (let next = index + 1; next < log.length && after.length < room; next++) after.push(...lineRows(log.at(next)!, options))
  // as many lines after it as before it, or more where there are too few of the others
  const below = Math.min(after.length, Math.max(Math.floor(room / 2), room - before.length))
  return [...before.slice(Math.max(0, before.length - (room - below))), ...pointed, ...after.slice(0, below)]
}

/** The last rows of the lines up to an index. */
function newest(log: LogBuffer, last: number, rows: number, options: LogPaneOptions): string[] {
  const found: string[] = []
  for (let index = last; index >= 0 && found.length < rows; index--) found.unshift(...lineRows(log.at(index)!, options))
  return rows <= 0 ? [] : found.slice(-rows)
}

function lineRows(line: ShownLine, options: LogPaneOptions): string[] {
  const { columns, at } = options
  const { head, headWidth } = headOf(line, options)
  const room = columns - headWidth
  const text = room > 0 ? marked(fit(line.text, room), line, options) : ''
  return [...missing(line, options), fit(`${at === undefined ? '' : '  '}${head}${text}`, columns)]
}

/** All of a line, under a sign that points at it. */
function whole(line: ShownLine, options: LogPaneOptions): string[] {
  const { style, columns } = options
  const { head, headWidth } = headOf(line, options)
  const indent = Math.min(headWidth, Math.floor(columns / 2))
  const [first = '', ...more] = wrap(line.text === '' ? ' ' : line.text, Math.max(2, columns - indent)).map((part) =>
    marked(part, line, options),
  )
  return [
    ...missing(line, options),
    fit(`${style.bold('›')} ${head}${first}`, columns),
    ...more.map((part) => fit(`${' '.repeat(indent)}${part}`, columns)),
  ]
}

function missing({ missing: count }: ShownLine, { style, columns }: LogPaneOptions): string[] {
  return count > 0 ? [fit(style.dim(`… ${count} line${count === 1 ? ' is' : 's are'} missing here`), columns)] : []
}

/** Time and label. */
function headOf(line: ShownLine, { style, times, resource, at, columns }: LogPaneOptions): { head: string; headWidth: number } {
  const time = times ? `${clock(line.time)} ` : ''
  const label = line.label === resource ? '' : fit(line.label, Math.max(8, Math.floor(columns / 3)))
  const paint = line.said ? style.hue(line.label) : style.dim
  const end = label === '' ? '' : `${label} │`
  return {
    head: `${style.dim(time)}${paint(end)}${end === '' ? '' : ' '}`,
    headWidth: stringWidth(time) + (end === '' ? 0 : stringWidth(end) + 1) + (at === undefined ? 0 : 2),
  }
}

/** In the colour of its level, with what was looked for turned around. */
function marked(text: string, { level }: ShownLine, { style, search }: LogPaneOptions): string {
  const paint = level === 'error' ? style.red : level === 'warn' ? style.yellow : (part: string) => part
  const lower = text.toLowerCase()
  // letters that are longer in lower case would move the marks
  if (search === '' || lower.length !== text.length) return paint(text)
  const wanted = search.toLowerCase()
  let result = ''
  let from = 0
  for (let found = lower.indexOf(wanted); found >= 0; found = lower.indexOf(wanted, from)) {
    result += paint(text.slice(from, found)) + paint(style.inverse(text.slice(found, found + wanted.length)))
    from = found + wanted.length
  }
  return result + paint(text.slice(from))
}
