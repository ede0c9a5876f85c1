// A right in the cluster that a plan needs and the user lacks, and how that is told. Pure.
import type { ErrorInfo } from '../errors/devloop-error.js'

export interface MissingRight {
  /** Such as `create`. */
  readonly verb: string
  /** As `kubectl auth can-i` takes it, such as `deployments.apps` or `pods/exec`. */
  readonly resource: string
  /** Empty = in the whole cluster. */
  readonly namespace: string
  /** What does not work without it, such as `no live sync into api`. */
  readonly breaks: string
}

/** A table of rights for people: a line of headings, then a line for each resource of the cluster and what breaks. */
export function rightsTable(missing: readonly MissingRight[]): readonly string[] {
  const rows = new Map<string, { readonly verbs: string[] } & Omit<MissingRight, 'verb'>>()
  for (const { verb, ...rest } of missing) {
    const key = `${rest.resource} ${rest.namespace} ${rest.breaks}`
    const row = rows.get(key)
    if (row) row.verbs.push(verb)
    else rows.set(key, { verbs: [verb], ...rest })
  }
  const cells = [
    ['you may not', 'in', 'without it'],
    ...[...rows.values()].map(({ verbs, resource, namespace, breaks }) => [
      `${verbs.join(', ')} ${resource}`,
      namespace === '' ? 'the whole cluster' : namespace,
      breaks,
    ]),
  ]
  const width = (column: number): number => Math.max(...cells.map((row) => row[column]?.length ?? 0))
  const [first, second] = [width(0), width(1)]
  return cells.map(([right = '', place = '', breaks = '']) => `${right.padEnd(first)}  ${place.padEnd(second)}  ${breaks}`)
}

/** All of them as one warning; undefined = none is missing. */
export function rightsWarning(missing: readonly MissingRight[]): ErrorInfo | undefined {
  if (missing.length === 0) return undefined
  return {
    code: 'cluster/rights',
    message: `${missing.length} ${missing.length === 1 ? 'right' : 'rights'} in the cluster that the plan needs ${missing.length === 1 ? 'is' : 'are'} missing.`,
    why: rightsTable(missing).join('\n'),
    help: 'Ask an administrator for them (`devloop provision` gives all of them in a namespace of your own). `devloop doctor` looks again.',
  }
}
