// Figures of a list of measurements.

const sorted = (values) => values.toSorted((a, b) => a - b)

/** The value that a share of all values (0 to 1) does not exceed; nearest rank. */
export function quantile(values, share) {
  const list = sorted(values)
  return list[Math.max(0, Math.ceil(share * list.length) - 1)]
}

export function median(values) {
  const list = sorted(values)
  const middle = list.length >> 1
  return list.length % 2 === 1 ? list[middle] : (list[middle - 1] + list[middle]) / 2
}

/** p95 and p99 only where there are enough values for them to be more than another word for the largest. */
export function summary(values) {
  if (values.length === 0) return { n: 0 }
  return {
    n: values.length,
    median: median(values),
    ...(values.length >= 20 ? { p95: quantile(values, 0.95), p99: quantile(values, 0.99) } : {}),
    min: Math.min(...values),
    max: Math.max(...values),
  }
}

/** Medians of measurements with the same keys: where the time of a typical one goes. */
export function medians(records) {
  const keys = new Set(records.flatMap((record) => Object.keys(record)))
  return Object.fromEntries([...keys].map((key) => [key, median(records.flatMap((record) => record[key] ?? []))]))
}
