// The graph of resources: rebuildAfter, auto, manual trigger, enabling and disabling, slots.
import { describe, expect, test } from 'vitest'
import type { LocalSpec, Plan, ResourceSpec } from '../../../src/model/plan.js'
import type { State } from '../../../src/model/state.js'
import type { NewAction } from '../../../src/store/store.js'
import { nextWork } from '../../../src/store/next-work.js'
import { plainGraph } from '../../support/plain-graph.js'
import { appSpec, connected, freshState, imageSpec, loaded, plan, play, pod, record, scanned } from '../../support/states.js'

const localSpec = (name: string, over: Partial<LocalSpec> = {}): LocalSpec => ({
  kind: 'local',
  name,
  run: 'x',
  restart: 'never',
  cwd: '/p',
  watch: [],
  env: {},
  ...plainGraph,
  forward: [],
  at: { file: '/p/Devloopfile.ts', line: 1 },
  ...over,
})
const ref = (name: string, over: Partial<Extract<ResourceSpec, { kind: 'app' }>> = {}): ResourceSpec =>
  appSpec(name, { image: { ref: 'x' }, ...over })

const keyOf = (state: State, resource: string): string => {
  const work = nextWork(state, 0).work.find((one) => one.kind === 'deploy' && one.resource === resource)
  if (work?.kind !== 'deploy') throw new Error(`no deploy of ${resource}: ${JSON.stringify(nextWork(state, 0))}`)
  return work.key
}
/** Deploy as the next work says. */
const deploy = (state: State, resource: string): State =>
  play(
    state,
    { type: 'deploy/started', resource, key: keyOf(state, resource) },
    { type: 'deploy/finished', resource, runtime: 1, templates: [`t-${resource}`], warnings: [] },
    pod(resource, { template: `t-${resource}`, containerId: `c-${resource}`, ref: 'none', image: 'none' }),
  )
const run = (state: State, resource: string, error?: NewAction & { type: 'local/ran' }): State =>
  play(
    state,
    { type: 'local/running', resource },
    error ?? { type: 'local/ran', resource, wanted: state.resources[resource]?.local?.wanted ?? 0 },
  )
const begin = (value: Plan): State => play(freshState(), loaded(value), connected)
const reload = (state: State, value: Plan): State =>
  play(state, { ...loaded(value), wanted: state.devloopfile.wanted } as NewAction)
const kinds = (state: State): string[] =>
  nextWork(state, 0).work.map((one) => `${one.kind} ${'resource' in one ? one.resource : 'image' in one ? one.image : ''}`)
const holdOf = (state: State, name: string): string => {
  const hold = nextWork(state, 0).holds[name]
  return hold ? `${hold.code}: ${hold.message}` : 'none'
}

