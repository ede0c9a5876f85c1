// Folders that vanish or empty out, on a real file system.
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createSourceFiles } from '../../../src/adapters/disk/source-files.js'
import { createSourceTree, type SourceTree } from '../../../src/control/source-tree.js'

const { signal } = new AbortController()
let folder: string
let source: SourceTree
let meant: Set<string>
let returned: Set<string>
const at = (path: string): string => join(folder, path)
const put = async (...paths: string[]): Promise<void> => {
  for (const path of paths) {
    await mkdir(join(at(path), '..'), { recursive: true })
    await writeFile(at(path), `content of ${path}`)
  }
}
const look = async (...paths: string[]) => (await source.look(paths.map(at), signal)).changed.toSorted()
const paths = (): string[] => [...source.tree.keys()].sort()
const held = (): string[] => [...source.held]
const open = (): SourceTree =>
  createSourceTree({ path: folder, ignored: () => false }, createSourceFiles(), {
    folders: ['', 'lib/own', 'src'],
    isMeant: (one) => meant.has(one),
    isReturned: (path) => returned.has(path),
  })
const before = ['keep', 'lib/own/c', 'lib/own/d', 'lib/other', 'src/a', 'src/deep/b'].sort()

beforeEach(async () => {
  meant = new Set()
  returned = new Set()
  folder = await mkdtemp(join(tmpdir(), 'devloop-guard-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await put(...before)
  source = open()
  await source.scan(signal)
})

describe('a guarded folder is held', () => {
  const remove = (path: string) => rm(at(path), { recursive: true })
  test.each<[string, () => Promise<unknown>]>([
    ['is deleted', () => remove('src')],
    ['is moved away', () => rename(at('src'), at('../moved-' + folder.slice(-6)))],
    ['loses all its files', async () => (await remove('src/a'), await remove('src/deep'))],
    ['becomes a file', async () => (await remove('src'), await put('src'))],
    ['becomes a link to a folder', async () => (await remove('src'), await symlink('lib', at('src')))],
  ])('that %s', async (_name, happens) => {
    onTestFinished(() => rm(at('../moved-' + folder.slice(-6)), { recursive: true, force: true }))
    await happens()
    expect(await look('src/a', 'src/deep', 'src')).toEqual([])
    expect([held(), paths()]).toEqual([['src'], before])
    // and stays so, whoever looks, and whatever else changes
    await put('keep2')
    expect(await look('keep2')).toEqual(['keep2'])
    expect((await source.scan(signal)).changed).toEqual([])
    expect([held(), paths()]).toEqual([['src'], [...before, 'keep2'].sort()])
  })

  test('also when it had a single file, and is gone itself', async () => {
    await rm(at('src/deep'), { recursive: true })
    expect(await look('src/deep')).toEqual(['src/deep/b'])
    await rm(at('src'), { recursive: true })
    expect(await look('src')).toEqual([])
    expect(held()).toEqual(['src'])
  })

  test('with the folder above it, or replaced by a file in its place', async () => {
    await rm(at('lib'), { recursive: true })
    expect(await look('lib')).toEqual(['lib/other'])
    await put('lib')
    expect(await look('lib')).toEqual([])
    expect([held(), paths()]).toEqual([['lib/own'], before.filter((path) => path !== 'lib/other')])
  })

  test('as a part of the whole, when all is gone', async () => {
    await rm(folder, { recursive: true })
    expect(await look('')).toEqual([])
    expect([held(), paths()]).toEqual([[''], before])
  })
})

test('the last file of a folder may go', async () => {
  await rm(at('src/deep'), { recursive: true })
  await look('src/deep')
  await rm(at('src/a'))
  expect(await look('src/a')).toEqual(['src/a'])
  expect(held()).toEqual([])
})

test('what comes back is followed, with what is other now; nothing of it is deleted while it comes', async () => {
  await rename(at('src'), at('away'))
  expect(await look('src', 'away')).toEqual(['away/a', 'away/deep/b'])
  await rm(at('away'), { recursive: true })
  await look('away')
  await mkdir(at('src'))
  expect(await look('src')).toEqual([])
  const looked = look('src')
  const coming = (async () => {
    await put('src/new')
    await put('src/a')
  })()
  await coming
  const changes = [...(await looked), ...(await look('src/new', 'src/a'))]
  expect([...new Set(changes)].sort()).toEqual(['src/deep/b', 'src/new'])
  expect([held(), paths()]).toEqual([
    [],
    before
      .filter((path) => path !== 'src/deep/b')
      .concat('src/new')
      .sort(),
  ])
})

test('what is meant is followed', async () => {
  await rm(at('src'), { recursive: true })
  expect(await look('src')).toEqual([])
  meant.add('src')
  expect(await look('keep')).toEqual(['src/a', 'src/deep/b'])
  expect(held()).toEqual([])
})

test('what a container has deleted is gone here, too; but not with it what somebody else has', async () => {
  returned.add('src/a')
  await rm(at('src'), { recursive: true })
  expect(await look('src')).toEqual([])
  expect(held()).toEqual(['src'])
  returned.add('src/deep/b')
  expect(await look('src')).toEqual(['src/a', 'src/deep/b'])
  expect(held()).toEqual([])
})

test('what an earlier process knew is held, but not what is only a part of a folder', async () => {
  const known = new Map(source.tree)
  await rm(at('src'), { recursive: true })
  await rm(at('lib/own/c'))
  source = open()
  await source.scan(signal)
  source.keep(known)
  expect([held(), paths()]).toEqual([['src'], before.filter((path) => path !== 'lib/own/c')])
  await put('src/a')
  expect(await look('src/a')).toEqual(['src/deep/b'])
})
