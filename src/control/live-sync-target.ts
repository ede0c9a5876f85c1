// Keeps one container at what its image's overlay says, over one stream that stays open. Converges: it compares what the
// container holds with what it must hold, and sends the difference.
import { isDeepStrictEqual } from 'node:util'
import { DevloopError, isAbort, isDevloopError, toErrorInfo } from '../errors/devloop-error.js'
import { platformOf } from '../model/build-record.js'
import type { CompiledLiveRules } from '../model/live-rules.js'
import type { LinkOutcome } from '../model/link.js'
import type { NetworkPlace, SyncSession } from '../ports/sync-transport.js'
import type { TargetPatch } from '../store/actions.js'
import { dueBuild, isSyncHeld, isTargetDue } from '../store/graph-status.js'
import { driftState } from '../store/large.js'
import { isStaying } from '../store/resource-status.js'
import { createBothWays } from './both-ways.js'
import type { ControlContext } from './context.js'
import { createDrain } from './drain.js'
import {
  addOwed,
  isOwed,
  noteOwed,
  nothingOwed,
  notePaid,
  placeJournal,
  readJournal,
  shortenJournals,
  type Owed,
} from './owed.js'
import { createTargetSteps, dueSteps, type Wanted } from './live-sync-steps.js'
import { retryAt } from './retry.js'
import { bothWaysPlaces } from './both-ways-layers.js'
import { difference, operations, type Manifest } from './sync-difference.js'
import { overlaidPaths, strayPaths, syncRoots, type Layer } from './sync-layers.js'
import { compare, verifiedPaths, type Verified } from './verify.js'

export interface TargetSync {
  /** Look at the state again. */
  poke(): void
  /**
   * Compare what the container holds with what it must hold, when nothing is being written. Writes nothing.
   * @throws DevloopError request/refused while that is not known; sync/*
   */
  verify(): Promise<Verified>
  /** As SyncSession.dial, beside all other work. Undefined = no stream is open that can. */
  dial(to: NetworkPlace, signal: AbortSignal): Promise<LinkOutcome> | undefined
  stop(): Promise<void>
}

/** Codes that say that live sync cannot work with this image as it is. */
const blocking = new Set(['sync/no-shell', 'sync/no-tool', 'sync/read-only', 'sync/permission'])

/** How long opening a stream may take: one that hangs must not keep a save from being told as failed. Milliseconds. */
const openMs = 10_000

/**
 * What is deleted or changed while it is sent cannot be read as it was: the event that says so is on its way, and nobody need be told. Only
 * what cannot be read for longer is a failure.
 */
const unread = { tries: 5, everyMs: 200 }

