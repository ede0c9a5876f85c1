// When a `serve` that ended is started again.
import { expect, test } from 'vitest'
import type { LocalSpec } from '../../../src/model/plan.js'
import { nextWork } from '../../../src/store/next-work.js'
import { plainGraph } from '../../support/plain-graph.js'
import { freshState, loaded, plan, play } from '../../support/states.js'

const spec: LocalSpec = {
  kind: 'local',
  name: 'docs',
  serve: 'vite',
  restart: 'always',
  cwd: '/p',
  watch: [],
  env: {},
  ...plainGraph,
  forward: [],
  rebuildAfter: [],
  labels: [],
  auto: true,
  trigger: 'auto',
  enabled: true,
  at: { file: '/p/Devloopfile.ts', line: 1 },
}
const error = { code: 'local/failed', message: 'm', help: 'h' } as const
const ran = { type: 'local/ran', resource: 'docs', wanted: 1 } as const
const ended = { type: 'local/serve', resource: 'docs', serve: 'failed', error } as const
const state = (...actions: Parameters<typeof play> extends [unknown, ...infer Rest] ? Rest : never) =>
  play(freshState('process'), loaded(plan([spec])), ...actions)

test('at its time, with the reason why not before', () => {
  const waiting = state(ran, { ...ended, retryAt: 5000 })
  expect(nextWork(waiting, 3100)).toEqual({
    work: [],
    holds: { docs: { code: 'failed', message: 'it ended; started again in 2 s' } },
    wakeAt: 5000,
  })
  expect(nextWork(waiting, 5000)).toEqual({ work: [{ kind: 'serve-local', resource: 'docs' }], holds: {} })
})

test('not without a time, not when its run failed, and not once it is started', () => {
  expect(nextWork(state(ran, ended), 9000)).toMatchObject({ work: [], holds: { docs: { code: 'failed' } } })
  expect(nextWork(state({ ...ran, error }, { ...ended, retryAt: 5000 }), 9000).work).toEqual([])
  const started = state(ran, { ...ended, retryAt: 5000 }, { type: 'local/serve', resource: 'docs', serve: 'starting', error })
  expect(nextWork(started, 9000)).toMatchObject({ work: [], holds: { docs: { code: 'starting' } } })
  // what it ended with is told until it is ready
  expect(started.resources.docs?.local).toMatchObject({ serve: 'starting', error })
  const ready = play(started, { type: 'local/serve', resource: 'docs', serve: 'ready' })
  expect(ready.resources.docs).toMatchObject({ ready: true })
  expect(ready.resources.docs?.local?.error).toBeUndefined()
})

test('a newer change comes first', () => {
  const changed = state(ran, { ...ended, retryAt: 5000 }, { type: 'local/changed', resource: 'docs' })
  expect(nextWork(changed, 9000).work).toEqual([{ kind: 'run-local', resource: 'docs', wanted: 2 }])
})

test('not before the files that it watches have been read, and anew after its declaration changed', () => {
  const watching = plan([{ ...spec, watch: ['src'] }])
  const begun = play(freshState('process'), loaded(watching))
  expect(nextWork(begun, 9000)).toMatchObject({ work: [], holds: { docs: { code: 'sources' } } })
  const read = play(begun, { type: 'local/read', resource: 'docs' })
  expect(nextWork(read, 9000).work).toEqual([{ kind: 'run-local', resource: 'docs', wanted: 1 }])
  const again = play(read, { ...ran }, { ...loaded(plan([{ ...spec, watch: ['lib'] }])) })
  expect(nextWork(again, 9000)).toMatchObject({ work: [], holds: { docs: { code: 'sources' } } })
  expect(nextWork(play(again, { type: 'local/read', resource: 'docs' }), 9000).work).toHaveLength(1)
})
