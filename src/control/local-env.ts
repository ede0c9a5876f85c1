// The environment of a command on this machine.
import { DevloopError } from '../errors/devloop-error.js'
import { resolveValue, type ConfigsByName } from '../model/config-values.js'
import type { SealedTexts, TextValue } from '../model/plan.js'
import type { State } from '../model/state.js'
import type { ControlContext } from './context.js'

/** What a local's texts may refer to. */
export interface LocalContext extends Pick<State, 'plan' | 'forwards'> {
  readonly configs: ConfigsByName
  readonly sealed: SealedTexts
  /** Whose environment it is, for errors. */
  readonly who: string
}

export const localContext = ({ store, runtime, large }: ControlContext, who: string): LocalContext => ({
  ...store.state(),
  configs: (name) => runtime.current?.config(name),
  sealed: large.sealed,
  who,
})

/**
 * The daemon's own environment and the local's settings. Addresses of apps are those of their forwards, as seen from here.
 * @throws DevloopError config/value; request/refused for what a command on this machine cannot be given
 */
export function localEnv(context: LocalContext, env: Readonly<Record<string, TextValue>>): Record<string, string> {
  const resolved: Record<string, string> = {}
  for (const [key, value] of Object.entries(process.env)) if (value !== undefined) resolved[key] = value
  for (const [key, parts] of Object.entries(env)) resolved[key] = parts.map((part) => resolvePart(context, key, part)).join('')
  return resolved
}

function resolvePart(context: LocalContext, key: string, part: TextValue[number]): string {
  const { plan, forwards } = context
  if (part.kind === 'literal') return part.text
  if (part.kind === 'sealed' || part.kind === 'config') return resolveValue(part, context.configs, context.sealed, context.who)
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
