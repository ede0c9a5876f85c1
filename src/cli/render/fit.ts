// Text in a limited number of columns. Counts columns, not characters: wide ones take two, combined ones none.
import stringWidth from 'string-width'

const segmenter = new Intl.Segmenter()
// oxlint-disable-next-line no-control-regex
const colour = /(\x1b\[\d+m)/

/** Fill up with spaces. */
export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - stringWidth(text)))

/** Cut a line, which may hold colours, to a width; `…` stands for what is missing. */
export function fit(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line
  if (columns <= 0) return ''
  let width = 0
  let result = ''
  for (const part of line.split(colour)) {
    if (colour.test(part)) {
      result += part
      continue
    }
    for (const { segment } of segmenter.segment(part)) {
      const next = stringWidth(segment)
      if (width + next > columns - 1) return `${result}…${result.includes('\x1b') ? '\x1b[0m' : ''}`
      width += next
      result += segment
    }
  }
  return result
}

/** Break a line without colours into lines of at most so many columns, at spaces where that works. The first line's indent is kept. */
export function wrap(line: string, columns: number): string[] {
  const width = Math.max(2, columns)
  if (stringWidth(line) <= width) return [line]
  const indent = /^ */.exec(line)?.[0].slice(0, Math.floor(width / 3)) ?? ''
  const lines: string[] = []
  let current = indent
  for (const word of line.trim().split(/(?<= )(?=[^ ])/)) {
    if (stringWidth(current) + stringWidth(word.trimEnd()) > width && current.length > indent.length) {
      lines.push(current.trimEnd())
      current = indent
    }
    for (const { segment } of segmenter.segment(word)) {
      if (stringWidth(current) + stringWidth(segment) > width) {
        if (segment === ' ') continue
        lines.push(current)
        current = indent
      }
      current += segment
    }
  }
  return [...lines, current.trimEnd()]
}