describe('rebuildAfter', () => {
  const both = plan([localSpec('gen'), ref('api', { rebuildAfter: ['gen'] })])

  test('waits for the first, and is done again when that has run', () => {
    const started = begin(both)
    expect(kinds(started)).toEqual(['run-local gen'])
    expect(holdOf(started, 'api')).toBe('after: it comes after gen, which is at work')
    const done = run(started, 'gen')
    expect(kinds(done)).toEqual(['deploy api'])
    const live = deploy(done, 'api')
    expect(kinds(live)).toEqual([])
    expect(live.resources.api?.ready).toBe(true)
    const changed = play(live, { type: 'local/changed', resource: 'gen' })
    expect(kinds(changed)).toEqual(['run-local gen'])
    const again = run(changed, 'gen')
    expect(kinds(again)).toEqual(['deploy api'])
    expect(kinds(deploy(again, 'api'))).toEqual([])
  })

  test('a run that failed changes nothing; at the first start it is waited for', () => {
    const error = { code: 'local/failed', message: 'm', help: 'h' } as const
    const failed = run(begin(both), 'gen', { type: 'local/ran', resource: 'gen', wanted: 1, error })
    expect(kinds(failed)).toEqual([])
    expect(holdOf(failed, 'api')).toBe('after: it comes after gen, which is not done yet')
    const live = deploy(run(begin(both), 'gen'), 'api')
    const later = run(play(live, { type: 'local/changed', resource: 'gen' }), 'gen', {
      type: 'local/ran',
      resource: 'gen',
      wanted: 2,
      error,
    })
    expect(kinds(later)).toEqual([])
    expect(later.resources.api?.ready).toBe(true)
  })

  test('an app that was deployed with something new, and not one that was deployed again as it was', () => {
    const chain = plan([ref('db'), localSpec('seed', { rebuildAfter: ['db'] })])
    const live = run(deploy(begin(chain), 'db'), 'seed')
    expect(kinds(live)).toEqual([])
    const elsewhere = play(live, { type: 'runtime/connecting' }, connected)
    expect(
      kinds(
        play(
          elsewhere,
          { type: 'deploy/started', resource: 'db', key: keyOf(elsewhere, 'db') },
          { type: 'deploy/finished', resource: 'db', runtime: 2, templates: ['t-db'], warnings: [] },
        ),
      ),
    ).toEqual([])
    const other = reload(live, plan([ref('db', { replicas: 2 }), localSpec('seed', { rebuildAfter: ['db'] })]))
    expect(kinds(other)).toEqual(['deploy db'])
    expect(kinds(deploy(other, 'db'))).toEqual(['run-local seed'])
  })

  test('who builds the same image is not built for ever', () => {
    const shared = plan(
      [appSpec('one', { image: { built: 'web' } }), appSpec('two', { image: { built: 'web' }, rebuildAfter: ['one'] })],
      [imageSpec('web')],
    )
    const build = (state: State, digest: string): State =>
      play(
        state,
        { type: 'build/started', image: 'web', reason: 'r' },
        { type: 'build/finished', image: 'web', record: record(digest), drift: { rebuild: 0, overlay: 0 } },
      )
    const first = build(play(begin(shared), scanned('web'), { type: 'image/checked', image: 'web', exists: false }), 'd1')
    const live = deploy(deploy(first, 'one'), 'two')
    const rebuilt = build(play(live, scanned('web', { rebuild: 1, needsRebuild: true })), 'd2')
    const after = deploy(deploy(rebuilt, 'one'), 'two')
    expect(kinds(after)).toEqual([])
  })

  test('what is disabled or not started is not waited for', () => {
    const off = plan([
      localSpec('gen', { auto: false }),
      localSpec('lint', { enabled: false }),
      ref('api', { rebuildAfter: ['gen', 'lint'] }),
    ])
    expect(kinds(begin(off))).toEqual(['deploy api'])
  })
})

describe('auto: false', () => {
  const value = plan([ref('db', { auto: false }), ref('api', { needs: ['db'] })])

  test('starts when it is triggered, and those who need it say so', () => {
    const state = begin(value)
    expect(kinds(state)).toEqual([])
    expect(holdOf(state, 'db')).toContain('auto: it does not start by itself')
    expect(holdOf(state, 'api')).toBe('needs: it needs db, which does not start by itself (`auto: false`)')
    const started = play(state, { type: 'request/trigger', resource: 'db' })
    expect(kinds(started)).toEqual(['deploy db'])
    // started once, it is worked on as any other
    expect(kinds(deploy(deploy(started, 'db'), 'api'))).toEqual([])
  })

  test('a change of the mode alone starts it, and touches nothing that runs', () => {
    expect(kinds(reload(begin(value), plan([ref('db'), ref('api', { needs: ['db'] })])))).toEqual(['deploy db'])
    const live = deploy(play(begin(value), { type: 'request/enable', names: ['db'] }), 'db')
    expect(
      kinds(reload(live, plan([ref('db', { trigger: 'manual', labels: ['x'] }), ref('api', { needs: ['db'], enabled: true })]))),
    ).toEqual(['deploy api'])
  })
})

