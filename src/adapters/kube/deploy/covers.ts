// Whether an object in the cluster still says all that was applied.

/**
 * True when applying `wanted` again would change nothing that `wanted` names: every value of it is in `live`. What the cluster
 * or others have added to objects does not matter. In doubt (other spelling of a quantity, longer list) the answer is no.
 */
export function covers(live: unknown, wanted: unknown): boolean {
  if (wanted === null || wanted === undefined) return live === null || live === undefined
  if (Array.isArray(wanted)) {
    if (live === undefined) return wanted.length === 0
    return Array.isArray(live) && live.length === wanted.length && wanted.every((item, index) => covers(live[index], item))
  }
  if (typeof wanted === 'object') {
    if (live === undefined || live === null) return Object.keys(wanted).length === 0
    if (typeof live !== 'object' || Array.isArray(live)) return false
    return Object.entries(wanted).every(([key, value]) => covers((live as Record<string, unknown>)[key], value))
  }
  return live === wanted
}
