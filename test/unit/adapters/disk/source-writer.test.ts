import { createHash } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSourceWriter } from '../../../../src/adapters/disk/source-writer.js'
import { absent, type Entry, type Wanted } from '../../../../src/model/tree.js'

const never = new AbortController().signal
const writer = createSourceWriter()
let folder: string
let root: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devloop-writer-'))
  root = join(folder, 'root')
  mkdirSync(root)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const file = (content: string, mode = 0o644): Entry & { kind: 'file' } => ({
  kind: 'file',
  hash: createHash('sha256').update(content).digest('hex'),
  mode,
  size: content.length,
})
// eslint-disable-next-line @typescript-eslint/require-await
async function* bytes(content: string): AsyncGenerator<Buffer> {
  for (const one of content) yield Buffer.from(one)
}
const write = (path: string, was: Wanted, content: string, wanted: Entry = file(content)): Promise<string> =>
  writer.write({ root, path }, was, wanted, () => bytes(content), never)
const here = (path: string, content: string, mode = 0o644): Entry => {
  writeFileSync(join(root, path), content)
  chmodSync(join(root, path), mode)
  return file(content, mode)
}
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('writing what comes back', () => {
  test('files with modes, links, and the folders that lead there', async () => {
    expect(await write('a/b/c', absent, 'new', file('new', 0o750))).toBe('written')
    expect([read('a/b/c'), lstatSync(join(root, 'a/b/c')).mode & 0o777]).toEqual(['new', 0o750])
    expect(await write('a/b/c', file('new', 0o750), 'newer')).toBe('written')
    expect(read('a/b/c')).toBe('newer')
    expect(await write('l', absent, '', { kind: 'link', target: '../outside' })).toBe('written')
    expect(await write('l', { kind: 'link', target: '../outside' }, '', { kind: 'link', target: 'a' })).toBe('written')
    expect(readlinkSync(join(root, 'l'))).toBe('a')
    // in the place of an empty folder, which is nothing
    mkdirSync(join(root, 'empty'))
    expect(await write('empty', absent, 'file')).toBe('written')
    expect(readdirSync(root).sort()).toEqual(['a', 'empty', 'l'])
  })

  test('what is not as expected is left alone', async () => {
    const [a, mode] = [here('a', 'mine'), here('mode', 'x', 0o600)]
    mkdirSync(join(root, 'full'))
    here('full/x', 'x')
    expect(await write('a', absent, 'theirs')).toBe('kept')
    expect(await write('a', file('older'), 'theirs')).toBe('kept')
    expect(await write('mode', file('x'), 'theirs')).toBe('kept')
    expect(await write('gone', file('older'), 'theirs')).toBe('kept')
    expect(await write('full', absent, 'theirs')).toBe('kept')
    expect(await write('a/below', absent, 'theirs')).toBe('kept')
    expect(await writer.remove({ root, path: 'a' }, file('older'), '.', never)).toBe('kept')
    expect(await writer.remove({ root, path: 'full' }, file('x'), '.', never)).toBe('kept')
    expect([read('a'), read('mode'), read('full/x'), readdirSync(root).sort()]).toEqual(['mine', 'x', 'x', ['a', 'full', 'mode']])
    expect([await write('a', a, 'theirs'), await write('mode', mode, 'theirs')]).toEqual(['written', 'written'])
  })

  test('bytes that are not the promised ones are not written', async () => {
    expect(await write('a', absent, 'other', file('promised'))).toBe('changed')
    expect(readdirSync(root)).toEqual([])
  })

  test('nothing is written through a link, or out of the root', async () => {
    mkdirSync(join(folder, 'outside'))
    symlinkSync('../outside', join(root, 'out'))
    symlinkSync('.', join(root, 'loop'))
    expect(await write('out/a', absent, 'x')).toBe('kept')
    expect(await write('loop/a', absent, 'x')).toBe('kept')
    for (const path of ['../outside/a', 'a/../../outside/a', '/a', 'a//b', ''])
      await expect(write(path, absent, 'x')).rejects.toMatchObject({ code: 'sync/local' })
    expect([readdirSync(join(folder, 'outside')), readdirSync(root).sort()]).toEqual([[], ['loop', 'out']])
  })

  test('deletes take folders along that are empty then, up to that of the rule', async () => {
    await write('dist/a/b/c', absent, 'x')
    await write('dist/a/d', absent, 'x')
    expect(await writer.remove({ root, path: 'dist/a/b/c' }, file('x'), 'dist', never)).toBe('written')
    expect(readdirSync(join(root, 'dist/a'))).toEqual(['d'])
    expect(await writer.remove({ root, path: 'dist/a/d' }, file('x'), 'dist', never)).toBe('written')
    expect(readdirSync(join(root, 'dist'))).toEqual([])
  })

  test('a name that the system cannot hold is one error', async () => {
    await expect(write('n'.repeat(300), absent, 'x')).rejects.toMatchObject({
      code: 'sync/local',
      info: { why: expect.stringContaining('ENAMETOOLONG') as string },
    })
    expect(readdirSync(root)).toEqual([])
  })
})
