// What is told of one resource in a row: its mark, its newest change, and the one thing that is worth saying now.
import type { LinkView, PodView, ResourceView, TargetView } from '../../protocol/messages.js'
import { age, timeSpan } from './time-span.js'
import type { Tone, Toned } from './tone.js'

/** A sign of one column, and the tone of the status. The word is `status` itself. */
export function statusMark({ status }: Pick<ResourceView, 'status'>): Toned {
  switch (status) {
    case 'ready':
      return { text: '●', tone: 'good' }
    case 'failed':
      return { text: '✗', tone: 'bad' }
    case 'updating':
    case 'starting':
      return { text: '◐', tone: 'busy' }
    default:
      return { text: '○', tone: 'quiet' }
  }
}

/** Whether something of it is broken: it failed, or an address of it does not work. Such resources come first. */
export const isBroken = ({ status, error, endpoints }: ResourceView): boolean =>
  status === 'failed' || error !== undefined || endpoints.some((one) => one.error)

/** What became of the newest change: `live in 24 ms`, `saved 2 s ago`, `not triggered`; empty when there was none. */
export function changeWords({ lastChange, pending }: ResourceView, now: number): Toned {
  if (pending) return { text: 'not triggered', tone: 'warn' }
  if (!lastChange) return { text: '', tone: 'quiet' }
  const { outcome, at, liveMs } = lastChange
  if (outcome === 'live') return { text: liveMs === undefined ? 'done' : `live in ${timeSpan(liveMs)}`, tone: 'good' }
  if (outcome === 'pending') return { text: `saved ${age(now - at)} ago`, tone: 'busy' }
  if (outcome === 'failed') return { text: 'last save failed', tone: 'bad' }
  return { text: outcome === 'superseded' ? 'superseded' : '', tone: 'quiet' }
}

/** The first of: its error, what is being done, why it waits, an address that does not work, a warning. Empty when all is well. */
export function note({ error, activity, status, hold, endpoints, warnings }: ResourceView): Toned {
  const broken = endpoints.find((one) => one.error)?.error
  if (error) return { text: error.message, tone: 'bad' }
  if (activity !== undefined && status !== 'ready') return { text: activity, tone: 'plain' }
  if (hold) return { text: hold.message, tone: hold.code === 'pending' ? 'warn' : 'quiet' }
  if (broken) return { text: broken.message, tone: 'bad' }
  return warnings[0] ? { text: warnings[0].message, tone: 'warn' } : { text: '', tone: 'quiet' }
}

/** `in sync`, `3 behind`, `unknown`, and what is being done about it. */
export function targetWords({ state, behind }: TargetView): Toned {
  const count = behind > 0 ? `${behind} behind` : ''
  const tone: Tone = state === 'in-sync' ? 'good' : state === 'failed' ? 'bad' : 'warn'
  if (state === 'in-sync') return { text: 'in sync', tone }
  if (state === 'behind') return { text: count || 'behind', tone }
  return { text: [state, ...(count ? [count] : [])].join(', '), tone }
}

/** Such as `running, ready`, `running, not ready, 3 restarts`, `terminating`. */
export function podWords({ phase, ready, restarts }: PodView): Toned {
  const words = [
    phase,
    ...(phase === 'running' ? [ready ? 'ready' : 'not ready'] : []),
    ...(restarts > 0 ? [`${restarts} restart${restarts === 1 ? '' : 's'}`] : []),
  ]
  const tone = phase === 'failed' ? 'bad' : phase === 'succeeded' || ready ? 'good' : phase === 'terminating' ? 'quiet' : 'busy'
  return { text: words.join(', '), tone }
}

/** Such as `db (db:5432)`. */
export const linkName = ({ to, address }: LinkView): string => `${to} (${address})`
