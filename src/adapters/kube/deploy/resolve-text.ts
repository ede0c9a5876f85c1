// Texts of the plan as they are in the cluster: addresses are service names, generated values come from the cluster.
import { DevloopError, type SourcePosition } from '../../../errors/devloop-error.js'
import { resolveValue, type ConfigsByName } from '../../../model/config-values.js'
import {
  textsOf,
  type Addressed,
  type ResourceSpec,
  type SealedTexts,
  type TextPart,
  type TextValue,
} from '../../../model/plan.js'
import { didYouMean } from './did-you-mean.js'

export interface TextContext {
  /** Every app of the plan. */
  readonly apps: Readonly<Record<string, Addressed>>
  /** Generated values by name; all that the texts need. */
  readonly generated: Readonly<Record<string, string>>
  readonly configs: ConfigsByName
  readonly sealed: SealedTexts
  /** Whose text it is, for errors. */
  readonly who: string
  /** Where the text stands, for errors. */
  readonly at: SourcePosition
}

/**
 * The text with every reference resolved.
 * @throws DevloopError devloopfile/invalid for an address that leads nowhere, config/value for a value that is not there
 */
export const resolveText = (text: TextValue, context: TextContext): string =>
  text.map((part) => resolvePart(part, context)).join('')

/** Names of the generated values that a resource's texts hold. */
export function generatedNames(resource: ResourceSpec): ReadonlySet<string> {
  const parts = textsOf(resource).flat()
  return new Set(parts.flatMap((part) => (part.kind === 'generated' ? [part.name] : [])))
}

function resolvePart(part: TextPart, context: TextContext): string {
  if (part.kind === 'literal') return part.text
  if (part.kind === 'generated') {
    const value = context.generated[part.name]
    if (value === undefined) throw new Error(`generated value ${part.name} was not fetched`)
    return value
  }
  if (part.kind === 'sealed' || part.kind === 'config') return resolveValue(part, context.configs, context.sealed, context.who)
  const app = Object.hasOwn(context.apps, part.resource) ? context.apps[part.resource] : undefined
  if (!app) {
    throw new DevloopError(
      'devloopfile/invalid',
      `There is no app ${part.resource} whose address could be used.${didYouMean(part.resource, Object.keys(context.apps))}`,
      { where: context.at },
    )
  }
  // the Service has the app's name, and is in the same namespace
  if (part.part === 'host') return app.name
  const name = part.port ?? Object.keys(app.ports)[0]
  const port = name !== undefined && Object.hasOwn(app.ports, name) ? app.ports[name] : undefined
  if (port === undefined) {
    const problem =
      name === undefined
        ? `App ${app.name} has no port, so it has no address.`
        : `App ${app.name} has no port ${name}.${didYouMean(name, Object.keys(app.ports))}`
    throw new DevloopError('devloopfile/invalid', problem, {
      where: context.at,
      help: `Give ${app.name} a port, or use another one of it.`,
    })
  }
  return part.part === 'port' ? String(port) : `${app.name}:${port}`
}
