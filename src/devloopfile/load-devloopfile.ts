// Loads a Devloopfile: bundles it, evaluates it in a worker, makes the plan.
import { realpathSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { Choices, Plan, SealedTexts } from '../model/plan.js'
import type { PlanInput } from '../model/plan-input.js'
import { createBundler, type Bundle, type Bundler } from './bundle.js'
import { planInputs, type InputGlob } from './inputs.js'
import { failureErrors, loadError, memoryError, neverError, timeoutError } from './load-errors.js'
import { ownFiles, type OwnFiles } from './own-files.js'
import { toLabel } from './plan/fields.js'
import { makePlan } from './plan/make-plan.js'
import { createManifestCache } from './plan/manifest-cache.js'
import { createWorkerPool, type Evaluation } from './worker-pool.js'
import type { Job } from './worker-messages.js'
import { createSourcePlaces } from './worker/source-places.js'

/** What the Devloopfile's function is called with. */
export interface LoadContext {
  /** Made safe for names before the Devloopfile sees it. */
  readonly user: string
  readonly args: readonly string[]
  readonly runtime: 'kubernetes' | 'process'
  /** Which way to take of resources that can be made in two; default: what the Devloopfile prefers. */
  readonly choices?: Choices
}

export type LoadResult = {
  /** What to watch for the next load: files and globs that were read, and files whose appearance would mend an error. */
  readonly inputs: readonly PlanInput[]
  /** From the call to the result. */
  readonly loadMs: number
} & (
  | { readonly ok: true; readonly plan: Plan; readonly sealed: SealedTexts }
  /** `error` is the first of `errors`, which are all that were found, by file and line. */
  | { readonly ok: false; readonly error: ErrorInfo; readonly errors: readonly ErrorInfo[] }
)

/** Fits PlanLoader of the ports. */
export interface DevloopfileLoader {
  /**
   * Load what is on disk now. What is wrong with the Devloopfile is a result; only an abort (with the signal's reason) and a defect
   * reject. Loads follow one another.
   * @param onLog gets what the Devloopfile prints, by lines
   */
  load(context: LoadContext, onLog: (line: string) => void, signal: AbortSignal): Promise<LoadResult>
  close(): Promise<void>
}

export interface DevloopfileLoaderOptions {
  /** Path of the Devloopfile. */
  readonly file: string
  /** Milliseconds that the Devloopfile has. Default: 10 s. */
  readonly timeoutMs?: number
  /** Memory that its thread has, in MB. Default: 256. */
  readonly memoryMb?: number
  /** After this time without a load, the waiting worker and esbuild's process are let go; the next load is slower. Default: 20 s. */
  readonly idleMs?: number
  /** Where devloop's own files are; for tests and unusual packaging. */
  readonly own?: OwnFiles
}

export function createDevloopfileLoader(options: DevloopfileLoaderOptions): DevloopfileLoader {
  const { timeoutMs = 10_000, memoryMb = 256, idleMs = 20_000, own = ownFiles() } = options
  const asked = resolve(options.file)
  const workers = createWorkerPool({ own, timeoutMs, memoryMb })
  const manifests = createManifestCache()
  const ownFolders = [`${dirname(own.index)}${sep}`]
  let bundler: { readonly file: string; readonly made: Promise<Bundler> } | undefined
  let idle: NodeJS.Timeout | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let closed = false
  let count = 0

  const dropBundler = async (): Promise<void> => {
    const dropped = bundler
    bundler = undefined
    await (await dropped?.made.catch(() => undefined))?.close()
  }
  const bundlerOf = async (file: string): Promise<Bundler> => {
    if (bundler?.file !== file) await dropBundler()
    bundler ??= { file, made: createBundler(file, own.index) }
    return bundler.made
  }
  const bundleOf = async (file: string): Promise<Bundle> => {
    try {
      return await (await bundlerOf(file)).bundle()
    } catch {
      // esbuild's process may have been killed: once more with a new one
      await dropBundler()
      return (await bundlerOf(file)).bundle()
    }
  }
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work)
    turn = next.catch(() => {})
    return next
  }

  const evaluate = async (
    file: string,
    code: string,
    map: string,
    context: LoadContext,
    onLog: (line: string) => void,
    signal: AbortSignal,
  ): Promise<{ job: Job; evaluation: Evaluation }> => {
    // Not in the project: whatever watches its folders would take it for a change.
    const folder = await mkdtemp(join(tmpdir(), `devloopfile-${process.pid}-`))
    try {
      const bundle = join(folder, `${basename(file).replace(/\.\w+$/, '')}-${(count += 1)}.mjs`)
      await writeFile(bundle, code)
      const { choices = {}, ...others } = context
      const safe = { ...others, user: toLabel(context.user) || 'user' }
      const job: Job = { bundle: pathToFileURL(bundle).href, map, file, own: ownFolders, choices, context: safe }
      return { job, evaluation: await workers.evaluate(job, onLog, signal) }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  const attempt = async (context: LoadContext, onLog: (line: string) => void, signal: AbortSignal): Promise<LoadResult> => {
    const started = performance.now()
    const done = (
      files: Iterable<string>,
      globs: readonly InputGlob[],
      outcome: { plan: Plan; sealed: SealedTexts } | readonly ErrorInfo[],
    ): LoadResult => {
      const base = { inputs: planInputs(files, globs), loadMs: performance.now() - started }
      if ('plan' in outcome) return { ok: true, ...outcome, ...base }
      const [error = loadError('devloopfile/invalid', `${basename(asked)} is not valid.`)] = outcome
      return { ok: false, error, errors: outcome, ...base }
    }
    const file = realFile(asked)
    if (file === undefined) return done([asked], [], [loadError('devloopfile/not-found', `There is no Devloopfile at ${asked}.`)])
    // The worker starts beside the bundling. What goes wrong with it is told by the evaluation.
    void workers.prepare().catch(() => {})
    const bundle = await bundleOf(file)
    signal.throwIfAborted()
    if (!bundle.ok) return done([asked, ...bundle.files], [], bundle.errors)
    const { job, evaluation } = await evaluate(file, bundle.code, bundle.map, context, onLog, signal)
    const files = [asked, ...bundle.files, ...evaluation.reads]
    if (evaluation.kind !== 'declared') return done(files, [], evaluationErrors(evaluation, job, { timeoutMs, memoryMb }))
    const made = await makePlan(evaluation.declaration, file, manifests)
    manifests.sweep()
    signal.throwIfAborted()
    return done([...files, ...made.files], made.globs, made.ok ? { plan: made.plan, sealed: made.sealed } : made.errors)
  }

  return {
    load: (context, onLog, signal) =>
      inTurn(async () => {
        if (closed) throw new Error('The loader is closed.')
        signal.throwIfAborted()
        clearTimeout(idle)
        try {
          return await attempt(context, onLog, signal)
        } finally {
          // Saves come in rows: the next load finds its worker started.
          void workers.prepare().catch(() => {})
          idle = setTimeout(
            () => void inTurn(async () => void (await Promise.all([workers.release(), dropBundler()]))),
            idleMs,
          ).unref()
        }
      }),
    close: () =>
      inTurn(async () => {
        closed = true
        clearTimeout(idle)
        await Promise.all([workers.close(), dropBundler()])
      }),
  }
}

/** The path without links, by which the bundler calls it too; undefined when there is no such file. */
function realFile(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? realpathSync(path) : undefined
  } catch {
    return undefined
  }
}

function evaluationErrors(
  evaluation: Exclude<Evaluation, { kind: 'declared' }>,
  job: Job,
  limits: { timeoutMs: number; memoryMb: number },
): readonly ErrorInfo[] {
  switch (evaluation.kind) {
    case 'failed':
      return failureErrors(evaluation.failure, job.file)
    case 'timeout': {
      const places = createSourcePlaces(job)
      const [at] = evaluation.running.flatMap(({ url, line, column }) => places.place(url, line, column) ?? [])
      return [timeoutError(job.file, limits.timeoutMs, at)]
    }
    case 'never':
      return [neverError(job.file)]
    case 'memory':
      return [memoryError(job.file, limits.memoryMb)]
  }
}
