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
/** Rules that lay folders one over the other, the last on top. */
const layers = (...folders: string[]) =>
  compileLiveRules({ live: folders.map((from) => ({ kind: 'sync', from, to: '/app', at })) })
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

  test('where several files lead to one container path, that of the last rule is there', () => {
    const layered = layers('common', 'mine')
    const [common, mine] = [
      ['common/a', file('1')],
      ['mine/a', file('2')],
    ] as const
    const drift = (built: readonly (readonly [string, Entry])[], tree: readonly (readonly [string, Entry])[]) =>
      computeDrift(new Map(tree), new Map(built), layered).overlay
    const only = (wanted: unknown, source: string) => new Map([['/app/a', { wanted, source }]])
    // what is below changes nothing
    expect(drift([common, mine], [['common/a', file('3')], mine])).toEqual(new Map())
    expect(drift([common, mine], [mine])).toEqual(new Map())
    // what was below is there again, though it did not change
    expect(drift([common, mine], [common])).toEqual(only(file('1'), 'common/a'))
    expect(drift([common], [common, mine])).toEqual(only(file('2'), 'mine/a'))
    expect(drift([common, mine], [])).toEqual(only({ kind: 'absent' }, 'mine/a'))
    // the order of the rules decides, and not that of the changes
    expect(computeDrift(new Map([mine, common]), new Map(), layers('mine', 'common')).overlay).toEqual(
      only(file('1'), 'common/a'),
    )
  })

  test.each([
    ['rules apart', rules],
    ['rules that meet', layers('src', 'src/d', 'docs', 'common')],
  ])('kept up path by path, it is what it would be computed at once: %s', (_name, compiled) => {
    const path = fc.constantFrom(
      ...['src/a', 'src/b', 'src/d/e', 'src/native/n', 'src/e', 'docs/x', 'docs/e', 'common/b', 'Makefile', 'package-lock.json'],
    )
    const entry = fc.option(fc.constantFrom(file('1'), file('2'), file('1', 0o755), { kind: 'link', target: 't' } as const), {
      nil: undefined,
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(path, entry)), fc.array(fc.tuple(path, entry)), (first, edits) => {
        const built = new Map(first.flatMap(([name, value]) => (value ? [[name, value] as const] : [])))
        const tree = new Map<string, Entry>(built)
        const drift = computeDrift(tree, built, compiled)
        for (const [name, value] of edits) {
          if (value) tree.set(name, value)
          else tree.delete(name)
          updateDrift(drift, [name], tree, built, compiled)
        }
        expect(plain(drift)).toEqual(plain(computeDrift(tree, built, compiled)))
        // what the container is brought to is what an image built from these files would hold
        for (const [to, { wanted }] of drift.overlay) expect(wanted).toEqual(heldByImage(to, tree, compiled).held)
      }),
    )
  })
})

test('what the image holds at a container path', () => {
  const built = new Map([
    ['src/a', file('1')],
    ['package-lock.json', file('2')],
  ])
  expect(heldByImage('/app/src/a', built, rules)).toEqual({ held: file('1'), source: 'src/a' })
  expect(heldByImage('/app/package-lock.json', built, rules)).toEqual({ held: file('2'), source: 'package-lock.json' })
  // a file that came later and is gone again still leads to the steps that its rules name
  expect(heldByImage('/app/src/x/zz', built, rules)).toEqual({ held: { kind: 'absent' }, source: 'src/x/zz' })
  expect(heldByImage('/etc/passwd', built, rules)).toEqual({ held: { kind: 'absent' }, source: '' })
  const whole = imageSpec('all', { live: [{ kind: 'sync', from: '', to: '/app', at }] })
  expect(heldByImage('/app/src/a', built, compileLiveRules(whole)).held).toEqual(file('1'))
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
