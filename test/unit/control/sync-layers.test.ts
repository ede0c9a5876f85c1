// What a container of an image holds that is built on another one.
import { expect, test } from 'vitest'
import { difference } from '../../../src/control/sync-difference.js'
import { lookUp, stepRules, strayPaths, syncRoots, type Layer, type Layers } from '../../../src/control/sync-layers.js'
import { computeDrift } from '../../../src/model/drift.js'
import { compileLiveRules } from '../../../src/model/live-rules.js'
import type { LiveRule } from '../../../src/model/plan.js'
import type { Entry } from '../../../src/model/tree.js'
import { imageSpec } from '../../support/states.js'

const at = { file: '/p/Devloopfile.ts', line: 1 }
const file = (hash: string): Entry => ({ kind: 'file', hash, mode: 0o644, size: 1 })

/** An image that was built from one tree, and whose sources are another now. */
function layer(name: string, from: string, to: string, built: Record<string, string>, now: Record<string, string>): Layer {
  const run: LiveRule = { kind: 'run', command: `step of ${name}`, on: [], timeoutMs: 1000, at }
  const spec = imageSpec(name, { live: [{ kind: 'sync', from, to, at }, run] })
  const [recorded, tree] = [built, now].map(
    (files) => new Map(Object.entries(files).map(([path, hash]) => [path, file(hash)] as const)),
  ) as [Map<string, Entry>, Map<string, Entry>]
  const rules = compileLiveRules(spec)
  const record = { tree: recorded } as unknown as Layer['files']['record']
  return {
    spec,
    files: {
      tree,
      record,
      drift: computeDrift(tree, recorded, rules),
      rules,
      held: new Set(),
      keep: () => undefined,
      ignored: () => false,
    },
  }
}

const found = (layers: Layers, manifest = new Map<string, Entry | null>()) =>
  difference(manifest, layers)
    .map(({ path, wanted, layer: { spec } }) => [path, wanted.kind === 'file' ? wanted.hash : wanted.kind, spec.name])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))

test('what a base changed is wanted, but not where the image itself holds something', () => {
  const base = layer(
    'base',
    'lib',
    '/app',
    { 'lib/a': '1', 'lib/b': '1', 'lib/gone': '1' },
    { 'lib/a': '2', 'lib/b': '2', 'lib/new': '1' },
  )
  const own = layer('api', 'src', '/app', { 'src/b': 'own' }, { 'src/b': 'own' })
  expect(found([own, base])).toEqual([
    ['/app/a', '2', 'base'],
    ['/app/gone', 'absent', 'base'],
    ['/app/new', '1', 'base'],
  ])
  expect(
    found(
      [own, base],
      new Map([
        ['/app/a', file('2')],
        ['/app/b', null],
      ]),
    ),
  ).toEqual([
    ['/app/b', 'own', 'api'],
    ['/app/gone', 'absent', 'base'],
    ['/app/new', '1', 'base'],
  ])
})

test('a file that the image gives up uncovers what its base holds, also when that did not change', () => {
  const base = layer('base', 'lib', '/app', { 'lib/b': '1' }, { 'lib/b': '1' })
  const own = layer('api', 'src', '/app', { 'src/b': 'own', 'src/c': '1' }, {})
  expect(found([own, base])).toEqual([
    ['/app/b', '1', 'base'],
    ['/app/c', 'absent', 'api'],
  ])
  expect(lookUp('/app/c', [own, base])).toMatchObject({ source: 'src/c', drifted: true })
})

test('steps, roots and strays are those of all images, the lowest first', () => {
  const layers: Layers = [layer('api', 'src', '/app/src', {}, {}), layer('base', 'lib', '/app/lib', { 'lib/a': '1' }, {})]
  expect(stepRules(layers).map((rule) => rule.kind === 'run' && rule.command)).toEqual(['step of base', 'step of api'])
  expect(syncRoots(layers)).toEqual(['/app/src', '/app/lib'])
  expect(strayPaths(['/app/lib/a', '/app/src/x', '/etc/other', 'owed'], layers)).toEqual(['/etc/other'])
})
