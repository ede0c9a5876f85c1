// Live sync into workloads that something else deploys: all operations on files in each.
import { expect, test } from 'vitest'
import { cells, noShell, row, type Kind } from '../support/matrix.js'

const shell = { carried: /^shell loop \(tar, .*; no agent: devloop does not deploy its pods itself$/ }
const beside = {
  dockerfile: noShell,
  carried: /^agent from an ephemeral container \(the image has no shell, and in the pod is none: devloop does not deploy/,
}

const kinds: readonly Kind[] = [
  { name: 'by commands', foreign: 'custom', ...shell },
  { name: 'by commands, and no shell', foreign: 'custom', ...beside },
  { name: 'attached', foreign: 'attached', ...shell },
  { name: 'attached, and no shell', foreign: 'attached', ...beside },
  {
    name: 'attached, and a shell without mv',
    foreign: 'attached',
    userland: 'gnu',
    dockerfile: 'RUN rm /bin/mv',
    carried: /^agent from an ephemeral container \(the image has a shell but no mv/,
  },
]

test.each(kinds)(
  'all operations: $name',
  async (kind) => {
    expect(await row(kind)).toEqual(cells)
  },
  180_000,
)
