// What is kept of builds, and what goes.
import { expect, test } from 'vitest'
import type { MadeImage, RanBuild } from '../../../src/model/made-image.js'
import { buildsToKeep, cacheToRemove, imagesToRemove, neededByRecords, type PruneFacts } from '../../../src/model/prune.js'

const hour = 3_600_000
const now = 1000 * hour

const made = (tag: string, hoursAgo: number, over: Partial<MadeImage> = {}): MadeImage => ({
  image: 'shop/api',
  id: `sha256:${tag}`,
  repository: 'registry/shop_api',
  tag: `devloop-${tag}`,
  pushed: true,
  engine: 'unix:///engine.sock',
  cluster: 'https://here',
  at: now - hoursAgo * hour,
  ...over,
})
const facts = (over: Partial<PruneFacts> = {}): PruneFacts => ({
  now,
  settings: { keep: 2, maxAge: 100 },
  images: new Set(['shop/api']),
  cluster: 'https://here',
  references: new Set(),
  isWhole: true,
  others: new Set(),
  ...over,
})
const gone = (images: readonly MadeImage[], over: Partial<PruneFacts> = {}): string[] =>
  imagesToRemove(images, facts(over)).map((one) => one.tag.slice('devloop-'.length))

test('the newest builds stay, up to the number and the age; the newest of all stays however old it is', () => {
  expect(gone([made('a', 3), made('d', 0), made('c', 1), made('b', 2)])).toEqual(['a', 'b'])
  expect(gone([made('a', 300), made('b', 200)])).toEqual(['a'])
  expect(gone([made('a', 150), made('b', 1)])).toEqual(['a'])
  expect(gone([made('a', 1), made('b', 2, { image: 'shop/web' }), made('c', 3, { image: 'shop/web' })])).toEqual([])
})

test('an image that left the plan goes when it is old', () => {
  const images = [made('a', 300), made('b', 1)]
  expect(gone(images, { images: new Set() })).toEqual(['a'])
  expect(gone([made('a', 300)], { images: new Set() })).toEqual(['a'])
})

test('what is referred to stays, by tag or by digest, under whatever name the nodes pull it', () => {
  const images = ['a', 'b', 'c', 'd', 'e'].map((tag, index) => made(tag, 5 - index))
  const references = new Set(['nodes.registry/x/shop_api:devloop-a', 'registry/shop_api@sha256:b', 'postgres:16'])
  expect(gone(images, { references })).toEqual(['c'])
})

test('what another instance has made too stays', () => {
  const images = ['a', 'b', 'c', 'd'].map((tag, index) => made(tag, 5 - index))
  expect(gone(images, { others: new Set(['registry/shop_api:devloop-a']) })).toEqual(['b'])
})

test('where not all of the cluster may be looked at, age alone decides', () => {
  const images = [...['a', 'b', 'c', 'd'].map((tag, index) => made(tag, 5 - index)), made('e', 101)]
  expect(gone(images)).toEqual(['e', 'a', 'b'])
  expect(gone(images, { isWhole: false })).toEqual(['e'])
  expect(gone([made('a', 300), made('b', 200)], { isWhole: false })).toEqual(['a'])
})

test('the names that build commands were given: only the newest of an image in the plan stays, and it takes no place of a build', () => {
  const command = (tag: string, hoursAgo: number): MadeImage => made(tag, hoursAgo, { name: 'command' })
  const images = [made('a', 3), made('b', 2), made('c', 1), command('build-1', 3), command('build-2', 1)]
  expect(gone(images)).toEqual(['build-1', 'a'])
  expect(gone(images, { images: new Set(), now: now + 200 * hour })).toEqual(['build-1', 'a', 'b', 'build-2', 'c'])
})

test('what a record was built on is needed, though it was built again, while the image is in the plan', () => {
  const records = [
    { image: 'shop/api', ref: 'registry/shop_api:devloop-a', baseRefs: ['registry/shop_base:devloop-b1'] },
    { image: 'shop/base', ref: 'registry/shop_base:devloop-b2' },
    { image: 'shop/old', ref: 'registry/shop_old:devloop-o' },
  ]
  const references = new Set(neededByRecords(records, new Set(['shop/api', 'shop/base'])))
  const base = { image: 'shop/base', repository: 'registry/shop_base' }
  const images = [made('b0', 300, base), made('b1', 200, base), made('b2', 150, base)]
  const plan = new Set(['shop/api', 'shop/base'])
  expect(gone(images, { images: plan })).toEqual(['b0', 'b1'])
  expect(gone(images, { images: plan, references })).toEqual(['b0'])
})

test('what was built for another cluster stays until it is old: nobody can tell from here whether it runs there', () => {
  const there = { cluster: 'https://there' }
  const images = [...['a', 'b', 'c', 'd'].map((tag) => made(tag, 5, there)), made('e', 101, there), made('f', 1)]
  expect(gone(images)).toEqual(['e'])
})

const build = (from: number, over: Partial<RanBuild> = {}): RanBuild => ({
  image: 'shop/api',
  engine: 'unix:///engine.sock',
  from: now - from * hour,
  to: now - from * hour + 60_000,
  ...over,
})
const entry = (id: string, created: number, used: number): { id: string; createdAt: number; usedAt: number } => ({
  id,
  createdAt: now - created * hour + 1000,
  usedAt: now - used * hour + 1000,
})

test('of the build cache goes what our builds made and the last of them did not use; never what others made', () => {
  const builds = [build(9), build(8), build(3), build(2)]
  const entries = [
    entry('of another', 500, 500),
    entry('stale', 9, 8),
    entry('in use by the last but one', 9, 3),
    entry('in use by the last', 8, 2),
    entry('new', 2, 2),
  ]
  const settings = { keep: 2, maxAge: 100 }
  expect(cacheToRemove(entries, builds, { now, settings }).map((one) => one.id)).toEqual(['stale'])
  // too few builds to be superseded, but nobody has used it for too long
  expect(cacheToRemove([entry('old', 200, 150)], [build(200)], { now, settings }).map((one) => one.id)).toEqual(['old'])
})

test('an entry that two images may have made stays while either needs it', () => {
  const builds = [build(5), build(1), build(0), build(5, { image: 'shop/web' })]
  const settings = { keep: 2, maxAge: 100 }
  expect(cacheToRemove([entry('shared', 5, 5)], builds, { now, settings })).toEqual([])
})

test('builds are remembered while their cache is there', () => {
  const builds = [build(9), build(8), build(7), build(6)]
  expect(buildsToKeep(builds, [entry('of the first', 9, 9)], { keep: 2, maxAge: 1 })).toEqual([builds[0], builds[2], builds[3]])
})