export function createTargetSync(context: ControlContext, id: string): TargetSync {
  const { store, large, ports, runtime, log, onDefect } = context
  const stopping = new AbortController()
  const { signal } = stopping
  let session: SyncSession | undefined
  /** What the session may write to. */
  let roots: readonly string[] = []
  /** Undefined = not known what the container holds. */
  let manifest: Manifest | undefined
  let owed: Owed = nothingOwed()
  let number = 0
  /** The number at which the journals were last written anew. */
  let shortened = 0
  /** The rules by which it was last looked whether something was written that they do not know. */
  let checkedFor: readonly CompiledLiveRules[] = []
  let replaced = false
  let timer: NodeJS.Timeout | undefined
  /** How often in a row sources could not be read. */
  let unreadTries = 0
  /** Streams lost soon after they were opened, in a row; and when the next may be opened only to keep it open. */
  let losses = 0
  let reopenAt = 0

  const patch = (change: TargetPatch): void => store.dispatch({ type: 'target/patch', target: id, patch: change })
  const tell = (level: 'info' | 'warn' | 'error', text: string, source = 'sync'): void => {
    const target = store.state().targets[id]
    log({ resource: target?.resource ?? '', source, level, text })
  }

  /** Nothing can be reached at all: the end of that is a change of the state. */
  const isUnreachable = (): boolean => {
    const { status, error } = store.state().runtime
    return status === 'lost' && error?.code === 'cluster/unreachable'
  }

  /** What the target must be brought to; undefined while that is not for live sync to do. */
  const look = (): Wanted | undefined => {
    const state = store.state()
    const target = state.targets[id]
    const image = target && state.images[target.image]
    const restarts = target && state.resources[target.resource]?.restarts
    if (replaced || !target || !image?.record || !image.sources || restarts === undefined) return undefined
    if (image.syncBlocked || dueBuild(state, image) !== undefined) return undefined
    const [own, ...others] = [target.image, ...(image.bases?.names ?? [])].map(layerOf)
    if (!own || others.includes(undefined)) return undefined
    return {
      target,
      spec: own.spec,
      layers: [own, ...others.filter((one) => one !== undefined)],
      digest: image.record.digest,
      revision: image.sources.revision,
      bases: image.bases?.revisions,
      restarts,
      held: isSyncHeld(state, target),
    }
  }

  const bothWays = createBothWays({ context, id, patch, tell, poke: () => drain.poke(), signal })

  /** Undefined while what is known of an image is not of one moment. */
  const layerOf = (name: string): Layer | undefined => {
    const state = store.state()
    const [spec, image, files] = [state.plan?.images[name], state.images[name], large.images.get(name)]
    if (!spec || !image?.record || !image.sources || image.sources.stale) return undefined
    return files?.record?.digest === image.record.digest ? { spec, files } : undefined
  }

  const open = async ({ target, layers }: Wanted): Promise<SyncSession> => {
    if (session && isDeepStrictEqual(roots, syncRoots(layers))) return session
    const current = runtime.current
    if (!current) throw new DevloopError('sync/disconnected', 'not connected')
    const old = session
    session = undefined
    await old?.close()
    roots = syncRoots(layers)
    const openedAt = Date.now()
    const tooLong = new AbortController()
    const opening = setTimeout(() => tooLong.abort(), openMs)
    const opened = await current.sync
      .open(
        {
          containerId: id,
          namespace: target.namespace,
          pod: target.pod,
          container: target.container,
          resource: target.resource,
          platform: layers[0].files.record ? platformOf(layers[0].files.record) : undefined,
        },
        roots,
        AbortSignal.any([signal, tooLong.signal]),
      )
      .catch((thrown: unknown) => {
        if (!tooLong.signal.aborted || signal.aborted) throw thrown
        throw new DevloopError(
          'sync/disconnected',
          `The stream to ${target.pod}/${target.container} could not be opened within ${openMs / 1000} s.`,
        )
      })
      .finally(() => clearTimeout(opening))
    session = opened
    patch({ transport: opened.description })
    void opened.closed.then(({ reason, message }) => {
      if (session !== opened) return
      session = undefined
      manifest = undefined
      if (reason === 'asked' || signal.aborted) return
      // one that never lasts is not opened again and again
      losses = Date.now() - openedAt < 10_000 ? losses + 1 : 0
      reopenAt = losses === 0 ? 0 : Date.now() + Math.min(15_000, 250 * 2 ** losses)
      // what failed because of it stays told until something succeeds
      const failed = store.state().targets[id]?.status === 'failed'
      patch({ acked: null, differing: undefined, ...(failed ? {} : { status: 'unknown' }) })
      tell('warn', `the stream to ${target.pod}/${target.container} ended: ${message}`)
      drain.poke()
    })
    return opened
  }

  /** Find out what the container holds where it may differ from its image. */
  const learn = async (wanted: Wanted): Promise<Manifest> => {
    if (manifest) return manifest
    const journal = await ports.stateFiles.touched(id)
    const earlier = await ports.stateFiles.touched(placeJournal(wanted.target))
    const known: Manifest = new Map()
    if (journal || earlier) {
      const { paths: own, owed: due, last } = readJournal(journal ?? new Set())
      addOwed(owed, due)
      number = Math.max(number, last)
      const paths = [...own, ...(earlier ?? [])]
      const stray = new Set(strayPaths(paths, wanted.layers))
      const mine = paths.filter((path) => !stray.has(path))
      await inspect(wanted, known, new Set([...mine, ...overlaidPaths(wanted.layers)]))
    } else if (wanted.layers.some(({ spec }) => spec.pulled?.initialSync)) {
      // nobody here knows what is in it: much of the tree may be there already
      await inspect(wanted, known, overlaidPaths(wanted.layers))
    }
    manifest = known
    return known
  }

  /**
   * Files that earlier rules brought into the container, where the present ones bring nothing, cannot be put back: what the image
   * holds there is not known. A new container has them right. @returns whether one is on its way
   */
  const isReplaced = async ({ target, layers }: Wanted): Promise<boolean> => {
    const rules = layers.map(({ files }) => files.rules)
    if (rules.length === checkedFor.length && rules.every((one, index) => one === checkedFor[index])) return false
    const stray = strayPaths(manifest?.keys() ?? (await ports.stateFiles.touched(id)) ?? [], layers)
    checkedFor = rules
    for (const path of stray) manifest?.delete(path)
    const current = runtime.current
    // a stage is kept for its app: there the files stay as they are
    if (stray.length === 0 || current?.info.kind !== 'kubernetes') return false
    if (layers.some(({ spec }) => spec.pulled?.attached)) {
      tell('warn', `${target.pod} holds files of live rules that are gone, such as ${stray[0]}: they stay until it is replaced`)
      return false
    }
    tell('info', `replacing ${target.pod}: it holds files of live rules that are gone, such as ${stray[0]}`)
    try {
      await current.replacePod({ namespace: target.namespace, name: target.pod }, signal)
      replaced = true
      return true
    } catch (thrown) {
      if (isAbort(thrown)) throw thrown
      tell('warn', `${target.pod} was not replaced: ${toErrorInfo(thrown).message}`)
      return false
    }
  }

  const inspect = async (wanted: Wanted, into: Manifest, paths: ReadonlySet<string>): Promise<void> => {
    if (paths.size === 0) return
    const held = await (await open(wanted)).inspect([...paths], signal)
    for (const path of paths) into.set(path, held.get(path) ?? null)
  }

  const converge = async (wanted: Wanted): Promise<void> => {
    const { target, layers, revision, digest, bases, held } = wanted
    if (await isReplaced(wanted)) return
    const known = await learn(wanted)
    if (bothWaysPlaces(layers).length > 0 || target.returns) await bothWays.start(await open(wanted), target, layers)
    const unknown = new Set([...known].filter(([, content]) => content === null).map(([path]) => path))
    if (unknown.size > 0) await inspect(wanted, known, unknown)
    const ofBothWays = bothWays.plan(layers)
    const differences = held
      ? []
      : [...difference(known, layers).filter(({ path }) => !bothWays.has(path, layers)), ...ofBothWays]
    const askedRestart = target.restartable && target.restartsDone < wanted.restarts
    if (differences.length > 0) {
      const started = performance.now()
      addOwed(owed, dueSteps(differences))
      const { ops, result } = await operations(differences, ports.sources)
      await noteOwed(
        ports.stateFiles,
        id,
        placeJournal(target),
        ops.flatMap((op) => (op.op === 'rmdir' ? [] : [op.path])),
        owed,
        ++number,
      )
      const stream = await open(wanted)
      steps.stage(wanted, 'sent')
      patch({ differing: differences.length })
      try {
        const kept = await stream.apply(ops, signal)
        await bothWays.wrote(stream, result, kept, layers)
      } catch (thrown) {
        for (const path of result.keys()) known.set(path, null)
        bothWays.doubt([...result.keys()].filter((path) => bothWays.has(path, layers)))
        throw thrown
      }
      for (const [path, held] of result) known.set(path, held)
      steps.stage(wanted, 'written')
      tell(
        'info',
        `${ops.length === 1 ? ops[0]?.path : `${ops.length} paths`} in ${target.pod} (${Math.round(performance.now() - started)} ms)`,
      )
    }
    if (askedRestart) owed.restart = true
    // what a newer change overtook stays owed, and follows that
    if (isOwed(owed)) {
      if (differences.length > 0) patch({ differing: 0 })
      if ((await steps.pay(wanted, owed)) === 'overtaken') return
      await notePaid(ports.stateFiles, id, number)
      shortened = await shortenJournals(ports.stateFiles, id, placeJournal(target), number, shortened)
    }
    patch({
      status: 'synced',
      ...(held ? {} : { acked: { digest, revision, ...(bases ? { bases } : {}) } }),
      restartsDone: wanted.restarts,
      attempts: 0,
      differing: undefined,
      error: undefined,
      retryAt: undefined,
      failedRevision: undefined,
      failedBases: undefined,
    })
    if (session) await bothWays.bringBack(session, layers)
  }

  const fail = (wanted: Wanted, thrown: unknown): void => {
    if (signal.aborted || isAbort(thrown)) return
    const error = toErrorInfo(thrown)
    if (error.code === 'defect') onDefect(thrown)
    tell('error', error.message.replace(/\.$/, '') + (error.why ? `: ${error.why.split('\n').at(-1)}` : ''))
    if (blocking.has(error.code)) {
      patch({ status: 'failed', error, failedRevision: wanted.revision, failedBases: wanted.bases })
      // what is only pulled cannot be built instead
      if (wanted.layers.some(({ spec }) => spec.pulled)) return
      // the pod that takes this one's place may be one that can be written to
      if (!isStaying(store.state(), wanted.target)) return
      // a save of any of them has to be built then
      for (const { spec, files } of wanted.layers)
        store.dispatch({ type: 'image/sync-blocked', image: spec.name, error, drift: driftState(files.drift) })
      return
    }
    const attempts = (store.state().targets[id]?.attempts ?? 0) + 1
    const at = retryAt(error, attempts, Date.now())
    patch({ status: 'failed', error, failedRevision: wanted.revision, failedBases: wanted.bases, retryAt: at, attempts })
  }

  const compareNow = async (): Promise<Verified> => {
    const wanted = look()
    const why = runtime.current && !isUnreachable() ? whyUnknown() : 'It is not connected.'
    if (!wanted || !runtime.current || isUnreachable())
      throw new DevloopError('request/refused', 'what the container must hold cannot be told now', { why })
    const paths = verifiedPaths(wanted.layers, (await learn(wanted)).keys())
    const found = await (await open(wanted)).inspect([...paths], signal)
    return compare(paths, found, wanted.layers)
  }

  const whyUnknown = (): string => {
    const state = store.state()
    const image = state.images[state.targets[id]?.image ?? '']
    if (replaced) return 'Its pod is being replaced.'
    if (image?.syncBlocked) return `Live sync cannot work there: ${image.syncBlocked.message}`
    return image?.record ? `Image ${image.name} is to be built again.` : 'Its image was not built by devloop.'
  }

  const onlyBringBack = async (wanted: Wanted): Promise<void> => {
    const { target, layers } = wanted
    if (!session) return
    try {
      await bothWays.start(session, target, layers)
      bothWays.plan(layers)
      await bothWays.bringBack(session, layers)
    } catch (thrown) {
      if (signal.aborted || isAbort(thrown)) return
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      tell('warn', `what ${target.pod} changed did not come back: ${error.message}`)
    }
  }

  /** Comparisons that were asked for. */
  const asked: { resolve: (verified: Verified) => void; reject: (reason: unknown) => void }[] = []
  const answerAsked = async (): Promise<void> => {
    for (const one of asked.splice(0)) await compareNow().then(one.resolve, one.reject)
  }

  const steps = createTargetSteps({ context, id, patch, tell, open, look, signal })
  const drain = createDrain(() => work().finally(answerAsked), onDefect)
  const work = async (): Promise<void> => {
    clearTimeout(timer)
    for (;;) {
      const wanted = look()
      if (!wanted || signal.aborted || !runtime.current || isUnreachable()) return
      const { target, revision, restarts, spec, bases } = wanted
      const image = store.state().images[spec.name]
      const isDue = !image || isTargetDue(store.state(), target, image, restarts)
      if (!isDue && !bothWays.due) break
      const failedSo = target.failedRevision === revision && isDeepStrictEqual(target.failedBases, bases)
      if (failedSo && target.restartsDone >= restarts) {
        // what failed may be a step: what the container changes comes back all the same
        if (bothWays.due) await onlyBringBack(wanted)
        if (target.retryAt === undefined) return
        const wait = target.retryAt - Date.now()
        if (wait > 0) {
          timer = setTimeout(drain.poke, wait + 1)
          return
        }
      }
      // what only comes back makes nobody wait
      if (isDue && target.status !== 'syncing') patch({ status: 'syncing' })
      try {
        await converge(wanted)
        unreadTries = 0
      } catch (thrown) {
        if (isDevloopError(thrown) && thrown.code === 'sync/source' && unreadTries < unread.tries) {
          unreadTries++
          timer = setTimeout(drain.poke, unread.everyMs)
          return
        }
        fail(wanted, thrown)
      }
    }
    tellWaiting()
    await keepOpen()
  }

  /** How much waits for a trigger. */
  const tellWaiting = (): void => {
    const wanted = look()
    if (!wanted?.held || !manifest) return
    const { length } = difference(manifest, wanted.layers)
    if (length !== (wanted.target.differing ?? 0)) patch({ differing: length || undefined })
  }

  /** Open the stream before it is needed, so that the first save finds it open. */
  const keepOpen = async (): Promise<void> => {
    const wanted = look()
    if (!wanted || isUnreachable() || (session && isDeepStrictEqual(roots, syncRoots(wanted.layers)))) return
    // what cannot work is tried again when there is something to write
    const { error: known, failedRevision } = wanted.target
    if (known && blocking.has(known.code) && failedRevision === wanted.revision) return
    const wait = reopenAt - Date.now()
    if (wait > 0) {
      timer = setTimeout(drain.poke, wait + 1)
      return
    }
    try {
      await open(wanted)
    } catch (thrown) {
      if (signal.aborted) return
      const error = toErrorInfo(thrown)
      if (blocking.has(error.code)) fail(wanted, thrown)
      else if (error.code === 'defect') onDefect(thrown)
      // any other problem shows when there is something to write
    }
  }

  drain.poke()
  return {
    poke() {
      steps.cancelOvertaken()
      drain.poke()
    },
    verify: () =>
      new Promise((resolve, reject) => {
        asked.push({ resolve, reject })
        drain.poke()
      }),
    dial: (to, within) => session?.dial?.(to, AbortSignal.any([within, signal])),
    async stop() {
      stopping.abort()
      bothWays.stop()
      for (const one of asked.splice(0)) one.reject(new DevloopError('request/refused', 'the container is gone'))
      clearTimeout(timer)
      await drain.stop()
      const open_ = session
      session = undefined
      await open_?.close()
    },
  }
}
