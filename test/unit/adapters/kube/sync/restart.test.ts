import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRestarter } from '../../../../../src/adapters/kube/sync/restart.js'

const never = new AbortController().signal

/** A container whose supervisor does as it is told after a while. */
function container(options: { endsAfterMs?: number; killedAfterMs?: number; supervised?: boolean } = {}) {
  let child = 10
  const signals: number[] = []
  const next = (ms: number | undefined): void => {
    const from = child
    if (ms !== undefined) setTimeout(() => (child = from + 1), ms)
  }
  const exchange = (code: string): Promise<{ status: number; output: Buffer }> => {
    const answer = (status: number, output = ''): Promise<{ status: number; output: Buffer }> =>
      Promise.resolve({ status, output: Buffer.from(output) })
    if (options.supervised === false) return answer(1)
    if (code.startsWith('kill')) {
      signals.push(Date.now())
      next(signals.length === 1 ? options.endsAfterMs : options.killedAfterMs)
      return answer(0)
    }
    // every question takes its round trip
    return new Promise((resolve) => setTimeout(() => resolve({ status: 0, output: Buffer.from(`devloop:${child}\n`) }), 2))
  }
  return { signals, restart: createRestarter(exchange, 'container web of pod shop/web-1') }
}

describe('createRestarter', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('says so when there is no supervisor', async () => {
    const { restart } = container({ supervised: false })
    await expect(restart(never)).rejects.toMatchObject({ code: 'restart/unsupported' })
  })

  it('resolves when there is a new child, each time', async () => {
    const { restart, signals } = container({ endsAfterMs: 30, killedAfterMs: 30 })
    for (let count = 1; count <= 2; count++) {
      const done = restart(never)
      await vi.advanceTimersByTimeAsync(200)
      await done
      expect(signals).toHaveLength(count)
    }
  })

  it('asks for a kill after the grace', async () => {
    const { restart, signals } = container({ killedAfterMs: 10 })
    const done = restart(never)
    await vi.advanceTimersByTimeAsync(2_900)
    expect(signals).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(500)
    await done
    expect(signals).toHaveLength(2)
  })

  it('gives up on a process that nothing ends', async () => {
    const { restart } = container()
    const failure = restart(never).catch((thrown: unknown) => thrown)
    await vi.advanceTimersByTimeAsync(16_000)
    expect(await failure).toMatchObject({ code: 'restart/failed' })
  })

  it('does not kill because it is asked again while the process is still ending', async () => {
    const { restart, signals } = container({ endsAfterMs: 1_000 })
    const controller = new AbortController()
    const first = restart(controller.signal).catch((thrown: unknown) => thrown)
    await vi.advanceTimersByTimeAsync(300)
    controller.abort()
    await vi.advanceTimersByTimeAsync(100)
    expect(await first).toMatchObject({ name: 'AbortError' })
    const second = restart(never)
    await vi.advanceTimersByTimeAsync(1_000)
    await second
    expect(signals).toHaveLength(1)
  })
})