describe('manual trigger', () => {
  const manual = plan([appSpec('api', { trigger: 'manual' })], [imageSpec('api')])
  const change = (over: { rebuild?: number; needsRebuild?: boolean } = {}, action: 'sync' | 'rebuild' = 'sync'): NewAction[] => [
    scanned('api', { overlay: action === 'sync' ? 1 : 0, ...over }),
    {
      type: 'change/seen',
      id: `ch-${Math.random()}`,
      first: 1,
      gathered: 1,
      paths: ['/p/api/src/a.js'],
      pathCount: 1,
      images: [{ image: 'api', action, why: 'w', revision: 2 }],
      resources: [],
    },
  ]
  const live = (): State => {
    const built = play(
      begin(manual),
      scanned('api'),
      { type: 'image/checked', image: 'api', exists: false },
      { type: 'build/started', image: 'api', reason: 'r' },
      { type: 'build/finished', image: 'api', record: record('d1'), drift: { rebuild: 0, overlay: 0 } },
    )
    return play(
      built,
      { type: 'deploy/started', resource: 'api', key: keyOf(built, 'api') },
      { type: 'deploy/finished', resource: 'api', runtime: 1, templates: ['t1'], warnings: [] },
      pod('api'),
      { type: 'target/patch', target: 'c1', patch: { acked: { digest: 'd1', revision: 1 }, status: 'synced' } },
    )
  }

  test('a synced change waits, and a trigger lets it go without a build', () => {
    const state = play(live(), ...change())
    expect(kinds(state)).toEqual([])
    expect(holdOf(state, 'api')).toBe('pending: /p/api/src/a.js waits: nothing is done until it is triggered')
    expect(state.resources.api).toMatchObject({ ready: true, pending: { pathCount: 1 } })
    const gone = play(state, { type: 'request/trigger', resource: 'api' })
    expect(gone.resources.api).toMatchObject({ ready: false, pending: null })
    expect(kinds(gone)).toEqual([])
    expect(
      play(gone, { type: 'target/patch', target: 'c1', patch: { acked: { digest: 'd1', revision: 2 } } }).resources.api?.ready,
    ).toBe(true)
  })

  test('a change that needs a build waits too, and a trigger builds and deploys what was saved by then', () => {
    const state = play(live(), ...change({ rebuild: 1, needsRebuild: true }, 'rebuild'))
    expect(kinds(state)).toEqual([])
    expect(state.resources.api?.ready).toBe(true)
    const triggered = play(state, { type: 'request/trigger', resource: 'api' })
    expect(kinds(triggered)).toEqual(['build api'])
    const building = play(triggered, { type: 'build/started', image: 'api', reason: 'r' })
    // a save in the middle neither stops that build nor starts another
    const later = play(building, ...change({ rebuild: 1, needsRebuild: true }, 'rebuild'))
    expect(kinds(later)).toEqual([])
    const built = play(later, { type: 'build/finished', image: 'api', record: record('d2'), drift: { rebuild: 1, overlay: 0 } })
    expect(kinds(built)).toEqual(['deploy api'])
    const done = play(
      built,
      { type: 'deploy/started', resource: 'api', key: keyOf(built, 'api') },
      { type: 'deploy/finished', resource: 'api', runtime: 1, templates: ['t2'], warnings: [] },
      pod('api', { template: 't2', ref: 'registry/d2', containerId: 'c2', uid: 'u2' }),
    )
    expect(kinds(done)).toEqual([])
    expect(holdOf(done, 'api')).toContain('pending: ')
    // the new pod is brought to the newest files, since it never held any others
    expect(done.resources.api?.ready).toBe(false)
    expect(
      play(done, { type: 'target/patch', target: 'c2', patch: { acked: { digest: 'd2', revision: 3 } } }).resources.api?.ready,
    ).toBe(true)
  })

  test('a lost stream, a failed build and a changed declaration trigger nothing', () => {
    const waiting = play(live(), ...change())
    expect(play(waiting, { type: 'target/patch', target: 'c1', patch: { acked: null } }).resources.api?.ready).toBe(true)
    const declared = reload(live(), plan([appSpec('api', { trigger: 'manual', replicas: 2 })], [imageSpec('api')]))
    expect(kinds(declared)).toEqual([])
    expect(holdOf(declared, 'api')).toContain('its declaration in the Devloopfile has changed')
    expect(kinds(play(declared, { type: 'request/trigger', resource: 'api' }))).toEqual(['build api'])
    const failed = play(
      live(),
      ...change({ rebuild: 1, needsRebuild: true }, 'rebuild'),
      { type: 'request/trigger', resource: 'api' },
      { type: 'build/started', image: 'api', reason: 'r' },
      { type: 'build/failed', image: 'api', error: { code: 'build/failed', message: 'm', help: 'h' } },
      ...change({ rebuild: 1, needsRebuild: true }, 'rebuild'),
    )
    expect(kinds(failed)).toEqual([])
    expect(kinds(play(failed, { type: 'request/trigger', resource: 'api' }))).toEqual(['build api'])
  })

  test('a change of the mode lets go what waits, and rebuilds nothing by itself', () => {
    const auto = plan([appSpec('api')], [imageSpec('api')])
    expect(kinds(reload(live(), auto))).toEqual([])
    expect(reload(live(), auto).resources.api?.ready).toBe(true)
    expect(kinds(reload(play(live(), ...change({ rebuild: 1, needsRebuild: true }, 'rebuild')), auto))).toEqual(['build api'])
  })

  test('a local runs when it is triggered; without anything that waits, a trigger does the whole', () => {
    const gen = plan([localSpec('gen', { trigger: 'manual' })])
    const state = play(run(begin(gen), 'gen'), { type: 'local/changed', resource: 'gen' })
    expect(kinds(state)).toEqual([])
    expect(state.resources.gen).toMatchObject({ ready: true })
    expect(kinds(play(state, { type: 'request/trigger', resource: 'gen' }))).toEqual(['run-local gen'])
    expect(kinds(play(live(), { type: 'request/trigger', resource: 'api' }))).toEqual(['build api'])
  })

  test('with auto: false nothing happens before the first trigger, and each later change waits for one', () => {
    const both = plan([localSpec('gen', { trigger: 'manual', auto: false })])
    expect(kinds(begin(both))).toEqual([])
    const ran = run(play(begin(both), { type: 'request/trigger', resource: 'gen' }), 'gen')
    expect(kinds(play(ran, { type: 'local/changed', resource: 'gen' }))).toEqual([])
  })

  test('what it comes after is one more reason that waits', () => {
    const value = plan([localSpec('gen'), localSpec('use', { trigger: 'manual', rebuildAfter: ['gen'] })])
    const live_ = run(run(begin(value), 'gen'), 'use')
    const again = run(play(live_, { type: 'local/changed', resource: 'gen' }), 'gen')
    expect(kinds(again)).toEqual([])
    expect(holdOf(again, 'use')).toBe('pending: gen has run: nothing is done until it is triggered')
  })
})

