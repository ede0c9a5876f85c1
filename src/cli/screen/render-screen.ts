// The screen of `devloop watch` and `devloop attach` as lines. Pure.
import stringWidth from 'string-width'
import { changeEnd, changeTitle, changeWhy, stagesText } from '../../client/status/change-words.js'
import { harmless } from '../../client/status/harmless.js'
import { untilOlder } from '../../client/status/time-span.js'
import { troublesOf } from '../../client/status/troubles.js'
import { changesOf, imagesOf, resourcesOf, sessionOf, type Views } from '../../client/status/views.js'
import type { ResourceView } from '../../protocol/messages.js'
import { fit, pad, wrap } from '../render/fit.js'
import { headline } from '../render/rows.js'
import type { Style } from '../render/style.js'
import { tonePaint } from '../render/tone-style.js'
import { resourceDetails, sessionDetails } from './details.js'
import { keyTable, type KeyHelp } from './key-table.js'
import type { LogBuffer } from './log-buffer.js'
import { logPane } from './log-pane.js'
import type { Prompt, ScreenState } from './screen-state.js'
import { resourceTable, tableHeight } from './table.js'
import { troubleLines } from './trouble-lines.js'

export interface ScreenModel {
  readonly views: Views
  readonly log: LogBuffer
  readonly state: ScreenState
  /** What `q` does. */
  readonly quit: { readonly word: string; readonly text: string }
}

