// What is left alone of what is synced both ways, in words.
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Conflict } from '../model/reconcile.js'
import type { TargetState } from '../model/state.js'
import { localPlace } from './both-ways-layers.js'
import type { Layers } from './sync-layers.js'

export interface Problems {
  /** By container path. */
  readonly all: ReadonlyMap<string, string>
  /** For the state: how many, and the first by path; undefined = none. */
  readonly summary: NonNullable<TargetState['returns']>['conflicts']
  /** Lines of the log: what is new, and what is solved. */
  readonly news: readonly { readonly level: 'info' | 'warn'; readonly text: string }[]
}

/** How many problems the state and the log name. */
const named = 20

/**
 * @param before the conflicts when it was looked last
 * @param stuck what was tried in vain, and why
 */
export function problemsOf(
  conflicts: ReadonlyMap<string, Conflict>,
  before: ReadonlyMap<string, Conflict>,
  stuck: Iterable<readonly [path: string, message: string]>,
  layers: Layers,
): Problems {
  const all = new Map([...conflicts].map(([path, conflict]) => [path, describe(path, conflict, layers)]))
  for (const [path, message] of stuck) if (!all.has(path)) all.set(path, message)
  const first = [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(0, named)

  const fresh = [...conflicts].filter(([path, conflict]) => !isDeepStrictEqual(before.get(path), conflict))
  const solved = [...before.keys()].filter((path) => !conflicts.has(path))
  const news: Problems['news'][number][] = fresh.slice(0, named).map(([path]) => ({ level: 'warn', text: all.get(path) ?? path }))
  if (fresh.length > named) news.push({ level: 'warn', text: `and ${fresh.length - named} more conflicts` })
  if (solved.length > 0)
    news.push({
      level: 'info',
      text: `${solved.length === 1 ? `${solved[0]} is` : `${solved.length} paths are`} in conflict no more`,
    })

  const summary = all.size === 0 ? undefined : { count: all.size, first: first.map(([path, message]) => ({ path, message })) }
  return { all, summary, news }
}

function describe(path: string, { kind, local, container }: Conflict, layers: Layers): string {
  const to = localPlace(path, layers)
  const here = to ? join(to.layer.spec.context, to.source) : path
  switch (kind) {
    case 'changed':
      return `${path} was changed in the container and locally: both are left as they are. Delete the one that you do not want.`
    case 'in-the-way':
      return local.kind === 'absent' || container.kind === 'absent'
        ? `${path} is left alone: on one side a folder stands where the other has a file. Delete or rename one of the two.`
        : `${path} is left alone.`
    case 'emptied-here':
      return `${path} is kept in the container, though all that was synced with it is gone here. Delete it there too, or put a file back beside ${here}.`
    case 'emptied-there':
      return `${here} is kept, though all that was synced with it is gone in the container. Delete it here too, or put a file back there.`
  }
}
