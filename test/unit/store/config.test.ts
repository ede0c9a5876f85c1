// Configs and those who take values from them: what is read, what is deployed, who waits, and who is deployed again.
import { expect, test } from 'vitest'
import type { ConfigSpec, ResourceSpec } from '../../../src/model/plan.js'
import { nextWork } from '../../../src/store/next-work.js'
import type { NewAction } from '../../../src/store/store.js'
import { plainGraph } from '../../support/plain-graph.js'
import { appSpec, connected, freshState, loaded, plan, play } from '../../support/states.js'

const config = (name: string, over: Partial<ConfigSpec> = {}): ConfigSpec => ({
  ...plainGraph,
  kind: 'config',
  name,
  secret: false,
  sources: [{ kind: 'env-file', path: `/p/${name}.env` }],
  forward: [],
  at: { file: '/p/Devloopfile.ts', line: 1 },
  ...over,
})
const app = (name: string, over: Parameters<typeof appSpec>[1] = {}): ResourceSpec =>
  appSpec(name, { image: { ref: 'x' }, ports: {}, ...over })
const web = app('web', { needs: ['settings'], envFrom: [{ config: 'settings' }] })
const sources = (hash: string, resource = 'settings'): NewAction => ({ type: 'resource/sources', resource, hash })

type State = ReturnType<typeof play>
const work = (state: State): string[] =>
  nextWork(state, 5000).work.map((one) => `${one.kind} ${'resource' in one ? one.resource : ''}`)
const keyOf = (state: State, kind: 'render' | 'deploy', name: string): string => {
  for (const one of nextWork(state, 5000).work) if (one.kind === kind && one.resource === name) return one.key
  throw new Error(`there is nothing to ${kind} of ${name}`)
}
const read = (state: State, output: string, name = 'settings'): State => {
  const key = keyOf(state, 'render', name)
  return play(state, { type: 'render/started', resource: name, key }, { type: 'render/finished', resource: name, key, output })
}
const unreadable = (state: State, retryAt?: number): State => {
  const key = keyOf(state, 'render', 'settings')
  const error = { code: 'config/command', message: 'it failed', help: 'Mend it.' } as const
  return play(
    state,
    { type: 'render/started', resource: 'settings', key },
    { type: 'render/failed', resource: 'settings', key, error, ...(retryAt === undefined ? {} : { retryAt }) },
  )
}
const deploy = (state: State, name: string, digest?: string): State =>
  play(
    state,
    { type: 'deploy/started', resource: name, key: keyOf(state, 'deploy', name) },
    { type: 'deploy/finished', resource: name, runtime: 1, templates: [], warnings: [], ...(digest ? { digest } : {}) },
  )
const begun = (...resources: readonly ResourceSpec[]): State =>
  play(
    freshState(),
    loaded(plan(resources.length > 0 ? resources : [config('settings'), web, app('other')])),
    connected,
    sources('h1'),
  )
const running = (): State => deploy(deploy(deploy(read(begun(), 'v1'), 'settings', 'd1'), 'web'), 'other')

test('first it is read, then deployed, then who needs it', () => {
  let state = begun()
  expect(work(state)).toEqual(['render settings', 'deploy other'])
  expect(nextWork(state, 5000).holds['web']?.message).toBe('it needs settings')
  state = read(state, 'v1')
  expect(work(state)).toEqual(['deploy settings', 'deploy other'])
  state = deploy(state, 'settings', 'd1')
  expect(state.resources['settings']?.ready).toBe(true)
  expect(work(state)).toEqual(['deploy web', 'deploy other'])
  expect(work(running())).toEqual([])
})

test('a saved file: who uses it is not ready until it has been deployed with it, once; nobody else is touched', () => {
  let state = play(running(), sources('h2'))
  expect(work(state)).toEqual(['render settings'])
  expect([state.resources['web']?.ready, state.resources['other']?.ready]).toEqual([false, true])
  expect(nextWork(state, 5000).holds['web']?.message).toBe('it takes values from settings, which is being brought up to date')
  state = read(state, 'v2')
  expect(work(state)).toEqual(['deploy settings'])
  state = deploy(state, 'settings', 'd2')
  expect(work(state)).toEqual(['deploy web'])
  state = deploy(state, 'web')
  expect(work(state)).toEqual([])
  expect(state.resources['web']?.ready).toBe(true)
})

