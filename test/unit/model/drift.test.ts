import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { computeDrift, emptiedFolders, heldByImage, updateDrift, type Drift } from '../../../src/model/drift.js'
import { compileLiveRules } from '../../../src/model/live-rules.js'
import type { Entry } from '../../../src/model/tree.js'
import { imageSpec } from '../../support/states.js'

const at = { file: '/p/Devloopfile.ts', line: 1 }
const spec = imageSpec('api', {
  live: [
    { kind: 'sync', from: 'src', to: '/app/src', at },
    { kind: 'sync', from: 'package-lock.json', to: '/app/package-lock.json', at },
    { kind: 'rebuildOn', patterns: ['src/native/**'], at },
    { kind: 'ignore', patterns: ['docs/**'], at },
  ],
})
const rules = compileLiveRules(spec)
const file = (hash: string, mode = 0o644): Entry => ({ kind: 'file', hash, mode, size: 1 })
const plain = ({ rebuild, overlay }: Drift) => ({
  rebuild: [...rebuild.keys()].sort(),
  overlay: Object.fromEntries([...overlay].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, { wanted }]) => [path, wanted])),
})

describe('drift', () => {
  test('synced differences are the overlay, with deletes and modes; others need a rebuild; ignored ones are none', () => {
    const built = new Map([
      ['src/a', file('1')],
      ['src/b', file('1')],
      ['src/c', file('1')],
      ['docs/x', file('1')],
      ['Makefile', file('1')],
    ])
    const tree = new Map([
      ['src/a', file('2')],
      ['src/c', file('1', 0o755)],
      ['src/new/d', file('1')],
      ['docs/x', file('2')],
      ['Makefile', file('2')],
      ['src/native/n', file('1')],
    ])
    expect(plain(computeDrift(tree, built, rules))).toEqual({
      rebuild: ['Makefile', 'src/native/n'],
      overlay: {
        '/app/src/a': file('2'),
        '/app/src/b': { kind: 'absent' },
        '/app/src/c': file('1', 0o755),
        '/app/src/new/d': file('1'),
      },
    })
  })

  test('kept up path by path, it is what it would be computed at once', () => {
    const path = fc.constantFrom('src/a', 'src/b', 'src/d/e', 'src/native/n', 'docs/x', 'Makefile', 'package-lock.json')
    const entry = fc.option(fc.constantFrom(file('1'), file('2'), file('1', 0o755), { kind: 'link', target: 't' } as const), {
      nil: undefined,
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(path, entry)), fc.array(fc.tuple(path, entry)), (first, edits) => {
        const built = new Map(first.flatMap(([name, value]) => (value ? [[name, value] as const] : [])))
        const tree = new Map<string, Entry>(built)
        const drift = computeDrift(tree, built, rules)
        for (const [name, value] of edits) {
          if (value) tree.set(name, value)
          else tree.delete(name)
          updateDrift(drift, [name], tree, built, rules)
        }
        expect(plain(drift)).toEqual(plain(computeDrift(tree, built, rules)))
      }),
    )
  })
})

test('what the image holds at a container path', () => {
  const built = new Map([
    ['src/a', file('1')],
    ['package-lock.json', file('2')],
  ])
  expect(heldByImage('/app/src/a', built, spec, rules)).toEqual({ held: file('1'), source: 'src/a' })
  expect(heldByImage('/app/package-lock.json', built, spec, rules)).toEqual({ held: file('2'), source: 'package-lock.json' })
  // a file that came later and is gone again still leads to the steps that its rules name
  expect(heldByImage('/app/src/x/zz', built, spec, rules)).toEqual({ held: { kind: 'absent' }, source: 'src/x/zz' })
  expect(heldByImage('/etc/passwd', built, spec, rules)).toEqual({ held: { kind: 'absent' }, source: '' })
  const whole = imageSpec('all', { live: [{ kind: 'sync', from: '', to: '/app', at }] })
  expect(heldByImage('/app/src/a', built, whole, compileLiveRules(whole)).held).toEqual(file('1'))
})

test('folders are emptied when their source folder is gone, the deepest first', () => {
  const deleted = [
    { path: '/app/src/x/y/a', source: 'src/x/y/a' },
    { path: '/app/src/b', source: 'src/b' },
  ]
  expect(emptiedFolders(deleted, new Map([['src/c', file('1')]]))).toEqual(['/app/src/x/y', '/app/src/x'])
  expect(emptiedFolders(deleted, new Map([['src/x/z', file('1')]]))).toEqual(['/app/src/x/y'])
  expect(emptiedFolders([{ path: '/app/code/x/a', source: 'src/x/a' }], new Map())).toEqual(['/app/code/x', '/app/code'])
})
