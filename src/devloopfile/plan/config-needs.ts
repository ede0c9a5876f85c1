// Whoever takes values from a config needs it, without having to say so.
import { configsNamedBy, configsOf } from '../../model/config-uses.js'
import type { ResourceSpec } from '../../model/plan.js'

/** @param all every resource of the plan */
export function configNeeds(all: readonly ResourceSpec[]): (spec: ResourceSpec) => ResourceSpec {
  const configs = all.filter((spec) => spec.kind === 'config')
  return (spec) => {
    const named = spec.kind === 'manifests' ? configsNamedBy(spec.objects, configs) : []
    const used = [...configsOf(spec), ...named]
    if (used.length === 0) return spec
    const alsoUsed = (names: readonly string[]): readonly string[] => [...new Set([...names, ...used])]
    // an app rolls out by what it holds of them; a command can only be run again
    return {
      ...spec,
      needs: alsoUsed(spec.needs),
      ...(spec.kind === 'local' ? { rebuildAfter: alsoUsed(spec.rebuildAfter) } : {}),
    }
  }
}
