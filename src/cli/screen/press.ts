// What a key does: another state of the screen, and what is asked for beside it. Pure.
import { errorText } from '../../client/status/error-text.js'
import { harmless } from '../../client/status/harmless.js'
import { resourceGroups } from '../../client/status/groups.js'
import { troublesOf, troubleText } from '../../client/status/troubles.js'
import type { Views } from '../../client/status/views.js'
import type { ResourceView } from '../../protocol/messages.js'
import { isCharacter, type Key } from './keys.js'
import type { LogBuffer } from './log-buffer.js'
import type { Effect, Prompt, ScreenState } from './screen-state.js'

/** What is on the screen, as far as keys depend on it. */
export interface Seen {
  readonly views: Views
  readonly log: LogBuffer
  /** Lines of the log or the details that are visible at once. */
  readonly page: number
  /** The greatest `scroll` that shows something more. */
  readonly scrollMost: number
}

export interface Pressed {
  readonly state: ScreenState
  readonly effects: readonly Effect[]
}

/** @returns the state after the key, the same when nothing is to be seen of it */
export function press(before: ScreenState, key: Key, seen: Seen): Pressed {
  const state: ScreenState = before.notice ? { ...before, notice: undefined } : before
  switch (key) {
    case 'ctrl-c':
      return { state, effects: [{ kind: 'interrupt' }] }
    case 'ctrl-z':
      return { state, effects: [{ kind: 'suspend' }] }
    case 'ctrl-l':
      return { state, effects: [{ kind: 'redraw' }] }
  }
  if (state.prompt) return answer(state, state.prompt, key, seen)
  if (state.help && key !== 'q') return only(inHelp(state, key, seen))
  switch (key) {
    case 'q':
      return { state, effects: [{ kind: 'quit' }] }
    case '?':
      return only({ ...state, help: true, scroll: 0 })
    case 't':
      return onResource(state, seen, ({ name }) => asks(state, { kind: 'request', method: 'trigger', resource: name }))
    case 'r':
      return onResource(state, seen, ({ name }) => asks(state, { kind: 'request', method: 'restart', resource: name }))
    case 'e':
      return onResource(state, seen, ({ name, status, hold }) =>
        status === 'disabled' || hold?.code === 'auto'
          ? asks(state, { kind: 'request', method: 'enable', resource: name })
          : only({ ...state, prompt: { kind: 'disable', resource: name } }),
      )
    case 'o':
      return onResource(state, seen, (one) => address(state, one, 'open'))
    case 'y':
      return onResource(state, seen, (one) => address(state, one, 'copy'))
    case 'c':
      return copy(state, seen)
    case 'w':
      return asks(state, { kind: 'page' })
    case '/':
      return only({ ...state, pane: 'log', prompt: { kind: 'search', text: '', before: state.search } })
    case 's':
      return only({ ...state, zoom: false, prompt: { kind: 'select', text: '', before: state.selected } })
    case 'n':
      return only(found(state, seen, -1))
    case 'N':
      return only(found(state, seen, 1))
    case 'v':
      return only({
        ...state,
        pane: 'log',
        at: undefined,
        level: state.level === 'info' ? 'warn' : state.level === 'warn' ? 'error' : 'info',
      })
    case 'f':
      return only({ ...state, pane: 'log', at: undefined })
    case 'tab':
    case 'backtab':
      return only({ ...state, pane: state.pane === 'log' ? 'details' : 'log', scroll: 0 })
    case 'enter':
    case 'right':
    case 'l':
      return only(state.zoom ? state : { ...state, zoom: true })
    case 'escape':
    case 'left':
    case 'h':
      return only(back(state))
    default:
      return only(move(state, key, seen))
  }
}

const only = (state: ScreenState): Pressed => ({ state, effects: [] })

const asks = (state: ScreenState, effect: Effect): Pressed => ({ state, effects: [effect] })
const tell = (state: ScreenState, text: string): Pressed => only({ ...state, notice: { text, tone: 'warn' } })

/** The names of the resources from top to bottom. */
const shownOrder = (views: Views): string[] => resourceGroups(views).flatMap(({ resources }) => resources.map(({ name }) => name))

function onResource(state: ScreenState, { views }: Seen, use: (one: ResourceView) => Pressed): Pressed {
  const one = state.selected === undefined ? undefined : views.get(`resource/${state.selected}`)
  return one?.kind === 'resource' ? use(one) : tell(state, 'select a resource first, by ↑ and ↓ or s')
}

function back(state: ScreenState): ScreenState {
  if (state.search !== '') return { ...state, search: '' }
  if (state.zoom) return { ...state, zoom: false, at: undefined, scroll: 0 }
  if (state.at !== undefined || state.scroll > 0) return { ...state, at: undefined, scroll: 0 }
  return { ...state, selected: undefined }
}

const select = (state: ScreenState, selected: string | undefined): ScreenState =>
  selected === state.selected ? state : { ...state, selected, at: undefined, scroll: 0 }

/** Keys that move: between resources, or in the pane where it has the whole screen. */
function move(state: ScreenState, key: Key, seen: Seen): ScreenState {
  const steps: Readonly<Record<Key, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    home: -Infinity,
    g: -Infinity,
    end: Infinity,
    G: Infinity,
  }
  const pages: Readonly<Record<Key, number>> = { pageup: -1, 'ctrl-b': -1, pagedown: 1, 'ctrl-f': 1, ' ': 1 }
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined
  const page = Object.hasOwn(pages, key) ? pages[key] : undefined
  if (page !== undefined) return scrolled(state, page * Math.max(1, seen.page - 1), seen)
  if (step === undefined) return state
  if (state.zoom) return scrolled(state, step, seen)
  // the first place stands for all
  const order = [undefined, ...shownOrder(seen.views)]
  const index = Math.max(0, order.indexOf(state.selected)) + step
  return select(state, order[Math.min(Math.max(index, 0), order.length - 1)])
}

