// What is told of the whole: where it runs, how far it is, how fast it was this day.
import type { LatencyView, ResourceView, SessionView } from '../../protocol/messages.js'
import { timeSpan } from './time-span.js'
import type { Toned } from './tone.js'
import { changesOf, isAtRest, resourcesOf, sessionOf, type Views } from './views.js'

/** Such as `kind-dev/dev-ann`, `process runtime`. */
export const placeWords = ({ runtime }: Pick<SessionView, 'runtime'>): string =>
  runtime.kind === 'process' ? 'process runtime' : [runtime.context ?? 'kubernetes', runtime.namespace].filter(Boolean).join('/')

/** What is out of the ordinary with the whole, such as a lost connection or a Devloopfile with an error. */
export function sessionNotes({ phase, runtime, devloopfile }: SessionView): Toned[] {
  const notes: Toned[] = []
  if (phase === 'stopping') notes.push({ text: 'stopping', tone: 'warn' })
  if (runtime.state !== 'connected')
    notes.push({ text: runtime.state === 'lost' ? 'connection lost' : 'connecting', tone: 'warn' })
  if (devloopfile.state === 'failed') {
    const runs = devloopfile.generation > 0 ? '; the last good plan runs' : ''
    notes.push({ text: `the Devloopfile has an error${runs}`, tone: 'bad' })
  }
  if (devloopfile.state === 'loading' && devloopfile.generation === 0)
    notes.push({ text: 'loading the Devloopfile', tone: 'plain' })
  return notes
}

/** Such as `2 of 4 ready`, `1 not started`; `no resources` of an empty plan. */
export function countWords({ devloopfile }: SessionView, resources: readonly ResourceView[]): string[] {
  if (resources.length === 0) return devloopfile.generation > 0 ? ['no resources'] : []
  const ready = resources.filter((one) => one.ready).length
  const resting = resources.filter(isAtRest).length
  return [`${ready} of ${resources.length - resting} ready`, ...(resting > 0 ? [`${resting} not started`] : [])]
}

/** Such as `today 41 saves live in 24 ms (p95 61 ms), 3 rebuilds in 1.6 s (p95 2.0 s)`; empty before the first. */
export function dayWords({ today }: Pick<SessionView, 'today'>): string {
  const part = (times: LatencyView | undefined, what: string): string[] =>
    times
      ? [`${times.count} ${what}${times.count === 1 ? '' : 's'} live in ${timeSpan(times.p50)} (p95 ${timeSpan(times.p95)})`]
      : []
  const parts = [...part(today?.synced, 'save'), ...part(today?.rebuilt, 'rebuild')]
  return parts.length === 0 ? '' : `today ${parts.join(', ')}`
}

/**
 * The whole in a few words, for a title or a status bar: `failed: api`, `building shop/api [2/4] RUN npm ci`, `live in 24 ms`,
 * `2 of 4 ready`, `ready`. Problems come first, then what is being done, then the newest save.
 */
export function overall(views: Views): Toned {
  const session = sessionOf(views)
  if (!session) return { text: 'connecting', tone: 'busy' }
  const resources = resourcesOf(views)
  const failed = resources.filter((one) => one.status === 'failed').map(({ name }) => name)
  const notes = sessionNotes(session)
  const worst = notes.find(({ tone }) => tone === 'bad')
  if (worst) return worst
  if (session.runtime.error) return { text: session.runtime.error.message, tone: 'bad' }
  if (failed.length > 0)
    return {
      text: `failed: ${failed.slice(0, 3).join(', ')}${failed.length > 3 ? ` and ${failed.length - 3} more` : ''}`,
      tone: 'bad',
    }
  if (session.problems[0]) return { text: session.problems[0].message, tone: 'bad' }
  if (notes[0]) return { text: notes[0].text, tone: notes[0].tone === 'plain' ? 'busy' : notes[0].tone }
  const busy = resources.find((one) => one.activity !== undefined && !one.ready && !isAtRest(one))
  if (busy?.activity !== undefined) return { text: busy.activity, tone: 'busy' }
  if (!session.ready) return { text: countWords(session, resources).join(', '), tone: 'busy' }
  const last = changesOf(views).findLast(({ outcome }) => outcome !== 'nothing' && outcome !== 'superseded')
  if (last?.outcome === 'pending') return { text: 'syncing', tone: 'busy' }
  if (last?.outcome === 'live' && last.liveMs !== undefined) return { text: `live in ${timeSpan(last.liveMs)}`, tone: 'good' }
  return { text: 'ready', tone: 'good' }
}
