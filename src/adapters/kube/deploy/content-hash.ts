// Hashes of plain data that do not depend on the order of keys.
import { createHash, createHmac } from 'node:crypto'

/** 16 hex digits of the sha256 of a JSON value, the same for every order of keys: fits a label. */
export const contentHash = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16)

/** The same with a key: who does not have that cannot try out which short secret the hash is of. */
export const keyedHash = (key: string, value: unknown): string =>
  createHmac('sha256', key).update(canonical(value)).digest('hex').slice(0, 16)

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
