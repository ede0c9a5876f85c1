// A terminal as far as our screens use one: it takes what was written and tells what stands there.
import stringWidth from 'string-width'

export interface TerminalScreen {
  write(text: string): void
  /** The lines, without attributes. */
  lines(): string[]
  /** The lines, each character with its attributes. */
  looks(): string[]
}

const segmenter = new Intl.Segmenter()

/** An empty screen of this size. Throws on what it does not know. */
export function terminalScreen(columns: number, rows: number): TerminalScreen {
  const blank = { text: ' ', look: '' }
  const grid = Array.from({ length: rows }, () => Array.from({ length: columns }, () => blank))
  let [row, column, look] = [0, 0, [] as number[]]
  const erase = (from: number): void => void grid[row]!.fill(blank, from)
  const put = (segment: string): void => {
    const width = stringWidth(segment)
    if (width === 0) return
    // without wrapping, what does not fit takes the last column
    const at = Math.min(column, columns - width)
    grid[row]![at] = { text: segment, look: look.join(';') }
    for (let more = 1; more < width; more++) grid[row]![at + more] = { text: '', look: look.join(';') }
    column = Math.min(at + width, columns)
  }
  const attribute = (code: number): void => {
    const isColour = (one: number): boolean => one >= 30 && one <= 97
    if (code === 0) look = []
    else if (code === 22) look = look.filter((one) => one > 2)
    else if (code === 27) look = look.filter((one) => one !== 7)
    else if (code === 39) look = look.filter((one) => !isColour(one))
    else look = [...look.filter((one) => one !== code && !(isColour(one) && isColour(code))), code].sort((a, b) => a - b)
  }
  return {
    write(text) {
      // oxlint-disable-next-line no-control-regex
      for (const part of text.split(/(\x1b\[[?\d;]*[A-Za-z])/)) {
        // oxlint-disable-next-line no-control-regex
        const [, parameters = '', command] = /^\x1b\[([?\d;]*)([A-Za-z])$/.exec(part) ?? []
        const numbers = parameters.split(';').map(Number)
        if (command === undefined) for (const { segment } of segmenter.segment(part)) put(segment)
        else if (command === 'H') [row, column] = [(numbers[0] || 1) - 1, (numbers[1] || 1) - 1]
        else if (command === 'm') numbers.forEach(attribute)
        else if (command === 'K') erase(parameters === '2' ? 0 : Math.min(column, columns - 1))
        else if (command === 'J' && parameters === '2') for (const line of grid) line.fill(blank)
        else if (!parameters.startsWith('?')) throw new Error(`a terminal sequence that is not known: ${JSON.stringify(part)}`)
      }
    },
    lines: () =>
      grid.map((line) =>
        line
          .map(({ text }) => text)
          .join('')
          .trimEnd(),
      ),
    looks: () => grid.map((line) => line.map(({ text, look: how }) => `${how}:${text}`).join('|')),
  }
}