export interface ScreenOptions {
  readonly columns: number
  readonly rows: number
  readonly style: Style
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Frame {
  /** Exactly `rows` lines, none wider than `columns`. */
  readonly lines: readonly string[]
  /** Lines of the log, the details or the help that were visible. */
  readonly page: number
  /** The greatest `scroll` that shows something more. */
  readonly scrollMost: number
  /** Milliseconds after which something that is shown is older; undefined = nothing gets older. */
  readonly nextMs: number | undefined
}

/** Columns from which the details and the log stand side by side. */
const wideColumns = 150

/** One frame. */
export function renderScreen(model: ScreenModel, options: ScreenOptions): Frame {
  const { views, state } = model
  const { columns, rows, style, now } = options
  const selected = selectedResource(model)
  const session = sessionOf(views)
  const head = session ? headline(session, resourcesOf(views), style) : 'devloop: connecting'
  const top = fit(`${selected || state.zoom || state.help ? ' ' : style.bold('›')} ${head}`, columns)
  const footRows = rows >= 3 ? 1 : 0
  const table =
    state.zoom || state.help ? [] : resourceTable(views, { ...options, selected: selected?.name, rows: tableRows(model, rows) })
  // the newest change has a line of its own, where the screen is not small
  const last = rows >= 16 && !state.zoom && !state.help ? lastChange(views, style, columns) : []
  const paneRows = Math.max(0, rows - 1 - table.length - 1 - last.length - footRows)
  const pane = renderPane(model, selected, { ...options, rows: paneRows })
  const lines = [
    top,
    ...table,
    rule(pane.title, style, columns),
    ...pane.lines,
    ...Array.from({ length: paneRows - pane.lines.length }, () => ''),
    ...last,
    ...(footRows > 0 ? [foot(model, style, columns)] : []),
  ].slice(0, rows)
  return { lines, page: paneRows, scrollMost: pane.scrollMost, nextMs: nextAge(views, now) }
}

const selectedResource = ({ views, state }: ScreenModel): ResourceView | undefined =>
  state.selected === undefined ? undefined : (views.get(`resource/${state.selected}`) as ResourceView | undefined)

/** Half of the screen at most where there is much else to tell. */
function tableRows({ views, state }: ScreenModel, rows: number): number {
  const much = state.pane === 'details' || troublesOf(views).some((one) => one.level === 'error')
  return Math.min(tableHeight(views), Math.max(1, Math.floor(rows * (much ? 0.45 : 0.6))))
}

interface Pane {
  readonly title: string
  readonly lines: readonly string[]
  readonly scrollMost: number
}

function renderPane(model: ScreenModel, selected: ResourceView | undefined, options: ScreenOptions): Pane {
  const { state } = model
  const { columns, rows } = options
  if (state.help) return scrolled('help', helpLines(model, options), state.scroll, rows)
  if (columns >= wideColumns && !state.zoom) {
    const left = Math.floor((columns - 3) / 2)
    const details = detailsPane(model, selected, { ...options, columns: left })
    const log = logOf(model, selected, { ...options, columns: columns - left - 3 }, false)
    const focus = state.pane === 'log' ? log : details
    return {
      title: `${details.title} · ${log.title}`,
      lines: Array.from({ length: rows }, (_, index) =>
        `${pad(details.lines[index] ?? '', left)} ${options.style.dim('│')} ${log.lines[index] ?? ''}`.trimEnd(),
      ),
      scrollMost: focus === details ? details.scrollMost : 0,
    }
  }
  return state.pane === 'log' ? logOf(model, selected, options, true) : detailsPane(model, selected, options)
}

const subject = (selected: ResourceView | undefined): string => (selected ? harmless(selected.name) : 'all')

function detailsPane({ views, state }: ScreenModel, selected: ResourceView | undefined, options: ScreenOptions): Pane {
  const lines = selected ? resourceDetails(views, selected, options) : sessionDetails(views, options)
  return scrolled(`${subject(selected)}: details`, lines, state.pane === 'details' ? state.scroll : 0, options.rows)
}

function scrolled(title: string, lines: readonly string[], scroll: number, rows: number): Pane {
  const scrollMost = Math.max(0, lines.length - rows)
  const from = Math.min(scroll, scrollMost)
  const more = scrollMost > 0 ? `, lines ${from + 1} to ${Math.min(from + rows, lines.length)} of ${lines.length}` : ''
  return { title: `${title}${more}`, lines: lines.slice(from, from + rows), scrollMost }
}

function logOf(
  { views, log, state }: ScreenModel,
  selected: ResourceView | undefined,
  options: ScreenOptions,
  withErrors: boolean,
): Pane {
  const { columns, rows, style } = options
  const { level, at, search, zoom } = state
  // what is wrong stands above the log, unless that has been given the whole screen
  const troubles = troublesOf(views).filter((one) => one.level === 'error' && (!selected || one.subjects.includes(selected.name)))
  const errors = withErrors && !zoom ? troubleLines(troubles, columns, Math.floor(rows * 0.7)).map(style.red) : []
  const lines = logPane(log, {
    style,
    columns,
    rows: rows - errors.length,
    at,
    search,
    resource: selected?.name,
    times: zoom && columns >= 100,
  })
  return {
    title: [`${subject(selected)}: log`, ...logNotes(log, { level, at, search })].join(', '),
    lines: [...errors, ...lines],
    scrollMost: 0,
  }
}

/** What is to be known of the log beside its lines. */
function logNotes(log: LogBuffer, { level, at, search }: Pick<ScreenState, 'level' | 'at' | 'search'>): string[] {
  const found = log.find(search)
  const place = at === undefined ? 0 : found.indexOf(log.indexOf(at)) + 1
  return [
    ...(level === 'info' ? [] : [level === 'warn' ? 'warnings and errors' : 'errors only']),
    ...(search === '' ? [] : [`"${harmless(search)}" ${place > 0 ? `${place} of ${found.length}` : `found ${found.length}`}`]),
    ...(at === undefined ? [] : ['not followed']),
  ]
}

/** `── api: log ─────`. */
function rule(title: string, style: Style, columns: number): string {
  const text = fit(`── ${title} `, columns)
  return style.dim(text + '─'.repeat(Math.max(0, columns - stringWidth(text))))
}

function lastChange(views: Views, style: Style, columns: number): string[] {
  const last = changesOf(views).findLast(({ outcome }) => outcome !== 'nothing')
  if (!last) return []
  const end = changeEnd(last)
  const why = changeWhy(last).join('; ')
  const more = harmless([stagesText(last), why].filter((text) => text !== '').join('; '))
  return [fit(`${harmless(changeTitle(last))} ${tonePaint(end.tone, style)(end.text)}${style.dim(`: ${more}`)}`, columns)]
}

/** The last line: a question, an answer, or the keys. */
function foot({ state, quit }: ScreenModel, style: Style, columns: number): string {
  if (state.prompt) return fit(style.bold(question(state.prompt)), columns)
  if (state.notice) return fit(tonePaint(state.notice.tone, style)(harmless(state.notice.text)), columns)
  const here = state.zoom ? state.pane : 'table'
  const all = state.help
    ? [
        { keys: '↑↓', short: 'scroll', text: '' },
        { keys: 'Esc', short: 'back', text: '' },
      ]
    : keyTable(quit).filter(
        ({ short, where, keys }) =>
          short !== undefined &&
          (where === undefined || where === here) &&
          (keys !== 'Esc' || here !== 'table' || state.selected !== undefined),
      )
  return fit(keyLine(all, style, columns), columns)
}

/** As many keys as there is room for; the last two stay. */
function keyLine(keys: readonly KeyHelp[], style: Style, columns: number): string {
  const width = ({ keys: key, short = '' }: KeyHelp): number => stringWidth(key) + 1 + short.length + 2
  const shown = [...keys]
  while (shown.length > 2 && shown.reduce((sum, one) => sum + width(one), -2) > columns) shown.splice(shown.length - 3, 1)
  return shown.map(({ keys: key, short = '' }) => `${style.bold(key)} ${style.dim(short)}`).join('  ')
}

function question(prompt: Prompt): string {
  switch (prompt.kind) {
    case 'search':
      return `search: ${prompt.text}▏`
    case 'select':
      return `resource: ${prompt.text}▏`
    case 'disable':
      return `disable ${prompt.resource}, until it is enabled again? y/n`
    case 'address':
      return `${prompt.purpose}: ${prompt.urls.map((url, index) => `${index + 1} ${harmless(url)}`).join('  ')}`
  }
}

function helpLines({ quit }: ScreenModel, { style, columns }: ScreenOptions): string[] {
  const keys = keyTable(quit)
  const width = Math.max(...keys.map((one) => stringWidth(one.keys)))
  return keys.flatMap((one) => {
    const [first = '', ...more] = wrap(one.text, Math.max(10, columns - width - 4))
    const head = `  ${style.bold(pad(one.keys, width))}  `
    return [head + first, ...more.map((text) => ' '.repeat(width + 4) + text)].map((line) => fit(line, columns))
  })
}

/** Milliseconds until an age that is shown says something else. */
function nextAge(views: Views, now: number): number | undefined {
  const times = [
    ...resourcesOf(views).flatMap(({ lastChange: last, pending }) => (last?.outcome === 'pending' && !pending ? [last.at] : [])),
    ...imagesOf(views).flatMap(({ steps }) =>
      steps.flatMap(({ state, startedAt }) => (state === 'running' && startedAt !== undefined ? [startedAt] : [])),
    ),
  ]
  return times.length === 0 ? undefined : Math.min(...times.map((at) => untilOlder(now - at)))
}
