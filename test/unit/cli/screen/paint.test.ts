import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fit } from '../../../../src/cli/render/fit.js'
import { colourStyle as style } from '../../../../src/cli/render/style.js'
import { paint } from '../../../../src/cli/screen/paint.js'
import { terminalScreen } from '../../../support/terminal-screen.js'

const [columns, rows] = [24, 3]
const fresh = (lines: readonly string[]): string[] => {
  const screen = terminalScreen(columns, rows)
  screen.write(lines.map((line, index) => `\x1b[${index + 1};1H${line}\x1b[0m`).join(''))
  return screen.looks()
}

describe('paint', () => {
  it('turns any screen into any other', () => {
    const word = fc.constantFrom('api', 'ready', 'x', '    ', '●', '日本', '❤️', 'é', '… more', 'listening on 8080')
    const part = fc
      .tuple(
        word,
        fc.constantFrom(style.red, style.bold, style.dim, style.inverse, style.hue('a'), (text: string) => text),
      )
      .map(([text, look]) => look(text))
    const line = fc.array(part, { maxLength: 5 }).map((parts) => fit(parts.join(' '), columns))
    const lines = fc.array(line, { minLength: rows, maxLength: rows })
    fc.assert(
      fc.property(fc.array(lines, { minLength: 2, maxLength: 4 }), (frames) => {
        const screen = terminalScreen(columns, rows)
        let before: readonly string[] = []
        for (const frame of frames) {
          screen.write(paint(before, frame, columns))
          before = frame
          expect(screen.looks()).toEqual(fresh(frame))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('sends nothing where nothing differs, and little where little does', () => {
    const line = (time: string): string => `  ● api  ready  live in ${time} ms  http://localhost:8080`
    expect(paint([line('24')], [line('24')], 80)).toBe('')
    expect(paint([line('24')], [line('31')], 80)).toBe('\x1b[1;25H31')
    expect(paint([`${line('24')} a warning`], [line('24')], 80)).toBe('\x1b[1;53H\x1b[K')
    expect(paint([style.green('ok')], [style.red('ok')], 80)).toBe('\x1b[1;1H\x1b[31mok\x1b[m')
  })

  it('draws a line from its beginning where terminals differ on widths', () => {
    expect(paint(['サーバー 1'], ['サーバー 2'], 80)).toBe('\x1b[1;1H\x1b[2Kサーバー 2')
  })
})
