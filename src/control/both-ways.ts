// What is synced both ways in one container: what it holds is watched, and what it changed comes back to the local folder.
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { DevloopError, isAbort, isDevloopError, toErrorInfo } from '../errors/devloop-error.js'
import { heldByImage } from '../model/drift.js'
import { forEachLimited } from '../model/for-each-limited.js'
import type { CompiledLiveRules } from '../model/live-rules.js'
import { firstCommon, reconcile, type Conflict, type Move } from '../model/reconcile.js'
import type { TargetState } from '../model/state.js'
import { absent, sameEntry, type Entry, type Wanted } from '../model/tree.js'
import type { SourceWriter } from '../ports/source-writer.js'
import type { SyncSession, SyncWatch } from '../ports/sync-transport.js'
import type { TargetPatch } from '../store/actions.js'
import { problemsOf } from './both-ways-problems.js'
import { createStuckMoves } from './both-ways-stuck.js'
import { bothWaysPlaces, localEntry, localPaths, localPlace, skippedFolders } from './both-ways-layers.js'
import type { ControlContext } from './context.js'
import { placeJournal } from './owed.js'
import type { Difference } from './sync-difference.js'
import { lookUp, type Layers } from './sync-layers.js'

export interface BothWays {
  /** Know what the container holds, and what it had in common with the local side. Nothing happens where no rule wants it. @throws DevloopError sync/* */
  start(session: SyncSession, target: TargetState, layers: Layers): Promise<void>
  /** Whether a container path is synced both ways now, so that nothing else writes it. */
  has(path: string, layers: Layers): boolean
  /** Whether the container has changed something since `plan`. */
  readonly due: boolean
  /** What is to be written into the container; what comes back is kept for `bringBack`. */
  plan(layers: Layers): Difference[]
  /** Take note of what was written into the container, and what was left alone there. */
  wrote(session: SyncSession, result: ReadonlyMap<string, Wanted>, kept: ReadonlySet<string>, layers: Layers): Promise<void>
  /** Writing failed: what these paths hold is asked before anything else is done. */
  doubt(paths: Iterable<string>): void
  /** Write locally what the container changed, as of the last plan. */
  bringBack(session: SyncSession, layers: Layers): Promise<void>
  stop(): void
}

export interface BothWaysOptions {
  readonly context: ControlContext
  /** The container. */
  readonly id: string
  readonly patch: (change: TargetPatch) => void
  readonly tell: (level: 'info' | 'warn' | 'error', text: string) => void
  /** Have the worker look again. */
  readonly poke: () => void
  readonly signal: AbortSignal
}

/** What becomes of a path that is to come back: as the source writer says, or `stuck` when that cannot write it. */
type Outcome = Awaited<ReturnType<SourceWriter['write']>> | 'stuck'

/** Files that are written locally at once. */
const atOnce = 8

/** After how long a path is tried again that changed while it was being read, in milliseconds. */
const restMs = 300

