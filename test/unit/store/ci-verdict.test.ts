// When a run of `devloop ci` is over, told from the state alone.
import { describe, expect, test } from 'vitest'
import type { ErrorInfo } from '../../../src/errors/devloop-error.js'
import type { CiLimits } from '../../../src/model/ci-report.js'
import type { ManifestsSpec, Plan } from '../../../src/model/plan.js'
import type { State } from '../../../src/model/state.js'
import { lookAtCi, newCiMemory, type CiLook } from '../../../src/store/ci-verdict.js'
import { nextWork } from '../../../src/store/next-work.js'
import type { NewAction } from '../../../src/store/store.js'
import { plainGraph } from '../../support/plain-graph.js'
import { appSpec, connected, freshState, loaded, plan, play, pod } from '../../support/states.js'

const db = appSpec('db', { image: { ref: 'postgres' } })
const error = (code: ErrorInfo['code']): ErrorInfo => ({ code, message: `it is ${code}`, help: 'h' })

/** The app of a plan, deployed. */
function deployed(of: Plan = plan([db]), name = 'db'): State {
  const state = play(freshState(), loaded(of), connected)
  const work = nextWork(state, 0).work.find((one) => one.kind === 'deploy')
  if (work?.kind !== 'deploy') throw new Error('nothing to deploy')
  return play(
    state,
    { type: 'deploy/started', resource: name, key: work.key },
    { type: 'deploy/finished', resource: name, runtime: 1, templates: ['t1'], warnings: [] },
  )
}

/** What the pod of `db` is, and how its container has fared. */
function podIs(over: { ready?: boolean; restarts?: number; error?: ErrorInfo; job?: true; createdAt?: number }): NewAction {
  const action = pod('db', { ready: over.ready ?? false, rolledOut: over.ready ?? false })
  if (action.type !== 'resource/observed') throw new Error('no observation')
  const { observed } = action
  return {
    ...action,
    observed: {
      ...observed,
      ...(over.error ? { error: over.error } : {}),
      pods: observed.pods.map((one) => ({
        ...one,
        createdAt: over.createdAt ?? 1_000_000,
        ...(over.job ? { job: over.job } : {}),
        containers: one.containers.map(({ image: _image, ...container }) => ({
          ...container,
          restarts: over.restarts ?? 0,
          ...(over.error ? { error: over.error } : {}),
        })),
      })),
    },
  }
}

/** Looks at states one after the other, each at its time in seconds since the start. */
function look(states: readonly (readonly [number, State])[], limits: CiLimits = {}): CiLook {
  let seen: CiLook = { memory: newCiMemory(1_000_000) }
  for (const [seconds, state] of states) {
    const now = 1_000_000 + seconds * 1000
    seen = lookAtCi(state, nextWork(state, now), seen.memory, limits, now)
  }
  return seen
}

const started = deployed()
const ready = play(started, podIs({ ready: true }))
const crashed = play(started, podIs({ error: error('pod/crashed') }))
const codeOf = (seen: CiLook): string | undefined => seen.report?.resources[0]?.error?.code ?? seen.report?.problems[0]?.code

test('passed once all has been ready for a second, and not for a moment', () => {
  const first = look([[5, ready]])
  expect(first.report).toBeUndefined()
  expect(first.wakeAt).toBe(1_006_000)
  expect(
    look([
      [5, ready],
      [6, ready],
    ]).report,
  ).toMatchObject({ outcome: 'passed', durationMs: 6000, resources: [{ name: 'db', readyMs: 5000 }] })
  expect(
    look([
      [5, ready],
      [5.5, started],
      [5.7, ready],
      [6, ready],
    ]).report,
  ).toBeUndefined()
})

test('what could not be rendered or read is over at once, unless it is tried again', () => {
  const settings = { ...plainGraph, kind: 'config', name: 'settings', secret: true, sources: [], forward: [], at: db.at } as const
  const begun = play(freshState(), loaded(plan([settings])), connected, {
    type: 'resource/sources',
    resource: 'settings',
    hash: 'h',
  })
  const work = nextWork(begun, 0).work.find((one) => one.kind === 'render')
  const key = work?.kind === 'render' ? work.key : ''
  const failed = (retryAt?: number): State =>
    play(
      begun,
      { type: 'render/started', resource: 'settings', key },
      { type: 'render/failed', resource: 'settings', key, error: error('config/command'), ...(retryAt ? { retryAt } : {}) },
    )
  expect(codeOf(look([[1, failed()]]))).toBe('config/command')
  // actions are played in the first seconds of 1970
  expect(look([[-995, failed(2_000_000)]]).report).toBeUndefined()
})

