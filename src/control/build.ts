// Builds the images that the next work names, aborts builds that a newer change made useless, and keeps the records.
import { setTimeout as pause } from 'node:timers/promises'
import { isAbort, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import type { BuildRecord } from '../model/build-record.js'
import { computeDrift } from '../model/drift.js'
import { isAlwaysIgnored } from '../model/live-rules.js'
import type { ImageSpec } from '../model/plan.js'
import type { BuildStepState, RecordState } from '../model/state.js'
import type { Entry } from '../model/tree.js'
import type { BuildProgress, BuildRequest, BuildStep, SentContext } from '../ports/image-builder.js'
import type { Runtime } from '../ports/runtime.js'
import { isBuildHeld, isImageNeeded } from '../store/graph-status.js'
import { buildReason, isBuildStale } from '../store/image-status.js'
import { driftState, type ImageFiles } from '../store/large.js'
import { currentPods } from '../store/resource-status.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { retryAt } from './retry.js'

/** How long after the start the engine is asked whether what was built earlier still exists. Milliseconds. */
const askAfter = 2000

export function createBuildController(context: ControlContext): Controller {
  const { store, work, large, ports, runtime, log, onDefect } = context
  const stopping = new AbortController()
  const running = new Map<string, { abort: AbortController; done: Promise<void> }>()
  const records = new Map<string, BuildRecord>()
  let loading: Promise<void> | undefined
  const checking = new Set<string>()
  /** Pods whose image was asked for because they could not pull it. */
  const asked = new Set<string>()

  const loadRecords = (): Promise<void> =>
    (loading ??= ports.stateFiles.loadRecords(store.state().session.runtime).then((found) => {
      for (const record of found) records.set(record.image, record)
    }))

  const tellGone = (name: string): void =>
    log({ resource: '', source: 'build', level: 'info', text: `${name}: what was built is gone from where it was put` })

  /** Whether what a record names still exists; undefined when devloop is stopping. */
  const ask = async (record: BuildRecord, open: Runtime): Promise<boolean | undefined> => {
    try {
      return await open.builder.exists(record, open.info.registry, stopping.signal)
    } catch (thrown) {
      if (isAbort(thrown)) return undefined
      // the registry will say so itself when pods pull or a build pushes; the record is good until it is known not to be
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      log({ resource: '', source: 'build', level: 'warn', text: `${record.image}: ${error.message}` })
      return true
    }
  }

  /** Ask again whether an image exists that is taken to. @returns whether it is gone */
  const isGone = async (name: string, open: Runtime): Promise<boolean> => {
    const record = large.images.get(name)?.record
    if (!record || (await ask(record, open)) !== false) return false
    if (runtime.current !== open || large.images.get(name)?.record !== record) return false
    tellGone(name)
    store.dispatch({ type: 'image/checked', image: name, exists: false })
    return true
  }

  /** An image that a node cannot pull may have vanished from the registry. Asked once for each pod that says so. */
  const lookForLost = (open: Runtime): void => {
    const { resources, images } = store.state()
    for (const resource of Object.values(resources)) {
      for (const pod of currentPods(resource)) {
        for (const { image: name, ref, error } of pod.containers) {
          const image = name === undefined ? undefined : images[name]
          if (error?.code !== 'pod/image' || !image?.record || image.record.ref !== ref || buildReason(image) !== undefined)
            continue
          const key = `${pod.uid} ${image.name} ${image.record.digest}`
          if (asked.has(key)) continue
          asked.add(key)
          void isGone(image.name, open).catch(onDefect)
        }
      }
    }
  }

  /** Offer what is on disk, once the sources are scanned; then ask whether it still exists. */
  const check = async (name: string, open: Runtime): Promise<void> => {
    await loadRecords()
    const files = large.images.get(name)
    if (!files) return
    const found = files.record ?? records.get(name)
    const record = found && fitsNodes(found, open) ? found : undefined
    if (!record) return store.dispatch({ type: 'image/checked', image: name, exists: false })
    // asking the engine takes a while: where it may be assumed, nothing waits for the answer
    const assumed =
      open.info.kind === 'kubernetes' && (!open.info.registry || record.ref.startsWith(`${open.info.registry.pull}/`))
    if (assumed) {
      use(context, files, name, record)
      store.dispatch({ type: 'image/checked', image: name, exists: true })
      await pause(askAfter, undefined, { signal: stopping.signal, ref: false }).catch(() => {})
      if (stopping.signal.aborted || runtime.current !== open) return
    }
    const exists = await ask(record, open)
    if (exists === undefined || runtime.current !== open) return
    // the tree may have changed, been read anew, or been built meanwhile
    const now = large.images.get(name)
    if (!now || (assumed && (exists || now.record !== record))) return
    if (!exists) tellGone(name)
    if (exists) use(context, now, name, record)
    store.dispatch({ type: 'image/checked', image: name, exists })
  }

  const build = async (name: string, open: Runtime, signal: AbortSignal): Promise<void> => {
    const { plan } = store.state()
    const spec = plan?.images[name]
    const files = large.images.get(name)
    const state = store.state().images[name]
    if (!spec || !files || !state?.build) return
    const { revision } = state.build
    const told = progress(context, name, open.info.server ?? '')
    const bases = engineNames(large, state.bases?.names ?? [])
    try {
      const { tree, emptyFolders } = await readContext(context, files, spec, signal)
      const built = await open.builder.build(
        {
          image: spec,
          tree,
          emptyFolders,
          inputs: state.build.inputs,
          bases,
          registry: open.info.registry,
          platform: open.info.platform,
          instance: store.state().session.instance,
        },
        told,
        signal,
      )
      told.tell()
      const before = records.get(name)
      // built again with the same result: what runs is of this image, and what was written into it is known
      const same = before?.digest === built.digest && before.ref === built.ref
      const record: BuildRecord = {
        image: name,
        runtime: open.info.kind,
        inputs: state.build.inputs,
        ...(typeof state.build.bases === 'string' ? { bases: state.build.bases, baseRefs: Object.values(bases) } : {}),
        ...(open.info.platform === undefined ? {} : { platform: open.info.platform }),
        ...(spec.pulled ? { pulled: true as const } : {}),
        // a stage holds the files from the start, whatever the image holds
        tree: spec.pulled?.initialSync && open.info.kind === 'kubernetes' ? new Map<string, Entry>() : tree,
        builtAt: same ? before.builtAt : Date.now(),
        ...built,
      }
      await ports.stateFiles.saveRecord(record)
      records.set(name, record)
      const now = large.images.get(name)
      if (!now || runtime.current !== open) return store.dispatch({ type: 'build/cancelled', image: name })
      now.record = record
      now.drift = computeDrift(now.tree, record.tree, now.rules)
      store.dispatch({ type: 'build/finished', image: name, record: recordState(record), drift: driftState(now.drift) })
      store.dispatch({ type: 'change/stage', image: name, revision, stage: 'built' })
    } catch (thrown) {
      // what is told later would be taken for the next build's
      told.tell()
      if (isAbort(thrown) || signal.aborted) return store.dispatch({ type: 'build/cancelled', image: name })
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      logError(context, name, error)
      // an engine that was cleaned up has lost what this one is built on: that is built again first
      const bases = await Promise.all((state.bases?.names ?? []).map((base) => isGone(base, open)))
      const at = bases.includes(true) ? Date.now() : retryAt(error, store.state().images[name]?.build?.attempts ?? 1, Date.now())
      store.dispatch({ type: 'build/failed', image: name, error, ...(at === undefined ? {} : { retryAt: at }) })
    }
  }

  const drain = createDrain(async () => {
    const open = runtime.current
    const state = store.state()
    const { images } = state
    for (const [name, { abort }] of running) {
      const image = images[name]
      if (!image || !isImageNeeded(state, name) || (isBuildStale(image) && !isBuildHeld(state, image))) abort.abort()
    }
    if (!open || stopping.signal.aborted) return
    for (const image of Object.values(images)) {
      if (image.recordChecked || !image.sources || image.sources.stale || checking.has(image.name)) continue
      checking.add(image.name)
      void check(image.name, open)
        .catch(onDefect)
        .finally(() => {
          checking.delete(image.name)
          drain.poke()
        })
    }
    lookForLost(open)
    for (const one of work.current().work) {
      if (one.kind !== 'build' || running.has(one.image)) continue
      const abort = new AbortController()
      store.dispatch({ type: 'build/started', image: one.image, reason: one.reason })
      log({ resource: '', source: 'build', level: 'info', text: tellBuild(state.plan?.images[one.image], one) })
      const done = build(one.image, open, AbortSignal.any([abort.signal, stopping.signal]))
        .catch(onDefect)
        .finally(() => {
          running.delete(one.image)
          drain.poke()
        })
      running.set(one.image, { abort, done })
    }
  }, onDefect)

  const unsubscribe = work.subscribe(drain.poke)
  return {
    async stop() {
      unsubscribe()
      stopping.abort()
      await drain.stop()
      await Promise.allSettled([...running.values()].map((one) => one.done))
    },
  }
}

const tellBuild = (spec: ImageSpec | undefined, { image, reason }: { readonly image: string; readonly reason: string }): string =>
  spec?.pulled?.attached
    ? `${image} is what ${spec.pulled.ref} runs: nothing is built`
    : spec?.pulled
      ? `${image} is ${spec.pulled.ref}, which is only pulled`
      : `building ${image}: ${reason}`

/** Whether an image was built for the nodes of this cluster, as far as both are known. */
const fitsNodes = ({ platform }: BuildRecord, { info }: Runtime): boolean =>
  platform === undefined || info.platform === undefined || platform === info.platform

/** Make a record the one that the image's tree is compared with. */
function use({ store }: ControlContext, files: ImageFiles, image: string, record: BuildRecord): void {
  let tellHeld: (() => void) | undefined
  if (files.record?.digest !== record.digest || files.record !== record) {
    files.record = record
    tellHeld = files.keep(record)
    files.drift = computeDrift(files.tree, record.tree, files.rules)
  }
  store.dispatch({ type: 'image/record', image, record: recordState(record), drift: driftState(files.drift) })
  tellHeld?.()
}

/** By which names the engine has the images that one is built on. */
function engineNames({ images }: ControlContext['large'], names: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of names) {
    const record = images.get(name)?.record
    if (record) found[name] = record.engineRef ?? record.ref
  }
  return found
}

