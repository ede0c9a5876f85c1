// One line for each resource: state, last change and its time to live, endpoint, and what it does or waits for.
import stringWidth from 'string-width'
import type { LatencyView, ResourceView, SessionView } from '../../protocol/messages.js'
import { fit, pad } from './fit.js'
import { harmless } from './harmless.js'
import type { Style } from './style.js'
import { timeSpan } from './time-span.js'
import { isAtRest, resourcesOf, sessionOf, type Views } from './views.js'

export interface RowOptions {
  readonly style: Style
  readonly columns: number
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The headline, and a row for each resource. No line is wider than `columns`. */
export function resourceRows(views: Views, { style, columns, now }: RowOptions): string[] {
  const session = sessionOf(views)
  if (!session) return [fit('devloop: connecting', columns)]
  const resources = resourcesOf(views)
  const rows = resources.map((one) => ({
    one,
    labels: one.labels.join(','),
    change: changeText(one, now),
    endpoints: endpointsText(one),
  }))
  const widths = {
    name: Math.max(...rows.map(({ one }) => stringWidth(one.name)), 4),
    status: Math.max(...rows.map(({ one }) => one.status.length), 5),
    labels: Math.max(...rows.map(({ labels }) => labels.length), 0),
    change: Math.max(...rows.map(({ change }) => change.length), 0),
    endpoints: Math.max(...rows.map(({ endpoints }) => endpoints.length), 0),
  }
  return [
    fit(headline(session, resources, style), columns),
    ...rows.map(({ one, labels, change, endpoints }) => {
      const { mark, colour } = looks(one, style)
      const text = whatText(one, style)
      const parts = [
        `${colour(mark)} ${style.bold(pad(one.name, widths.name))}`,
        ...(widths.labels > 0 ? [style.dim(pad(labels, widths.labels))] : []),
        colour(pad(one.status, widths.status)),
        ...(widths.change > 0 ? [changeColour(one, style)(pad(change, widths.change))] : []),
        // without an endpoint there is more room for what is wrong
        ...(endpoints === '' ? [] : [(one.ready ? style.cyan : style.dim)(pad(endpoints, widths.endpoints))]),
        ...(text === '' ? [] : [text]),
      ]
      return fit(parts.join('  '), columns).trimEnd()
    }),
  ]
}

function headline(
  { project, phase, runtime, devloopfile, today }: SessionView,
  resources: readonly ResourceView[],
  style: Style,
): string {
  const where =
    runtime.kind === 'process'
      ? 'process runtime'
      : [runtime.context ?? 'kubernetes', runtime.namespace].filter(Boolean).join('/')
  const ready = resources.filter((one) => one.ready).length
  const resting = resources.filter(isAtRest).length
  const notes = [
    ...(phase === 'stopping' ? [style.yellow('stopping')] : []),
    ...(runtime.state === 'connected' ? [] : [style.yellow(runtime.state === 'lost' ? 'connection lost' : 'connecting')]),
    ...(devloopfile.state === 'failed'
      ? [
          style.red(
            devloopfile.generation > 0 ? 'the Devloopfile has an error; the last good plan runs' : 'the Devloopfile has an error',
          ),
        ]
      : []),
    ...(devloopfile.state === 'loading' && devloopfile.generation === 0 ? ['loading the Devloopfile'] : []),
  ]
  const counts =
    resources.length > 0
      ? [`${ready} of ${resources.length - resting} ready`, ...(resting > 0 ? [`${resting} not started`] : [])]
      : devloopfile.generation > 0
        ? ['no resources']
        : []
  const times = dayText(today)
  return `${style.bold(harmless(`${project} on ${where}`))}: ${[...notes, ...counts].join(', ')}${times === '' ? '' : style.dim(`; ${times}`)}`
}

/** Such as `today 41 saves live in 24 ms (p95 61 ms), 3 rebuilds in 1.6 s (p95 2.0 s)`. */
function dayText(today: SessionView['today']): string {
  const part = (times: LatencyView | undefined, what: string): string[] =>
    times
      ? [`${times.count} ${what}${times.count === 1 ? '' : 's'} live in ${timeSpan(times.p50)} (p95 ${timeSpan(times.p95)})`]
      : []
  const parts = [...part(today?.synced, 'save'), ...part(today?.rebuilt, 'rebuild')]
  return parts.length === 0 ? '' : `today ${parts.join(', ')}`
}

function looks({ status }: ResourceView, style: Style): { mark: string; colour: (text: string) => string } {
  switch (status) {
    case 'ready':
      return { mark: '●', colour: style.green }
    case 'failed':
      return { mark: '✗', colour: style.red }
    case 'updating':
    case 'starting':
      return { mark: '◐', colour: style.cyan }
    default:
      return { mark: '○', colour: style.dim }
  }
}

function changeText({ lastChange, pending }: ResourceView, now: number): string {
  if (pending) return 'not triggered'
  if (!lastChange) return ''
  const { outcome, at, liveMs } = lastChange
  if (outcome === 'live') return liveMs === undefined ? 'done' : `live in ${timeSpan(liveMs)}`
  if (outcome === 'pending') return `saved ${timeSpan(now - at)} ago`
  if (outcome === 'failed') return 'last save failed'
  return outcome === 'superseded' ? 'superseded' : ''
}

const changeColour = ({ lastChange, pending }: ResourceView, style: Style): ((text: string) => string) =>
  pending
    ? style.yellow
    : lastChange?.outcome === 'live'
      ? style.green
      : lastChange?.outcome === 'pending'
        ? style.cyan
        : lastChange?.outcome === 'failed'
          ? style.red
          : style.dim

const endpointsText = ({ endpoints }: ResourceView): string => harmless(endpoints.map(({ url }) => url).join(' '))

/** The first of: its error, what is being done, why it waits, a warning. */
function whatText({ error, activity, status, hold, endpoints, warnings }: ResourceView, style: Style): string {
  const broken = endpoints.find((one) => one.error)?.error
  if (error) return style.red(harmless(error.message))
  if (activity !== undefined && status !== 'ready') return harmless(activity)
  if (hold) return (hold.code === 'pending' ? style.yellow : style.dim)(harmless(hold.message))
  if (broken) return style.red(harmless(broken.message))
  return warnings[0] ? style.yellow(harmless(warnings[0].message)) : ''
}
