// What `--local` and `--remote` say.
import { expect, test } from 'vitest'
import { choicesOf } from '../../../src/cli/choices.js'

test('each name by its way; several options, and several names in one', () => {
  expect(choicesOf({})).toEqual({})
  expect(choicesOf({ local: ['a,b', 'c'], remote: ['d,'] })).toEqual({ a: 'local', b: 'local', c: 'local', d: 'remote' })
})

test('one cannot be both', () => {
  expect(() => choicesOf({ local: ['a,b'], remote: ['b'] })).toThrow('b cannot be made both ways at once')
})
