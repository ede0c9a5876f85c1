import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitLines } from '../../../../src/adapters/kube/lines.js'

const all = async (chunks: readonly Buffer[], maxBytes = 1_000_000): Promise<string[]> => {
  const lines: string[] = []
  for await (const line of splitLines(Readable.from(chunks, { objectMode: true }), maxBytes)) lines.push(line)
  return lines
}

describe('splitLines', () => {
  it('gives the same lines however the bytes are cut', async () => {
    const lines = fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, '')))
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat(40)), async (expected, cuts) => {
        const bytes = Buffer.from(expected.map((line) => `${line}\n`).join(''))
        const chunks: Buffer[] = []
        let at = 0
        for (const size of cuts) chunks.push(bytes.subarray(at, (at += size)))
        chunks.push(bytes.subarray(at))
        expect(await all(chunks)).toEqual(expected)
      }),
    )
  })

  it('gives a last line without an end, and takes off a carriage return', async () => {
    expect(await all([Buffer.from('a\r\nb\n\nc')])).toEqual(['a', 'b', '', 'c'])
    expect(await all([])).toEqual([])
  })

  it('cuts what is too long', async () => {
    expect(await all([Buffer.from('abc'), Buffer.from('defg\nhij'), Buffer.from('\n')], 4)).toEqual(['abcd', 'hij'])
  })
})
