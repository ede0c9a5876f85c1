// The newest changes, each with its stages: where the time went.
import { changeEnd, changeTitle, changeWhy, stagesText } from '../../client/status/change-words.js'
import { harmless } from '../../client/status/harmless.js'
import { changesOf, type Views } from '../../client/status/views.js'
import { fit } from './fit.js'
import type { Style } from './style.js'
import { tonePaint } from './tone-style.js'

/** Oldest first. A line for what was saved and what became of it, and one for its stages. No line is wider than `columns`. */
export function changeRows(views: Views, { style, columns }: { readonly style: Style; readonly columns: number }): string[] {
  return changesOf(views).flatMap((change) => {
    const time = new Date(change.at).toTimeString().slice(0, 8)
    const end = changeEnd(change)
    const why = changeWhy(change).join('; ')
    return [
      fit(`${style.dim(time)}  ${harmless(changeTitle(change))}  ${tonePaint(end.tone, style)(end.text)}`, columns),
      fit(style.dim(harmless(`          ${[stagesText(change), why].filter(Boolean).join('  ')}`)), columns),
    ]
  })
}
