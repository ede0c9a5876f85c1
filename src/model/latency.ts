// How long changes took, as counts of a few widths: of any number of values, the percentiles cost the same.

/** Counts by bucket. A bucket holds values that differ by at most 5 %. */
export interface Latencies {
  readonly count: number
  readonly buckets: Readonly<Record<number, number>>
}

export interface Percentiles {
  readonly count: number
  /** Milliseconds; half of the values are at most this, within 5 %. */
  readonly p50: number
  readonly p95: number
}

export const noLatencies: Latencies = { count: 0, buckets: {} }

const width = Math.log(1.05)

/** @param ms below 1 counts as 1 */
export function addLatency({ count, buckets }: Latencies, ms: number): Latencies {
  const bucket = Math.round(Math.log(Math.max(1, ms)) / width)
  return { count: count + 1, buckets: { ...buckets, [bucket]: (buckets[bucket] ?? 0) + 1 } }
}

/** Undefined when there is no value. */
export function percentiles({ count, buckets }: Latencies): Percentiles | undefined {
  if (count === 0) return undefined
  const sorted = Object.entries(buckets)
    .map(([bucket, number]) => [Number(bucket), number] as const)
    .sort(([a], [b]) => a - b)
  const at = (share: number): number => {
    let left = Math.max(1, Math.ceil(count * share))
    for (const [bucket, number] of sorted) {
      left -= number
      if (left <= 0) return Math.round(Math.exp(bucket * width))
    }
    return 0
  }
  return { count, p50: at(0.5), p95: at(0.95) }
}
