// Versions of tool chains, as projects write them.

/**
 * The version to use for what a project asks, cut to `parts` numbers: `20` of `v20.11.1`, `^20.1` or `20.x`. A lower bound (`>=18`) is met by
 * the default where that is newer; of alternatives (`18 || 20`) it is the newest.
 * @returns undefined when the text names no version
 */
export function versionFor(text: string, standard: string, parts = 1): string | undefined {
  const versions = text
    .split('||')
    .map((one) => versionOf(one.trim(), standard, parts))
    .filter((one) => one !== undefined)
  return versions.sort(compareVersions).at(-1)
}

function versionOf(text: string, standard: string, parts: number): string | undefined {
  const numbers = /\d+(?:\.\d+)*/.exec(text)?.[0]
  if (numbers === undefined) return undefined
  const version = numbers.split('.').slice(0, parts).join('.')
  const isLowerBound = /^\s*>/.test(text) && !/<|,/.test(text)
  return isLowerBound && compareVersions(standard, version) > 0 ? standard : version
}

/** Below 0 when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((one) => one.split('.').map(Number))
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
