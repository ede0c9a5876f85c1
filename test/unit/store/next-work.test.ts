import { describe, expect, test } from 'vitest'
import { percentiles } from '../../../src/model/latency.js'
import { nextWork } from '../../../src/store/next-work.js'
import { appSpec, connected, freshState, imageSpec, loaded, plan, play, pod, record, scanned } from '../../support/states.js'

const api = plan([appSpec('api')], [imageSpec('api')])
const built = { type: 'build/finished', image: 'api', record: record('d1'), drift: { rebuild: 0, overlay: 0 } } as const
const checked = { type: 'image/checked', image: 'api', exists: false } as const
const start = { type: 'build/started', image: 'api', reason: 'not built yet' } as const
const toBuilt = () => play(freshState(), loaded(api), connected, scanned('api'), checked, start, built)
const deployed = () => {
  const state = toBuilt()
  const work = nextWork(state, 0).work[0]
  if (work?.kind !== 'deploy') throw new Error(`expected a deploy, not ${JSON.stringify(work)}`)
  return play(
    state,
    { type: 'deploy/started', resource: 'api', key: work.key },
    { type: 'deploy/finished', resource: 'api', runtime: 1, templates: ['t1'], warnings: [] },
  )
}
const live = () =>
  play(deployed(), pod('api'), {
    type: 'target/patch',
    target: 'c1',
    patch: { acked: { digest: 'd1', revision: 1 }, status: 'synced' },
  })