describe('enable and disable', () => {
  const value = plan([ref('db'), ref('api', { needs: ['db'] }), localSpec('gen')])
  const live = (): State => run(deploy(deploy(begin(value), 'db'), 'api'), 'gen')

  test('disabling removes, enabling brings back', () => {
    const off = play(live(), { type: 'request/disable', names: ['api', 'gen'] })
    expect(kinds(off)).toEqual(['remove api'])
    expect(holdOf(off, 'api')).toBe('disabled: it was disabled; `devloop enable api` starts it')
    expect(holdOf(off, 'gen')).toContain('disabled')
    const gone = play(off, { type: 'removal/started', resource: 'api' }, { type: 'removal/finished', resource: 'api' })
    expect(kinds(gone)).toEqual([])
    expect(kinds(play(gone, { type: 'request/enable', names: ['api', 'gen'] }))).toEqual(['deploy api', 'run-local gen'])
  })

  test('enabled again before anything was removed: nothing is done', () => {
    const back = play(live(), { type: 'request/disable', names: ['api'] }, { type: 'request/enable', names: ['api'] })
    expect(kinds(back)).toEqual([])
    expect(back.resources.api?.ready).toBe(true)
  })

  test('enabled while it is removed: deployed after that', () => {
    const removing = play(
      live(),
      { type: 'request/disable', names: ['api'] },
      { type: 'removal/started', resource: 'api' },
      { type: 'request/enable', names: ['api'] },
    )
    expect(kinds(removing)).toEqual([])
    expect(holdOf(removing, 'api')).toContain('removing')
    expect(kinds(play(removing, { type: 'removal/finished', resource: 'api' }))).toEqual(['deploy api'])
  })

  test('an apply that runs is not cut: what it leaves is removed after it', () => {
    const forced = play(live(), { type: 'request/trigger', resource: 'api' })
    const running = play(
      forced,
      { type: 'deploy/started', resource: 'api', key: keyOf(forced, 'api') },
      { type: 'request/disable', names: ['api'] },
    )
    expect(kinds(running)).toEqual([])
    expect(
      kinds(play(running, { type: 'deploy/finished', resource: 'api', runtime: 1, templates: ['t'], warnings: [] })),
    ).toEqual(['remove api'])
  })

  test('survives a reload, also of a plan that says otherwise, and of one that lacks it for a while', () => {
    const off = play(live(), { type: 'request/disable', names: ['gen'] })
    expect(reload(off, value).resources.gen?.disabled).toBe('request')
    expect(reload(reload(off, plan([ref('db')])), value).resources.gen?.disabled).toBe('request')
    const started = begin(plan([localSpec('gen', { enabled: false })]))
    expect(started.resources.gen?.disabled).toBe('plan')
    const on = play(started, { type: 'request/enable', names: ['gen'] })
    expect(reload(on, plan([localSpec('gen', { enabled: false })])).resources.gen?.disabled).toBeNull()
  })

  test('who needs it is held with that reason, and is not if it was ready once', () => {
    const early = play(begin(value), { type: 'request/disable', names: ['db'] })
    expect(holdOf(early, 'api')).toBe('needs: it needs db, which is disabled')
    const late = play(live(), { type: 'request/disable', names: ['db'] })
    expect(late.resources.api?.ready).toBe(true)
  })

  test('what an earlier run left of a disabled one is removed', () => {
    const state = play(freshState(), loaded(plan([ref('db', { enabled: false })])), {
      type: 'runtime/connected',
      deployed: ['db'],
    })
    expect(kinds(state)).toEqual(['remove db'])
  })

  test('images that only a disabled one uses are not built, and a save of theirs comes to nothing', () => {
    const off = plan([appSpec('api', { enabled: false })], [imageSpec('api')])
    const state = play(begin(off), scanned('api'), { type: 'image/checked', image: 'api', exists: false })
    expect(kinds(state)).toEqual([])
    const saved = play(state, {
      type: 'change/seen',
      id: 'x',
      first: 1,
      gathered: 1,
      paths: ['a'],
      pathCount: 1,
      images: [{ image: 'api', action: 'sync', why: 'w', revision: 2 }],
      resources: [],
    })
    expect(saved.changes.x?.outcome).toBe('nothing')
  })

  test('only some are watched, with what they need', () => {
    const fresh = freshState()
    const only = (...names: string[]): State =>
      play({ ...fresh, session: { ...fresh.session, only: names } }, loaded(value), connected)
    const disabled = (state: State): string[] =>
      Object.values(state.resources)
        .filter((one) => one.disabled === 'watch')
        .map((one) => one.name)
    expect(disabled(only('api'))).toEqual(['gen'])
    expect(disabled(only('gen'))).toEqual(['db', 'api'])
    expect(holdOf(only('gen'), 'db')).toContain('devloop watches gen only')
    const labelled = plan([
      ref('db'),
      ref('api', { needs: ['db'], labels: ['back'], auto: false }),
      localSpec('gen', { labels: ['front'] }),
    ])
    const some = play({ ...fresh, session: { ...fresh.session, only: ['label:back'] } }, loaded(labelled), connected)
    expect(disabled(some)).toEqual(['gen'])
    // asked for by the command line is asked for
    expect(some.resources.api?.started).toBe(true)
  })
})

