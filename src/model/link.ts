// Links: which apps refer to the address of which others, and whether it leads there.
import { addressedOf, textsOf, type Addressed, type Plan } from './plan.js'

/** One app's way to another, by an address that stands in its environment or files. */
export interface Link {
  /** Name of the resource that it leads to. */
  readonly to: string
  /** Name of the port. */
  readonly portName: string
  /** As pods of the consumer see it. */
  readonly host: string
  readonly port: number
}

/** What came of trying a link. */
export type LinkOutcome =
  | { readonly state: 'ok' }
  /** `dns`: the name is not known. `tcp`: it is, and nothing accepts connections there. */
  | { readonly state: 'failed'; readonly step: 'dns' | 'tcp'; readonly why: string }
  /** It cannot be tried from there. */
  | { readonly state: 'unknown'; readonly why: string }

/** They are asked for at each change of the state, and plans do not change. */
const known = new WeakMap<Plan, Map<string, readonly Link[]>>()

/** The links that an app declares, each once, in the order of its texts. Empty for other resources. */
export function linksOf(plan: Plan, name: string): readonly Link[] {
  const ofPlan = known.get(plan) ?? new Map<string, readonly Link[]>()
  known.set(plan, ofPlan)
  const links = ofPlan.get(name) ?? findLinks(plan, name)
  ofPlan.set(name, links)
  return links
}

function findLinks(plan: Plan, name: string): readonly Link[] {
  const spec = plan.resources[name]
  if (spec?.kind !== 'app') return []
  const links = new Map<string, Link>()
  // what it is told by a ConfigMap or Secret counts as if it said it itself
  const configs = spec.needs.flatMap((need) => (plan.resources[need]?.kind === 'config' ? [plan.resources[need]] : []))
  for (const part of [spec, ...configs].flatMap((one) => textsOf(one).flat())) {
    if (part.kind !== 'address' || part.resource === name) continue
    const to = plan.resources[part.resource]
    const link = linkTo(part.resource, addressedOf(to), part.port)
    if (link) links.set(`${link.to} ${link.portName}`, link)
  }
  return [...links.values()]
}

function linkTo(to: string, addressed: Addressed | undefined, wanted: string | undefined): Link | undefined {
  const portName = wanted ?? Object.keys(addressed?.ports ?? {})[0]
  const port = portName === undefined ? undefined : addressed?.ports[portName]
  return !addressed || portName === undefined || port === undefined ? undefined : { to, portName, host: addressed.name, port }
}

/** Why a link leads nowhere, in words. */
export const failureText = (outcome: Extract<LinkOutcome, { state: 'failed' }>): string =>
  outcome.step === 'dns' ? `its name is not known: ${outcome.why}` : `no connection: ${outcome.why}`
