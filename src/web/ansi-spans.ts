// A line of log in its own colours, and with what was searched for marked: pieces of text, for text nodes.
import Anser from 'anser'
import { lastDrawn, plainLine } from './plain-line.js'

export interface Span {
  readonly text: string
  /** Of page.css; '' = none. */
  readonly className: string
  /** Beside the 16 colours that the page has its own of: `red, green, blue`. */
  readonly colour?: string
  /** Whether it is part of what was searched for. */
  readonly found?: boolean
}

/** @param query in lower case; '' = nothing is marked */
export function lineSpans(text: string, query: string): readonly Span[] {
  const spans = text.includes('\x1b[') ? colouredSpans(text) : [{ text: plainLine(text), className: '' }]
  return query === '' ? spans : marked(spans, query)
}

function colouredSpans(text: string): readonly Span[] {
  return Anser.ansiToJson(lastDrawn(text), { use_classes: true, remove_empty: true }).flatMap(
    ({ content, fg, fg_truecolor, decorations }) => {
      const plain = plainLine(content)
      if (plain === '') return []
      const palette = /^ansi-palette-(\d+)$/.exec(fg ?? '')
      const colour = fg === 'ansi-truecolor' ? fg_truecolor : palette ? paletteColour(Number(palette[1])) : undefined
      const names = [
        ...(fg && colour === undefined ? [fg] : []),
        ...decorations.filter((one) => one !== 'blink' && one !== 'hidden').map((one) => `ansi-${one}`),
      ]
      return [{ text: plain, className: names.join(' '), ...(colour === undefined ? {} : { colour }) }]
    },
  )
}

/** Of the 256 colours those behind the first 16: a cube of 6 by 6 by 6, and 24 greys. */
function paletteColour(index: number): string | undefined {
  if (index < 16 || index > 255) return undefined
  if (index >= 232)
    return Array<number>(3)
      .fill(8 + (index - 232) * 10)
      .join(', ')
  const step = (value: number): number => (value === 0 ? 0 : 55 + value * 40)
  const cube = index - 16
  return [step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)].join(', ')
}

/** Splits the spans at the ends of what was found, which may lie across them. */
function marked(spans: readonly Span[], query: string): readonly Span[] {
  const whole = spans
    .map(({ text }) => text)
    .join('')
    .toLowerCase()
  const ends: number[] = []
  for (let from = whole.indexOf(query); from >= 0; from = whole.indexOf(query, from + query.length))
    ends.push(from, from + query.length)
  if (ends.length === 0) return spans
  let start = 0
  return spans.flatMap((span) => {
    const end = start + span.text.length
    const cuts = [start, ...ends.filter((one) => one > start && one < end), end]
    const pieces = cuts.slice(1).flatMap((to, index) => {
      const from = cuts[index]!
      // two finds that touch
      if (from === to) return []
      // as many ends before it as not: outside of all
      const found = ends.filter((one) => one <= from).length % 2 === 1
      return { ...span, text: span.text.slice(from - start, to - start), ...(found ? { found } : {}) }
    })
    start = end
    return pieces
  })
}
