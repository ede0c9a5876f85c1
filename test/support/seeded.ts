// Choices and contents that look random and are the same for the same seed.
import { createCipheriv, createHash } from 'node:crypto'

export interface Seeded {
  /** A whole number from 0 up to, and without, `end`. Takes one step, whatever `end` is, so that what follows does not depend on it. */
  below(end: number): number
  one<T>(list: readonly [T, ...T[]]): T
  /** The same list in another order. */
  shuffled<T>(list: readonly T[]): T[]
  /** Bytes that do not compress. Takes one step, whatever `length` is. */
  bytes(length: number): Buffer
}

export function seeded(seed: number): Seeded {
  let state = seed
  const next = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (end: number): number => next() % end
  return {
    below,
    one: (list) => list[below(list.length)] ?? list[0],
    shuffled: (list) =>
      list
        .map((item) => [next(), item] as const)
        .sort(([a], [b]) => a - b)
        .map(([, item]) => item),
    bytes(length) {
      const key = createHash('sha256').update(String(next())).digest()
      return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
    },
  }
}
