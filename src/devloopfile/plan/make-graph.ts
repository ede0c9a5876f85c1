// How a resource takes part in the graph: what every kind of resource has in common.
import type { GraphSettings } from '../../model/plan.js'
import type { GraphOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { boolean, broken, strings, wrong, type Subject } from './fields.js'
import type { Needs } from './make-needs.js'

/** The options that every kind of resource has. */
export const graphKnown: Record<keyof GraphOptions, true> = {
  needs: true,
  rebuildAfter: true,
  labels: true,
  auto: true,
  trigger: true,
  enabled: true,
}

/** What a label may look like: it stands on command lines, behind `label:`. */
const label = /^[A-Za-z0-9](?:[-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/

/**
 * @param given the options of the call, or those of one workload
 * @param path where they stand, '' = they are the options of the call themselves
 * @param base for a workload: what it has from the call that it belongs to; lists are added up, and the rest replaced
 */
export function makeGraph(
  subject: Subject,
  given: { readonly [K in keyof GraphOptions]?: Encoded },
  needs: Needs,
  path = '',
  base?: GraphSettings,
): GraphSettings {
  const at = (key: keyof GraphOptions): string => (path === '' ? key : `${path}.${key}`)
  const both = (more: readonly string[], less: readonly string[] = []): readonly string[] => [...new Set([...less, ...more])]
  return {
    needs: both(needs(subject, at('needs'), given.needs), base?.needs),
    rebuildAfter: both(needs(subject, at('rebuildAfter'), given.rebuildAfter), base?.rebuildAfter),
    labels: both(makeLabels(subject, at('labels'), given.labels), base?.labels),
    auto: boolean(subject, at('auto'), given.auto) ?? base?.auto ?? true,
    trigger: makeTrigger(subject, at('trigger'), given.trigger) ?? base?.trigger ?? 'auto',
    enabled: boolean(subject, at('enabled'), given.enabled) ?? base?.enabled ?? true,
  }
}

function makeLabels(subject: Subject, path: string, value: Encoded): readonly string[] {
  return (strings(subject, path, value) ?? []).filter((name) => {
    if (label.test(name)) return true
    const rule = 'Use at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.'
    broken(subject, `'${name}' cannot be a label.`, undefined, rule)
    return false
  })
}

function makeTrigger(subject: Subject, path: string, value: Encoded): GraphSettings['trigger'] | undefined {
  if (value === undefined || value === 'auto' || value === 'manual') return value
  return wrong(subject, path, "'auto' or 'manual'", value)
}