export function createBothWays({ context, id, patch, tell, poke, signal }: BothWaysOptions): BothWays {
  const { large, ports, lookAt } = context
  let watch: SyncWatch | undefined
  let watched: { session: SyncSession; rules: readonly CompiledLiveRules[] } | undefined
  /** What the container holds. */
  let held = new Map<string, Entry>()
  /** Paths that cannot be told, with what is below them. */
  let unknown = new Set<string>()
  let doubtful = new Set<string>()
  let common: Map<string, Entry> | undefined
  let place = ''
  let layersNow: Layers | undefined
  let dirty = false
  let back = new Map<string, Move>()
  /** The conflicts as they were told last. */
  let told: ReadonlyMap<string, Conflict> = new Map()

  const has = (path: string, layers: Layers): boolean => watch !== undefined && localPlace(path, layers) !== undefined

  /** Take over what some paths hold. Whatever was below one of them is gone, unless it is among them. */
  const note = (entries: readonly (readonly [path: string, held: Wanted | undefined])[]): void => {
    const fresh = new Set(entries.flatMap(([path]) => (held.has(path) ? [] : [path])))
    if (fresh.size > 0)
      for (const tree of [held, unknown]) for (const path of tree.keys()) if (isBelowOne(path, fresh)) tree.delete(path)
    for (const [path, entry] of entries) {
      unknown.delete(path)
      if (entry === undefined) unknown.add(path)
      else if (entry.kind === 'absent') held.delete(path)
      else if (layersNow && localPlace(path, layersNow)) held.set(path, entry)
    }
  }

  let timer: NodeJS.Timeout | undefined
  const later = (ms: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      changed()
    }, ms)
  }
  const changed = (): void => {
    dirty = true
    poke()
  }
  const stuck = createStuckMoves(changed, signal)

  const end = (): void => {
    watch?.stop()
    watch = undefined
    watched = undefined
  }

  const begin = async (session: SyncSession, layers: Layers, places: readonly string[]): Promise<void> => {
    if (!session.watch || !session.read) {
      const error = new DevloopError('sync/one-way', `What the container changes in ${places.join(', ')} does not come back.`, {
        why: `What is used there is: ${session.description}.`,
      }).info
      if (!isDeepStrictEqual(context.store.state().targets[id]?.returns?.error, error)) tell('warn', error.message)
      patch({ returns: { how: 'not', error } })
      return
    }
    const opened = await session.watch(
      {
        places,
        skip: skippedFolders(layers),
        onList(entries) {
          held = new Map()
          unknown = new Set()
          note([...entries])
          changed()
        },
        onChange(entries) {
          const before = new Map(held)
          note(entries)
          // what devloop itself wrote is no news
          const isNews = ([path]: readonly [string, unknown]): boolean => !sameEntry(before.get(path), held.get(path))
          if (before.size !== held.size || entries.some(isNews)) changed()
        },
      },
      signal,
    )
    watch = opened
    void opened.ended.then((error) => {
      if (watch !== opened) return
      watch = undefined
      watched = undefined
      // of a stream that ended the worker tells
      if (error && error.code !== 'sync/disconnected') tell('warn', error.message)
      if (!signal.aborted) changed()
    })
    const before = context.store.state().targets[id]?.returns
    patch({ returns: { how: opened.how, ...(before?.conflicts ? { conflicts: before.conflicts } : {}) } })
  }

  const meet = async (target: TargetState, layers: Layers): Promise<void> => {
    place = placeJournal(target)
    const noted = await ports.stateFiles.common(place)
    if (noted?.containerId === id) {
      common = new Map(noted.tree)
      return
    }
    const known = (path: string): readonly Wanted[] => {
      // of an image that is only pulled it is not known what it holds, whatever it was taken for
      const images = layers.flatMap(({ files: { record, rules } }) =>
        record && !record.pulled ? [heldByImage(path, record.tree, rules).held] : [],
      )
      const earlier = noted?.tree.get(path)
      return [...images.filter(({ kind }) => kind !== 'absent').slice(0, 1), ...(earlier ? [earlier] : [])]
    }
    const found = firstCommon(held.keys(), (path) => localEntry(path, layers), held, known)
    await ports.stateFiles.setCommon(place, { containerId: id, tree: found })
    common = found
  }

  const settle = async (changes: ReadonlyMap<string, Wanted>): Promise<void> => {
    if (!common || changes.size === 0) return
    for (const [path, entry] of changes)
      if (entry.kind === 'absent') common.delete(path)
      else common.set(path, entry)
    await ports.stateFiles.noteCommon(place, changes)
  }

  const ask = async (session: SyncSession, paths: Iterable<string>): Promise<Map<string, Wanted>> => {
    const asked = [...paths]
    const found = asked.length === 0 ? new Map<string, Wanted>() : await session.inspect(asked, signal)
    for (const path of asked) {
      const entry = found.get(path)
      // a folder is told as absent: what is in it is told by itself
      if (entry?.kind === 'absent') held.delete(path)
      else note([[path, entry]])
    }
    return found
  }

  /** Tell what is left alone, as far as that is news. */
  const report = (conflicts: ReadonlyMap<string, Conflict>, layers: Layers): void => {
    const { all, summary, news } = problemsOf(conflicts, told, stuck.messages(), layers)
    told = conflicts
    for (const { level, text } of news) tell(level, text)
    if (all.size === 0) large.conflicts.delete(id)
    else large.conflicts.set(id, all)
    const { returns } = context.store.state().targets[id] ?? {}
    if (watch && !isDeepStrictEqual(returns?.conflicts, summary))
      patch({ returns: { how: watch.how, ...(summary ? { conflicts: summary } : {}) } })
  }

  /** Write one path locally. While that goes on, whoever looks there knows that it came back. */
  const bringOne = async (session: SyncSession, path: string, { was, wanted }: Move, layers: Layers): Promise<Outcome> => {
    const to = localPlace(path, layers)
    const read = session.read
    if (!to || !read) return 'changed'
    const local = { root: to.layer.spec.context, path: to.source }
    const place = join(local.root, local.path)
    const returned = { entry: wanted, pod: context.store.state().targets[id]?.pod ?? '' }
    large.returns.set(place, returned)
    let outcome: Outcome = 'stuck'
    try {
      if (path.includes('\uFFFD')) throw new DevloopError('sync/local', `${path} cannot come back: its name is no UTF-8.`)
      const content = (): AsyncIterable<Buffer> => read(path, wanted.kind === 'file' ? wanted.size : 0, signal)
      outcome =
        wanted.kind === 'absent'
          ? await ports.sourceWriter.remove(local, was, to.within, signal)
          : await ports.sourceWriter.write(local, was, wanted, content, signal)
    } catch (thrown) {
      if (isAbort(thrown) || !isDevloopError(thrown) || thrown.code !== 'sync/local') throw thrown
      const { message, why } = toErrorInfo(thrown)
      tell('error', why ? `${message} ${why}` : message)
      stuck.add(path, was, wanted, why ? `${message} ${why}` : message)
    } finally {
      // what did not come back is not taken for it when it is saved here later; another container may be at the same path
      if (outcome !== 'written' && large.returns.get(place) === returned) large.returns.delete(place)
    }
    return outcome
  }

  return {
    has,
    get due() {
      return dirty
    },

    async start(session, target, layers) {
      layersNow = layers
      const places = bothWaysPlaces(layers)
      const rules = layers.map(({ files }) => files.rules)
      const isSame = watched?.session === session && watched.rules.length === rules.length
      if (!isSame || !rules.every((one, index) => one === watched?.rules[index])) {
        end()
        common = undefined
        stuck.clear()
        if (places.length > 0) await begin(session, layers, places)
        else if (target.returns) patch({ returns: undefined })
        watched = { session, rules }
        dirty = false
      }
      if (!watch) return
      if (!common) await meet(target, layers)
      const asked = doubtful
      doubtful = new Set()
      try {
        await ask(session, asked)
      } catch (thrown) {
        doubtful = new Set([...asked, ...doubtful])
        throw thrown
      }
    },

    plan(layers) {
      back = new Map()
      dirty = false
      if (!watch || !common) return []
      const local = (path: string): Wanted => localEntry(path, layers)
      const isMine = (path: string): boolean => localPlace(path, layers) !== undefined
      const mine = new Map([...common].filter(([path]) => isMine(path)))
      const sides = { common: mine, local, localPaths: localPaths(layers), container: held, roots: bothWaysPlaces(layers) }
      const isMeant = (root: string): boolean => {
        const to = localPlace(`${root}/x`, layers) ?? localPlace(root, layers)
        return to?.layer.files.record?.emptied?.some((folder) => folder === '' || folder === to.within) ?? false
      }
      const isUnknown = (path: string): boolean => {
        if (isHeld(path, layers)) return true
        if (unknown.size === 0) return false
        for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
          if (unknown.has(path.slice(0, end))) return true
        return false
      }
      const found = reconcile({ ...sides, isUnknown, isMeant })
      // noted with the next that is written to the disk: until then it is found again
      void settle(found.settled).catch(() => {})
      for (const [path, { was, wanted }] of found.back) if (!stuck.has(path, was, wanted)) back.set(path, { was, wanted })
      const forth = [...found.forth].filter(([path, { was, wanted }]) => !stuck.has(path, wanted, was))
      stuck.keep((path) => found.back.has(path) || found.forth.has(path))
      report(found.conflicts, layers)
      return forth.map(([path, { was, wanted }]) => {
        const { source, layer } = lookUp(path, layers)
        return { path, wanted, source, layer, expected: was }
      })
    },

    async wrote(session, result, kept, layers) {
      const written = new Map<string, Wanted>()
      const newer: string[] = []
      for (const [path, entry] of result) {
        if (kept.has(path) || !has(path, layers)) continue
        note([[path, entry]])
        written.set(path, entry)
        if (stuck.delete(path)) changed()
        const to = localPlace(path, layers)
        if (to && !sameEntry(entry, localEntry(path, layers))) newer.push(join(to.layer.spec.context, to.source))
      }
      await settle(written)
      // what was read for sending was newer than what was known
      if (newer.length > 0) await lookAt.current?.(newer)
      const left = [...kept].filter((path) => has(path, layers))
      if (left.length === 0) return
      const before = new Map(left.map((path) => [path, held.get(path) ?? absent]))
      await ask(session, left)
      for (const path of left) {
        const container = held.get(path) ?? absent
        if (!sameEntry(container, before.get(path))) continue
        const message = `${path} is left alone in the container: something else stands there, or on the way.`
        stuck.add(path, localEntry(path, layers), container, message)
      }
      changed()
    },

    doubt(paths) {
      for (const path of paths) doubtful.add(path)
      dirty = true
    },

    async bringBack(session, layers) {
      if (back.size === 0) return
      const moves = back
      back = new Map()
      const started = performance.now()
      // what is told may be older than what devloop has written since
      const now = await ask(session, moves.keys())
      const done = new Map<string, Wanted>()
      const looked: string[] = []
      const left: string[] = []
      const bring = async ([path, move]: readonly [string, Move]): Promise<void> => {
        const to = localPlace(path, layers)
        if (!to) return
        const outcome = sameEntry(now.get(path), move.wanted) ? await bringOne(session, path, move, layers) : 'changed'
        if (outcome === 'written') done.set(path, move.wanted)
        if (outcome === 'written' && stuck.delete(path)) dirty = true
        if (outcome === 'kept') left.push(path)
        if (outcome === 'changed') doubtful.add(path)
        looked.push(join(to.layer.spec.context, to.source))
      }
      try {
        // deletes make room for what else comes
        const [gone, others] = [[...moves].filter(isDelete), [...moves].filter((one) => !isDelete(one))]
        await forEachLimited(gone, 1, bring, signal)
        await forEachLimited(others, atOnce, bring, signal)
      } finally {
        // the tree has it before anything is decided again: else it would be taken for a local change
        if (looked.length > 0) await lookAt.current?.(looked)
        await settle(done)
      }
      for (const path of left) {
        const move = moves.get(path)
        if (!move || !sameEntry(localEntry(path, layers), move.was)) continue
        const message = `${path} cannot come back: locally something else stands there, or on the way.`
        stuck.add(path, move.was, move.wanted, message)
      }
      if (left.length > 0) changed()
      // what is being written just now is not looked at again and again
      if (doubtful.size > 0) later(restMs)
      const ms = Math.round(performance.now() - started)
      if (done.size > 0) {
        const what = done.size === 1 ? [...done.keys()][0] : `${done.size} paths`
        tell('info', `${what} came back from ${context.store.state().targets[id]?.pod} (${ms} ms)`)
      }
    },

    stop() {
      clearTimeout(timer)
      end()
      large.conflicts.delete(id)
    },
  }
}

/** Whether a path lies below one of some folders. */
function isBelowOne(path: string, folders: ReadonlySet<string>): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    if (folders.has(path.slice(0, end))) return true
  return false
}

/** Whether a path belongs to a folder that vanished here, and of which it is not known whether that was meant. */
function isHeld(path: string, layers: Layers): boolean {
  if (layers.every(({ files }) => files.held.size === 0)) return false
  const to = localPlace(path, layers)
  return to !== undefined && [...to.layer.files.held].some((folder) => folder === '' || to.source.startsWith(`${folder}/`))
}

const isDelete = ([, { wanted }]: readonly [string, Move]): boolean => wanted.kind === 'absent'
