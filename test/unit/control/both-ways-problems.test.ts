import { expect, test } from 'vitest'
import { problemsOf } from '../../../src/control/both-ways-problems.js'
import type { Layers } from '../../../src/control/sync-layers.js'
import { compileLiveRules } from '../../../src/model/live-rules.js'
import type { Conflict } from '../../../src/model/reconcile.js'
import { absent, type Entry } from '../../../src/model/tree.js'
import { imageSpec } from '../../support/states.js'

const at = { file: '/p/Devloopfile.ts', line: 1 }
const spec = imageSpec('web', { live: [{ kind: 'sync', from: 'dist', to: '/app/dist', bothWays: true, at }] })
const layers = [{ spec, files: { rules: compileLiveRules(spec) } }] as unknown as Layers
const file: Entry = { kind: 'file', hash: '1', mode: 0o644, size: 1 }
const conflict = (kind: Conflict['kind'], over: Partial<Conflict> = {}): Conflict => ({
  kind,
  local: file,
  container: file,
  ...over,
})

test('each kind of conflict says what to do, on the side where it is to be done', () => {
  const { all, summary } = problemsOf(
    new Map([
      ['/app/dist/d', conflict('changed')],
      ['/app/dist/c', conflict('in-the-way', { local: absent })],
      ['/app/dist/b', conflict('emptied-here')],
      ['/app/dist/a', conflict('emptied-there')],
    ]),
    new Map(),
    [
      ['/app/dist/d', 'it could not be written either'],
      ['/app/dist/e', 'it could not be written'],
    ],
    layers,
  )
  expect([...all].map(([path, text]) => `${path.at(-1)}: ${text}`)).toEqual([
    'd: /app/dist/d was changed in the container and locally: both are left as they are. Delete the one that you do not want.',
    'c: /app/dist/c is left alone: on one side a folder stands where the other has a file. Delete or rename one of the two.',
    'b: /app/dist/b is kept in the container, though all that was synced with it is gone here. Delete it there too, or put a file back beside /p/web/dist/b.',
    'a: /p/web/dist/a is kept, though all that was synced with it is gone in the container. Delete it here too, or put a file back there.',
    'e: it could not be written',
  ])
  expect([summary?.count, summary?.first.map(({ path }) => path.at(-1)).join('')]).toEqual([5, 'abcde'])
})

test('what is told is what is new, what is solved, and of many only some', () => {
  const many = new Map(Array.from({ length: 23 }, (_, n) => [`/app/dist/${n + 10}`, conflict('changed')] as const))
  const first = problemsOf(many, new Map(), [], layers)
  expect([first.news.length, first.news[0]?.level, first.news.at(-1)]).toEqual([
    21,
    'warn',
    { level: 'warn', text: 'and 3 more conflicts' },
  ])
  expect([first.summary?.count, first.summary?.first.length]).toEqual([23, 20])
  expect(problemsOf(many, many, [], layers).news).toEqual([])

  const one = new Map([...many].slice(1, 2))
  expect(problemsOf(one, many, [], layers).news).toEqual([{ level: 'info', text: '22 paths are in conflict no more' }])
  const none = problemsOf(new Map(), one, [], layers)
  expect(none.news).toEqual([{ level: 'info', text: '/app/dist/11 is in conflict no more' }])
  expect([none.all.size, none.summary]).toEqual([0, undefined])
})
