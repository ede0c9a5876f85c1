import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstCommon, reconcile, type Reconciled } from '../../../src/model/reconcile.js'
import { absent, sameEntry, type Entry, type Wanted } from '../../../src/model/tree.js'

const file = (hash: string, mode = 0o644): Entry => ({ kind: 'file', hash, mode, size: 1 })
const tree = (files: Readonly<Record<string, string>>): Map<string, Entry> =>
  new Map(Object.entries(files).map(([path, hash]) => [`/app/d/${path}`, file(hash)]))

const decide = (common: Record<string, string>, local: Record<string, string>, container: Record<string, string>): object => {
  const here = tree(local)
  const found = reconcile({
    common: tree(common),
    local: (path) => here.get(path) ?? absent,
    localPaths: here.keys(),
    container: tree(container),
    roots: ['/app/d'],
  })
  return plain(found)
}

const text = (wanted: Wanted): string => (wanted.kind === 'file' ? wanted.hash : wanted.kind)
const plain = ({ settled, forth, back, conflicts }: Reconciled): object => {
  const paths = <T>(map: Map<string, T>, show: (value: T) => string): Record<string, string> | undefined =>
    map.size === 0
      ? undefined
      : Object.fromEntries(
          [...map]
            .map(([path, value]) => [path.slice('/app/d/'.length), show(value)] as const)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
  return {
    ...wherever('settled', paths(settled, text)),
    ...wherever(
      'forth',
      paths(forth, ({ was, wanted }) => `${text(was)} -> ${text(wanted)}`),
    ),
    ...wherever(
      'back',
      paths(back, ({ was, wanted }) => `${text(was)} -> ${text(wanted)}`),
    ),
    ...wherever(
      'conflicts',
      paths(conflicts, ({ kind }) => kind),
    ),
  }
}
const wherever = (key: string, value: unknown): object => (value === undefined ? {} : { [key]: value })

describe('reconcile', () => {
  test.each([
    ['the same everywhere', { a: '1' }, { a: '1' }, { a: '1' }, {}],
    ['both made the same change', { a: '1' }, { a: '2' }, { a: '2' }, { settled: { a: '2' } }],
    ['a local change', { a: '1' }, { a: '2' }, { a: '1' }, { forth: { a: '1 -> 2' } }],
    ['a change in the container', { a: '1' }, { a: '1' }, { a: '2' }, { back: { a: '1 -> 2' } }],
    ['two changes', { a: '1' }, { a: '2' }, { a: '3' }, { conflicts: { a: 'changed' } }],
    ['two new files', {}, { a: '2' }, { a: '3' }, { conflicts: { a: 'changed' } }],
    ['one new file each', {}, { a: '2' }, { b: '3' }, { forth: { a: 'absent -> 2' }, back: { b: 'absent -> 3' } }],
    ['a local delete', { a: '1', b: '1' }, { b: '1' }, { a: '1', b: '1' }, { forth: { a: '1 -> absent' } }],
    ['a delete in the container', { a: '1', b: '1' }, { a: '1', b: '1' }, { b: '1' }, { back: { a: '1 -> absent' } }],
    ['a local delete of what changed', { a: '1', b: '1' }, { b: '1' }, { a: '2', b: '1' }, { back: { a: 'absent -> 2' } }],
    ['a delete of what changed locally', { a: '1', b: '1' }, { a: '2', b: '1' }, { b: '1' }, { forth: { a: 'absent -> 2' } }],
    ['both deleted it', { a: '1', b: '1' }, { b: '1' }, { b: '1' }, { settled: { a: 'absent' } }],
    [
      'all is gone here',
      { a: '1', b: '1' },
      {},
      { a: '1', b: '2' },
      { conflicts: { a: 'emptied-here' }, back: { b: 'absent -> 2' } },
    ],
    [
      'all is gone there',
      { a: '1', b: '1' },
      { a: '1', b: '2' },
      {},
      { conflicts: { a: 'emptied-there' }, forth: { b: 'absent -> 2' } },
    ],
    ['the only file is deleted here', { a: '1' }, {}, { a: '1' }, { forth: { a: '1 -> absent' } }],
    ['the only file is gone there', { a: '1' }, { a: '1' }, {}, { conflicts: { a: 'emptied-there' } }],
    [
      'emptied, and something new',
      { a: '1', b: '1' },
      { a: '1', b: '1' },
      { c: '2' },
      { back: { a: '1 -> absent', b: '1 -> absent', c: 'absent -> 2' } },
    ],
    [
      'a file here, a folder there',
      {},
      { a: '1' },
      { 'a/b': '2', c: '1' },
      { back: { c: 'absent -> 1' }, conflicts: { a: 'in-the-way', 'a/b': 'in-the-way' } },
    ],
    [
      'a file that became a folder there',
      { a: '1' },
      { a: '1' },
      { 'a/b': '2' },
      { back: { a: '1 -> absent', 'a/b': 'absent -> 2' } },
    ],
    [
      'a folder that became a file here, and has something new there',
      { 'a/b': '1' },
      { a: '2' },
      { 'a/b': '1', 'a/c': '3' },
      { forth: { 'a/b': '1 -> absent' }, conflicts: { a: 'in-the-way', 'a/c': 'in-the-way' } },
    ],
  ])('%s', (_, common, local, container, expected) => {
    expect(decide(common, local, container)).toEqual(expected)
  })

  test('only modes differ on both sides: the local one counts', () => {
    const [here, there] = [file('2', 0o755), file('2', 0o600)]
    const found = reconcile({
      common: tree({ a: '1' }),
      local: (path) => (path === '/app/d/a' ? here : absent),
      localPaths: ['/app/d/a'],
      container: new Map([['/app/d/a', there]]),
      roots: ['/app/d'],
    })
    expect([...found.forth]).toEqual([['/app/d/a', { was: there, wanted: here }]])
  })

  test('nothing is done about what cannot be told', () => {
    const found = reconcile({
      common: tree({ a: '1', b: '1' }),
      local: (path) => tree({ a: '1', b: '1' }).get(path) ?? absent,
      localPaths: [],
      container: tree({ b: '1' }),
      isUnknown: (path) => path === '/app/d/a',
      roots: ['/app/d'],
    })
    expect(plain(found)).toEqual({})
  })

  test('at first contact each side gets what it lacks, and what the image had tells who changed it', () => {
    const [local, container, image] = [
      tree({ same: '1', here: '1', changedHere: '2', changedThere: '1', both: '2', goneHere: '0' }),
      tree({ same: '1', there: '1', changedHere: '1', changedThere: '2', both: '3', goneHere: '1' }),
      tree({ changedHere: '1', changedThere: '1', both: '1', goneHere: '1', here: '1' }),
    ]
    local.delete('/app/d/goneHere')
    const here = (path: string): Wanted => local.get(path) ?? absent
    const common = firstCommon(container.keys(), here, container, (path) => [image.get(path) ?? absent])
    const found = reconcile({ common, local: here, localPaths: local.keys(), container, roots: ['/app/d'] })
    expect(plain(found)).toEqual({
      settled: { same: '1' },
      forth: { here: 'absent -> 1', changedHere: '1 -> 2', goneHere: '1 -> absent' },
      back: { there: 'absent -> 1', changedThere: '1 -> 2' },
      conflicts: { both: 'changed' },
    })
  })
})

/** A side is a tree in which no file stands where another has a folder. */
type Side = Map<string, Entry>

const names = ['a', 'b', 'c', 'd', 'd/a', 'd/b', 'd/e/f', 'g/h'].map((name) => `/app/d/${name}`)

const edit = fc.record({
  what: fc.constantFrom('write', 'write', 'write', 'delete', 'delete folder', 'mode'),
  name: fc.constantFrom(...names),
  side: fc.constantFrom('local', 'container'),
})
const step = fc.oneof(
  { weight: 6, arbitrary: edit },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('round'), carriedOut: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 1, arbitrary: fc.constant({ what: 'new container' }) },
)