test('what this run has started must have been ready for longer: a node tells late that a container has ended', () => {
  const fresh = look([
    [1, started],
    [2, ready],
    [3, ready],
  ])
  expect([fresh.report, fresh.wakeAt]).toEqual([undefined, 1_007_000])
  const crash = play(started, podIs({ ready: false, restarts: 1 }))
  expect(
    codeOf(
      look([
        [1, started],
        [2, ready],
        [4, crash],
      ]),
    ),
  ).toBe('pod/crashed')
  expect(
    look([
      [1, started],
      [2, ready],
      [7, ready],
    ]).report?.outcome,
  ).toBe('passed')
})

test('not while something that left the plan is being deleted, or the Devloopfile is behind', () => {
  const removing = { ...ready, removals: { old: { name: 'old', status: 'running', attempts: 1 } } } as State
  expect(
    look([
      [5, removing],
      [9, removing],
    ]).report,
  ).toBeUndefined()
  const behind = play(ready, { type: 'devloopfile/changed' })
  expect(
    look([
      [5, behind],
      [9, behind],
    ]).report,
  ).toBeUndefined()
})

describe('crashes', () => {
  test('the first one counts', () => {
    expect(
      codeOf(
        look([
          [1, started],
          [2, crashed],
        ]),
      ),
    ).toBe('pod/crashed')
  })
  test('one that was over before anybody looked counts, too, although it is ready again', () => {
    const again = play(started, podIs({ ready: true, restarts: 1 }))
    expect(
      look([
        [1, started],
        [2, again],
      ]).report,
    ).toMatchObject({
      outcome: 'failed',
      resources: [{ error: { code: 'pod/crashed', message: expect.stringContaining('was started again') } }],
    })
  })
  test('not those of before this run', () => {
    const old = play(started, podIs({ ready: true, restarts: 7, createdAt: 1 }))
    expect(
      look([
        [1, old],
        [2, old],
      ]).report?.outcome,
    ).toBe('passed')
    const anew = play(started, podIs({ ready: true, restarts: 8, createdAt: 1 }))
    expect(
      codeOf(
        look([
          [1, old],
          [1.5, anew],
        ]),
      ),
    ).toBe('pod/crashed')
  })
  test('within the grace they do not, and beyond it they do', () => {
    const recovered = play(started, podIs({ ready: true, restarts: 2 }))
    const limits = { graceMs: 10_000 }
    const early = look(
      [
        [1, started],
        [2, crashed],
        [8, recovered],
      ],
      limits,
    )
    expect(early.report).toBeUndefined()
    expect(
      look(
        [
          [1, started],
          [2, crashed],
          [8, recovered],
          [13, recovered],
        ],
        limits,
      ).report?.outcome,
    ).toBe('passed')
    const still = look(
      [
        [1, started],
        [2, crashed],
      ],
      limits,
    )
    expect([still.report, still.wakeAt]).toEqual([undefined, 1_011_000])
    expect(
      codeOf(
        look(
          [
            [1, started],
            [2, crashed],
            [11, crashed],
          ],
          limits,
        ),
      ),
    ).toBe('pod/crashed')
    const late = play(started, podIs({ ready: true, restarts: 3 }))
    expect(
      codeOf(
        look(
          [
            [1, started],
            [8, recovered],
            [20, late],
          ],
          limits,
        ),
      ),
    ).toBe('pod/crashed')
  })
  test('a try of a Job is no crash; the end of the Job is', () => {
    const tried = play(started, podIs({ job: true, error: error('pod/crashed'), restarts: 3 }))
    expect(
      look([
        [1, started],
        [2, tried],
      ]).report,
    ).toBeUndefined()
    const failed = play(started, podIs({ job: true, error: error('job/failed') }))
    expect(
      codeOf(
        look(
          [
            [1, started],
            [2, failed],
          ],
          { graceMs: 60_000 },
        ),
      ),
    ).toBe('job/failed')
  })
  test('what often passes by itself has ten seconds, and what only has to wait has its own limit', () => {
    const pulling = play(started, podIs({ error: error('pod/image') }))
    expect(
      look([
        [1, started],
        [2, pulling],
      ]).wakeAt,
    ).toBe(1_012_000)
    expect(
      codeOf(
        look([
          [1, started],
          [2, pulling],
          [12, pulling],
        ]),
      ),
    ).toBe('pod/image')
    const full = play(started, podIs({ error: error('pod/unschedulable') }))
    expect(
      look([
        [1, started],
        [2, full],
        [60, full],
      ]).report,
    ).toBeUndefined()
  })
})