/**
 * What to build from: the watched tree, and those files whose changes the image's rules ignore but which belong to the context.
 * Folders in which nothing is are no part of a tree, but a Dockerfile may copy them: whoever builds from one looks for them.
 */
async function readContext(
  { ports }: ControlContext,
  files: ImageFiles,
  spec: ImageSpec,
  signal: AbortSignal,
): Promise<Required<Pick<BuildRequest, 'tree' | 'emptyFolders'>>> {
  const tree = new Map(files.tree)
  // watched because it is synced both ways, and not sent to the build all the same
  for (const path of tree.keys()) if (files.rules.isBothWays(path, false) && files.ignored(path, false)) tree.delete(path)
  const kept = (path: string, isDirectory: boolean): boolean =>
    isAlwaysIgnored(path, isDirectory) || files.ignored(path, isDirectory)
  const emptyFolders = (within: AbortSignal): Promise<string[]> => ports.sources.emptyFolders(spec.context, kept, within)
  if (!spec.live.some((rule) => rule.kind === 'ignore')) return { tree, emptyFolders }
  const found = await ports.sources.scan(spec.context, kept, signal)
  for (const [path, entry] of found.tree) if (files.rules.ignores(path, false)) tree.set(path, entry)
  return { tree, emptyFolders }
}

