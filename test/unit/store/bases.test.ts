// Images that are built on others: what is built first, and when again.
import { expect, test } from 'vitest'
import type { Plan } from '../../../src/model/plan.js'
import type { NewAction } from '../../../src/store/store.js'
import { isBuildStale } from '../../../src/store/image-status.js'
import { nextWork } from '../../../src/store/next-work.js'
import { appSpec, connected, freshState, imageSpec, loaded, plan, play, record, scanned } from '../../support/states.js'

const shop: Plan = plan(
  [appSpec('api'), appSpec('web')],
  [imageSpec('api'), imageSpec('web', { live: [] }), imageSpec('base', { live: [] }), imageSpec('root')],
)
const on = (image: string, ...bases: string[]): NewAction => ({ ...scanned(image), bases }) as NewAction
const checked = (image: string): NewAction => ({ type: 'image/checked', image, exists: false })
const start = (image: string): NewAction => ({ type: 'build/started', image, reason: '' })
const built = (image: string, digest: string, bases?: string): NewAction => ({
  type: 'build/finished',
  image,
  record: { ...record(digest), ...(bases === undefined ? {} : { bases }) },
  drift: { rebuild: 0, overlay: 0 },
})
const settled = play(
  freshState(),
  loaded(shop),
  connected,
  on('api', 'base', 'node'),
  on('web', 'base'),
  on('base', 'root'),
  on('root'),
  ...['api', 'web', 'base', 'root'].map(checked),
)
const builds = (state: typeof settled): string[] =>
  nextWork(state, 0).work.flatMap((one) => (one.kind === 'build' ? [one.image] : []))

test('the lowest comes first, once, and the next when it is there', () => {
  expect(builds(settled)).toEqual(['root'])
  expect(nextWork(settled, 0).holds).toMatchObject({ api: { code: 'image' }, web: { code: 'image' } })
  const rooted = play(settled, start('root'), built('root', 'r1'))
  expect(builds(rooted)).toEqual(['base'])
  const based = play(rooted, start('base'), built('base', 'b1', 'root@r1'))
  expect(builds(based)).toEqual(['api', 'web'])
  expect(based.images.api?.bases).toEqual({
    names: ['base', 'root'],
    key: 'base@b1',
    revisions: { base: 1, root: 1 },
    sync: true,
  })
  expect(based.images.web?.bases?.sync).toBe(true)
  expect(based.images.root?.bases).toBeUndefined()
})

const whole = play(
  settled,
  start('root'),
  built('root', 'r1'),
  start('base'),
  built('base', 'b1', 'root@r1'),
  start('api'),
  built('api', 'a1', 'base@b1'),
  start('web'),
  built('web', 'w1', 'base@b1'),
)

test('a base that must be built holds those that are built on it, and a new digest of it builds them anew', () => {
  expect(builds(whole)).toEqual([])
  const changed = play(whole, { ...scanned('base', { rebuild: 1, needsRebuild: true }), bases: ['root'] } as NewAction)
  expect(builds(changed)).toEqual(['base'])
  expect(nextWork(changed, 0).work.filter(({ kind }) => kind === 'deploy')).toEqual([])
  const same = play(changed, start('base'), built('base', 'b1', 'root@r1'))
  expect(builds(same)).toEqual([])
  const other = play(changed, start('base'), built('base', 'b2', 'root@r1'))
  expect(nextWork(other, 0).work).toEqual([
    { kind: 'build', image: 'api', reason: 'base was built anew' },
    { kind: 'build', image: 'web', reason: 'base was built anew' },
  ])
  const building = play(other, start('api'))
  expect(isBuildStale(building.images.api!)).toBe(false)
  const overtaken = play(building, { ...scanned('base', { rebuild: 1, needsRebuild: true }), bases: ['root'] } as NewAction)
  expect(isBuildStale(overtaken.images.api!)).toBe(true)
})

test('a failed base is told by those that wait for it, and tried again on a trigger', () => {
  const error = { code: 'build/failed', message: 'm', help: 'h' } as const
  const failed = play(
    whole,
    { ...scanned('base', { rebuild: 1, needsRebuild: true }), bases: ['root'] } as NewAction,
    start('base'),
    { type: 'build/failed', image: 'base', error },
  )
  expect(nextWork(failed, 0)).toMatchObject({ work: [], holds: { api: { code: 'failed' }, web: { code: 'failed' } } })
  expect(builds(play(failed, { type: 'request/trigger', resource: 'api' }))).toEqual(['base'])
})

test('images that are built on each other are held with that reason', () => {
  const circle = play(settled, on('base', 'api'))
  expect(builds(circle)).toEqual([])
  expect(nextWork(circle, 0).holds).toMatchObject({
    api: { code: 'image', message: 'api and base are built on each other' },
    web: { code: 'image', message: 'base and api are built on each other' },
  })
})