test('whatever is done on both sides, between rounds that may be cut: it ends equal or in conflict, and nothing is lost', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const sides: Record<'local' | 'container', Side> = { local: new Map(), container: new Map() }
      let common = new Map<string, Entry>()
      let count = 0
      /** `PATH HASH` of all that was written by hand, and of all that was taken away by hand. */
      const written = new Set<string>()
      const removed = new Set<string>()
      const key = (path: string, entry: Wanted): string => `${path} ${text(entry)}`
      const take = (side: Side, path: string): void => {
        for (const [one, entry] of side)
          if (one === path || one.startsWith(`${path}/`)) {
            removed.add(key(one, entry))
            side.delete(one)
          }
      }
      const decideNow = (): Reconciled =>
        reconcile({
          common,
          local: (path) => sides.local.get(path) ?? absent,
          localPaths: sides.local.keys(),
          container: sides.container,
          roots: ['/app/d'],
        })
      /** As the two ends carry it out: in order, deletes first, and what is in the way is not taken along. @param cut after so many moves */
      const round = (cut: number): Reconciled => {
        const found = decideNow()
        for (const [path, entry] of found.settled) note(path, entry)
        let left = cut
        for (const [moves, side] of [
          [found.forth, sides.container],
          [found.back, sides.local],
        ] as const) {
          const ordered = [...moves].sort(
            (one, other) => Number(other[1].wanted.kind === 'absent') - Number(one[1].wanted.kind === 'absent'),
          )
          for (const [path, { was, wanted }] of ordered) {
            if (left-- <= 0) return found
            expect(sameEntry(side.get(path) ?? absent, was)).toBe(true)
            if (wanted.kind === 'absent') side.delete(path)
            else {
              for (const one of side.keys()) expect(one.startsWith(`${path}/`) || path.startsWith(`${one}/`)).toBe(false)
              side.set(path, wanted)
            }
            // a daemon that is killed just here has carried it out and not noted it
            if (left > 0) note(path, wanted)
          }
        }
        return found
      }
      const note = (path: string, entry: Wanted): void => {
        if (entry.kind === 'absent') common.delete(path)
        else common.set(path, entry)
      }
      const checkAll = (): void => {
        const there = new Set([...sides.local, ...sides.container].map(([path, entry]) => key(path, entry)))
        expect([...written].filter((one) => !there.has(one) && !removed.has(one))).toEqual([])
      }

      for (const one of steps) {
        if ('name' in one) {
          const side = sides[one.side as 'local' | 'container']
          if (one.what === 'delete') {
            if (side.has(one.name)) take(side, one.name)
          } else if (one.what === 'delete folder') take(side, one.name)
          else if (one.what === 'mode') {
            const entry = side.get(one.name)
            if (entry?.kind === 'file') side.set(one.name, { ...entry, mode: entry.mode ^ 0o111 })
          } else {
            take(side, one.name)
            for (const path of [...side.keys()]) if (one.name.startsWith(`${path}/`)) take(side, path)
            const entry = file(`${++count}`)
            side.set(one.name, entry)
            written.add(key(one.name, entry))
          }
        } else if ('carriedOut' in one) round(one.carriedOut)
        else {
          // its files go with a container: somebody takes them away
          for (const [path, entry] of sides.container) removed.add(key(path, entry))
          sides.container = new Map()
          common = firstCommon(
            [],
            () => absent,
            sides.container,
            () => [],
          )
        }
        checkAll()
      }
      let last = round(Number.MAX_SAFE_INTEGER)
      for (let times = 0; times < 5 && last.forth.size + last.back.size + last.settled.size > 0; times++)
        last = round(Number.MAX_SAFE_INTEGER)
      expect([last.forth.size, last.back.size]).toEqual([0, 0])
      checkAll()
      for (const path of new Set([...sides.local.keys(), ...sides.container.keys()]))
        if (!sameEntry(sides.local.get(path), sides.container.get(path))) expect([...last.conflicts.keys()]).toContain(path)
    }),
    { numRuns: 1500 },
  )
})
