// One line for each image that was built in this session: how long it took, what was cached, how much of the context was sent.
import stringWidth from 'string-width'
import { fit, pad } from './fit.js'
import { harmless } from '../../client/status/harmless.js'
import type { RowOptions } from './rows.js'
import { buildWords } from '../../client/status/image-words.js'
import { imagesOf, type Views } from '../../client/status/views.js'

/** None for images that were not built since the daemon started. No line is wider than `columns`. */
export function imageRows(views: Views, { style, columns }: Pick<RowOptions, 'style' | 'columns'>): string[] {
  const images = imagesOf(views).filter(({ state, buildMs }) => state === 'building' || buildMs !== undefined)
  const width = Math.max(...images.map(({ name }) => stringWidth(name)), 0)
  return images.map((image) => fit(`  ${style.bold(pad(image.name, width))}  ${harmless(buildWords(image).text)}`, columns))
}
