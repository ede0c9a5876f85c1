// The sources of one image: its context, its Dockerfile, its .dockerignore, and the drift they lead to.
import { join, relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { DevloopError, isDevloopError, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import { dockerfileBases } from '../model/dockerfile-bases.js'
import { compileDockerignore, dockerignoreFiles } from '../model/dockerignore.js'
import { computeDrift, updateDrift } from '../model/drift.js'
import { imageInputs } from '../model/keys.js'
import { compileLiveRules, isAlwaysIgnored, syncSources } from '../model/live-rules.js'
import type { ImageSpec } from '../model/plan.js'
import type { ChangeImage } from '../model/state.js'
import type { WatchRoot } from '../ports/file-watcher.js'
import type { SourceFiles } from '../ports/source-files.js'
import { driftState, type ImageFiles } from '../store/large.js'
import { builtImages } from '../store/resource-images.js'
import type { ControlContext } from './context.js'
import { createSourceTree, hasIn, isIn, type SourceTree } from './source-tree.js'

export interface ImageSources {
  readonly spec: ImageSpec
  /** All that must be watched for it. */
  readonly roots: readonly WatchRoot[]
  /** Read everything and tell the state. */
  scan(signal: AbortSignal): Promise<void>
  /**
   * Look at hinted paths and tell the state what really changed. `reopen`: the rules of what belongs to the context have changed,
   * so that these sources must be made anew and scanned.
   */
  look(
    paths: Iterable<string> | 'all',
    signal: AbortSignal,
    rested?: boolean,
  ): Promise<{ change?: ChangeImage; paths: readonly string[]; reopen: boolean }>
  /** Folders that are empty or gone, of which containers keep what they hold. Absolute. */
  held(): readonly string[]
  /** Folders that must not be emptied by mistake. Absolute. */
  readonly guarded: readonly string[]
}

/** What is wrong with the sources is told as the image's error; nothing operational is thrown. */
export async function openImageSources(context: ControlContext, spec: ImageSpec): Promise<ImageSources> {
  const { store, large, ports, log } = context
  const dockerfilePath = 'path' in spec.dockerfile ? spec.dockerfile.path : undefined
  const ignorePaths = dockerignoreFiles(spec.context, dockerfilePath)
  const { text: ignoreText, file: ignoreFile } = await firstText(ports.sources, ignorePaths)
  const { ignore, problem } = compiled(ignoreText, ignoreFile)
  const rules = compileLiveRules(spec)
  const ignored = (path: string, isDirectory: boolean): boolean =>
    isAlwaysIgnored(path, isDirectory) ||
    (ignore(path, isDirectory) && !rules.isBothWays(path, isDirectory)) ||
    rules.ignores(path, isDirectory)
  const isMeant = (folder: string): boolean =>
    (store.state().images[spec.name]?.meantEmpty?.includes(folder) || files.record?.emptied?.includes(folder)) ?? false
  const isReturned = (path: string): boolean => large.returns.get(join(spec.context, path))?.entry.kind === 'absent'
  const guarded = { folders: syncSources(spec), isMeant, isReturned }
  const context_ = createSourceTree({ path: spec.context, ignored }, ports.sources, guarded)
  const ignoreFiles = ignorePaths.map((path) => fileTree(path, ports.sources))
  const dockerfile = dockerfilePath ? fileTree(dockerfilePath, ports.sources) : undefined
  const files: ImageFiles = {
    tree: context_.tree,
    record: large.images.get(spec.name)?.record ?? null,
    drift: { rebuild: new Map(), overlay: new Map() },
    rules,
    held: context_.held,
    keep: (record) => {
      const before = context_.held.size
      context_.keep(record.tree)
      return context_.held.size === before ? undefined : () => tell(false, heldError())
    },
    ignored: ignore,
  }
  let inputs = ''
  let bases: readonly string[] = []
  /** What is held, as it was last told. */
  let toldHeld: readonly string[] = []
  /** Something could not be read: the next look must be at everything. */
  let torn = false

  /** @returns the problem, when the Dockerfile cannot be read */
  const readInputs = async (): Promise<ErrorInfo | undefined> => {
    try {
      const text = dockerfilePath
        ? await readText(ports.sources, dockerfilePath)
        : 'inline' in spec.dockerfile
          ? spec.dockerfile.inline
          : ''
      inputs = imageInputs(spec, text)
      bases = basesOf(context, spec, text)
      return problem
    } catch (thrown) {
      inputs = imageInputs(spec, '')
      // without a cluster there need not be one
      if (store.state().session.runtime === 'process') return undefined
      return new DevloopError('build/dockerfile', `the Dockerfile of ${spec.name} cannot be read: ${dockerfilePath}`, {
        why: toErrorInfo(thrown).why ?? toErrorInfo(thrown).message,
        where: spec.at,
      }).info
    }
  }

  const tell = (needsRebuild: boolean, error: ErrorInfo | undefined): void => {
    const held = [...context_.held]
    if (!isDeepStrictEqual(held, toldHeld)) logHeld(held)
    toldHeld = held
    store.dispatch({
      type: 'image/sources',
      image: spec.name,
      files: files.tree.size,
      inputs,
      needsRebuild,
      bases,
      drift: driftState(files.drift),
      held,
      ...(error ? { error } : {}),
    })
  }

  const logHeld = (held: readonly string[]): void => {
    const error = heldError()
    const back = toldHeld.filter((folder) => !held.includes(folder)).map((folder) => join(spec.context, folder))
    const text = error ? `${error.message} ${error.why} ${error.help}` : `${back.join(' and ')}: no longer held`
    for (const resource of usersOf(context, spec.name)) log({ resource, source: 'sync', level: error ? 'warn' : 'info', text })
  }

  /** What is held, and why; undefined = nothing is. */
  const heldError = (): ErrorInfo | undefined => {
    const held = [...context_.held]
    if (held.length === 0) return undefined
    let kept = 0
    for (const path of context_.tree.keys()) if (held.some((folder) => isIn(path, folder))) kept++
    const named = held.map((folder) =>
      folder === '' ? `the context of ${spec.name}, ${spec.context},` : join(spec.context, folder),
    )
    return new DevloopError('sync/root-gone', `${named.join(' and ')} ${named.length === 1 ? 'is' : 'are'} gone or empty.`, {
      why: `${kept === 1 ? 'One file' : `${kept} files`} would be deleted from containers: they are left there, and ${spec.name} is not built.`,
      where: spec.at,
      help: `Bring the files back, or say that this is meant: devloop trigger ${usersOf(context, spec.name)[0] ?? 'RESOURCE'} --confirm-empty`,
    }).info
  }

  /** A context that was never there. */
  const missing = (): ErrorInfo =>
    new DevloopError('sync/root-gone', `the context of ${spec.name} is gone or empty: ${spec.context}`, { where: spec.at }).info

  /**
   * Note on disk which folders were emptied and are not held: so after a restart nobody asks. And forget those that have files again.
   * @param changed paths that did
   */
  const noteEmptied = async (changed: readonly string[]): Promise<void> => {
    const { record, tree } = files
    // what is being built gets a record of its own
    if (!record || store.state().images[spec.name]?.build?.status === 'running') return
    if (!record.emptied && changed.every((path) => tree.has(path))) return
    const emptied = syncSources(spec).filter(
      (folder) => !context_.held.has(folder) && !hasIn(tree, folder) && hasIn(record.tree, folder),
    )
    if (isDeepStrictEqual(emptied, record.emptied ?? [])) return
    const { emptied: _before, ...rest } = record
    files.record = { ...rest, ...(emptied.length > 0 ? { emptied } : {}) }
    // without it, somebody asks again after a restart
    await ports.stateFiles.saveRecord(files.record).catch((thrown: unknown) => {
      log({ resource: '', source: 'sync', level: 'warn', text: toErrorInfo(thrown).message })
    })
  }

  const scan = async (signal: AbortSignal): Promise<void> => {
    const [found] = await Promise.all([
      context_.scan(signal),
      ...ignoreFiles.map((one) => one.scan(signal)),
      dockerfile?.scan(signal),
    ])
    files.record = large.images.get(spec.name)?.record ?? null
    if (files.record) context_.keep(files.record.tree)
    // the Dockerfile may be gone with the context
    const problemOfInputs = context_.held.has('') && inputs !== '' ? undefined : await readInputs()
    const error = heldError() ?? problemOfInputs ?? (found.missing ? missing() : undefined)
    torn = false
    await noteEmptied(found.changed)
    files.drift = computeDrift(files.tree, files.record?.tree ?? new Map(), rules)
    large.images.set(spec.name, files)
    tell(true, error)
  }

  const look = async (
    paths: Iterable<string> | 'all',
    signal: AbortSignal,
    rested?: boolean,
  ): ReturnType<ImageSources['look']> => {
    const all = torn || paths === 'all'
    const looked = <T extends SourceTree | undefined>(tree: T) => (all ? tree?.scan(signal) : tree?.look(paths, signal, rested))
    const [found, file, ...ignores] = await Promise.all([
      looked(context_),
      looked(dockerfile),
      ...ignoreFiles.map((one) => looked(one)),
    ])
    torn = false
    if (ignores.some((one) => one && one.changed.length > 0)) return { paths: [], reopen: true }
    if (!found) return { paths: [], reopen: false }
    const held = !isDeepStrictEqual([...context_.held], toldHeld)
    if (context_.held.has('')) {
      // the Dockerfile may be gone with it
      if (held) tell(false, heldError())
      return { paths: [], reopen: false }
    }
    const dockerfileChanged = file !== undefined && file.changed.length > 0
    const failing = store.state().images[spec.name]?.sources?.error !== undefined
    if (found.changed.length === 0 && !dockerfileChanged && !held && (!failing || context_.held.size > 0))
      return { paths: [], reopen: false }
    const inputsError = dockerfileChanged || failing ? await readInputs() : problem
    const error = heldError() ?? inputsError
    await noteEmptied(found.changed)
    updateDrift(files.drift, found.changed, files.tree, files.record?.tree ?? new Map(), rules)
    const change = describe(found.changed, files, dockerfileChanged ? relative(spec.context, dockerfilePath ?? '') : undefined)
    tell(change.action === 'rebuild', error)
    const revision = store.state().images[spec.name]?.sources?.revision ?? 0
    const names = new Set(found.changed.map((path) => join(spec.context, path)))
    if (dockerfileChanged && dockerfilePath) names.add(dockerfilePath)
    return { change: { image: spec.name, revision, ...change }, paths: [...names], reopen: false }
  }

  /** Tell what could not be read, and look at everything the next time. */
  const failed = (thrown: unknown, signal: AbortSignal): void => {
    if (signal.aborted || !isDevloopError(thrown)) throw thrown
    torn = true
    large.images.set(spec.name, files)
    tell(true, thrown.info)
  }

  return {
    spec,
    roots: [context_.root, ...ignoreFiles.map((one) => one.root), ...(dockerfile ? [dockerfile.root] : [])],
    scan: (signal) => scan(signal).catch((thrown: unknown) => failed(thrown, signal)),
    held: () => [...context_.held].map((folder) => join(spec.context, folder)),
    guarded: syncSources(spec).map((folder) => join(spec.context, folder)),
    look: (paths, signal, rested) =>
      look(paths, signal, rested).catch((thrown: unknown) => {
        failed(thrown, signal)
        return { paths: [], reopen: false }
      }),
  }
}

/** Names of the resources whose containers run an image, or one that is built on it, in the order of the plan. */
const usersOf = ({ store }: ControlContext, image: string): string[] =>
  Object.keys(store.state().resources).filter((name) => builtImages(store.state(), name).includes(image))

/** Names of what an image is directly built on, whether or not the plan has such images. Without a cluster nothing is built on anything. */
function basesOf({ store }: ControlContext, { bases = [], args }: ImageSpec, text: string): readonly string[] {
  if (store.state().session.runtime === 'process') return []
  return [...new Set([...bases, ...dockerfileBases({ text, args })])]
}

function compiled(
  text: string,
  file: string | undefined,
): { ignore: (path: string, isDirectory: boolean) => boolean; problem?: ErrorInfo } {
  try {
    return { ignore: compileDockerignore(text, file) }
  } catch (thrown) {
    if (!isDevloopError(thrown)) throw thrown
    return { ignore: () => false, problem: thrown.info }
  }
}

function describe(
  paths: readonly string[],
  { rules }: ImageFiles,
  dockerfile: string | undefined,
): Pick<ChangeImage, 'action' | 'why'> {
  if (dockerfile !== undefined) return { action: 'rebuild', why: `${dockerfile} is the Dockerfile` }
  let best: Pick<ChangeImage, 'action' | 'why'> = { action: 'none', why: 'no rule takes it' }
  for (const path of paths) {
    const { action, why } = rules.classify(path)
    if (action === 'rebuild') return { action, why: `${path}: ${why}` }
    if (action === 'sync' && best.action === 'none') best = { action, why: `${path}: ${why}` }
  }
  return best
}

/** A single file, as a tree whose only path is ''. */
const fileTree = (path: string, files: SourceFiles): SourceTree => createSourceTree({ path, ignored: () => false }, files)

async function firstText(files: SourceFiles, paths: readonly string[]): Promise<{ text: string; file?: string }> {
  for (const file of paths) {
    const text = await readText(files, file).catch(() => undefined)
    if (text !== undefined) return { text, file }
  }
  return { text: '' }
}

async function readText(files: SourceFiles, path: string): Promise<string> {
  const content = await files.read(path)
  if (Buffer.isBuffer(content)) return content.toString('utf8')
  const chunks: Buffer[] = []
  for await (const chunk of content) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
