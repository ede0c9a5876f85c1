import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addLatency, noLatencies, percentiles, type Latencies } from '../../../src/model/latency.js'

const of = (values: readonly number[]): Latencies => values.reduce(addLatency, noLatencies)

test('percentiles are those of the sorted values, within 5 %', () => {
  expect(percentiles(noLatencies)).toBeUndefined()
  expect(percentiles(of([24]))).toEqual({ count: 1, p50: 24, p95: 24 })
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 300 }), (values) => {
      const sorted = values.toSorted((a, b) => a - b)
      const found = percentiles(of(values))
      for (const [share, value] of [
        [0.5, found?.p50],
        [0.95, found?.p95],
      ] as const) {
        const right = sorted[Math.max(1, Math.ceil(values.length * share)) - 1] as number
        expect(Math.abs((value as number) - right)).toBeLessThanOrEqual(right * 0.05 + 1)
      }
    }),
  )
})
