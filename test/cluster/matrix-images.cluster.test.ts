// Live sync by kind of image, and by who deploys it: all operations on files in each.
import { expect, test } from 'vitest'
import { cells, row, type Kind } from '../support/matrix.js'

const kinds: readonly Kind[] = [
  { name: 'an image with Node', userland: 'node' },
  { name: 'busybox', userland: 'busybox' },
  { name: 'a GNU userland', userland: 'gnu' },
  { name: 'a workload that something else deploys', foreign: true },
]

test.each(kinds)(
  'all operations: $name',
  async (kind) => {
    expect(await row(kind)).toEqual(cells)
  },
  180_000,
)
