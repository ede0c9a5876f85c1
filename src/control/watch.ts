// Watches everything the plan is made from and works on, and turns bursts of events into changes.
import { join, relative } from 'node:path'
import { toErrorInfo } from '../errors/devloop-error.js'
import { isAlwaysIgnored } from '../model/live-rules.js'
import { hasSources, imagesOf, withBases, type ImageSpec, type LocalSpec, type Plan } from '../model/plan.js'
import type { PlanInput } from '../model/plan-input.js'
import type { ChangeImage } from '../model/state.js'
import { absent, sameEntry } from '../model/tree.js'
import { sameImage } from '../store/reduce-plan.js'
import { unsupported } from '../store/resource-status.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { createGather, type Burst } from './gather.js'
import { openImageSources, type ImageSources } from './image-sources.js'
import { globTrees, openResourceSources, type ResourceSources } from './resource-sources.js'
import { createSourceTree, type SourceTree } from './source-tree.js'

/** How often folders are looked for that are held. Milliseconds. */
const heldMs = 2000

export function createWatchController(context: ControlContext): Controller {
  const { store, large, ports, onDefect } = context
  const stopping = new AbortController()
  const { signal } = stopping
  const images = new Map<string, ImageSources>()
  let resources = new Map<string, ResourceSources>()
  let locals = new Map<string, SourceTree[]>()
  let inputs = new Map<string, SourceTree>()
  let seen: { plan: Plan | null; inputs: readonly PlanInput[] } = { plan: null, inputs: [] }
  const reopen = new Set<string>()
  let count = 0
  /** Reconfiguring and flushing take turns. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work)
    turn = next.catch(() => {})
    return next
  }

  const setRoots = (): Promise<void> => {
    const trees = [...inputs.values(), ...[...locals.values()].flat()]
    const sources = [...images.values(), ...resources.values()]
    return ports.watcher.setRoots([...sources.flatMap((one) => one.roots), ...trees.map((one) => one.root)])
  }

  /** A Dockerfile names an image of the plan that nothing else uses. */
  const lacksBase = (): boolean => {
    const { plan, images: states } = store.state()
    const lacks = (base: string): boolean => plan?.images[base] !== undefined && !images.has(base)
    return Object.values(states).some((image) => image.sources?.bases?.some(lacks))
  }

  /** Start a tree from what was known, and tell whether something else is there now. */
  const rescan = async (tree: SourceTree, old: SourceTree | undefined): Promise<boolean> => {
    adopt(tree, old)
    return (await tree.scan(signal)).changed.length > 0 && old !== undefined
  }

  /** Read what locals watch, before they are started: no save must fall between. @returns what went wrong; they run all the same */
  const readLocals = async (plan: Plan | null): Promise<readonly unknown[]> => {
    const old = locals
    locals = new Map(localSpecs(plan).map((spec) => [spec.name, globTrees(context, spec.cwd, spec.watch)]))
    const problems: unknown[] = []
    for (const [name, trees] of locals) {
      try {
        const changed = await Promise.all(trees.map((tree, index) => rescan(tree, old.get(name)?.[index])))
        if (changed.includes(true)) store.dispatch({ type: 'local/changed', resource: name })
      } catch (thrown) {
        problems.push(thrown)
      }
      if (store.state().plan === plan) store.dispatch({ type: 'local/read', resource: name })
    }
    return problems
  }

  const reconfigure = async (): Promise<void> => {
    const { plan } = store.state()
    if (plan === seen.plan && large.planInputs === seen.inputs && reopen.size === 0 && !lacksBase()) return
    seen = { plan, inputs: large.planInputs }
    const problems = await readLocals(plan)
    const wanted = new Map(usedImages(context, plan).map((spec) => [spec.name, spec]))
    for (const name of images.keys()) {
      if (wanted.has(name)) continue
      images.delete(name)
      large.images.delete(name)
    }
    const fresh: ImageSources[] = []
    for (const spec of wanted.values()) {
      const old = images.get(spec.name)
      if (old && !reopen.has(spec.name) && sameImage(old.spec, spec)) continue
      const opened = await openImageSources(context, spec)
      images.set(spec.name, opened)
      fresh.push(opened)
    }
    reopen.clear()
    const others = Object.values(plan?.resources ?? {}).filter(hasSources)
    const opened = others
      .filter(({ name }) => !unsupported(store.state(), name))
      .map((spec) => openResourceSources(context, spec))
    resources = new Map((await Promise.all(opened)).map((one) => [one.spec.name, one]))
    const oldInputs = inputs
    inputs = new Map([...byRoot(large.planInputs)].map(([root, list]) => [root, inputTree(context, root, list)]))
    await setRoots()
    // what changed between two plans, or while one was being loaded, is told by no event
    const late = await Promise.all([...inputs].map(([root, tree]) => rescan(tree, oldInputs.get(root))))
    if (late.includes(true)) store.dispatch({ type: 'devloopfile/changed' })
    for (const [name, trees] of locals) {
      const changed = await Promise.all(trees.map(async (tree) => (await tree.scan(signal)).changed.length > 0))
      if (changed.includes(true)) store.dispatch({ type: 'local/changed', resource: name })
    }
    await Promise.all([...fresh, ...resources.values()].map((one) => one.scan(signal)))
    if (problems.length > 0) throw problems[0]
  }

  const guard = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
      store.dispatch({ type: 'problem', subject: 'sources', error: null })
    } catch (thrown) {
      if (signal.aborted) return
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      store.dispatch({ type: 'problem', subject: 'sources', error })
    }
  }

  const configure = createDrain(() => inTurn(() => guard(reconfigure)), onDefect)

  /** @param polled whether only time has passed: what is seen then is seen by no watch */
  const flush = async ({ paths, rescan, first, rested }: Burst, polled = false): Promise<void> => {
    const gathered = Date.now()
    const hints = rescan ? 'all' : paths
    const look = (tree: SourceTree) => (hints === 'all' ? tree.scan(signal) : tree.look(hints, signal, rested))
    const imageChanges: ChangeImage[] = []
    const changed = new Set<string>()
    const concerned: string[] = []
    for (const one of images.values()) {
      const held = one.held().length
      const found = await one.look(hints, signal, rested)
      // watches do not survive that a disk is taken away and put back
      if (found.reopen || (polled && one.held().length < held)) reopen.add(one.spec.name)
      if (found.change) imageChanges.push(found.change)
      for (const path of found.paths) changed.add(path)
    }
    for (const [name, trees] of locals) {
      for (const tree of trees) {
        const found = await look(tree)
        if (found.changed.length === 0) continue
        if (!concerned.includes(name)) concerned.push(name)
        for (const path of found.changed) changed.add(join(tree.root.path, path))
      }
    }
    const ofLocals = [...concerned]
    for (const [name, one] of resources) {
      const found = await one.look(hints, signal)
      if (found.reopen) reopen.add(`resource ${name}`)
      if (found.paths.length > 0) concerned.push(name)
      for (const path of found.paths) changed.add(path)
    }
    let reload = false
    for (const tree of inputs.values()) {
      const found = await look(tree)
      if (found.changed.length > 0) reload = true
    }
    if (changed.size > 0) {
      const id = `${process.pid.toString(36)}-${(++count).toString(36)}`
      for (const name of ofLocals) store.dispatch({ type: 'local/changed', resource: name })
      store.dispatch({
        type: 'change/seen',
        id,
        first,
        gathered,
        paths: [...changed].slice(0, 20),
        pathCount: changed.size,
        images: imageChanges,
        resources: concerned,
        cameFrom: cameBack(changed, imageChanges),
      })
    }
    if (reload) store.dispatch({ type: 'devloopfile/changed' })
    if (reopen.size > 0) configure.poke()
  }

  /** The pods that some of the changed paths came back from, as they are now. */
  const cameBack = (changed: ReadonlySet<string>, found: readonly ChangeImage[]): string[] => {
    const pods = new Set<string>()
    if (large.returns.size === 0) return []
    for (const path of changed) {
      const returned = large.returns.get(path)
      if (!returned) continue
      large.returns.delete(path)
      for (const { image } of found) {
        const root = images.get(image)?.spec.context
        const below = root === undefined ? '..' : relative(root, path)
        if (below.startsWith('..')) continue
        if (sameEntry(large.images.get(image)?.tree.get(below) ?? absent, returned.entry)) pods.add(returned.pod)
      }
    }
    return [...pods]
  }

  const gather = createGather({
    flush: (burst) => inTurn(() => guard(() => flush(burst))),
    locked: () => ports.vcsLock.held([...images.values()].map((one) => one.spec.context)),
    deleting: (paths) => [...images.values()].some((one) => one.guarded.some((folder) => isGone(folder, paths))),
    onDefect,
  })
  /** Whether something is hinted at in a folder, and all of that is gone. */
  const isGone = (folder: string, paths: ReadonlySet<string>): boolean => {
    const below = [...paths].filter((path) => path === folder || path.startsWith(`${folder}/`))
    // of very many, those that came first and last tell
    return below.length > 0 && ports.sources.gone([...below.slice(0, 16), ...below.slice(16).slice(-48)])
  }

  /** A disk that is put back is told by no event. */
  const lookAtHeld = (): void => {
    const paths = new Set([...images.values()].flatMap((one) => one.held()))
    if (paths.size === 0) return
    const burst: Burst = { paths, rescan: false, rested: true, first: Date.now() }
    void inTurn(() => guard(() => flush(burst, true))).catch(onDefect)
  }
  const polling = setInterval(lookAtHeld, heldMs)
  polling.unref()
  /** By image: what was confirmed and is being taken over. */
  const confirmed = new Map<string, readonly string[]>()
  const takeConfirmed = (): void => {
    for (const one of images.values()) {
      const meant = store.state().images[one.spec.name]?.meantEmpty
      if (!meant || confirmed.get(one.spec.name) === meant) continue
      confirmed.set(one.spec.name, meant)
      gather.add({ paths: one.held(), rescan: false })
    }
  }
  ports.watcher.onEvent(gather.add)
  context.lookAt.current = (paths) =>
    inTurn(() => guard(() => flush({ paths: new Set(paths), rescan: false, rested: false, first: Date.now() })))
  ports.watcher.onDegraded((error) => store.dispatch({ type: 'problem', subject: 'watch', error: error && error.info }))
  const unsubscribe = store.subscribe(() => {
    if (store.state().plan !== seen.plan || large.planInputs !== seen.inputs || lacksBase()) configure.poke()
    takeConfirmed()
  })

  return {
    async stop() {
      context.lookAt.current = null
      unsubscribe()
      clearInterval(polling)
      stopping.abort()
      await gather.stop()
      await configure.stop()
      await ports.watcher.close()
    },
  }
}

