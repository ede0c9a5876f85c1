// What must be sent to a terminal so that it shows other lines than before: only the cells that differ, since it may be far away.
import stringWidth from 'string-width'

/** One column: what stands there, and its attributes as the parameters of an SGR sequence. */
interface Cell {
  readonly text: string
  readonly look: string
}

const segmenter = new Intl.Segmenter()
// oxlint-disable-next-line no-control-regex
const sgr = /(\x1b\[[\d;]*m)/
/** Text of which every terminal thinks that each character takes one column. */
// oxlint-disable-next-line no-control-regex
const plain = /^(?:[\x20-\x7e·…─│›⏎←↑→↓●◐○✗]|\x1b\[[\d;]*m)*$/
/** Fewer equal cells between two differences are cheaper to send again than to jump over. */
const jump = 8

/**
 * The escape sequences that turn the screen `before` into `after`, both as lines with SGR sequences that are no wider than `columns`.
 * Leaves all attributes off. Empty when nothing differs.
 */
export function paint(before: readonly string[], after: readonly string[], columns: number): string {
  let output = ''
  for (const [row, line] of after.entries()) {
    const old = before[row] ?? ''
    if (line === old) continue
    // where terminals may differ on widths, the line is erased first and drawn from its beginning
    output += plain.test(old) && plain.test(line) ? patch(row, cells(old), cells(line), columns) : whole(row, line)
  }
  for (let row = after.length; row < before.length; row++) if (before[row] !== '') output += `${at(row, 0)}\x1b[2K`
  return output
}

const at = (row: number, column: number): string => `\x1b[${row + 1};${column + 1}H`

const whole = (row: number, line: string): string => `${at(row, 0)}\x1b[2K${line}${line.includes('\x1b') ? '\x1b[m' : ''}`

function patch(row: number, old: readonly Cell[], line: readonly Cell[], columns: number): string {
  const same = (index: number): boolean => {
    const [a, b] = [old[index], line[index]]
    return a?.text === b?.text && a?.look === b?.look
  }
  let output = ''
  let index = 0
  while (index < line.length) {
    if (same(index)) {
      index++
      continue
    }
    let [end, scan] = [index + 1, index + 1]
    for (; scan < line.length && scan - end < jump; scan++) if (!same(scan)) end = scan + 1
    output += at(row, index) + dress(line.slice(index, end))
    index = end
  }
  // erased where nothing stands any more; the cursor is there already when the last cells were drawn
  if (line.length < old.length && line.length < columns)
    output += `${output !== '' && !same(line.length - 1) ? '' : at(row, line.length)}\x1b[K`
  return output
}

/** Cells as text with as few sequences as they need. */
function dress(run: readonly Cell[]): string {
  let look = ''
  let output = ''
  for (const cell of run) {
    if (cell.look !== look) output += cell.look === '' ? '\x1b[m' : `\x1b[${look === '' ? '' : '0;'}${cell.look}m`
    look = cell.look
    output += cell.text
  }
  return look === '' ? output : `${output}\x1b[m`
}

/** A line as cells. Wide characters take two, of which the second is empty. */
function cells(line: string): Cell[] {
  const found: Cell[] = []
  let looks: number[] = []
  for (const part of line.split(sgr)) {
    if (part.startsWith('\x1b[')) {
      for (const code of part.slice(2, -1).split(';').map(Number)) looks = applied(looks, code)
      continue
    }
    const look = looks.join(';')
    for (const { segment } of segmenter.segment(part)) {
      found.push({ text: segment, look })
      for (let width = stringWidth(segment); width > 1; width--) found.push({ text: '', look })
    }
  }
  return found
}

/** Attributes after one more parameter; sorted, so that the same look is the same text. */
function applied(looks: readonly number[], code: number): number[] {
  const without = (drop: (look: number) => boolean): number[] => looks.filter((look) => !drop(look))
  const isColour = (look: number): boolean => (look >= 30 && look <= 37) || (look >= 90 && look <= 97)
  if (code === 0) return []
  if (code === 22) return without((look) => look === 1 || look === 2)
  if (code === 27) return without((look) => look === 7)
  if (code === 39) return without(isColour)
  return [...without((look) => look === code || (isColour(look) && isColour(code))), code].sort((a, b) => a - b)
}
