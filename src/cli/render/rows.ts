// One line for each resource: state, last change and its time to live, endpoint, and what it does or waits for.
import stringWidth from 'string-width'
import { harmless } from '../../client/status/harmless.js'
import { changeWords, note, statusMark } from '../../client/status/resource-words.js'
import { countWords, dayWords, placeWords, sessionNotes } from '../../client/status/session-words.js'
import { resourcesOf, sessionOf, type Views } from '../../client/status/views.js'
import type { ResourceView, SessionView } from '../../protocol/messages.js'
import { fit, pad } from './fit.js'
import type { Style } from './style.js'
import { tonePaint } from './tone-style.js'

export interface RowOptions {
  readonly style: Style
  readonly columns: number
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The headline, and a row for each resource. No line is wider than `columns`. */
export function resourceRows(views: Views, options: RowOptions): string[] {
  const session = sessionOf(views)
  if (!session) return [fit('devloop: connecting', options.columns)]
  const resources = resourcesOf(views)
  const row = rowWriter(resources, { ...options, labels: true })
  return [fit(headline(session, resources, options.style), options.columns), ...resources.map(row)]
}

export interface RowWriterOptions extends RowOptions {
  /** Show the labels. Default false. */
  readonly labels?: boolean
  /** Show how many pods are ready, where there is room. Default false. */
  readonly pods?: boolean
}

/** What writes the row of one of these resources: the columns are as wide as these need and as there is room, and some fall away. */
export function rowWriter(
  resources: readonly ResourceView[],
  { style, columns, now, labels = false, pods = false }: RowWriterOptions,
): (one: ResourceView) => string {
  const texts = (one: ResourceView) => ({
    name: harmless(one.name),
    labels: labels ? harmless(one.labels.join(',')) : '',
    status: one.status,
    pods: pods && columns >= 120 ? podsText(one) : '',
    change: columns >= 50 ? changeWords(one, now).text : '',
    endpoints: columns >= 64 ? endpointsText(one) : '',
  })
  const widest = { name: 4, labels: 0, status: 5, pods: 0, change: 0, endpoints: 0 }
  for (const one of resources)
    for (const [key, text] of Object.entries(texts(one)))
      widest[key as keyof typeof widest] = Math.max(widest[key as keyof typeof widest], stringWidth(text))
  // long names and addresses leave something to the others
  const width = {
    ...widest,
    name: Math.min(widest.name, Math.max(12, Math.floor(columns * 0.4))),
    labels: Math.min(widest.labels, Math.floor(columns * 0.2)),
    endpoints: Math.min(widest.endpoints, Math.floor(columns * 0.4)),
  }
  return (one) => {
    const text = texts(one)
    const cell = (key: keyof typeof widest): string => pad(fit(text[key], width[key]), width[key])
    const mark = statusMark(one)
    const colour = tonePaint(mark.tone, style)
    const what = note(one)
    const parts = [
      `${colour(mark.text)} ${style.bold(cell('name'))}`,
      ...(width.labels > 0 ? [style.dim(cell('labels'))] : []),
      colour(cell('status')),
      ...(width.pods > 0 ? [style.dim(cell('pods'))] : []),
      ...(width.change > 0 ? [tonePaint(changeWords(one, now).tone, style)(cell('change'))] : []),
      // without an endpoint there is more room for what is wrong
      ...(text.endpoints === '' ? [] : [(one.ready ? style.cyan : style.dim)(cell('endpoints'))]),
      ...(what.text === '' ? [] : [tonePaint(what.tone, style)(harmless(what.text))]),
    ]
    return fit(parts.join('  '), columns).trimEnd()
  }
}

/** The project, where it runs, how far it is, and how fast it was this day. May be wider than a screen. */
export function headline(session: SessionView, resources: readonly ResourceView[], style: Style): string {
  const notes = sessionNotes(session).map(({ text, tone }) => tonePaint(tone, style)(text))
  const times = dayWords(session)
  const what = [...notes, ...countWords(session, resources)].join(', ')
  return `${style.bold(harmless(`${session.project} on ${placeWords(session)}`))}: ${what}${times === '' ? '' : style.dim(`; ${times}`)}`
}

const endpointsText = ({ endpoints }: ResourceView): string => harmless(endpoints.map(({ url }) => url).join(' '))

/** Such as `2/3 pods`. */
function podsText({ pods }: ResourceView): string {
  const current = pods.filter((one) => one.current && one.phase !== 'terminating')
  const ready = current.filter((one) => one.ready || one.phase === 'succeeded').length
  return current.length === 0 ? '' : `${ready}/${current.length} pod${current.length === 1 ? '' : 's'}`
}
