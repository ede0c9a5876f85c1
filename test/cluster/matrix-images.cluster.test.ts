// Live sync by kind of image, and by who deploys it: all operations on files in each.
import { expect, test } from 'vitest'
import { cells, noShell, row, type Kind } from '../support/matrix.js'

const kinds: readonly Kind[] = [
  { name: 'an image with Node', userland: 'node' },
  { name: 'busybox', userland: 'busybox' },
  { name: 'a GNU userland', userland: 'gnu' },
  { name: 'no agent: the shell', agent: false },
  { name: 'no shell', dockerfile: noShell },
  { name: 'a workload that something else deploys', foreign: true },
  { name: 'a workload that something else deploys, and no shell', foreign: true, dockerfile: noShell },
]

test.each(kinds)(
  'all operations: $name',
  async (kind) => {
    expect(await row(kind)).toEqual(cells)
  },
  180_000,
)