test('values that turn out the same lead to nothing', () => {
  const state = read(play(running(), sources('h2')), 'v1')
  expect(work(state)).toEqual([])
  expect(state.resources['web']?.ready).toBe(true)
})

test('what fails leaves those alone who use it, also while it is tried again; what it gives later reaches them', () => {
  let state = unreadable(play(running(), sources('h2')), 6000)
  expect([state.resources['settings']?.ready, state.resources['web']?.ready]).toEqual([false, true])
  const [again] = nextWork(state, 7000).work
  if (again?.kind !== 'render') throw new Error('it is not tried again')
  state = play(state, { type: 'render/started', resource: 'settings', key: again.key })
  expect(state.resources['web']?.ready).toBe(true)
  state = play(state, { type: 'render/finished', resource: 'settings', key: again.key, output: 'v2' })
  state = deploy(state, 'settings', 'd2')
  expect(work(state)).toEqual(['deploy web'])
})

test('an app and its config that change at once are one deploy of the app', () => {
  const changed = plan([config('settings', { sources: [] }), { ...web, replicas: 2 } as ResourceSpec, app('other')])
  let state = play(running(), loaded(changed), sources('h1'))
  expect(work(state)).toEqual(['render settings'])
  state = deploy(read(state, 'v2'), 'settings', 'd2')
  expect(work(state)).toEqual(['deploy web'])
  expect(work(deploy(state, 'web'))).toEqual([])
})

test('through another connection everybody waits until it is deployed there', () => {
  const state = play(running(), connected)
  expect(work(state)).toEqual(['deploy settings', 'deploy other'])
  expect(nextWork(state, 5000).holds['web']?.code).toBe('needs')
})

test('a config takes values from another: the change goes through both', () => {
  const url = config('url', {
    needs: ['settings'],
    sources: [{ kind: 'values', values: { U: [{ kind: 'config', config: 'settings', key: 'A' }] } }],
  })
  let state = play(begun(config('settings'), url, app('web', { needs: ['url'] })), sources('h', 'url'))
  state = deploy(read(read(state, 'v1'), 'u1', 'url'), 'settings', 'd1')
  state = deploy(deploy(state, 'url', 'e1'), 'web')
  expect(work(state)).toEqual([])
  state = read(play(state, sources('h2')), 'v2')
  expect(state.resources['web']?.ready).toBe(false)
  state = deploy(state, 'settings', 'd2')
  expect(work(state)).toEqual(['deploy url'])
  expect(work(deploy(state, 'url', 'e2'))).toEqual(['deploy web'])
  // what it gives is the same: that is the end of it
  expect(work(deploy(state, 'url', 'e1'))).toEqual([])
})

test('a chart rolls out by what its objects name', () => {
  const chart: ResourceSpec = {
    ...plainGraph,
    kind: 'kustomize',
    name: 'chart',
    folder: '/p/k',
    flags: [],
    images: [],
    forward: [],
    at: { file: '/p/Devloopfile.ts', line: 1 },
  }
  let state = play(begun(config('settings'), chart), sources('h', 'chart'))
  const key = keyOf(state, 'render', 'chart')
  state = play(
    state,
    { type: 'render/started', resource: 'chart', key },
    { type: 'render/finished', resource: 'chart', key, output: 'o', configs: ['settings'] },
  )
  expect(work(state)).toEqual(['render settings'])
  state = deploy(read(state, 'v1'), 'settings', 'd1')
  state = deploy(state, 'chart')
  state = deploy(read(play(state, sources('h2')), 'v2'), 'settings', 'd2')
  expect(work(state)).toEqual(['deploy chart'])
})

test('on this machine: what cannot be there is held with its reason', () => {
  const from = config('settings', { secret: true, sources: [{ kind: 'secret', namespace: 'a', name: 'b' }] })
  const mounted = app('web', {
    process: { command: 'x' },
    needs: ['page'],
    volumes: [{ path: '/etc/web', kind: 'config', config: 'page' }],
  })
  const state = play(freshState('process'), loaded(plan([from, config('page'), mounted])), connected)
  const { holds } = nextWork(state, 5000)
  expect(holds['settings']?.message).toBe('it takes values from the Secret a/b of a cluster: run without --runtime process')
  expect(holds['web']?.message).toBe(
    'page is mounted at /etc/web, and on this machine nothing is mounted: take its values by `envFrom`',
  )
})
