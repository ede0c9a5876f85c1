// Pods that the agent keeps from starting, which nobody could foresee: their nodes cannot pull its image, or it does not run there.
import type { Observed } from '../../../ports/runtime.js'
import { agentName } from './put-agent.js'

export interface AgentWatch {
  /** Called once for a resource: its pods must do without from the next deploy on. @param why as in NoAgent */
  readonly onTrouble: (resource: string, why: string) => void
  /** How long a pod may be in trouble, since nodes try again. Default 10,000 milliseconds. */
  readonly patienceMs?: number
  /** Ends the watch. */
  readonly life: AbortSignal
}

/** Passes observations on, and asks for another deploy of those whose pods the agent holds up. */
export function watchAgent(
  onObserved: (observed: Observed) => void,
  { onTrouble, patienceMs = 10_000, life }: AgentWatch,
): (observed: Observed) => void {
  const last = new Map<string, Observed>()
  const waiting = new Map<string, NodeJS.Timeout>()
  const without = new Set<string>()
  const tell = (observed: Observed): void =>
    onObserved(without.has(observed.resource) ? { ...observed, redeploy: 'without the agent' } : observed)

  const look = (resource: string): void => {
    waiting.delete(resource)
    const observed = last.get(resource)
    const why = observed && troubleOf(observed)
    if (life.aborted || !observed || why === undefined) return
    without.add(resource)
    onTrouble(resource, `it does not start in the pod: ${why}`)
    tell(observed)
  }

  return (observed) => {
    const { resource } = observed
    last.set(resource, observed)
    if (troubleOf(observed) !== undefined && !waiting.has(resource) && !without.has(resource))
      waiting.set(resource, setTimeout(() => look(resource), patienceMs).unref())
    tell(observed)
  }
}

const troubleOf = ({ pods }: Observed): string | undefined => {
  const error = pods
    .flatMap(({ containers }) => containers)
    .find(({ name, kind, error: held }) => name === agentName && kind === 'init' && held)?.error
  return error && (error.why ?? error.message)
}
