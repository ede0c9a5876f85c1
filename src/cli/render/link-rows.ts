// The ways between apps: a line each, with why one leads nowhere.
import stringWidth from 'string-width'
import type { LinkView } from '../../protocol/messages.js'
import { fit, pad } from './fit.js'
import { harmless } from '../../client/status/harmless.js'
import { linkName } from '../../client/status/resource-words.js'
import type { RowOptions } from './rows.js'
import type { Style } from './style.js'
import { resourcesOf, type Views } from '../../client/status/views.js'

/** None for apps that refer to no other. No line is wider than `columns`. */
export function linkRows(views: Views, { style, columns }: Pick<RowOptions, 'style' | 'columns'>): string[] {
  const rows = resourcesOf(views).flatMap(({ name, links = [] }) =>
    links.map((link) => ({ way: `${name} -> ${linkName(link)}`, link })),
  )
  const width = Math.max(...rows.map(({ way }) => stringWidth(way)), 0)
  return rows.map(({ way, link }) => {
    const why = link.why === undefined ? '' : `  ${style.dim(harmless(link.why))}`
    return fit(`  ${pad(way, width)}  ${colourOf(link, style)(link.state)}${why}`, columns).trimEnd()
  })
}

function colourOf({ state }: LinkView, style: Style): (text: string) => string {
  return state === 'ok' ? style.green : state === 'failed' ? style.red : style.yellow
}
