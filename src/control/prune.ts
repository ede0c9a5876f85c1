// One round of housekeeping: find what builds left behind and is not needed any more, and remove it.
import { isAbort, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import { agentImageName } from '../model/agent-image.js'
import { madeName, type MadeImage } from '../model/made-image.js'
import type { Plan, PruneSettings } from '../model/plan.js'
import { buildsToKeep, cacheToRemove, imagesToRemove, type PruneFacts } from '../model/prune.js'
import type { ImagePruner } from '../ports/image-pruner.js'
import type { MadeImages } from '../ports/made-images.js'
import type { Runtime } from '../ports/runtime.js'
import type { Ports } from './context.js'

export interface PruneRequest {
  readonly plan: Plan
  readonly settings: PruneSettings
  /** Whose images they are. */
  readonly instance: string
  readonly runtime: Runtime
  readonly ports: Pick<Ports, 'madeImages' | 'stateFolders' | 'stateFiles'>
  /** References of what is built and going to be deployed. */
  readonly wanted: readonly string[]
  /** Namespaces in which something of the plan runs. */
  readonly namespaces: readonly string[]
  /** Change nothing, only tell. */
  readonly dryRun: boolean
  /** Asked before each removal: true = somebody waits for something else now, so leave the rest for another time. */
  readonly busy: () => boolean
  /** Told of each thing, once it is removed (or, changing nothing, found). */
  readonly onRemoved?: (thing: RemovedThing) => void
}

/** What a round removed, or would remove. */
export interface PruneReport {
  readonly removed: readonly RemovedThing[]
  /** Images that devloop made and that stay. */
  readonly kept: number
  /** What could not be done, once for each reason. It is tried again in the next round. */
  readonly problems: readonly ErrorInfo[]
  /** Whether it was broken off because there was other work. */
  readonly interrupted: boolean
}

export interface RemovedThing {
  /** Where it was: in the engine, in a registry, in the engine's build cache, in devloop's state folder. */
  readonly from: 'engine' | 'registry' | 'cache' | 'state'
  readonly name: string
  /** Where known. */
  readonly bytes?: number
}

/** Never fails for reasons of operation: what could not be done is in the report. Rejects with AbortError, or with a defect. */
export async function prune(request: PruneRequest, signal: AbortSignal): Promise<PruneReport> {
  const { plan, settings, instance, runtime, ports, dryRun } = request
  const pruner = runtime.builder.pruner
  const removed: RemovedThing[] = []
  const note = (thing: RemovedThing): void => {
    removed.push(thing)
    request.onRemoved?.(thing)
  }
  const problems = new Map<string, ErrorInfo>()
  let interrupted = false
  let kept = 0
  /** Registries that refused or did not answer in this round: they would do so again. */
  const unwilling = new Set<string>()
  const now = Date.now()
  const oldest = now - settings.maxAge * 3_600_000

  /** Whether it worked. */
  const attempt = async (work: () => Promise<void>): Promise<boolean> => {
    signal.throwIfAborted()
    try {
      await work()
      return true
    } catch (thrown) {
      if (isAbort(thrown)) throw thrown
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') throw thrown
      problems.set(error.message, error)
      return false
    }
  }
  const stop = (): boolean => (interrupted ||= request.busy())

  /** Remove what one journal says and is not needed. @returns how many images are left */
  const thinOut = async (
    journal: MadeImages,
    owner: string,
    made: PruneFacts,
    from: ImagePruner,
    engine: string,
  ): Promise<number> => {
    const { images, builds } = await journal.load()
    const known = new Set(images.map((one) => `${one.engine} ${madeName(one)}`))
    const labelled = (await from.labelled(owner, signal)).filter((one) => !known.has(`${one.engine} ${madeName(one)}`))
    const all: MadeImage[] = [...images, ...labelled.map((one) => ({ ...one, cluster: '' }))]
    const remove = imagesToRemove(all, made)
    const gone = new Set<MadeImage>()
    for (const image of remove) {
      if (stop()) break
      if (dryRun) {
        tell(note, image, image.engine === engine)
        continue
      }
      const unpushed = await removePushed(from, image, remove)
      await attempt(async () => {
        const here = image.engine === engine ? await from.removeFromEngine(image, signal) : 'gone'
        if (here === 'removed') note({ from: 'engine', name: madeName(image) })
        // what is left somewhere stays in the journal, and is tried again
        if (unpushed && here !== 'used') gone.add(image)
      })
    }
    const entries = await cacheOf(from)
    const ours = builds.filter((one) => one.engine === engine)
    const stale = cacheToRemove(entries, ours, { now, settings })
    if (stale.length > 0 && !stop())
      await attempt(async () => {
        const ids = stale.map((one) => one.id)
        const bytes = dryRun ? stale.reduce((sum, one) => sum + one.size, 0) : await from.removeCache(ids, signal)
        note({ from: 'cache', name: `${ids.length} entries of the build cache`, bytes })
      })
    const left = images.filter((one) => !gone.has(one))
    if (!dryRun) {
      const keptBuilds = new Set(buildsToKeep(ours, entries, settings))
      // nothing can be asked of an engine that is not the present one
      const old = (one: (typeof builds)[number]): boolean => one.engine !== engine && one.to < oldest
      await attempt(() =>
        journal.keep(
          left,
          builds.filter((one) => keptBuilds.has(one) || (one.engine !== engine && !old(one))),
        ),
      )
    }
    return all.length - (dryRun ? remove.length : gone.size)
  }
  /** Whether the registry has it no more, or has it for somebody else. */
  const removePushed = async (from: ImagePruner, image: MadeImage, all: readonly MadeImage[]): Promise<boolean> => {
    const host = image.repository.slice(0, image.repository.indexOf('/'))
    if (!image.pushed) return true
    if (unwilling.has(host)) return false
    let [done, willing] = [false, true]
    const answered = await attempt(async () => {
      const going = all.flatMap(({ repository, tag }) => (repository === image.repository ? [tag] : []))
      const there = await from.removeFromRegistry(image, new Set(going), signal)
      if (there === 'removed') note({ from: 'registry', name: madeName(image) })
      if (there === 'refused') problems.set(host, refusal(host))
      willing = there !== 'refused'
      // the image that a build command pushed goes one day, and then so does the name that the command was given
      done = willing && !(there === 'shared' && image.name === 'command')
    })
    if (!answered || !willing) unwilling.add(host)
    return done
  }
  const cacheOf = async (from: ImagePruner): Promise<Awaited<ReturnType<ImagePruner['cache']>>> => {
    let entries: Awaited<ReturnType<ImagePruner['cache']>> = []
    await attempt(async () => void (entries = await from.cache(signal)))
    return entries
  }

  if (pruner)
    await attempt(async () => {
      const [engine, references, others] = await Promise.all([
        pruner.engine(signal),
        runtime.references(namespacesOf(request), signal),
        ports.stateFolders.madeByOthers(instance),
      ])
      const facts: PruneFacts = {
        now,
        settings,
        images: new Set([...Object.keys(plan.images), agentImageName]),
        cluster: runtime.info.server ?? '',
        references: new Set([...references.images, ...request.wanted]),
        isWhole: references.isWhole,
        others,
      }
      kept += await thinOut(ports.madeImages, instance, facts, pruner, engine)
      for (const folder of await ports.stateFolders.abandoned(oldest)) {
        if (stop()) return
        const theirs = { ...facts, images: new Set<string>(), others: await ports.stateFolders.madeByOthers(folder.instance) }
        const left = await thinOut(folder.made, folder.instance, theirs, pruner, engine)
        if (left > 0) continue
        if (!dryRun) await folder.remove()
        note({ from: 'state', name: folder.instance })
      }
    })
  if (!dryRun && !stop())
    for (const name of await ports.stateFiles.keepRecords(new Set(Object.keys(plan.images)), oldest))
      note({ from: 'state', name })
  return { removed, kept, problems: [...problems.values()], interrupted }
}

function tell(note: (thing: RemovedThing) => void, image: MadeImage, inEngine: boolean): void {
  if (image.pushed) note({ from: 'registry', name: madeName(image) })
  // a build takes the name that its command was given from the engine itself
  if (inEngine && image.name !== 'command') note({ from: 'engine', name: madeName(image) })
}

const refusal = (host: string): ErrorInfo => ({
  code: 'registry/refused',
  message: `The registry ${host} does not let devloop delete images: what it pushed there stays.`,
  help: 'Let the registry delete images, or give it a retention rule of its own for tags that begin with devloop-.',
})

/** Where the plan's resources are. */
function namespacesOf({ plan, runtime, namespaces }: PruneRequest): ReadonlySet<string> {
  const found = new Set(namespaces)
  if (runtime.info.namespace) found.add(runtime.info.namespace)
  for (const resource of Object.values(plan.resources))
    if ('objects' in resource)
      for (const { object } of resource.objects) if (object.metadata.namespace) found.add(object.metadata.namespace)
  return found
}
