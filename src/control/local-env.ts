// The environment of a command on this machine.
import { DevloopError } from '../errors/devloop-error.js'
import type { TextValue } from '../model/plan.js'
import type { State } from '../model/state.js'

/**
 * The daemon's own environment and the local's settings. Addresses of apps are those of their forwards, as seen from here.
 * @throws DevloopError request/refused for what a command on this machine cannot be given
 */
export function localEnv(
  { plan, forwards }: Pick<State, 'plan' | 'forwards'>,
  env: Readonly<Record<string, TextValue>>,
): Record<string, string> {
  const resolved: Record<string, string> = {}
  for (const [key, value] of Object.entries(process.env)) if (value !== undefined) resolved[key] = value
  for (const [key, parts] of Object.entries(env))
    resolved[key] = parts.map((part) => resolvePart({ plan, forwards }, key, part)).join('')
  return resolved
}

function resolvePart({ plan, forwards }: Pick<State, 'plan' | 'forwards'>, key: string, part: TextValue[number]): string {
  if (part.kind === 'literal') return part.text
  if (part.kind === 'generated')
    throw new DevloopError(
      'request/refused',
      `${key} holds the generated value ${part.name}, which stays in the cluster and cannot be given to a command on this machine`,
    )
  const app = plan?.resources[part.resource]
  const port = app?.kind === 'app' ? (part.port ?? Object.keys(app.ports)[0]) : undefined
  const forward = app?.forward.find(
    (one) => one.port === port || (app.kind === 'app' && port !== undefined && one.port === app.ports[port]),
  )
  if (!forward)
    throw new DevloopError(
      'request/refused',
      `${key} holds the address of ${part.resource}, which is not forwarded to this machine`,
      { help: `Add a forward for its port ${port ?? ''}.` },
    )
  const open = forwards[forward.local]?.opened ?? forward.local
  return part.part === 'host' ? '127.0.0.1' : part.part === 'port' ? String(open) : `127.0.0.1:${open}`
}
