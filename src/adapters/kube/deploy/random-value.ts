// Values for `generated()`.
import { randomBytes } from 'node:crypto'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const length = 32

/** 32 letters and digits, each equally likely. */
export function randomValue(): string {
  // bytes from the last, incomplete round through the alphabet would favour its first letters
  const limit = 256 - (256 % alphabet.length)
  let value = ''
  while (value.length < length) {
    for (const byte of randomBytes(length)) if (byte < limit && value.length < length) value += alphabet[byte % alphabet.length]
  }
  return value
}
