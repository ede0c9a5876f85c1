// Who uses a service waits for it: a reference to its address, or to a value that it alone is made with, is as good as `needs`.
import { textsOf, type ResourceSpec } from '../../model/plan.js'

/** @param all the resources of the plan */
export function needServices(all: readonly ResourceSpec[]): (spec: ResourceSpec) => ResourceSpec {
  const services = new Set(all.filter((spec) => spec.kind === 'app' && spec.service).map(({ name }) => name))
  /** Generated value to the services that are made with it. */
  const makers = new Map<string, Set<string>>()
  for (const spec of all.filter(({ name }) => services.has(name))) {
    for (const value of generatedIn(spec)) makers.set(value, (makers.get(value) ?? new Set()).add(spec.name))
  }
  return (spec) => {
    const addressed = textsOf(spec).flatMap((text) =>
      text.flatMap((part) => (part.kind === 'address' && services.has(part.resource) ? [part.resource] : [])),
    )
    // one that several share says not whose it is
    const known = generatedIn(spec).flatMap((value) => {
      const [maker, ...more] = makers.get(value) ?? []
      return maker === undefined || more.length > 0 ? [] : [maker]
    })
    const added = [...addressed, ...known].filter((name) => name !== spec.name)
    return added.length > 0 ? { ...spec, needs: [...new Set([...spec.needs, ...added])] } : spec
  }
}

const generatedIn = (spec: ResourceSpec): readonly string[] =>
  textsOf(spec).flatMap((text) => text.flatMap((part) => (part.kind === 'generated' ? [part.name] : [])))
