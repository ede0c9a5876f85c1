// What becomes of paths that are synced both ways: the local side, the container's, and what both last had in common. Pure.
import { absent, sameEntry, type Entry, type Tree, type Wanted } from './tree.js'

export interface Sides {
  /** What both last had in common, by container path. */
  readonly common: Tree
  /** What the local side holds at a container path. */
  readonly local: (path: string) => Wanted
  /** Local paths that `common` may not know. */
  readonly localPaths: Iterable<string>
  readonly container: Tree
  /** Paths of which one side cannot be told: nothing is done about them. */
  readonly isUnknown?: (path: string) => boolean
  /** Folders (or single files) of the container that come back. */
  readonly roots: readonly string[]
  /** Whether a root was emptied locally on purpose. */
  readonly isMeant?: (root: string) => boolean
}

/** One path that is brought from one side to the other. */
export interface Move {
  /** What the side that is written to holds now: it is only written while that is so. */
  readonly was: Wanted
  readonly wanted: Wanted
}

export interface Conflict {
  /**
   * `changed`: both sides have something else than they had in common. `in-the-way`: a file on one side stands where the other has a folder.
   * `emptied-here`, `emptied-there`: all of a root is gone on one side, which deletes nothing on the other.
   */
  readonly kind: 'changed' | 'in-the-way' | 'emptied-here' | 'emptied-there'
  readonly local: Wanted
  readonly container: Wanted
}

export interface Reconciled {
  /** What is in common now and was not noted so. */
  readonly settled: Map<string, Wanted>
  /** To be written into the container. */
  readonly forth: Map<string, Move>
  /** To be written locally. */
  readonly back: Map<string, Move>
  readonly conflicts: Map<string, Conflict>
}

/**
 * Decide, path by path. Who alone changed it is followed; a change counts more than a delete; where both changed it to different
 * content, or where a write would take something with it that the other side has not seen, nothing is done and it is a conflict.
 */
export function reconcile(sides: Sides): Reconciled {
  const { common, local, container, isUnknown = () => false } = sides
  const result: Reconciled = { settled: new Map(), forth: new Map(), back: new Map(), conflicts: new Map() }
  const paths = new Set([...common.keys(), ...container.keys(), ...sides.localPaths])
  const locals = new Map<string, Entry>()
  for (const path of paths) {
    const here = local(path)
    if (here.kind !== 'absent') locals.set(path, here)
    if (isUnknown(path)) continue
    const there = container.get(path) ?? absent
    const before = common.get(path) ?? absent
    if (sameEntry(here, there)) {
      if (!sameEntry(here, before)) result.settled.set(path, here)
    } else if (sameEntry(there, before) || (here.kind !== 'absent' && there.kind === 'absent' && !sameEntry(here, before))) {
      result.forth.set(path, { was: there, wanted: here })
    } else if (sameEntry(here, before) || here.kind === 'absent') {
      result.back.set(path, { was: here, wanted: there })
    } else if (here.kind === 'file' && there.kind === 'file' && here.hash === there.hash) {
      // only modes differ: nothing is lost
      result.forth.set(path, { was: there, wanted: here })
    } else {
      result.conflicts.set(path, { kind: 'changed', local: here, container: there })
    }
  }
  for (const root of sides.roots) halt(root, sides, locals, result)
  leaveWhatIsInTheWay(result.forth, container, locals, container, result)
  leaveWhatIsInTheWay(result.back, locals, locals, container, result)
  return result
}

/**
 * A root that is empty or gone on one side does not empty the other: it may have been unmounted, or moved away for a moment. A single file that is
 * deleted locally is deleted, as with any other sync.
 */
function halt(root: string, { common, container, isMeant }: Sides, locals: Tree, { forth, back, conflicts }: Reconciled): void {
  const isIn = (path: string): boolean => path === root || path.startsWith(`${root}/`)
  const countIn = (tree: Tree): number => [...tree.keys()].filter(isIn).length
  const holdDeletes = (moves: Map<string, Move>, conflict: (was: Wanted) => Conflict): void => {
    for (const [path, { was, wanted }] of moves) {
      if (wanted.kind !== 'absent' || !isIn(path)) continue
      moves.delete(path)
      conflicts.set(path, conflict(was))
    }
  }
  const isMeantHere = (): boolean => (isMeant?.(root) ?? false) || countIn(common) === 1
  if (forth.size > 0 && countIn(locals) === 0 && !isMeantHere())
    holdDeletes(forth, (was) => ({ kind: 'emptied-here', local: absent, container: was }))
  if (back.size > 0 && countIn(container) === 0)
    holdDeletes(back, (was) => ({ kind: 'emptied-there', local: was, container: absent }))
}

/** Writing a file where the other side has a folder, or the reverse, would take with it what is there. */
function leaveWhatIsInTheWay(
  moves: Map<string, Move>,
  there: Tree,
  locals: Tree,
  container: Tree,
  { conflicts }: Reconciled,
): void {
  const writes = [...moves].flatMap(([path, { was, wanted }]) =>
    was.kind === 'absent' && wanted.kind !== 'absent' ? [path] : [],
  )
  if (writes.length === 0) return
  const staying = [...there.keys()].filter((path) => moves.get(path)?.wanted.kind !== 'absent')
  const files = new Set(staying)
  /** Folders that stay, with something that is in them. */
  const folders = new Map<string, string>()
  for (const path of staying) for (const folder of above(path)) folders.set(folder, path)
  for (const path of writes) {
    const blocking = above(path).find((folder) => files.has(folder)) ?? folders.get(path)
    if (blocking === undefined) continue
    moves.delete(path)
    for (const one of [path, blocking]) {
      const [here, itsOther] = [locals.get(one) ?? absent, container.get(one) ?? absent]
      conflicts.set(one, { kind: 'in-the-way', local: here, container: itsOther })
    }
  }
}

function above(path: string): string[] {
  const folders: string[] = []
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) folders.push(path.slice(0, end))
  return folders
}

/**
 * What counts as common when a container is met for the first time: nothing, so that each side gets what it lacks. But where one side
 * has what the container is known to have had, the other one changed it.
 * @param known what a container path had: in the image, or in an earlier container of the same place
 */
export function firstCommon(
  paths: Iterable<string>,
  local: (path: string) => Wanted,
  container: Tree,
  known: (path: string) => readonly Wanted[],
): Map<string, Entry> {
  const common = new Map<string, Entry>()
  for (const path of paths) {
    const there = container.get(path)
    if (!there) continue
    const had = known(path)
    const here = local(path)
    if (had.some((one) => sameEntry(one, there))) common.set(path, there)
    else if (here.kind !== 'absent' && had.some((one) => sameEntry(one, here))) common.set(path, here)
  }
  return common
}
