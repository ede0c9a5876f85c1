import { expect, test } from 'vitest'
import { createSecretMask } from '../../../src/store/secret-mask.js'

test('values are taken out, plain and in base64, with their names; short and ordinary ones stay', () => {
  const mask = createSecretMask()
  mask.add({ password: 'hunter-2+x', 'keys/pin': '1234', 'keys/debug': 'false', long: 'hunter-2+x-and-more' })
  const coded = Buffer.from('hunter-2+x').toString('base64')
  expect(mask.text(`a hunter-2+x b ${coded} hunter-2+x-and-more 1234 false`)).toBe(
    'a [secret password] b [secret password]== [secret long] 1234 false',
  )
  expect(mask.text('hunter-2x')).toBe('hunter-2x')
})

test('of several lines each one is taken out, but not what frames them', () => {
  const mask = createSecretMask()
  mask.add({ key: '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n-----END KEY-----\n' })
  expect(mask.text('read MIIEvQIBADANBgkqhkiG')).toBe('read [secret key]')
  expect(mask.text('-----BEGIN KEY----- short')).toBe('-----BEGIN KEY----- short')
})

test('what is learned later counts from then on', () => {
  const mask = createSecretMask()
  expect([mask.text('hunter'), mask.version]).toEqual(['hunter', 0])
  mask.add({ a: 'hunter' })
  mask.add({ a: 'hunter' })
  expect([mask.text('hunter'), mask.version]).toEqual(['[secret a]', 1])
})