/** Images of resources that can run in this runtime, and those that they are built on. */
function usedImages({ store }: ControlContext, plan: Plan | null): ImageSpec[] {
  if (!plan) return []
  const names = new Set(
    Object.values(plan.resources).flatMap((spec) => (unsupported(store.state(), spec.name) ? [] : imagesOf(spec))),
  )
  for (const name of [...names]) for (const base of store.state().images[name]?.bases?.names ?? []) names.add(base)
  return withBases(plan, names).flatMap((name) => plan.images[name] ?? [])
}

const localSpecs = (plan: Plan | null): LocalSpec[] =>
  Object.values(plan?.resources ?? {}).filter((spec) => spec.kind === 'local')

function byRoot(inputs: readonly PlanInput[]): Map<string, PlanInput[]> {
  const grouped = new Map<string, PlanInput[]>()
  for (const input of inputs) grouped.set(input.root, [...(grouped.get(input.root) ?? []), input])
  return grouped
}

function inputTree({ ports }: ControlContext, root: string, inputs: readonly PlanInput[]): SourceTree {
  const ignored = (path: string, isDirectory: boolean): boolean => {
    if (path === '') return false
    if (isAlwaysIgnored(path, isDirectory)) return true
    return isDirectory ? inputs.every((input) => input.prunes?.(path) ?? false) : !inputs.some((input) => input.matches(path))
  }
  return createSourceTree({ path: root, ignored }, ports.sources)
}

/** Start a tree from what was known of the same folder, so that its scan tells what changed since. */
function adopt(tree: SourceTree, old: SourceTree | undefined): void {
  if (old?.root.path !== tree.root.path) return
  for (const [path, entry] of old.tree) if (!tree.root.ignored(path, false)) tree.tree.set(path, entry)
}
