// Durations and sizes as Compose writes them.

const seconds: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds of a text such as `1m30s`, `500ms` or `10`; undefined when it is no duration. */
export function durationSeconds(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text)
  if (!/^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h|d))+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h|d)/g)].reduce(
    (sum, [, amount, unit = 's']) => sum + Number(amount) * (seconds[unit] ?? 1),
    0,
  )
}

const bytes: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** A Kubernetes quantity for a size such as `512m`, `1.5gb` or `64000`; undefined when it is none. */
export function sizeQuantity(text: string): string | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|b)?$/i.exec(text.trim()) ?? []
  if (amount === undefined) return undefined
  const size = Math.round(Number(amount) * (bytes[unit.toLowerCase()] ?? 1))
  if (size % 2 ** 30 === 0) return `${size / 2 ** 30}Gi`
  return size % 2 ** 20 === 0 ? `${size / 2 ** 20}Mi` : String(size)
}
