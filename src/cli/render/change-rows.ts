// The newest changes, each with its stages: where the time went.
import type { ChangeView } from '../../protocol/messages.js'
import { fit } from './fit.js'
import { harmless } from './harmless.js'
import type { Style } from './style.js'
import { timeSpan } from './time-span.js'
import { changesOf, type Views } from './views.js'

/** Oldest first. A line for what was saved and what became of it, and one for its stages. No line is wider than `columns`. */
export function changeRows(views: Views, { style, columns }: { readonly style: Style; readonly columns: number }): string[] {
  return changesOf(views).flatMap((change) => {
    const { at, paths, pathCount, outcome, liveMs, stages, images, cameFrom } = change
    const time = new Date(at).toTimeString().slice(0, 8)
    const which = pathCount === 1 ? (paths[0] ?? '') : `${paths[0] ?? ''} and ${pathCount - 1} more`
    const what = cameFrom ? `${which} from ${cameFrom.join(', ')}` : which
    const end = outcome === 'live' && liveMs !== undefined ? `live in ${timeSpan(liveMs)}` : outcome
    const why = [...new Set(images.map((one) => `${one.action}: ${one.why}`))].join('; ')
    return [
      fit(`${style.dim(time)}  ${harmless(what)}  ${endColour(change, style)(end)}`, columns),
      fit(style.dim(harmless(`          ${[stagesText(stages), why].filter(Boolean).join('  ')}`)), columns),
    ]
  })
}

/** Each stage with the time that passed since the one before. */
function stagesText(stages: ChangeView['stages']): string {
  let before = 0
  return stages
    .map(({ stage, ms, detail }) => {
      const text = `${stage}${detail === undefined ? '' : ` ${detail}`} +${timeSpan(ms - before)}`
      before = ms
      return text
    })
    .join(', ')
}

const endColour = ({ outcome }: ChangeView, style: Style): ((text: string) => string) =>
  outcome === 'live' ? style.green : outcome === 'failed' ? style.red : outcome === 'pending' ? style.cyan : style.dim