describe('what comes next', () => {
  test('the Devloopfile before anything else', () => {
    expect(nextWork(freshState(), 0).work).toEqual([{ kind: 'reload' }])
    const reloading = play(live(), { type: 'devloopfile/changed' })
    expect(nextWork(reloading, 0)).toMatchObject({ work: [{ kind: 'reload' }], holds: { api: { code: 'reloading' } } })
  })

  test('a failed load keeps the old plan at work', () => {
    const state = play(
      live(),
      { type: 'devloopfile/changed' },
      { type: 'devloopfile/failed', wanted: 2, error: { code: 'devloopfile/syntax', message: 'm', help: 'h' } },
    )
    expect(nextWork(state, 0)).toEqual({ work: [], holds: {} })
    expect(state.resources.api?.ready).toBe(true)
  })

  test('what the runtime wants to deploy in another way, once', () => {
    const observed = (redeploy?: string) =>
      ({
        type: 'resource/observed',
        resource: 'api',
        observed: { rolledOut: false, pods: [], ...(redeploy === undefined ? {} : { redeploy }) },
      }) as const
    const before = play(deployed(), observed())
    expect(nextWork(before, 0).work).toEqual([])
    const asked = play(before, observed('without the agent'))
    const [work] = nextWork(asked, 0).work
    expect(work).toMatchObject({ kind: 'deploy', resource: 'api' })
    const again = play(
      asked,
      { type: 'deploy/started', resource: 'api', key: work?.kind === 'deploy' ? work.key : '' },
      { type: 'deploy/finished', resource: 'api', runtime: 1, templates: ['t2'], warnings: [] },
      observed('without the agent'),
    )
    expect(nextWork(again, 0).work).toEqual([])
  })

  test('what failed is tried again through a new connection', () => {
    const error = { code: 'registry/none', message: 'm', help: 'h' } as const
    const settled = play(freshState(), loaded(api), connected, scanned('api'), checked)
    const failed = play(settled, start, { type: 'build/failed', image: 'api', error })
    expect(nextWork(failed, 0)).toMatchObject({ work: [], holds: { api: { code: 'failed' } } })
    const again = play(failed, { type: 'runtime/connecting' }, connected, checked)
    expect(nextWork(again, 0).work).toMatchObject([{ kind: 'build', image: 'api' }])

    const [work] = nextWork(toBuilt(), 0).work
    const deploy = { type: 'deploy/started', resource: 'api', key: work?.kind === 'deploy' ? work.key : '' } as const
    const refused = play(toBuilt(), deploy, { type: 'deploy/failed', resource: 'api', error })
    expect(nextWork(refused, 0)).toMatchObject({ work: [], holds: { api: { code: 'failed' } } })
    const elsewhere = play(refused, { type: 'runtime/connecting' }, connected, { ...checked, exists: true })
    expect(nextWork(elsewhere, 0).work).toMatchObject([{ kind: 'deploy', resource: 'api' }])
  })

  test('build, then deploy, then nothing', () => {
    const settled = play(freshState(), loaded(api), connected, scanned('api'), checked)
    expect(nextWork(settled, 0).work).toEqual([{ kind: 'build', image: 'api', reason: 'not built yet' }])
    expect(nextWork(play(settled, start), 0)).toMatchObject({ work: [], holds: { api: { code: 'image' } } })
    expect(nextWork(toBuilt(), 0).work).toMatchObject([{ kind: 'deploy', resource: 'api' }])
    expect(nextWork(live(), 0)).toEqual({ work: [], holds: {} })
    expect(live().resources.api?.ready).toBe(true)
  })

  test('nothing is decided before the runtime is there and the record was looked for', () => {
    expect(nextWork(play(freshState(), loaded(api)), 0)).toMatchObject({ work: [], holds: { api: { code: 'runtime' } } })
    expect(nextWork(play(freshState(), loaded(api), connected, scanned('api')), 0)).toMatchObject({
      work: [],
      holds: { api: { code: 'image' } },
    })
  })

  test('a synced change builds nothing; the resource is not ready until it is acknowledged', () => {
    const behind = play(live(), scanned('api', { overlay: 1 }))
    expect(nextWork(behind, 0).work).toEqual([])
    expect(behind.resources.api?.ready).toBe(false)
    const acked = play(behind, { type: 'target/patch', target: 'c1', patch: { acked: { digest: 'd1', revision: 2 } } })
    expect(acked.resources.api?.ready).toBe(true)
  })

  test('a change that no rule covers builds and says why', () => {
    const state = play(live(), {
      type: 'image/sources',
      image: 'api',
      files: 3,
      inputs: 'in',
      needsRebuild: true,
      drift: { rebuild: 1, overlay: 0, why: 'x: no rule' },
    })
    expect(nextWork(state, 0).work).toEqual([{ kind: 'build', image: 'api', reason: 'x: no rule' }])
  })

  test('a failed build is tried again after a change, and only then', () => {
    const failed = play(toBuilt(), scanned('api', { rebuild: 1, needsRebuild: true }), start, {
      type: 'build/failed',
      image: 'api',
      error: { code: 'build/failed', message: 'm', help: 'h' },
    })
    expect(nextWork(failed, 1e9)).toMatchObject({ work: [], holds: { api: { code: 'failed' } } })
    expect(nextWork(play(failed, scanned('api', { rebuild: 1 })), 0).work).toMatchObject([{ kind: 'build' }])
    expect(nextWork(play(failed, { type: 'request/trigger', resource: 'api' }), 0).work).toMatchObject([
      { kind: 'build', reason: 'asked for' },
    ])
  })

  test('a failure with a time for another try wakes up then', () => {
    const failed = play(toBuilt(), scanned('api', { rebuild: 1 }), start, {
      type: 'build/failed',
      image: 'api',
      error: { code: 'engine/unreachable', message: 'm', help: 'h' },
      retryAt: 5000,
    })
    expect(nextWork(failed, 4000)).toMatchObject({ work: [], wakeAt: 5000 })
    expect(nextWork(failed, 5000).work).toMatchObject([{ kind: 'build' }])
  })

  test('a revert to what is built needs no build, even after a failed one', () => {
    const failed = play(live(), scanned('api', { rebuild: 1 }), start, {
      type: 'build/failed',
      image: 'api',
      error: { code: 'build/failed', message: 'm', help: 'h' },
    })
    const reverted = play(failed, scanned('api'), {
      type: 'target/patch',
      target: 'c1',
      patch: { acked: { digest: 'd1', revision: 3 } },
    })
    expect(nextWork(reverted, 0)).toEqual({ work: [], holds: {} })
    expect(reverted.resources.api?.ready).toBe(true)
  })

  test('needs hold the first deploy only, and say for whom', () => {
    const two = plan([appSpec('db', { image: { ref: 'postgres:16' } }), appSpec('api', { image: { ref: 'x' }, needs: ['db'] })])
    const state = play(freshState(), loaded(two), connected)
    expect(nextWork(state, 0)).toMatchObject({
      work: [{ kind: 'deploy', resource: 'db' }],
      holds: { api: { code: 'needs', message: 'it needs db' } },
    })
  })

  test('what cannot run in the process runtime is held, and so is who needs it', () => {
    const two = plan(
      [appSpec('db', { image: { ref: 'postgres:16' } }), appSpec('api', { process: { command: 'x' }, needs: ['db'] })],
      [imageSpec('api')],
    )
    const holds = nextWork(play(freshState('process'), loaded(two), connected), 0).holds
    expect(holds.db?.code).toBe('unsupported')
    expect(holds.api?.message).toContain('it needs db, which cannot run here')
  })

  test('no more builds at once than there are slots', () => {
    const names = ['a', 'b', 'c']
    const many = plan(
      names.map((name) => appSpec(name)),
      names.map((name) => imageSpec(name)),
    )
    const state = play(
      freshState(),
      loaded(many),
      connected,
      ...names.flatMap((name) => [scanned(name), { type: 'image/checked', image: name, exists: false } as const]),
    )
    const next = nextWork(state, 0)
    expect(next.work).toHaveLength(2)
    expect(next.holds.c).toEqual({ code: 'slot', message: '2 other images are being built' })
  })

  test('what left the plan is removed', () => {
    const state = play(live(), { type: 'devloopfile/loaded', wanted: 1, plan: plan([]), loadMs: 1 })
    expect(nextWork(state, 0).work).toEqual([{ kind: 'remove', resource: 'api' }])
    expect(
      play(state, { type: 'removal/started', resource: 'api' }, { type: 'removal/finished', resource: 'api' }).removals,
    ).toEqual({})
  })

  test('what an earlier run left behind and the plan does not name is removed', () => {
    const state = play(freshState(), loaded(api), { type: 'runtime/connected', deployed: ['api', 'old'] })
    expect(nextWork(state, 0).work).toContainEqual({ kind: 'remove', resource: 'old' })
    expect(nextWork(state, 0).work).not.toContainEqual({ kind: 'remove', resource: 'api' })
  })

  test('image that live sync cannot reach is rebuilt instead, until its Dockerfile changes', () => {
    const error = { code: 'sync/read-only', message: 'm', help: 'h' } as const
    const blocked = play(live(), scanned('api', { overlay: 1 }), {
      type: 'image/sync-blocked',
      image: 'api',
      error,
      drift: { rebuild: 0, overlay: 1 },
    })
    expect(nextWork(blocked, 0).work).toMatchObject([{ kind: 'build', image: 'api' }])
    const again = play(blocked, {
      type: 'image/sources',
      image: 'api',
      files: 3,
      inputs: 'other',
      needsRebuild: true,
      drift: { rebuild: 0, overlay: 1 },
    })
    expect(again.images.api?.syncBlocked).toBeNull()
  })
})

