import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { difference, operations, type Difference } from '../../../src/control/sync-difference.js'
import { compileLiveRules } from '../../../src/model/live-rules.js'
import type { SourceFiles } from '../../../src/ports/source-files.js'
import type { SyncOp } from '../../../src/ports/sync-transport.js'
import type { ImageFiles } from '../../../src/store/large.js'
import { imageSpec } from '../../support/states.js'

const spec = imageSpec('api')
const files: ImageFiles = {
  tree: new Map(),
  record: null,
  drift: { rebuild: new Map(), overlay: new Map() },
  rules: compileLiveRules(spec),
  held: new Set(),
  keep: () => undefined,
  ignored: () => false,
}
const sourcesOf = (read: SourceFiles['read']): SourceFiles => ({
  read,
  scan: () => Promise.reject(new Error('not scanned')),
  look: () => Promise.reject(new Error('not looked at')),
  gone: () => false,
  emptyFolders: () => Promise.reject(new Error('not looked for')),
})
const big = (content: string): Difference => ({
  path: '/app/src/big',
  source: 'src/big',
  layer: { spec, files },
  wanted: { kind: 'file', hash: createHash('sha256').update(content).digest('hex'), mode: 0o644, size: content.length },
})
const opFor = async (content: () => Readable, wanted: string): Promise<Extract<SyncOp, { op: 'file' }>> => {
  const { ops } = await operations(
    [big(wanted)],
    sourcesOf(() => Promise.resolve(content())),
  )
  const [op] = ops
  if (op?.op !== 'file') throw new Error('no file is written')
  return op
}

describe('a large file', () => {
  test('comes as it was hashed', async () => {
    const op = await opFor(() => Readable.from([Buffer.from('con'), Buffer.from('tent')]), 'content')
    expect((await buffer((await op.content()) as Readable)).toString()).toBe('content')
  })

  test('that is gone fails when it is read, and not before: the reader may be busy with other files', async () => {
    const gone = (): Readable =>
      Readable.from(
        // eslint-disable-next-line require-yield
        (async function* (): AsyncGenerator<Buffer> {
          throw new Error('ENOENT')
        })(),
        { objectMode: false },
      )
    const content = (await (await opFor(gone, 'content')).content()) as Readable
    // an error event without a listener would end the daemon here
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    await expect(buffer(content)).rejects.toThrow('ENOENT')
  })
})

test('what is gone with a whole folder is not deleted, also where only the container knows of it', () => {
  const manifest = new Map([['/app/src/a', { kind: 'file', hash: '1', mode: 0o644, size: 1 } as const]])
  expect(difference(manifest, [{ spec, files }])).toMatchObject([{ path: '/app/src/a', wanted: { kind: 'absent' } }])
  expect(difference(manifest, [{ spec, files: { ...files, held: new Set(['src']) } }])).toEqual([])
  expect(difference(manifest, [{ spec, files: { ...files, held: new Set(['sr']) } }])).toHaveLength(1)
})
