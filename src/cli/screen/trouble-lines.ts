// What is wrong, whole where there is room: each error gets its share of the lines.
import { errorLines } from '../../client/status/error-text.js'
import { harmless } from '../../client/status/harmless.js'
import type { Trouble } from '../../client/status/troubles.js'
import { fit, wrap } from '../render/fit.js'

/** At most `rows` lines, none wider than `columns`; without colours. */
export function troubleLines(troubles: readonly Trouble[], columns: number, rows: number): string[] {
  const blocks = troubles.map(({ subjects, error }) => {
    const [first = '', ...more] = errorLines(error).filter((line) => line.trim() !== '')
    return [
      ...wrap(`  ${harmless(subjects.join(', '))}: ${first}`, columns).map((line, index) =>
        index === 0 ? `✗${line.slice(1)}` : line,
      ),
      ...more.flatMap((line) => wrap(`  ${line}`, columns)),
    ]
  })
  const shown: string[] = []
  for (const [index, block] of blocks.entries()) {
    const share = Math.floor((rows - shown.length) / (blocks.length - index))
    if (share <= 0) continue
    shown.push(...shorten(block, share, columns))
  }
  return shown.map((line) => fit(line, columns))
}

/** The beginning and the end of a block: the first says what and where, the last what to do. */
function shorten(block: readonly string[], lines: number, columns: number): string[] {
  if (block.length <= lines) return [...block]
  if (lines < 3) return block.slice(0, lines)
  const head = Math.ceil(((lines - 1) * 2) / 3)
  const tail = lines - 1 - head
  return [
    ...block.slice(0, head),
    fit(`    … ${block.length - head - tail} lines; Tab shows all`, columns),
    ...block.slice(-tail),
  ]
}
