// What clients get, without secret values: every text that somebody else may have written is masked, names and addresses stay.

const texts = new Set(['message', 'why', 'help', 'activity', 'detail', 'reason', 'transport'])

/** A view, or what a request is answered with, of the same shape; the same object where nothing changed. */
export const maskTexts = <T extends object>(value: T, mask: (text: string) => string): T => walk(value, '', mask) as T

function walk(value: unknown, key: string, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return texts.has(key) ? mask(value) : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map((item) => walk(item, key, mask))
    return items.every((item, index) => item === value[index]) ? value : items
  }
  const entries = Object.entries(value).map(([name, item]) => [name, item, walk(item, name, mask)] as const)
  return entries.every(([, before, after]) => before === after)
    ? value
    : Object.fromEntries(entries.map(([name, , after]) => [name, after]))
}