test('what `devloop ci RESOURCE...` was not asked for is left as it is in the cluster', () => {
  const value = plan([ref('db'), ref('api', { needs: ['db'] }), ref('web'), ref('off', { enabled: false })])
  const removals = (only: readonly string[], others: 'left' | 'deleted', next = value): string[] => {
    const fresh = freshState()
    const state = play({ ...fresh, session: { ...fresh.session, only, others } }, loaded(value), {
      ...connected,
      deployed: ['db', 'web', 'off', 'gone'],
    } as NewAction)
    return Object.keys(reload(state, next).removals).sort()
  }
  expect(removals(['api'], 'deleted')).toEqual(['gone', 'off', 'web'])
  expect(removals(['api'], 'left')).toEqual([])
  // nothing was left out: all that is not to run goes
  expect(removals([], 'left')).toEqual(['gone', 'off'])
  // what it was asked for, and what was needed only before a reload, differ
  expect(removals(['api'], 'left', plan([ref('db'), ref('api'), ref('web')]))).toEqual([])
  expect(removals(['api'], 'left', plan([ref('web')]))).toEqual(['api', 'db'])
})

describe('slots', () => {
  const names = ['a', 'b', 'c']
  const limited = (builds: number): Plan => ({
    ...plan(
      names.map((name) => appSpec(name)),
      names.map((name) => imageSpec(name)),
    ),
    settings: { ...plan([]).settings, parallel: { builds, deploys: 1, locals: 1 } },
  })
  const settled = (builds: number): State =>
    play(
      begin(limited(builds)),
      ...names.flatMap((name): NewAction[] => [scanned(name), { type: 'image/checked', image: name, exists: false }]),
    )
  const start = (image: string): NewAction => ({ type: 'build/started', image, reason: 'r' })

  test('raised and lowered while builds run', () => {
    const one = play(settled(1), start('a'))
    expect(kinds(one)).toEqual([])
    expect(holdOf(one, 'b')).toBe('slot: 1 other image is being built')
    expect(kinds(reload(one, limited(3)))).toEqual(['build b', 'build c'])
    const three = play(reload(one, limited(3)), start('b'), start('c'))
    const lowered = reload(three, limited(1))
    // what runs goes on; nothing else starts before there is room
    expect(Object.values(lowered.images).map((image) => image.build?.status)).toEqual(['running', 'running', 'running'])
    const fewer = play(lowered, { type: 'build/cancelled', image: 'a' })
    expect(kinds(fewer)).toEqual([])
  })

  test('who is built again and again does not keep others waiting', () => {
    const state = play(settled(1), start('a'), {
      type: 'build/finished',
      image: 'a',
      record: record('d'),
      drift: { rebuild: 0, overlay: 0 },
    })
    const changed = play(state, scanned('a', { rebuild: 1, needsRebuild: true }))
    expect(kinds(changed)).toContain('build b')
    expect(kinds(changed)).not.toContain('build a')
  })

  test('what waits for nothing is built before what must wait anyway', () => {
    const value = plan([appSpec('web', { needs: ['api'] }), appSpec('api')], [imageSpec('web'), imageSpec('api')])
    const one = { ...value, settings: { ...value.settings, parallel: { builds: 1, deploys: 1, locals: 1 } } }
    const state = play(
      begin(one),
      ...['web', 'api'].flatMap((name): NewAction[] => [scanned(name), { type: 'image/checked', image: name, exists: false }]),
    )
    expect(kinds(state)).toEqual(['build api'])
    expect(holdOf(state, 'web')).toBe('slot: 1 other image is being built')
  })

  test('deploys and locals have limits of their own', () => {
    const value = plan([ref('x'), ref('y'), localSpec('l'), localSpec('m')])
    const state = begin({ ...value, settings: { ...value.settings, parallel: { builds: 1, deploys: 1, locals: 1 } } })
    expect(kinds(state)).toEqual(['deploy x', 'run-local l'])
    expect(holdOf(state, 'y')).toContain('slot')
    expect(holdOf(state, 'm')).toContain('slot')
  })
})
