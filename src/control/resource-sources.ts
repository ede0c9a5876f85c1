// The files of one resource of its own: what a rendering or a config reads, or what a custom deploy watches. Tells the state their hash.
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isDevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import { compileGlobs, globBase } from '../model/globs.js'
import { isAlwaysIgnored } from '../model/live-rules.js'
import type { ConfigSpec, CustomSpec, RenderedSpec } from '../model/plan.js'
import type { RenderInput } from '../ports/manifest-renderer.js'
import type { WatchRoot } from '../ports/file-watcher.js'
import type { ControlContext } from './context.js'
import { createSourceTree, type SourceTree } from './source-tree.js'

type SourcedSpec = RenderedSpec | CustomSpec | ConfigSpec

export interface ResourceSources {
  readonly spec: SourcedSpec
  /** All that must be watched for it. */
  readonly roots: readonly WatchRoot[]
  /** Read everything and tell the state. */
  scan(signal: AbortSignal): Promise<void>
  /**
   * Look at hinted paths, and tell the state when something changed. `paths`: what changed, absolute. `reopen`: other files count now, so
   * that these sources must be made anew and scanned.
   */
  look(
    paths: Iterable<string> | 'all',
    signal: AbortSignal,
  ): Promise<{ readonly paths: readonly string[]; readonly reopen: boolean }>
}

/** What is wrong with the files is told as the resource's error; nothing operational is thrown. */
export async function openResourceSources(context: ControlContext, spec: SourcedSpec): Promise<ResourceSources> {
  const { store, ports } = context
  const inputsNow = async (): Promise<readonly RenderInput[]> =>
    spec.kind === 'custom' ? [] : spec.kind === 'config' ? configInputs(spec) : ports.renderer.inputs(spec)
  const inputs = await inputsNow()
  const watched =
    spec.kind === 'custom' ? [spec] : spec.kind === 'config' ? spec.sources.filter((one) => one.kind === 'command') : []
  const trees = [
    ...watched.flatMap(({ cwd, watch }) => globTrees(context, cwd, watch)),
    ...inputs.map((one) => inputTree(context, one)),
  ]
  let torn = false

  const tell = (error?: ErrorInfo): void =>
    store.dispatch({ type: 'resource/sources', resource: spec.name, hash: hashOf(trees), ...(error ? { error } : {}) })

  const failed = (thrown: unknown, signal: AbortSignal): void => {
    if (signal.aborted || !isDevloopError(thrown)) throw thrown
    torn = true
    tell(thrown.info)
  }

  const scan = async (signal: AbortSignal): Promise<readonly string[]> => {
    const found = await Promise.all(trees.map(async (tree) => named(tree, (await tree.scan(signal)).changed)))
    torn = false
    return found.flat()
  }

  return {
    spec,
    roots: trees.map(({ root }) => root),
    async scan(signal) {
      try {
        await scan(signal)
        tell()
      } catch (thrown) {
        failed(thrown, signal)
      }
    },
    async look(paths, signal) {
      try {
        const changed =
          torn || paths === 'all'
            ? await scan(signal)
            : (await Promise.all(trees.map(async (tree) => named(tree, (await tree.look(paths, signal)).changed)))).flat()
        if (changed.length === 0 && store.state().resources[spec.name]?.sources?.error === undefined)
          return { paths: [], reopen: false }
        // a resource that is named there now may stand anywhere
        const reopen = JSON.stringify(await inputsNow()) !== JSON.stringify(inputs)
        tell()
        return { paths: changed, reopen }
      } catch (thrown) {
        failed(thrown, signal)
        return { paths: [], reopen: false }
      }
    },
  }
}

const named = ({ root }: SourceTree, paths: readonly string[]): readonly string[] => paths.map((path) => join(root.path, path))

/** Folders are not entered, and what begins with a `.` does not count. */
const configInputs = ({ sources }: ConfigSpec): readonly RenderInput[] =>
  sources.flatMap((source): readonly RenderInput[] => {
    if (source.kind === 'folder') return [{ root: source.path, except: ['*/**', '.*'] }]
    return source.kind === 'file' || source.kind === 'env-file' ? [{ root: source.path, except: [] }] : []
  })

function inputTree({ ports }: ControlContext, { root, except }: RenderInput): SourceTree {
  const excepted = compileGlobs(except)
  const ignored = (path: string, isDirectory: boolean): boolean =>
    path !== '' && (isAlwaysIgnored(path, isDirectory) || excepted(path))
  return createSourceTree({ path: root, ignored }, ports.sources)
}

/** One tree for each folder that globs start from. @param folder that the globs are relative to */
export function globTrees({ ports }: ControlContext, folder: string, globs: readonly string[]): SourceTree[] {
  const bases = new Map<string, string[]>()
  for (const pattern of globs) {
    const base = globBase(pattern)
    bases.set(base, [...(bases.get(base) ?? []), pattern])
  }
  return [...bases].map(([base, patterns]) => {
    const matches = compileGlobs(patterns)
    const full = (path: string): string => [base, path].filter(Boolean).join('/')
    const ignored = (path: string, isDirectory: boolean): boolean =>
      path !== '' && (isAlwaysIgnored(path, isDirectory) || (!isDirectory && !matches(full(path))))
    return createSourceTree({ path: join(folder, base), ignored }, ports.sources)
  })
}

/** Nobody shall try out, with a hash of the state, what short thing a file holds. */
const salt = randomBytes(32)

function hashOf(trees: readonly SourceTree[]): string {
  const hash = createHash('sha256').update(salt)
  for (const { root, tree } of trees) {
    for (const [path, entry] of [...tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const content = entry.kind === 'file' ? `${entry.hash} ${entry.mode}` : `-> ${entry.target}`
      hash.update(`${root.path}\0${path}\0${content}\n`)
    }
  }
  return hash.digest('hex').slice(0, 16)
}
