import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSlots } from '../../../src/control/slots.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const never = new AbortController().signal

test('so many at once, the others in their order', async () => {
  const slots = createSlots(2, 1000)
  const began: number[] = []
  const gives: (() => void)[] = []
  for (let i = 0; i < 5; i++) void slots.take(never).then((give) => (began.push(i), gives.push(give)))
  await vi.advanceTimersByTimeAsync(0)
  expect(began).toEqual([0, 1])
  gives[1]?.()
  // giving back again frees nothing more
  gives[1]?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(began).toEqual([0, 1, 2])
})

test('one that takes long holds nobody up', async () => {
  const slots = createSlots(1, 1000)
  const first = await slots.take(never)
  let second: (() => void) | undefined
  void slots.take(never).then((give) => (second = give))
  await vi.advanceTimersByTimeAsync(999)
  expect(second).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1)
  expect(second).toBeDefined()
  // its end comes when its slot is another's
  first()
  let third: (() => void) | undefined
  void slots.take(never).then((give) => (third = give))
  await vi.advanceTimersByTimeAsync(0)
  expect(third).toBeUndefined()
  second?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(third).toBeDefined()
  third?.()
  expect(vi.getTimerCount()).toBe(0)
})

test('who leaves is not waited for', async () => {
  const slots = createSlots(1, 1000)
  const give = await slots.take(never)
  const leaving = new AbortController()
  const left = slots.take(leaving.signal)
  const last = slots.take(never)
  leaving.abort()
  await expect(left).rejects.toMatchObject({ name: 'AbortError' })
  give()
  ;(await last)()
  await expect(slots.take(leaving.signal)).rejects.toMatchObject({ name: 'AbortError' })
  ;(await slots.take(never))()
})
