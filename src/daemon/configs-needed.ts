// Which configs must be known before some resources can be rendered. Pure.
import { configsNamedBy } from '../model/config-uses.js'
import type { Plan } from '../model/plan.js'
import type { DeployRequest } from '../ports/runtime.js'

/** Names, each behind those that it takes values from itself. */
export function configsNeeded(plan: Plan, requests: readonly (DeployRequest | undefined)[]): readonly string[] {
  const configs = Object.values(plan.resources).filter((spec) => spec.kind === 'config')
  const needed = new Set<string>()
  const visit = (name: string): void => {
    if (needed.has(name) || plan.resources[name]?.kind !== 'config') return
    plan.resources[name].needs.forEach(visit)
    needed.add(name)
  }
  for (const request of requests) {
    if (!request) continue
    const { resource } = request
    resource.needs.forEach(visit)
    if ('objects' in resource) configsNamedBy(resource.objects, configs).forEach(visit)
  }
  return [...needed]
}
