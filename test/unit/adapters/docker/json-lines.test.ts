import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createJsonLines } from '../../../../src/adapters/docker/json-lines.js'

test('objects come out whole, wherever the chunks are cut', () => {
  const object = fc.record({ stream: fc.string({ unit: 'grapheme' }), id: fc.option(fc.string(), { nil: undefined }) })
  fc.assert(
    fc.property(
      fc.array(object),
      fc.array(fc.nat(500)),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      (objects, cuts, lineEnd, closed) => {
        const text = objects.map((one) => JSON.stringify(one)).join(lineEnd) + (closed ? lineEnd : '')
        const bytes = Buffer.from(text)
        const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
        const lines = createJsonLines()
        const out = borders.slice(1).flatMap((border, index) => lines.push(bytes.subarray(borders[index], border)))
        expect([...out, ...lines.end()]).toEqual(JSON.parse(JSON.stringify(objects)))
      },
    ),
  )
})

test('a line that is no JSON object is kept as text', () => {
  const lines = createJsonLines()
  expect(lines.push(Buffer.from('<html>\n\n42\n{"status":"x"}\n'))).toEqual([
    { stream: '<html>\n' },
    { stream: '42\n' },
    { status: 'x' },
  ])
})
