// One line for each image that was built in this session: how long it took, what was cached, how much of the context was sent.
import stringWidth from 'string-width'
import type { ImageView } from '../../protocol/messages.js'
import { fit, pad } from './fit.js'
import { harmless } from './harmless.js'
import type { RowOptions } from './rows.js'
import { timeSpan } from './time-span.js'
import { imagesOf, type Views } from './views.js'

/** None for images that were not built since the daemon started. No line is wider than `columns`. */
export function imageRows(views: Views, { style, columns }: Pick<RowOptions, 'style' | 'columns'>): string[] {
  const images = imagesOf(views).filter(({ state, buildMs }) => state === 'building' || buildMs !== undefined)
  const width = Math.max(...images.map(({ name }) => stringWidth(name)), 0)
  return images.map((image) => fit(`  ${style.bold(pad(image.name, width))}  ${harmless(describe(image))}`, columns))
}

function describe({ state, buildMs, steps, context }: ImageView): string {
  const took = buildMs === undefined ? '' : ` ${state === 'failed' ? 'after' : 'in'} ${timeSpan(buildMs)}`
  const cached = steps.filter((step) => step.state === 'cached').length
  return [
    `${{ building: 'building', failed: 'failed', built: 'built', pending: 'built', unknown: 'built' }[state]}${took}`,
    ...(cached > 0 ? [`${cached} of ${steps.length} steps cached`] : []),
    ...(context ? [`${byteCount(context.sentBytes)} of context sent (${context.sentFiles} of ${context.files} files)`] : []),
  ].join(', ')
}

/** Bytes as 0 B, 812 B, 12.3 kB, 200 MB. */
function byteCount(bytes: number): string {
  let [value, unit] = [bytes, 'B']
  for (const next of ['kB', 'MB', 'GB']) {
    if (value < 1000) break
    ;[value, unit] = [value / 1000, next]
  }
  return `${unit === 'B' || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`
}
