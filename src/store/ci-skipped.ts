// Which resources a run of `devloop ci` does not wait for, and why. Pure.
import type { State } from '../model/state.js'
import { unsupported } from './resource-status.js'

export interface CiSkipped {
  /** One clause, for people. */
  readonly reason: string
  /** Whether it should have run: it would start by itself, but never can. */
  readonly fails: boolean
}

/** @returns why a resource does not run; undefined = it must become ready */
export function ciSkipped(state: State, name: string): CiSkipped | undefined {
  const own = notStarted(state, name)
  if (own !== undefined) return { reason: own, fails: false }
  const needs = allNeeds(state, name)
  for (const need of needs) {
    const why = unsupported(state, need)
    if (why !== undefined) return { reason: `it needs ${need}, which cannot run here: ${why}`, fails: false }
  }
  if (state.resources[name]?.everReady) return undefined
  for (const need of needs) {
    const why = state.resources[need]?.everReady ? undefined : notStarted(state, need)
    if (why !== undefined) return { reason: `it needs ${need}, and ${why.replace(/^it\b/, 'that')}`, fails: true }
  }
  return undefined
}

/** Why a resource does not start by itself. */
function notStarted(state: State, name: string): string | undefined {
  const resource = state.resources[name]
  if (resource?.disabled === 'watch') return 'it was not asked for'
  if (resource?.disabled) return 'it is disabled'
  if (resource?.started === false) return 'it starts only when it is triggered'
  return unsupported(state, name)
}

/** Everything that a resource needs, also by way of others, nearest first. */
function allNeeds({ plan }: State, name: string): readonly string[] {
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