describe('limits', () => {
  test('for one resource, from its start, again when it was ready in between; with what it knows', () => {
    const message = play(started, podIs({ error: error('pod/unschedulable') }))
    const limits = { readinessTimeoutMs: 10_000 }
    expect(look([[1, started]], limits).wakeAt).toBe(1_011_000)
    expect(
      look(
        [
          [1, started],
          [11, message],
        ],
        limits,
      ).report?.resources[0]?.error,
    ).toMatchObject({
      code: 'ci/not-ready',
      message: 'db was not ready within 10 s of its start',
      why: 'it is pod/unschedulable',
    })
    expect(
      look(
        [
          [1, started],
          [8, ready],
          [8.5, started],
          [12, started],
        ],
        limits,
      ).report,
    ).toBeUndefined()
  })
  test('a Job has none', () => {
    const once: ManifestsSpec = {
      ...db,
      kind: 'manifests',
      objects: [{ object: { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'once' } } }],
      images: [],
    } as never
    const job = deployed(plan([once]))
    expect(
      look(
        [
          [1, job],
          [999, job],
        ],
        { readinessTimeoutMs: 10_000 },
      ).report,
    ).toBeUndefined()
  })
  test('for the whole run', () => {
    expect(
      codeOf(
        look(
          [
            [1, started],
            [1800, started],
          ],
          { readinessTimeoutMs: 9e6 },
        ),
      ),
    ).toBe('ci/timeout')
    const set = plan([db])
    const short = deployed({ ...set, settings: { ...set.settings, ci: { ...set.settings.ci, timeoutMs: 5000 } } })
    expect(codeOf(look([[5, short]]))).toBe('ci/timeout')
    expect(look([[5, short]], { timeoutMs: 6000 }).report).toBeUndefined()
  })
})

test('the cluster: what cannot pass at once, what may pass after half a minute', () => {
  const away = (code: ErrorInfo['code']): State =>
    play(freshState(), loaded(plan([db])), { type: 'runtime/connecting', error: error(code) })
  expect(codeOf(look([[1, away('cluster/not-allowed')]]))).toBe('cluster/not-allowed')
  expect(codeOf(look([[1, away('cluster/none')]]))).toBe('cluster/none')
  const lost = play(ready, { type: 'runtime/lost', error: error('cluster/unreachable') })
  expect(
    look([
      [1, ready],
      [2, lost],
    ]).wakeAt,
  ).toBe(1_032_000)
  expect(
    codeOf(
      look([
        [1, ready],
        [2, lost],
        [32, lost],
      ]),
    ),
  ).toBe('cluster/unreachable')
  expect(
    look([
      [1, ready],
      [2, lost],
      [30, ready],
      [33, lost],
    ]).report,
  ).toBeUndefined()
})

test('a deploy that is refused counts at once, one that is tried again after a while', () => {
  const state = play(freshState(), loaded(plan([db])), connected)
  const key = nextWork(state, 0).work.flatMap((one) => (one.kind === 'deploy' ? [one.key] : []))[0] ?? ''
  const begun = play(state, { type: 'deploy/started', resource: 'db', key })
  const refused = play(begun, { type: 'deploy/failed', resource: 'db', error: error('cluster/invalid') })
  expect(codeOf(look([[1, refused]]))).toBe('cluster/invalid')
})

test('a Devloopfile that does not load, and a plan with nothing in it', () => {
  const failed = play(freshState(), { type: 'devloopfile/failed', wanted: 1, error: error('devloopfile/syntax') })
  expect(codeOf(look([[1, failed]]))).toBe('devloopfile/syntax')
  expect(codeOf(look([[1, play(freshState(), loaded(plan([])))]]))).toBe('ci/nothing')
})
