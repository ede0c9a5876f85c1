// How `devloop status` shows images that were built.
import { expect, test } from 'vitest'
import { imageRows } from '../../../../src/cli/render/image-rows.js'
import { plainStyle } from '../../../../src/cli/render/style.js'
import type { ImageView } from '../../../../src/protocol/messages.js'

const image = (name: string, over: Partial<ImageView>): [string, ImageView] => [
  `image/${name}`,
  { kind: 'image', name, state: 'built', steps: [], files: 3, overlay: 0, ...over },
]

test('an image that was built tells how long it took, what was cached and how much of its context was sent', () => {
  const steps = ['cached', 'cached', 'done'].map((state) => ({ name: 'RUN x', state: state as 'cached' }))
  const views = new Map([
    image('shop/web', { buildMs: 900, context: { files: 2000, sentFiles: 1, sentBytes: 812 } }),
    image('shop/api', { buildMs: 1234, steps, context: { files: 2, sentFiles: 2, sentBytes: 200_300_000 } }),
    image('b', { state: 'failed', buildMs: 61_000, context: { files: 9, sentFiles: 9, sentBytes: 12_345 } }),
    image('c', { state: 'building', steps }),
    image('kept', {}),
  ])
  expect(imageRows(views, { style: plainStyle, columns: Infinity })).toEqual([
    '  b         failed after 1 min 1 s, 12.3 kB of context sent (9 of 9 files)',
    '  c         building, 2 of 3 steps cached',
    '  shop/api  built in 1.2 s, 2 of 3 steps cached, 200 MB of context sent (2 of 2 files)',
    '  shop/web  built in 900 ms, 812 B of context sent (1 of 2000 files)',
  ])
})
