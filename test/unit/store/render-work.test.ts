// When the objects of a kustomization or chart are rendered, and when they are deployed.
import { describe, expect, test } from 'vitest'
import type { KustomizeSpec } from '../../../src/model/plan.js'
import { nextWork } from '../../../src/store/next-work.js'
import type { NewAction } from '../../../src/store/store.js'
import { plainGraph } from '../../support/plain-graph.js'
import { freshState, loaded, plan, play } from '../../support/states.js'

const spec: KustomizeSpec = {
  ...plainGraph,
  kind: 'kustomize',
  name: 'shop',
  folder: '/p/deploy',
  flags: [],
  images: [],
  forward: [],
  at: { file: '/p/Devloopfile.ts', line: 1 },
}
const connected: NewAction = { type: 'runtime/connected', deployed: [], version: 'v1.34.0' }
const sources = (hash: string): NewAction => ({ type: 'resource/sources', resource: 'shop', hash })
const begun = () => play(freshState(), loaded(plan([spec])), connected, sources('h1'))

type State = ReturnType<typeof begun>
const workOf = (state: State, kind: string) => nextWork(state, 5000).work.find((one) => one.kind === kind)
const keyOf = (state: State): string => {
  const work = workOf(state, 'render')
  if (work?.kind !== 'render') throw new Error('expected a rendering')
  return work.key
}
const rendered = (state: State, output: string): State => {
  const key = keyOf(state)
  return play(
    state,
    { type: 'render/started', resource: 'shop', key },
    { type: 'render/finished', resource: 'shop', key, output },
  )
}
const deployed = (state: State): State => {
  const work = workOf(state, 'deploy')
  if (work?.kind !== 'deploy') throw new Error('expected a deploy')
  const { key } = work
  return play(
    state,
    { type: 'deploy/started', resource: 'shop', key },
    { type: 'deploy/finished', resource: 'shop', runtime: 1, templates: [], warnings: [] },
  )
}

describe('rendering', () => {
  test('waits for its files, and is not repeated while it runs', () => {
    const early = play(freshState(), loaded(plan([spec])), connected)
    expect(nextWork(early, 0)).toMatchObject({
      work: [],
      holds: { shop: { code: 'render', message: 'its files are being read' } },
    })
    const state = begun()
    const running = play(state, { type: 'render/started', resource: 'shop', key: keyOf(state) })
    expect(nextWork(running, 0)).toMatchObject({ work: [], holds: { shop: { code: 'render' } } })
  })

  test('leads to a deploy, and to another only when its result is another', () => {
    const done = deployed(rendered(begun(), 'o1'))
    expect(nextWork(done, 0).work).toEqual([])
    expect(done.resources.shop?.ready).toBe(true)
    const saved = play(done, sources('h2'))
    expect(saved.resources.shop?.ready).toBe(false)
    const same = rendered(saved, 'o1')
    expect(nextWork(same, 0).work).toEqual([])
    expect(same.resources.shop?.ready).toBe(true)
    const other = rendered(play(same, sources('h3')), 'o2')
    expect(workOf(other, 'deploy')).toBeDefined()
  })

  test('that failed is told and not repeated by itself; a save, and a retry when it is due, try again', () => {
    const state = begun()
    const key = keyOf(state)
    const error = { code: 'render/failed', message: 'm', help: 'h' } as const
    const start: NewAction = { type: 'render/started', resource: 'shop', key }
    const failed = play(state, start, { type: 'render/failed', resource: 'shop', key, error })
    expect(nextWork(failed, 0)).toMatchObject({ work: [], holds: { shop: { code: 'failed' } } })
    expect(workOf(play(failed, sources('h2')), 'render')).toBeDefined()
    const later = play(state, start, { type: 'render/failed', resource: 'shop', key, error, retryAt: 9000 })
    expect(nextWork(later, 5000)).toMatchObject({ work: [], wakeAt: 9000 })
    expect(nextWork(later, 9000).work).toMatchObject([{ kind: 'render' }])
  })

  test('of an earlier save does not count, and a trigger and another cluster render again', () => {
    const state = begun()
    const key = keyOf(state)
    const overtaken = play(state, { type: 'render/started', resource: 'shop', key }, sources('h2'), {
      type: 'render/finished',
      resource: 'shop',
      key,
      output: 'o1',
    })
    expect(workOf(overtaken, 'deploy')).toBeUndefined()
    expect(keyOf(overtaken)).not.toBe(key)
    const done = deployed(rendered(state, 'o1'))
    expect(workOf(play(done, { type: 'request/trigger', resource: 'shop' }), 'render')).toBeDefined()
    expect(workOf(play(done, { ...connected, version: 'v1.35.0' } as NewAction), 'render')).toBeDefined()
  })
})