/** Moves in the log or the details by so many lines. */
function scrolled(state: ScreenState, lines: number, { log, scrollMost }: Seen): ScreenState {
  if (state.pane === 'details')
    return { ...state, scroll: Math.min(Math.max(Math.min(state.scroll, scrollMost) + lines, 0), scrollMost) }
  const from = state.at === undefined ? log.length : log.indexOf(state.at)
  const to = Math.max(0, from + lines)
  // behind the newest line it goes on with what comes
  return { ...state, at: log.at(Math.min(to, log.length))?.cursor }
}

function inHelp(state: ScreenState, key: Key, seen: Seen): ScreenState {
  const steps: Readonly<Record<Key, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    pageup: -seen.page,
    pagedown: seen.page,
    ' ': seen.page,
  }
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined
  if (step === undefined) return { ...state, help: false, scroll: 0 }
  return { ...state, scroll: Math.min(Math.max(state.scroll + step, 0), seen.scrollMost) }
}

/** To the next line that was found, older (-1) or newer (1) than the one that is pointed at. */
function found(state: ScreenState, { log }: Seen, direction: -1 | 1): ScreenState {
  if (state.search === '') return { ...state, notice: { text: 'nothing was searched for yet: / does', tone: 'warn' } }
  const indexes = log.find(state.search)
  const from = state.at === undefined ? log.length : log.indexOf(state.at)
  const to = direction < 0 ? indexes.findLast((index) => index < from) : indexes.find((index) => index > from)
  if (to === undefined) {
    const where = indexes.length === 0 ? 'not found' : direction < 0 ? 'no older line was found' : 'no newer line was found'
    return { ...state, pane: 'log', notice: { text: `${state.search}: ${where}`, tone: 'warn' } }
  }
  return { ...state, pane: 'log', at: log.at(to)?.cursor }
}

function address(state: ScreenState, { name, endpoints }: ResourceView, purpose: 'open' | 'copy'): Pressed {
  const urls = [...new Set(endpoints.map(({ url }) => url))].slice(0, 9)
  const [first] = urls
  if (first === undefined) return tell(state, `${name} has no address`)
  if (urls.length > 1) return only({ ...state, prompt: { kind: 'address', purpose, urls } })
  return asks(state, use(purpose, first))
}

const use = (purpose: 'open' | 'copy', url: string): Effect =>
  purpose === 'open' ? { kind: 'open', url } : { kind: 'copy', text: url, what: url }

/** The line that is pointed at; else what is wrong with what is selected. */
function copy(state: ScreenState, { views, log }: Seen): Pressed {
  const line = state.pane === 'log' && state.at !== undefined ? log.at(log.indexOf(state.at)) : undefined
  if (line) return asks(state, { kind: 'copy', text: line.text, what: 'the line' })
  const { selected } = state
  const errors = troublesOf(views).filter(
    ({ level, subjects }) => level === 'error' && (selected === undefined || subjects.includes(selected)),
  )
  if (errors.length === 0) return tell(state, 'there is no error to copy, and no log line is pointed at')
  const text = errors.map((one) => (selected === undefined ? troubleText(one) : errorText(one.error))).join('\n\n')
  return asks(state, { kind: 'copy', text, what: errors.length === 1 ? 'the error' : `${errors.length} errors` })
}

/** A key while something is asked. */
function answer(state: ScreenState, prompt: Prompt, key: Key, seen: Seen): Pressed {
  const closed: ScreenState = { ...state, prompt: undefined }
  if (prompt.kind === 'disable')
    return key === 'y' || key === 'Y'
      ? asks(closed, { kind: 'request', method: 'disable', resource: prompt.resource })
      : only(closed)
  if (prompt.kind === 'address') {
    const url = prompt.urls[Number(key) - 1]
    return url === undefined ? only(closed) : asks(closed, use(prompt.purpose, url))
  }
  if (key === 'escape')
    return only(prompt.kind === 'search' ? { ...closed, search: prompt.before } : select(closed, prompt.before))
  if (key === 'enter') {
    if (prompt.kind === 'select' || prompt.text === '') return only(closed)
    return only(found({ ...closed, zoom: true, at: undefined }, seen, -1))
  }
  const text = key.startsWith('paste:')
    ? prompt.text + harmless(key.slice('paste:'.length).split(/[\r\n]/)[0] ?? '')
    : key === 'backspace'
      ? withoutLast(prompt.text)
      : key === 'ctrl-u'
        ? ''
        : isCharacter(key)
          ? prompt.text + key
          : prompt.text
  const asked: ScreenState = { ...state, prompt: { ...prompt, text } }
  if (prompt.kind === 'search') return only({ ...asked, search: text })
  const wanted = text.toLowerCase()
  const match = text === '' ? prompt.before : shownOrder(seen.views).find((name) => name.toLowerCase().includes(wanted))
  return only(match === undefined && text !== '' ? asked : select(asked, match))
}

const segmenter = new Intl.Segmenter()

/** Without the last character as people see it. */
const withoutLast = (text: string): string =>
  Array.from(segmenter.segment(text), ({ segment }) => segment)
    .slice(0, -1)
    .join('')
