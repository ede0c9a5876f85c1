import { describe, expect, test } from 'vitest'
import type { PodState, ResourceState, State } from '../../../src/model/state.js'
import { isBroughtUp, isServing } from '../../../src/store/resource-status.js'
import type { NewAction } from '../../../src/store/store.js'
import { appSpec, connected, freshState, imageSpec, loaded, plan, play, pod, record, scanned } from '../../support/states.js'

const running = (): State =>
  play(
    freshState(),
    loaded(plan([appSpec('api')], [imageSpec('api')])),
    connected,
    scanned('api', { overlay: 1 }),
    { type: 'image/record', image: 'api', record: record('d1'), drift: { rebuild: 0, overlay: 1 } },
    { type: 'image/checked', image: 'api', exists: true },
    pod('api'),
  )
const podOf = (state: State, name = 'api'): PodState => state.resources[name]?.observed?.pods[0] as PodState
const brought = (state: State): boolean => isBroughtUp(state, podOf(state))
const patch = (change: Extract<NewAction, { type: 'target/patch' }>['patch']): NewAction => ({
  type: 'target/patch',
  target: 'c1',
  patch: change,
})
const failed = (code: 'sync/disconnected' | 'run/failed'): NewAction =>
  patch({ status: 'failed', error: { code, message: 'm', help: '' } })

describe('a pod is brought up', () => {
  test('when its container was written to once', () => {
    const state = running()
    expect(brought(state)).toBe(false)
    const synced = play(state, patch({ status: 'synced', acked: { digest: 'd1', revision: 1 } }))
    expect(brought(synced)).toBe(true)
    // the next save finds it serving
    expect(brought(play(synced, scanned('api', { overlay: 1 }), patch({ status: 'syncing' })))).toBe(true)
    // another container in its place has the content of the image
    expect(brought(play(synced, pod('api', { containerId: 'c2' })))).toBe(false)
  })

  test('when it cannot be, for a reason that may stay', () => {
    expect(brought(play(running(), failed('sync/disconnected')))).toBe(false)
    expect(brought(play(running(), failed('run/failed')))).toBe(true)
    // while another image is built the old one serves as it is
    expect(brought(play(running(), scanned('api', { overlay: 1, rebuild: 1, needsRebuild: true })))).toBe(true)
  })
})

test.each(['ignored', 'counted'])('the readiness of pods is %s', (how) => {
  const spec = appSpec('db', { image: { ref: 'x' }, ...(how === 'ignored' ? { readiness: 'ignore' } : {}) })
  const deployed = play(
    freshState(),
    loaded(plan([spec])),
    connected,
    { type: 'deploy/started', resource: 'db', key: `${play(freshState(), loaded(plan([spec]))).resources.db?.specKey}` },
    { type: 'deploy/finished', resource: 'db', runtime: 1, templates: ['t1'], warnings: [] },
    pod('db', { ready: false, rolledOut: false, image: 'none' }),
  )
  expect(deployed.resources.db?.ready).toBe(how === 'ignored')
  expect(isServing(deployed, deployed.resources.db as ResourceState, podOf(deployed, 'db'))).toBe(how === 'ignored')
})
