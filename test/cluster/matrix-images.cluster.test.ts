// Live sync by kind of image: all operations on files in each.
import { expect, test } from 'vitest'
import { cells, noShell, row, type Kind } from '../support/matrix.js'

const kinds: readonly Kind[] = [
  { name: 'an image with Node', userland: 'node' },
  { name: 'busybox', userland: 'busybox' },
  { name: 'a GNU userland', userland: 'gnu' },
  { name: 'no shell', dockerfile: noShell },
]

test.each(kinds)(
  'all operations: $name',
  async (kind) => {
    expect(await row(kind)).toEqual(cells)
  },
  180_000,
)