const recordState = ({ digest, ref, inputs, bases, config, builtAt }: BuildRecord): RecordState => ({
  digest,
  ref,
  inputs,
  ...(bases === undefined ? {} : { bases }),
  shell: config.shell,
  builtAt,
})

/** Steps in the order in which they were first seen; told to the state at most every 50 ms, and by `tell` at once. */
function progress({ store, log, ports }: ControlContext, image: string, cluster: string): BuildProgress & { tell(): void } {
  const steps = new Map<string, BuildStepState>()
  let context: SentContext | undefined
  let timer: NodeJS.Timeout | undefined
  const tell = (): void => {
    clearTimeout(timer)
    timer = undefined
    store.dispatch({ type: 'build/progress', image, steps: [...steps.values()], ...(context ? { context } : {}) })
  }
  return {
    tell,
    step({ id, name, state, startedAt, finishedAt, tail }: BuildStep) {
      const ms = startedAt !== undefined && finishedAt !== undefined ? finishedAt - startedAt : undefined
      steps.set(id, {
        id,
        name,
        state,
        ...(startedAt === undefined ? {} : { startedAt }),
        ...(ms === undefined ? {} : { ms }),
        ...(tail ? { tail } : {}),
      })
      timer ??= setTimeout(tell, 50)
    },
    sent(sent) {
      context = sent
      timer ??= setTimeout(tell, 50)
    },
    log: (text) => log({ resource: '', source: `build ${image}`, level: 'info', text }),
    stage: (stage) => store.dispatch({ type: 'build/progress', image, stage }),
    ran: (build) => ports.madeImages.ran({ ...build, image }),
    made: (made) => ports.madeImages.add({ ...made, image, cluster, at: Date.now() }),
  }
}

function logError({ log }: ControlContext, name: string, error: ErrorInfo): void {
  const where = error.where ? ` (${error.where.file}:${error.where.line})` : ''
  log({ resource: '', source: 'build', level: 'error', text: `${name}: ${error.message}${where}` })
}
