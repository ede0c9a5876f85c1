import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createGather, gatherTimes, type Burst, type Gather } from '../../../src/control/gather.js'

let bursts: { paths: string[]; rescan: boolean }[] = []
let locked = false
let gone = new Set<string>()
let release: (() => void) | undefined
let gather: Gather
const event = (...paths: string[]) => gather.add({ paths, rescan: false })

beforeEach(() => {
  vi.useFakeTimers()
  bursts = []
  locked = false
  gone = new Set()
  release = undefined
  gather = createGather({
    flush: ({ paths, rescan }: Burst) => {
      bursts.push({ paths: [...paths], rescan })
      return release === undefined ? Promise.resolve() : new Promise((resolve) => (release = resolve))
    },
    locked: () => Promise.resolve(locked),
    deleting: (paths) => paths.size > 0 && [...paths].every((path) => gone.has(path)),
    onDefect: (thrown) => {
      throw thrown
    },
  })
})
afterEach(async () => {
  release?.()
  await gather.stop()
  vi.useRealTimers()
})

test('the first save of a quiet tree goes at once', async () => {
  event('a')
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  expect(bursts).toEqual([{ paths: ['a'], rescan: false }])
})

test('both halves of a save by temp and rename are one change', async () => {
  event('a.tmp')
  await vi.advanceTimersByTimeAsync(1)
  event('a', 'a.tmp')
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  expect(bursts).toEqual([{ paths: ['a.tmp', 'a'], rescan: false }])
})

test('what comes during a flush is gathered until it is quiet', async () => {
  release = () => {}
  event('a')
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  event('b')
  event('c')
  release()
  for (let i = 0; i < 5; i++) {
    await vi.advanceTimersByTimeAsync(gatherTimes.quiet - 4)
    event(`d${i}`)
  }
  expect(bursts).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(gatherTimes.quiet * 3)
  expect(bursts[1]?.paths).toEqual(['b', 'c', 'd0', 'd1', 'd2', 'd3', 'd4'])
})

test('a burst that pauses for a moment after its first flush goes on as one', async () => {
  event('a', 'b', 'c', 'd', 'e')
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  expect(bursts).toHaveLength(1)
  for (let i = 0; i < 5; i++) {
    await vi.advanceTimersByTimeAsync(gatherTimes.quiet - 4)
    event(`f${i}`)
  }
  expect(bursts).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(gatherTimes.quiet * 3)
  expect(bursts[1]?.paths).toEqual(['f0', 'f1', 'f2', 'f3', 'f4'])
})

test('one save right after another one still goes at once', async () => {
  event('a', 'a.tmp')
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  event('b')
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  expect(bursts).toHaveLength(2)
})

test('of a large burst, what is there goes on its way before it ends', async () => {
  release = () => {}
  event('a')
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  const many = Array.from({ length: gatherTimes.paths }, (_, i) => `f${i}`)
  event(...many)
  release()
  // it never becomes quiet
  for (let ms = 0; ms < gatherTimes.quiet + 4; ms += 2) {
    await vi.advanceTimersByTimeAsync(2)
    event('last')
  }
  expect(bursts[1]?.paths).toEqual(expect.arrayContaining(many))
})

test('an endless storm is cut', async () => {
  release = () => {}
  event('first')
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  event('storm')
  release()
  for (let ms = 0; ms < gatherTimes.cap + 5 * gatherTimes.quiet; ms += 5) {
    event(`s${ms}`)
    await vi.advanceTimersByTimeAsync(5)
  }
  expect(bursts.length).toBeGreaterThanOrEqual(2)
})

test('a version-control lock holds everything back, but not for ever', async () => {
  locked = true
  event('a')
  await vi.advanceTimersByTimeAsync(1000)
  event('b')
  expect(bursts).toEqual([])
  locked = false
  await vi.advanceTimersByTimeAsync(2 * gatherTimes.quiet)
  expect(bursts).toEqual([{ paths: ['a', 'b'], rescan: false }])
  locked = true
  event('c')
  await vi.advanceTimersByTimeAsync(gatherTimes.lockCap + 3 * gatherTimes.quiet)
  expect(bursts).toHaveLength(2)
})

test('a lost event asks for a rescan', async () => {
  gather.add({ paths: [], rescan: true })
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  expect(bursts).toEqual([{ paths: [], rescan: true }])
})

test('what may be the deletion of a whole folder is waited for until nothing more goes', async () => {
  gone = new Set(Array.from({ length: 20 }, (_, i) => `d${i}`))
  for (const path of gone) {
    event(path)
    await vi.advanceTimersByTimeAsync(gatherTimes.deleted)
  }
  expect(bursts).toEqual([])
  await vi.advanceTimersByTimeAsync(gatherTimes.deletedCap)
  expect(bursts).toEqual([{ paths: [...gone], rescan: false }])
})

test('a file that is deleted and made anew need not wait for that', async () => {
  gone = new Set(['a'])
  event('a')
  await vi.advanceTimersByTimeAsync(gatherTimes.first)
  expect(bursts).toEqual([])
  gone = new Set()
  event('a')
  await vi.advanceTimersByTimeAsync(gatherTimes.quiet)
  expect(bursts).toEqual([{ paths: ['a'], rescan: false }])
})
