import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitLines } from '../../../../src/adapters/process/split-lines.js'

const split = (chunks: readonly Buffer[], limit?: number): string[] => {
  const lines: string[] = []
  const splitter = splitLines((line) => lines.push(line), limit)
  for (const chunk of chunks) splitter.push(chunk)
  splitter.end()
  return lines
}

describe('splitLines', () => {
  it('gives the same lines whatever the chunk borders', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[^\r\n]*$/)),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(40)),
        (lines, newline, sizes) => {
          const bytes = Buffer.from(lines.map((line) => line + newline).join(''))
          const chunks: Buffer[] = []
          let at = 0
          for (const size of sizes) chunks.push(bytes.subarray(at, (at += size)))
          chunks.push(bytes.subarray(at))
          expect(split(chunks)).toEqual(lines)
        },
      ),
    )
  })

  it('delivers a last line without a line end, and a character cut by a chunk border', () => {
    const bytes = Buffer.from('first\nzürich')
    expect(split([bytes.subarray(0, 8), bytes.subarray(8)])).toEqual(['first', 'zürich'])
  })

  it('delivers a long line in pieces', () => {
    expect(split([Buffer.from('abcdefghij\nk\n')], 4)).toEqual(['abcd', 'efgh', 'ij', 'k'])
    expect(split([Buffer.from('abcd\n'), Buffer.from('abcde')], 4)).toEqual(['abcd', 'abcd', 'e'])
  })
})
