import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createStuckMoves } from '../../../src/control/both-ways-stuck.js'
import { absent, type Entry } from '../../../src/model/tree.js'

const file = (hash: string): Entry => ({ kind: 'file', hash, mode: 0o644, size: 1 })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a path is tried again after a rest that doubles, up to a minute', () => {
  const again = vi.fn<() => void>()
  const stuck = createStuckMoves(again, new AbortController().signal)
  for (const rest of [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000)) {
    again.mockClear()
    stuck.add('/a', file('1'), absent, 'in the way')
    vi.advanceTimersByTime(rest - 1)
    expect([stuck.has('/a', file('1'), absent), again.mock.calls.length]).toEqual([true, 0])
    vi.advanceTimersByTime(2)
    expect([stuck.has('/a', file('1'), absent), again.mock.calls.length]).toEqual([false, 1])
  }
  expect(stuck.messages()).toEqual([['/a', 'in the way']])
})

test('one of which a side is another is stuck no more, and begins anew', () => {
  const stuck = createStuckMoves(() => {}, new AbortController().signal)
  for (let tries = 0; tries < 5; tries++) stuck.add('/a', file('1'), absent, 'in the way')
  expect(stuck.has('/a', file('1'), file('2'))).toBe(false)
  expect(stuck.messages()).toEqual([])
  stuck.add('/a', file('1'), file('2'), 'in the way')
  vi.advanceTimersByTime(1001)
  expect(stuck.has('/a', file('1'), file('2'))).toBe(false)
})

test('what is not wanted any more is forgotten, and nothing is tried again after the end', () => {
  const [again, ending] = [vi.fn<() => void>(), new AbortController()]
  const stuck = createStuckMoves(again, ending.signal)
  for (const path of ['/a', '/b']) stuck.add(path, absent, file('1'), `${path} is in the way`)
  stuck.keep((path) => path === '/b')
  expect(stuck.messages()).toEqual([['/b', '/b is in the way']])
  ending.abort()
  vi.advanceTimersByTime(60_000)
  expect(again).not.toHaveBeenCalled()
})
