import { describe, expect, test } from 'vitest'
import { createSourceTree } from '../../../src/control/source-tree.js'
import type { Entry } from '../../../src/model/tree.js'
import type { SourceFiles } from '../../../src/ports/source-files.js'

const signal = new AbortController().signal
const file = (hash: string, size = 1): Entry => ({ kind: 'file', hash, mode: 0o644, size })

/** Files that are one thing at the first look, or scan, and another at the next. */
function changing(...looks: readonly Readonly<Record<string, Entry>>[]): SourceFiles & { looks: string[][] } {
  const asked: string[][] = []
  let scans = 0
  return {
    looks: asked,
    scan: () => {
      const now = looks[Math.min(asked.length + scans++, looks.length - 1)] ?? {}
      return Promise.resolve({ tree: new Map(Object.entries(now)), missing: false })
    },
    look(_root, paths) {
      asked.push([...paths])
      const now = looks[Math.min(asked.length, looks.length - 1)] ?? {}
      return Promise.resolve(new Map(paths.map((path) => [path, now[path]])))
    },
    gone: () => false,
    emptyFolders: () => Promise.reject(new Error('not looked for')),
    read: () => Promise.reject(new Error('not read')),
  }
}
const open = async (files: SourceFiles) => {
  const tree = createSourceTree({ path: '/p', ignored: () => false }, files, {
    folders: [''],
    isMeant: () => false,
    isReturned: () => false,
  })
  await tree.scan(signal)
  return tree
}

describe('a file that is saved in two halves is one change', () => {
  const before = { a: file('1'), b: file('2') }
  test.each([
    ['emptied and written', { a: file('0', 0), b: file('2') }],
    ['deleted and made anew', { b: file('2') }],
  ])('%s', async (_name, between) => {
    const files = changing(before, between, { a: file('3'), b: file('2') })
    const tree = await open(files)
    expect(await tree.look(['/p/a', '/p/b'], signal)).toEqual({ changed: ['a'], missing: false })
    expect(tree.tree.get('a')).toEqual(file('3'))
    expect(files.looks).toEqual([['a', 'b'], ['a']])
  })

  test('also one that is new', async () => {
    const tree = await open(changing(before, { ...before, c: file('0', 0) }, { ...before, c: file('5') }))
    expect(await tree.look(['/p/c'], signal)).toEqual({ changed: ['c'], missing: false })
    expect(tree.tree.get('c')).toEqual(file('5'))
  })

  test('one that stays empty or gone is taken for that', async () => {
    const tree = await open(changing(before, { b: file('0', 0) }))
    expect(await tree.look(['/p/a', '/p/b'], signal)).toEqual({ changed: ['a', 'b'], missing: false })
    expect([...tree.tree]).toEqual([['b', file('0', 0)]])
  })

  test('nothing else is looked at twice', async () => {
    const files = changing({ ...before, empty: file('0', 0) }, { ...before, a: file('4'), empty: file('0', 0) })
    const tree = await open(files)
    expect(await tree.look(['/p/a', '/p/new', '/p/empty'], signal)).toEqual({ changed: ['a'], missing: false })
    expect(files.looks).toHaveLength(1)
  })
})

describe('a root that empties out', () => {
  const before = { 'd/a': file('1'), 'd/b': file('2'), 'd/c': file('3'), keep: file('4') }

  test('is not one that loses most of its files, with the folder that they were in', async () => {
    const tree = await open(changing(before, { keep: file('4') }))
    const looked = await tree.look(['/p/d/a', '/p/d/b', '/p/d/c', '/p/d'], signal)
    expect(looked).toEqual({ changed: ['d/a', 'd/b', 'd/c'], missing: false })
    expect([...tree.tree.keys()]).toEqual(['keep'])
  })

  test('is not followed; as soon as something is there again, all of it is', async () => {
    const tree = await open(changing(before, {}, {}, {}, {}, {}, { new: file('5'), 'd/b': file('2') }))
    expect(await tree.look(['/p/d/a', '/p/d/b', '/p/d/c', '/p/keep'], signal)).toEqual({ changed: [], missing: true })
    expect(await tree.look(['/p/d'], signal)).toEqual({ changed: [], missing: true })
    expect([...tree.tree.keys()]).toEqual(Object.keys(before))
    expect(await tree.look(['/p/new'], signal)).toEqual({ changed: ['d/a', 'd/c', 'keep', 'new'], missing: false })
    expect([...tree.tree.keys()]).toEqual(['d/b', 'new'])
    // from then on, hints are enough
    expect(await tree.look(['/p/other'], signal)).toEqual({ changed: [], missing: false })
  })
})
