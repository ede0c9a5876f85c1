// The environment of an app's process: this machine's, where to listen, and what the Devloopfile says.
import { randomInt } from 'node:crypto'
import { DevloopError } from '../../errors/devloop-error.js'
import { isConfigKey, resolveValue, valuesOf, type ConfigsByName } from '../../model/config-values.js'
import type { AppSpec, ResourceSpec, SealedTexts, TextPart, TextValue } from '../../model/plan.js'
import type { RuntimeOptions } from '../../ports/runtime.js'

/** Ports of this machine by port name, for each app whose address was asked for. */
export type PortsOf = (app: string) => Readonly<Record<string, number>> | undefined

/** Values made once and kept in memory. */
export type Generated = (name: string) => string

/** What texts may refer to. */
export interface TextContext {
  readonly portsOf: PortsOf
  readonly generated: Generated
  readonly configs: ConfigsByName
  readonly sealed: SealedTexts
}

/**
 * `PORT` is where to listen for the app's first port, `PORT_NAME` for each. They stand above what the Devloopfile sets only where
 * that is the number of the container port: it means "listen there", and on this machine the place is another.
 */
export function appEnv(app: AppSpec, inherited: Readonly<Record<string, string>>, context: TextContext): Record<string, string> {
  const { portsOf } = context
  const env: Record<string, string> = { ...inherited }
  for (const ref of app.envFrom ?? [])
    for (const [key, value] of valuesOf(context.configs, ref, app.name)) if (isVariable(key)) env[key] = value.toString('utf8')
  const own = portsOf(app.name) ?? {}
  const listen = new Map(
    Object.entries(own).map(([name, port]) => [`PORT_${envName(name)}`, { port, container: app.ports[name] }]),
  )
  const [first] = listen.values()
  if (first) listen.set('PORT', first)
  for (const [key, { port }] of listen) env[key] = String(port)
  for (const [key, text] of Object.entries(app.env)) {
    const value = resolveText(app, text, context)
    const place = listen.get(key)
    if (!place || value !== String(place.container)) env[key] = value
  }
  return env
}

/** What a process of this machine inherits: everything but what devloop sets for itself. */
export function inheritedEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([key, value]) => value !== undefined && !key.startsWith('DEVLOOP_'))
  return Object.fromEntries(kept) as Record<string, string>
}

/**
 * Random values of 32 letters and digits, the same for a name as long as this lives.
 * @param onSecrets told each by its name
 */
export function createGenerated(onSecrets: RuntimeOptions['onSecrets']): Generated {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  const values = new Map<string, string>()
  return (name) => {
    const value = values.get(name) ?? Array.from({ length: 32 }, () => alphabet[randomInt(alphabet.length)]).join('')
    if (!values.has(name)) onSecrets?.({ [name]: value })
    values.set(name, value)
    return value
  }
}

const envName = (port: string): string => port.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')

/** As Kubernetes: what cannot be the name of a variable is left out. */
const isVariable = (key: string): boolean => isConfigKey(key) && !/^\d/.test(key)

/** The text as it is on this machine. @throws DevloopError app/start, config/value */
export const resolveText = (owner: ResourceSpec, text: TextValue, context: TextContext): string =>
  text.map((part) => resolvePart(owner, part, context)).join('')

function resolvePart(app: ResourceSpec, part: TextPart, { portsOf, generated, configs, sealed }: TextContext): string {
  if (part.kind === 'literal') return part.text
  if (part.kind === 'generated') return generated(part.name)
  if (part.kind === 'sealed' || part.kind === 'config') return resolveValue(part, configs, sealed, app.name)
  if (part.part === 'host') return '127.0.0.1'
  const ports = portsOf(part.resource) ?? {}
  const port = part.port === undefined ? Object.values(ports)[0] : ports[part.port]
  if (port === undefined) {
    const missing = part.port === undefined ? 'a port' : `a port \`${part.port}\``
    throw new DevloopError('app/start', `${app.name} asks for the address of ${part.resource}, which has not ${missing}.`, {
      where: app.at,
      help: `Give ${part.resource} a port, or correct the address.`,
    })
  }
  return part.part === 'port' ? String(port) : `127.0.0.1:${port}`
}
