// When a trigger that is waited for is answered, and how: real state, and time that the test moves.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { outcomesOf } from '../../../src/daemon/triggered.js'
import type { ErrorInfo } from '../../../src/errors/devloop-error.js'
import type { TriggerOutcome } from '../../../src/protocol/messages.js'
import { createViewSource } from '../../../src/server/views.js'
import { nextWork } from '../../../src/store/next-work.js'
import { createSecretMask } from '../../../src/store/secret-mask.js'
import { createStore, type NewAction } from '../../../src/store/store.js'
import { createWorkFeed } from '../../../src/store/work-feed.js'
import { appSpec, connected, freshState, loaded, plan, pod } from '../../support/states.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const error = (code: ErrorInfo['code']): ErrorInfo => ({ code, message: `it is ${code}`, help: 'h' })
const db = plan([appSpec('db', { image: { ref: 'postgres' } }), appSpec('web', { image: { ref: 'nginx' } })])

/** Both deployed and ready, and `db` triggered. */
function triggered(names: readonly string[] = ['db']) {
  const store = createStore({
    initial: freshState(),
    onDefect(thrown) {
      throw thrown
    },
  })
  const work = createWorkFeed(store)
  const views = createViewSource(store, work, () => 'shop', createSecretMask())
  const start = (name: string): void => {
    const due = nextWork(store.state(), Date.now()).work.find((one) => one.kind === 'deploy' && one.resource === name)
    if (due?.kind !== 'deploy') throw new Error(`nothing to deploy of ${name}`)
    store.dispatch({ type: 'deploy/started', resource: name, key: due.key })
  }
  const finish = (name: string): void => {
    start(name)
    store.dispatch({ type: 'deploy/finished', resource: name, runtime: 1, templates: ['t1'], warnings: [] })
  }
  for (const action of [loaded(db), connected]) store.dispatch(action)
  for (const name of ['db', 'web']) {
    finish(name)
    store.dispatch(observed(name, true))
  }
  for (const name of names) store.dispatch({ type: 'request/trigger', resource: name })
  const abort = new AbortController()
  const told: string[] = []
  const progress = (message: string, count?: { done: number; total: number }): void =>
    void told.push(`${message} ${count?.done}/${count?.total}`)
  let outcomes: readonly TriggerOutcome[] | Error | undefined
  outcomesOf({ store, work }, views, names, { signal: abort.signal, progress }).then(
    (value) => (outcomes = value),
    (thrown: Error) => (outcomes = thrown),
  )
  return {
    store,
    start,
    finish,
    abort,
    told,
    /** What it came to, a while later. */
    async after(ms: number) {
      await vi.advanceTimersByTimeAsync(ms)
      return outcomes
    },
  }
}

function observed(name: string, ready: boolean, trouble?: ErrorInfo): NewAction {
  const action = pod(name, { ready, rolledOut: ready })
  if (action.type !== 'resource/observed') throw new Error('no observation')
  return trouble ? { ...action, observed: { ...action.observed, error: trouble } } : action
}

test('not before what was asked for is done, although it was ready all the time', async () => {
  const { start, store, after, told } = triggered()
  expect(await after(60_000)).toBeUndefined()
  start('db')
  expect(await after(60_000)).toBeUndefined()
  store.dispatch({ type: 'deploy/finished', resource: 'db', runtime: 1, templates: ['t1'], warnings: [] })
  expect(await after(50)).toEqual([{ resource: 'db', ready: true }])
  expect(told.at(0)).toMatch(/^db: .* 0\/1$/)
  expect(told).toContain('db: deploying 0/1')
  expect(told.at(-1)).toBe('done 1/1')
})

test('a deploy that fails is known at once, also where it is tried again', async () => {
  const { start, store, after } = triggered()
  start('db')
  store.dispatch({ type: 'deploy/failed', resource: 'db', error: error('cluster/denied'), retryAt: Date.now() + 5_000 })
  expect(await after(50)).toEqual([{ resource: 'db', ready: false, error: error('cluster/denied') }])
})

test('trouble of pods counts when it stands, and not while they are replaced', async () => {
  const { finish, store, after } = triggered()
  finish('db')
  store.dispatch(observed('db', false, error('pod/crashed')))
  expect(await after(2_000)).toBeUndefined()
  store.dispatch(observed('db', false))
  expect(await after(5_000)).toBeUndefined()
  store.dispatch(observed('db', false, error('pod/image')))
  expect(await after(2_900)).toBeUndefined()
  expect(await after(200)).toEqual([{ resource: 'db', ready: false, error: error('pod/image') }])
})

test('what waits for room in the cluster waits on', async () => {
  const { finish, store, after } = triggered()
  finish('db')
  store.dispatch(observed('db', false, error('pod/unschedulable')))
  expect(await after(600_000)).toBeUndefined()
  store.dispatch(observed('db', true))
  expect(await after(50)).toEqual([{ resource: 'db', ready: true }])
})

test('of several each is told, in the order that they were asked for', async () => {
  const { finish, start, store, after, told } = triggered(['web', 'db'])
  finish('db')
  expect(await after(50)).toBeUndefined()
  expect(told.at(-1)).toMatch(/^web: .* 1\/2$/)
  start('web')
  store.dispatch({ type: 'deploy/failed', resource: 'web', error: error('cluster/denied') })
  expect(await after(50)).toEqual([
    { resource: 'web', ready: false, error: error('cluster/denied') },
    { resource: 'db', ready: true },
  ])
})

test('one that is disabled, or leaves the plan, is waited for no more', async () => {
  const disabled = triggered()
  disabled.store.dispatch({ type: 'request/disable', names: ['db'] })
  expect(await disabled.after(50)).toMatchObject([{ resource: 'db', ready: false, error: { code: 'request/refused' } }])
  const gone = triggered()
  gone.store.dispatch({
    type: 'devloopfile/loaded',
    wanted: 1,
    plan: plan([appSpec('web', { image: { ref: 'nginx' } })]),
    loadMs: 1,
  })
  expect(await gone.after(50)).toMatchObject([{ resource: 'db', ready: false, error: { code: 'request/refused' } }])
})

test('called off, it ends at once and hears nothing more', async () => {
  const { store, abort, after, told } = triggered()
  abort.abort(new Error('enough'))
  expect(await after(50)).toEqual(new Error('enough'))
  const before = told.length
  store.dispatch({ type: 'request/disable', names: ['db'] })
  expect(told.length).toBe(before)
  expect(vi.getTimerCount()).toBe(0)
})
