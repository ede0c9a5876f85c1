// Which resources a run of `devloop ci` does not wait for, and why. Pure.
import type { State } from '../model/state.js'
import { unsupported } from './resource-status.js'

/** @returns why a resource does not count; undefined = it must become ready */
export function ciSkipped(state: State, name: string): string | undefined {
  const own = notStarted(state, name)
  if (own !== undefined) return own
  for (const need of allNeeds(state, name)) {
    const why = unsupported(state, need)
    if (why !== undefined) return `it needs ${need}, which cannot run here: ${why}`
  }
  return undefined
}

/** Why a resource does not start by itself. */
export function notStarted(state: State, name: string): string | undefined {
  const resource = state.resources[name]
  if (resource?.disabled === 'watch') return 'it was not asked for'
  if (resource?.disabled) return 'it is disabled'
  if (resource?.started === false) return 'it starts only when it is triggered'
  return unsupported(state, name)
}

/** Everything that a resource needs, also by way of others, nearest first. */
export function allNeeds({ plan }: State, name: string): readonly string[] {
  const all: string[] = []
  const queue = [name]
  for (const one of queue) {
    for (const need of plan?.resources[one]?.needs ?? []) {
      if (all.includes(need)) continue
      all.push(need)
      queue.push(need)
    }
  }
  return all
}
