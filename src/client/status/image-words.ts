// What is told of an image: how its build goes, or how it went.
import type { ImageView } from '../../protocol/messages.js'
import { byteCount } from './bytes.js'
import { age, timeSpan } from './time-span.js'
import type { Toned } from './tone.js'

export type BuildStep = ImageView['steps'][number]

/** Such as `built in 1.6 s, 3 of 4 steps cached, 1.2 kB of context sent (1 of 40 files)`. */
export function buildWords({ state, buildMs, steps, context }: ImageView): Toned {
  const took = buildMs === undefined ? '' : ` ${state === 'failed' ? 'after' : 'in'} ${timeSpan(buildMs)}`
  const cached = steps.filter((step) => step.state === 'cached').length
  const text = [
    `${{ building: 'building', failed: 'failed', built: 'built', pending: 'built', unknown: 'built' }[state]}${took}`,
    ...(cached > 0 ? [`${cached} of ${steps.length} steps cached`] : []),
    ...(context ? [`${byteCount(context.sentBytes)} of context sent (${context.sentFiles} of ${context.files} files)`] : []),
  ].join(', ')
  return { text, tone: state === 'failed' ? 'bad' : state === 'building' ? 'busy' : 'good' }
}

/** A sign of one column for a step. */
export function stepMark({ state }: BuildStep): Toned {
  if (state === 'failed') return { text: '✗', tone: 'bad' }
  if (state === 'running') return { text: '◐', tone: 'busy' }
  return { text: '●', tone: state === 'cached' ? 'quiet' : 'good' }
}

/** How long a step took, or runs by now; `cached`; empty where it is not known. */
export function stepTime({ state, ms, startedAt }: BuildStep, now: number): string {
  if (state === 'cached') return 'cached'
  if (ms !== undefined) return timeSpan(ms)
  return startedAt === undefined || state !== 'running' ? '' : age(now - startedAt)
}
