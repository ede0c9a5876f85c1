import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { fit, pad, wrap } from '../../../../src/cli/render/fit.js'

describe('fit', () => {
  it('leaves alone what fits', () => expect(fit('seven ch', 8)).toBe('seven ch'))
  it('says that something is missing', () => expect(fit('seven chars', 8)).toBe('seven c…'))
  it('counts wide characters twice, and never cuts one in half', () => {
    expect(fit('日本語テキスト', 7)).toBe('日本語…')
    expect(fit('日本語テキスト', 6)).toBe('日本…')
  })
  it('does not part what belongs together', () => {
    expect(fit('e\u0301e\u0301e\u0301e\u0301', 3)).toBe('e\u0301e\u0301…')
    expect(fit('❤️❤️❤️', 4)).toBe('❤️…')
    expect(fit('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 5)).toBe('👩‍👩‍👧👩‍👩‍👧…')
  })
  it('does not count colours, keeps them, and ends them where it cuts', () => {
    expect(fit('\x1b[31mred\x1b[39m', 3)).toBe('\x1b[31mred\x1b[39m')
    expect(fit('\x1b[31mred and more\x1b[39m', 5)).toBe('\x1b[31mred …\x1b[0m')
  })
  it.each([0, 1, 2])('fits into %i columns', (columns) =>
    expect(stringWidth(fit('wide 日本語', columns))).toBeLessThanOrEqual(columns),
  )
})

describe('pad', () => {
  it('fills up to columns, not characters', () => {
    expect(pad('日本', 6)).toBe('日本  ')
    expect(pad('too long', 3)).toBe('too long')
  })
})

describe('wrap', () => {
  it('breaks at spaces and keeps the indent', () => {
    expect(wrap('  the quick brown fox jumps over the dog', 16)).toEqual([
      '  the quick',
      '  brown fox',
      '  jumps over the',
      '  dog',
    ])
  })
  it('breaks a word that is longer than a line', () => {
    expect(wrap('  see /a/very/long/path/indeed now', 12)).toEqual(['  see', '  /a/very/lo', '  ng/path/in', '  deed now'])
  })
  it('keeps every character, and every line within the columns', () => {
    const text = '    at Module._compile (node:internal/modules/cjs/loader:1554:14) 日本語テキスト'
    for (let columns = 2; columns < 100; columns++) {
      const lines = wrap(text, columns)
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns)
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
    }
  })
})
