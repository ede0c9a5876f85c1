// Pods that the agent keeps from starting are deployed without it, when that is not over soon.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DevloopError } from '../../../../../src/errors/devloop-error.js'
import { watchAgent } from '../../../../../src/adapters/kube/agent/watch-agent.js'
import type { Observed, ObservedContainer } from '../../../../../src/ports/runtime.js'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const observed = (problem?: string, name = 'devloop-agent'): Observed => {
  const container: ObservedContainer = {
    name,
    kind: 'init',
    containerId: '',
    image: undefined,
    ref: 'r',
    running: false,
    restartable: false,
    restarts: 0,
    ...(problem === undefined ? {} : { error: new DevloopError('pod/config', 'It cannot be started.', { why: problem }).info }),
  }
  const pod = { name: 'web-1', namespace: 'dev', uid: '1', template: 't', phase: 'pending', ready: false, createdAt: 0 } as const
  return { resource: 'web', pods: [{ ...pod, containers: [container] }], rolledOut: false }
}

function watched() {
  const told: (string | undefined)[] = []
  const troubles: string[] = []
  const life = new AbortController()
  const see = watchAgent(({ redeploy }) => told.push(redeploy), {
    onTrouble: (resource, why) => troubles.push(`${resource}: ${why}`),
    patienceMs: 1_000,
    life: life.signal,
  })
  return { see, told, troubles, life }
}

test('after a while a redeploy is asked for, once, and for good', () => {
  const { see, told, troubles } = watched()
  see(observed('pull access denied'))
  vi.advanceTimersByTime(999)
  see(observed('back-off'))
  expect([told, troubles]).toEqual([[undefined, undefined], []])
  vi.advanceTimersByTime(1)
  expect(troubles).toEqual(['web: it does not start in the pod: back-off'])
  see(observed())
  vi.advanceTimersByTime(5_000)
  expect(told).toEqual([undefined, undefined, 'without the agent', 'without the agent'])
  see(observed('again'))
  vi.advanceTimersByTime(5_000)
  expect(troubles).toHaveLength(1)
})

test('what is over soon, what is of another container, and what comes after the end is nothing', () => {
  const { see, told, troubles, life } = watched()
  see(observed('pull access denied'))
  see(observed())
  vi.advanceTimersByTime(5_000)
  see(observed('crashed', 'prepare'))
  vi.advanceTimersByTime(5_000)
  see(observed('pull access denied'))
  life.abort()
  vi.advanceTimersByTime(5_000)
  expect([told, troubles]).toEqual([[undefined, undefined, undefined, undefined], []])
})
