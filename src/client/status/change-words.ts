// What is told of a change: what was saved, what became of it, and where the time went.
import type { ChangeView } from '../../protocol/messages.js'
import { timeSpan } from './time-span.js'
import type { Toned } from './tone.js'

/** Such as `src/a.ts`, `src/a.ts and 3 more`, `package-lock.json from api-5d8f`. */
export function changeTitle({ paths, pathCount, cameFrom }: ChangeView): string {
  const which = pathCount === 1 ? (paths[0] ?? '') : `${paths[0] ?? ''} and ${pathCount - 1} more`
  return cameFrom ? `${which} from ${cameFrom.join(', ')}` : which
}

/** `live in 24 ms`, `failed`, `pending`, ... */
export const changeEnd = ({ outcome, liveMs }: ChangeView): Toned => ({
  text: outcome === 'live' && liveMs !== undefined ? `live in ${timeSpan(liveMs)}` : outcome,
  tone: outcome === 'live' ? 'good' : outcome === 'failed' ? 'bad' : outcome === 'pending' ? 'busy' : 'quiet',
})

/** What was done for it, and the rules that said so: `sync: src/a.ts: sync("src", "/app/src")`. */
export const changeWhy = ({ images }: ChangeView): string[] => [...new Set(images.map((one) => `${one.action}: ${one.why}`))]

/** A stage as a span of time. Milliseconds since the save. */
export interface StageSpan {
  readonly stage: string
  readonly detail?: string
  readonly fromMs: number
  readonly toMs: number
}

/** The stages of a change, each from the end of the one before. */
export function stageSpans({ stages }: Pick<ChangeView, 'stages'>): StageSpan[] {
  let fromMs = 0
  return stages.map(({ stage, ms, detail }) => {
    const span = { stage, fromMs, toMs: ms, ...(detail === undefined ? {} : { detail }) }
    fromMs = ms
    return span
  })
}

/** Such as `seen +3 ms, sent +3 ms, ran npm ci +1.5 s`: each with the time that passed since the one before. */
export const stagesText = (change: Pick<ChangeView, 'stages'>): string =>
  stageSpans(change)
    .map(({ stage, detail, fromMs, toMs }) => `${stage}${detail === undefined ? '' : ` ${detail}`} +${timeSpan(toMs - fromMs)}`)
    .join(', ')
