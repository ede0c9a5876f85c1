// What happened lately, in few words.
import { expect, test } from 'vitest'
import { createActionRing } from '../../../src/store/action-ring.js'
import type { Action } from '../../../src/store/actions.js'
import { createStore } from '../../../src/store/store.js'
import { freshState } from '../../support/states.js'

test('names, subjects and one word; the same in a row once; the oldest goes', () => {
  const ring = createActionRing(3)
  const error = { code: 'build/failed', message: 'npm ci failed: the token is abc', help: '' } as const
  const actions: Action[] = [
    { at: 1, type: 'devloopfile/loading' },
    { at: 2, type: 'build/started', image: 'web', reason: 'first' },
    { at: 3, type: 'build/progress', image: 'web', stage: 'build' },
    { at: 4, type: 'build/progress', image: 'web', stage: 'build' },
    { at: 5, type: 'build/failed', image: 'web', error },
  ]
  for (const action of actions) ring.add(action)
  expect(ring.notes()).toEqual([
    { at: 2, type: 'build/started', subject: 'web' },
    { at: 4, type: 'build/progress', subject: 'web', detail: 'build', times: 2 },
    { at: 5, type: 'build/failed', subject: 'web', detail: 'build/failed' },
  ])
  ring.add({ at: 6, type: 'request/enable', names: ['web', 'db'] })
  ring.add({ at: 7, type: 'target/patch', target: 't', patch: { error } })
  expect(ring.notes().map(({ at, subject, detail }) => [at, subject, detail])).toEqual([
    [5, 'web', 'build/failed'],
    [6, 'web db', undefined],
    [7, 't', 'error'],
  ])
})

test('the store tells each action that changes something, with its time', () => {
  const told: Action[] = []
  const store = createStore({
    initial: freshState(),
    now: () => 7,
    onAction: (action) => told.push(action),
    onDefect: (thrown) => {
      throw thrown
    },
  })
  store.dispatch({ type: 'session/phase', phase: 'stopping' })
  store.dispatch({ type: 'local/changed', resource: 'nobody' })
  expect(told).toEqual([{ at: 7, type: 'session/phase', phase: 'stopping' }])
})
