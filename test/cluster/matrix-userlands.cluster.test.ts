// Live sync without the agent, by the tools of the image: all operations on files with each userland. Images of userlands that test
// registries do not have are named by DEVLOOP_TEST_TOYBOX_IMAGE and DEVLOOP_TEST_UUTILS_IMAGE; without them, those rows are left out.
import { expect, test } from 'vitest'
import { cells, row, type Kind } from '../support/matrix.js'

const { DEVLOOP_TEST_TOYBOX_IMAGE: toybox, DEVLOOP_TEST_UUTILS_IMAGE: uutils } = process.env
const shell = { agent: false, carried: /^shell loop \(.*; no agent: `settings.agent` is false$/ } as const

const kinds: readonly Kind[] = [
  { name: 'busybox beside Node', ...shell },
  { name: 'busybox', userland: 'busybox', ...shell },
  { name: 'a GNU userland', userland: 'gnu', ...shell },
  ...(toybox ? [{ name: 'toybox', userland: { image: toybox }, ...shell }] : []),
  ...(uutils ? [{ name: 'uutils', userland: { image: uutils }, ...shell }] : []),
]

test.each(kinds)(
  'all operations: $name',
  async (kind) => {
    expect(await row(kind)).toEqual(cells)
  },
  180_000,
)
