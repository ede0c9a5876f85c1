import fc from 'fast-check'
import { expect, test } from 'vitest'
import { numberOf, readFields, textOf, writeMessage } from '../../../../src/adapters/docker/protobuf.js'

test('what is written is read again', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n }),
      fc.nat(),
      fc.uint8Array(),
      (text, big, small, bytes) => {
        const inner = writeMessage().bytes(1, text)
        const message = writeMessage().number(1, big).number(2, small).bytes(300, Buffer.from(bytes)).message(4, inner).finish()
        const read = new Map([...readFields(message)].map((field) => [field.number, field]))
        expect(read.has(1) ? numberOf(read.get(1)!) : 0).toBe(Number(big))
        expect(read.has(2) ? numberOf(read.get(2)!) : 0).toBe(small)
        expect(read.has(300) ? read.get(300)?.value : Buffer.alloc(0)).toEqual(Buffer.from(bytes))
        const nested = [...readFields(read.get(4)!.value as Buffer)]
        expect(nested.map(textOf).join('')).toBe(text)
      },
    ),
  )
})

test('numbers have the bytes that the format prescribes', () => {
  expect(writeMessage().number(1, 150).finish().toString('hex')).toBe('089601')
  expect(writeMessage().number(2, 0x800001ed).finish().toString('hex')).toBe('10ed8380800 8'.replace(' ', ''))
  expect(writeMessage().number(1, -1).finish().toString('hex')).toBe('08ffffffffffffffffff01')
})

test('a default value is left out, an empty message is not', () => {
  expect(writeMessage().number(1, 0).bytes(2, '').finish()).toHaveLength(0)
  expect(writeMessage().message(2, writeMessage()).finish().toString('hex')).toBe('1200')
})

test.each([['08'], ['0aff'], ['0a05616263'], ['0b'], ['08ffffffffffffffffffff01']])('a broken message %s is refused', (hex) => {
  expect(() => [...readFields(Buffer.from(hex, 'hex'))]).toThrow(/protobuf/)
})
