import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStageFiles, type StageFiles } from '../../../../src/adapters/process/stage-files.js'
import type { SyncOp } from '../../../../src/ports/sync-transport.js'
import { file, never, sha256 } from './harness.js'

let dir: string
let root: string
let stage: StageFiles
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'devloop-files-')))
  root = join(dir, 'stage')
  mkdirSync(join(root, 'app/src'), { recursive: true })
  stage = createStageFiles(root, join(dir, 'scratch'), ['/app/src', '/app/one.json'])
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const apply = (...ops: SyncOp[]): Promise<unknown> => stage.apply(ops, never)
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('createStageFiles', () => {
  it('writes files of every kind with their modes, whatever the umask, and makes folders', async () => {
    const big = Buffer.alloc(3_000_000, 'ü')
    const old = process.umask(0o077)
    try {
      await apply(
        file('/app/src/new/deep/a b"\'ü\n.txt', 'text', 0o664),
        file('/app/src/empty', '', 0o400),
        file('/app/src/run.sh', '#!/bin/sh', 0o777),
        file('/app/one.json', '{}'),
        {
          op: 'file',
          path: '/app/src/big',
          mode: 0o600,
          size: big.length,
          hash: sha256(big),
          content: () => Promise.resolve(Readable.from([big.subarray(0, 1_000_000), big.subarray(1_000_000)])),
        },
        {
          op: 'file',
          path: '/app/src/buffer',
          mode: 0o640,
          size: big.length,
          hash: sha256(big),
          content: () => Promise.resolve(big),
        },
        { op: 'link', path: '/app/src/link', target: '/nowhere' },
      )
    } finally {
      process.umask(old)
    }
    const paths = [
      '/app/src/new/deep/a b"\'ü\n.txt',
      '/app/src/empty',
      '/app/src/run.sh',
      '/app/one.json',
      '/app/src/big',
      '/app/src/buffer',
      '/app/src/link',
      '/app/src/new',
      '/app/src/nothing/at/all',
      '/app/one.json/x',
    ]
    const held = await stage.inspect(paths, never)
    expect(paths.map((path) => held.get(path))).toEqual([
      { kind: 'file', hash: sha256('text'), mode: 0o664, size: 4 },
      { kind: 'file', hash: sha256(''), mode: 0o400, size: 0 },
      { kind: 'file', hash: sha256('#!/bin/sh'), mode: 0o777, size: 9 },
      { kind: 'file', hash: sha256('{}'), mode: 0o644, size: 2 },
      { kind: 'file', hash: sha256(big), mode: 0o600, size: big.length },
      { kind: 'file', hash: sha256(big), mode: 0o640, size: big.length },
      { kind: 'link', target: '/nowhere' },
      { kind: 'absent' },
      { kind: 'absent' },
      { kind: 'absent' },
    ])
    expect(readdirSync(join(dir, 'scratch'))).toEqual([])
    await stage.close()
    expect(existsSync(join(dir, 'scratch'))).toBe(false)
  })

  it('deletes first, then empty folders from the inside out, then writes', async () => {
    await apply(file('/app/src/a/b/c', 'c'), file('/app/src/keep/x', 'x'))
    await apply(
      file('/app/src/a', 'a file now'),
      { op: 'rmdir', path: '/app/src/a' },
      { op: 'rmdir', path: '/app/src/a/b' },
      { op: 'rmdir', path: '/app/src/keep' },
      { op: 'rmdir', path: '/app/src/none' },
      { op: 'delete', path: '/app/src/a/b/c' },
      { op: 'delete', path: '/app/src/none' },
      { op: 'delete', path: '/app/src/keep' },
    )
    expect(read('app/src/a')).toBe('a file now')
    expect(read('app/src/keep/x')).toBe('x')
  })

  it('replaces a folder or a link that is in the way, and does not write through the link', async () => {
    mkdirSync(join(root, 'app/src/folder/full'), { recursive: true })
    writeFileSync(join(root, 'target'), 'untouched')
    symlinkSync(join(root, 'target'), join(root, 'app/src/link'))
    await apply(file('/app/src/folder', 'file'), file('/app/src/link', 'file'), {
      op: 'link',
      path: '/app/src/other',
      target: 'link',
    })
    expect([read('app/src/folder'), read('app/src/link'), read('target')]).toEqual(['file', 'file', 'untouched'])
    expect(lstatSync(join(root, 'app/src/link')).isFile()).toBe(true)
  })

  it('keeps the old file when the new one cannot be read, and can be used again', async () => {
    await apply(file('/app/src/a', 'old'))
    const broken: SyncOp = {
      ...file('/app/src/a', 'new'),
      content: () =>
        Promise.resolve(
          new Readable({
            read() {
              this.destroy(new Error('disk gone'))
            },
          }),
        ),
    } as SyncOp
    await expect(apply(broken)).rejects.toMatchObject({ code: 'sync/source', info: { why: 'disk gone' } })
    expect(read('app/src/a')).toBe('old')
    expect(readdirSync(join(dir, 'scratch'))).toEqual([])
    await apply(file('/app/src/a', 'new'))
    expect(read('app/src/a')).toBe('new')
  })

  it('touches nothing outside of the roots', async () => {
    for (const path of ['/app/other', '/app/one.json.bak', '/app/src/../x', 'app/src/x', '/app/src//x', '/app/src/', '/']) {
      await expect(apply(file(path, 'x'))).rejects.toMatchObject({ code: 'sync/failed' })
    }
    symlinkSync(dir, join(root, 'home'))
    const outside = createStageFiles(root, join(dir, 'scratch'), ['/home/mine'])
    await expect(outside.apply([file('/home/mine/x', 'x')], never)).rejects.toMatchObject({ code: 'sync/failed' })
    expect(existsSync(join(dir, 'mine'))).toBe(false)
  })

  it('follows links that stay in their root for writing, and for nothing else', async () => {
    mkdirSync(join(root, 'app/src/real'))
    symlinkSync('real', join(root, 'app/src/link'))
    await apply(file('/app/src/link/a', 'x'))
    expect(read('app/src/real/a')).toBe('x')
    expect((await stage.inspect(['/app/src/link/a'], never)).get('/app/src/link/a')).toEqual({ kind: 'absent' })
    await apply({ op: 'delete', path: '/app/src/link/a' })
    expect(read('app/src/real/a')).toBe('x')
  })

  it('makes a root that is missing, and one of a single file', async () => {
    rmSync(join(root, 'app'), { recursive: true })
    await apply(file('/app/src/x', 'x'), file('/app/one.json', '{}'))
    expect([read('app/src/x'), read('app/one.json')]).toEqual(['x', '{}'])
  })

  it('stops when it is aborted', async () => {
    const stop = new AbortController()
    const ops = Array.from({ length: 100 }, (_, index): SyncOp => ({
      ...(file(`/app/src/${index}`, 'x') as Extract<SyncOp, { op: 'file' }>),
      content() {
        if (index === 20) stop.abort()
        return Promise.resolve(Buffer.from('x'))
      },
    }))
    await expect(stage.apply(ops, stop.signal)).rejects.toMatchObject({ name: 'AbortError' })
    expect(readdirSync(join(root, 'app/src')).length).toBeLessThan(40)
  })
})