describe('targets', () => {
  test('a pod of an earlier build is no target', () => {
    expect(Object.keys(play(deployed(), pod('api', { ref: 'registry/older' })).targets)).toEqual([])
  })
  test('a restarted container is a new target, not yet in sync', () => {
    const state = play(live(), pod('api', { containerId: 'c2' }))
    expect(Object.keys(state.targets)).toEqual(['c2'])
    expect(state.targets.c2?.acked).toBeNull()
    expect(state.resources.api?.ready).toBe(false)
  })
  test('a new connection knows of no pods', () => {
    const state = play(live(), { type: 'runtime/connecting' }, connected)
    expect(state.targets).toEqual({})
    expect(state.resources.api?.ready).toBe(false)
  })
})

describe('changes', () => {
  const seen = (revision: number, action: 'sync' | 'rebuild') =>
    ({
      type: 'change/seen',
      id: `c${revision}`,
      first: 900,
      gathered: 900,
      paths: ['/p/api/src/a'],
      pathCount: 1,
      images: [{ image: 'api', action, why: '', revision }],
      resources: [],
    }) as const

  test('a synced change is live when every target has acknowledged it', () => {
    const state = play(live(), scanned('api', { overlay: 1 }), seen(2, 'sync'))
    expect(state.changes.c2?.outcome).toBe('pending')
    const acked = play(state, { type: 'target/patch', target: 'c1', patch: { acked: { digest: 'd1', revision: 2 } } })
    expect(acked.changes.c2).toMatchObject({ outcome: 'live', liveMs: 100 })
    expect(percentiles(acked.today.synced)).toMatchObject({ count: 1, p50: 98 })
  })

  test('a failed step fails the change; the next good save makes both live', () => {
    const failed = play(live(), scanned('api', { overlay: 1 }), seen(2, 'sync'), {
      type: 'target/patch',
      target: 'c1',
      patch: { status: 'failed', failedRevision: 2, error: { code: 'run/failed', message: 'm', help: 'h' } },
    })
    expect(failed.changes.c2?.outcome).toBe('failed')
    const good = play(failed, scanned('api', { overlay: 1 }), seen(3, 'sync'), {
      type: 'target/patch',
      target: 'c1',
      patch: { status: 'synced', failedRevision: undefined, error: undefined, acked: { digest: 'd1', revision: 3 } },
    })
    expect([good.changes.c2?.outcome, good.changes.c3?.outcome]).toEqual(['live', 'live'])
    // one that failed first says how long the user took
    expect(good.today.synced.count).toBe(1)
    expect(good.targets.c1).not.toHaveProperty('error')
  })

  test('a change that is taken back while it is built, or after that failed, is live when what runs is what is wanted', () => {
    const acked = { type: 'target/patch', target: 'c1', patch: { acked: { digest: 'd1', revision: 3 } } } as const
    const error = { code: 'build/failed', message: 'm', help: 'h' } as const
    const building = play(live(), scanned('api', { rebuild: 1 }), seen(2, 'rebuild'), start)
    const back = [scanned('api'), seen(3, 'rebuild'), acked] as const

    const reverted = play(building, ...back)
    expect(reverted.changes.c2?.outcome).toBe('pending')
    const cancelled = play(reverted, { type: 'build/cancelled', image: 'api' })
    expect([cancelled.changes.c2?.outcome, cancelled.changes.c3?.outcome]).toEqual(['live', 'live'])

    const failed = play(building, { type: 'build/failed', image: 'api', error })
    expect(failed.changes.c2?.outcome).toBe('failed')
    const mended = play(failed, ...back)
    expect([mended.changes.c2?.outcome, mended.changes.c3?.outcome]).toEqual(['live', 'live'])
  })

  test('a change that changes nothing is nothing', () => {
    const state = play(live(), {
      type: 'change/seen',
      id: 'n',
      first: 1,
      gathered: 1,
      paths: [],
      pathCount: 0,
      images: [],
      resources: [],
    })
    expect(state.changes.n?.outcome).toBe('nothing')
  })
})
