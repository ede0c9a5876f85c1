// One line for each resource: state, hold reason, last change and its time to live, endpoint.
import stringWidth from 'string-width'
import type { ResourceView } from '../../protocol/messages.js'
import { resourcesOf, sessionOf, type Views } from './views.js'

export interface Style {
  readonly green: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
}

const same = (text: string): string => text
export const plainStyle: Style = { green: same, red: same, yellow: same, cyan: same, dim: same, bold: same }

const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`
const colours: Style = { green: sgr(32, 39), red: sgr(31, 39), yellow: sgr(33, 39), cyan: sgr(36, 39), dim: sgr(2, 22), bold: sgr(1, 22) }

/** Colours, unless NO_COLOR is set or the terminal is dumb. */
export const terminalStyle = (env: NodeJS.ProcessEnv): Style => ((env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb' ? plainStyle : colours)

export interface RowOptions {
  readonly style: Style
  readonly columns: number
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The headline, and a row for each resource. No line is wider than `columns`. */
export function resourceRows(views: Views, { style, columns, now }: RowOptions): string[] {
  const session = sessionOf(views)
  const resources = resourcesOf(views)
  if (!session) return ['devloop: connecting']
  const { runtime, devloopfile } = session
  const where = runtime.kind === 'process' ? 'process runtime' : `${runtime.context ?? 'kubernetes'}${runtime.namespace === undefined ? '' : `/${runtime.namespace}`}`
  const link = runtime.state === 'connected' ? '' : runtime.state === 'lost' ? ', connection lost' : ', connecting'
  const ready = resources.filter((one) => one.ready).length
  const head = `${session.project} on ${where}${link}: ${ready} of ${resources.length} ready`
  const lines = [fit(style.bold(head), columns)]
  if (devloopfile.state === 'failed') lines.push(fit(style.red(`! ${devloopfile.error?.message ?? 'the Devloopfile cannot be loaded'}${position(devloopfile.error?.where)}`), columns))
  if (runtime.error) lines.push(fit(style.red(`! ${runtime.error.message}`), columns))
  for (const problem of session.problems) lines.push(fit(style.yellow(`! ${problem.message}`), columns))
  const widths = { name: Math.max(4, ...resources.map((one) => stringWidth(one.name))), status: Math.max(...resources.map((one) => stringWidth(one.status)), 5) }
  for (const one of resources) lines.push(fit(row(one, widths, style, now), columns))
  return lines
}

function row(one: ResourceView, widths: { name: number; status: number }, style: Style, now: number): string {
  const colour = { ready: style.green, failed: style.red, pending: style.dim, updating: style.cyan, starting: style.cyan, removing: style.dim }[one.status]
  const mark = { ready: '●', failed: '✗', pending: '○', updating: '◐', starting: '◐', removing: '○' }[one.status]
  const parts = [`${colour(mark)} ${style.bold(pad(one.name, widths.name))}  ${colour(pad(one.status, widths.status))}`]
  const change = one.lastChange
  if (change) parts.push(changeText(change, style, now))
  const what = one.error ? style.red(one.error.message) : one.activity && one.status !== 'ready' ? one.activity : one.hold ? style.dim(one.hold.message) : undefined
  if (what) parts.push(what)
  for (const { url, state, error } of one.endpoints) parts.push(state === 'listening' ? style.cyan(url) : state === 'failed' ? style.red(error?.message ?? url) : style.dim(url))
  if (one.warnings[0] && !one.error) parts.push(style.yellow(one.warnings[0].message))
  return parts.join('  ')
}

function changeText(change: NonNullable<ResourceView['lastChange']>, style: Style, now: number): string {
  const { outcome, liveMs } = change
  if (outcome === 'live') return style.green(`live in ${ms(liveMs ?? 0)}`)
  if (outcome === 'pending') return style.cyan(`saved ${ms(now - change.at)} ago`)
  if (outcome === 'failed') return style.red('last save failed')
  return style.dim(outcome)
}

/** A time span as people say it: 24 ms, 1.8 s, 2 min. */
export const ms = (span: number): string => (span < 1000 ? `${Math.max(0, Math.round(span))} ms` : span < 60_000 ? `${(span / 1000).toFixed(1)} s` : `${Math.round(span / 60_000)} min`)

const position = (where: { file: string; line: number } | undefined): string => (where ? ` (${where.file}:${where.line})` : '')

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - stringWidth(text)))

/** Cut a line, which may hold colours, to a width. */
export function fit(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line
  let width = 0
  let result = ''
  // oxlint-disable-next-line no-control-regex
  for (const part of line.split(/(\x1b\[\d+m)/)) {
    if (part.startsWith('\x1b')) {
      result += part
      continue
    }
    for (const character of part) {
      const next = stringWidth(character)
      if (width + next > columns - 1) return `${result}…${result.includes('\x1b') ? '\x1b[0m' : ''}`
      width += next
      result += character
    }
  }
  return result
}
