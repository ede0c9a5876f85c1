// Numbers of bytes for people.

/** Bytes as 0 B, 812 B, 12.3 kB, 200 MB. */
export function byteCount(bytes: number): string {
  let [value, unit] = [bytes, 'B']
  for (const next of ['kB', 'MB', 'GB']) {
    if (value < 1000) break
    ;[value, unit] = [value / 1000, next]
  }
  return `${unit === 'B' || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`
}
