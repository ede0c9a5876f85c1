// Containers that live sync cannot write into: each has one error, and all operations on files arrive by builds.
import { expect, test } from 'vitest'
import { cells, noShell, row, type Kind } from '../support/matrix.js'

const kinds: readonly Kind[] = [
  { name: 'no shell, and no agent', dockerfile: noShell, agent: false, blocked: 'sync/no-shell' },
  { name: 'a read-only root', container: { securityContext: { readOnlyRootFilesystem: true } }, blocked: 'sync/read-only' },
]

test.each(kinds)(
  'all operations: $name',
  async (kind) => {
    expect(await row(kind)).toEqual(cells.slice(0, -1))
  },
  300_000,
)
