// Worker threads for Devloopfiles: a fresh one for each load, the next one started ahead while loads follow each other.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Declaration } from './declaration.js'
import { findRunningLines, type RunningLine } from './running-line.js'
import type { OwnFiles } from './own-files.js'
import type { Failure, Job, WorkerMessage } from './worker-messages.js'

export type Evaluation = { /** Files that the Devloopfile asked for. */ readonly reads: readonly string[] } & (
  | { readonly kind: 'declared'; readonly declaration: Declaration }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** `running`: places in the bundle that ran when the time was over, innermost first. */
  | { readonly kind: 'timeout'; readonly running: readonly RunningLine[] }
  /** It ended by itself without a result: it waits for what can never come. */
  | { readonly kind: 'never' }
  | { readonly kind: 'memory' }
)

export interface WorkerPool {
  /** Start a worker for the next evaluation, if none waits. */
  prepare(): Promise<void>
  evaluate(job: Job, onLine: (text: string) => void, signal: AbortSignal): Promise<Evaluation>
  /** Let the waiting worker go. */
  release(): Promise<void>
  close(): Promise<void>
}

export interface WorkerPoolOptions {
  readonly own: OwnFiles
  readonly timeoutMs: number
  readonly memoryMb: number
}

export function createWorkerPool({ own, timeoutMs, memoryMb }: WorkerPoolOptions): WorkerPool {
  let entry: Promise<{ url: URL; remove(): Promise<void> }> | undefined
  let waiting: Promise<Worker> | undefined
  /** Threads that were told to end. */
  const ending = new Set<Promise<unknown>>()

  const start = async (): Promise<Worker> => {
    const { url } = await (entry ??= workerEntry(own))
    // stdout and stderr: what escapes the worker's own capture must not reach the daemon's terminal.
    const worker = new Worker(url, {
      name: 'devloopfile',
      stdout: true,
      stderr: true,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 16 },
    })
    worker.stdout.resume()
    worker.stderr.resume()
    worker.on('error', () => {})
    worker.unref()
    return worker
  }
  const prepare = async (): Promise<void> => {
    await (waiting ??= start())
  }
  const take = async (): Promise<Worker> => {
    const taken = waiting ?? start()
    waiting = undefined
    return taken
  }
  const release = async (): Promise<void> => {
    const taken = waiting
    waiting = undefined
    await (await taken?.catch(() => undefined))?.terminate()
  }

  return {
    prepare,
    release,
    async evaluate(job, onLine, signal) {
      signal.throwIfAborted()
      const worker = await take()
      const end = (): Promise<unknown> => {
        const ended = worker.terminate().finally(() => ending.delete(ended))
        ending.add(ended)
        return ended
      }
      try {
        signal.throwIfAborted()
        const evaluation = await run(worker, job, { timeoutMs, onLine, signal })
        // A result need not wait for the thread's end.
        void end()
        return evaluation
      } catch (error) {
        await end()
        throw error
      }
    },
    async close() {
      await release()
      await Promise.all(ending)
      await (await entry?.catch(() => undefined))?.remove()
      entry = undefined
    },
  }
}

interface RunOptions {
  readonly timeoutMs: number
  readonly onLine: (text: string) => void
  readonly signal: AbortSignal
}

function run(worker: Worker, job: Job, { timeoutMs, onLine, signal }: RunOptions): Promise<Evaluation> {
  const reads: string[] = []
  return new Promise<Evaluation>((resolve, reject) => {
    const settle = (result: Evaluation): void => {
      cleanUp()
      resolve(result)
    }
    const onAbort = (): void => {
      cleanUp()
      reject(signal.reason as Error)
    }
    const onMessage = (message: WorkerMessage): void => {
      if (message.type === 'line') onLine(message.text)
      else if (message.type === 'read') reads.push(message.file)
      else if (message.type === 'declared') settle({ kind: 'declared', declaration: message.declaration, reads })
      else settle({ kind: 'failed', failure: message.failure, reads })
    }
    const onError = (error: Error): void => {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ERR_WORKER_OUT_OF_MEMORY') return settle({ kind: 'memory', reads })
      settle({ kind: 'failed', failure: { kind: 'threw', message: error.message, causes: [] }, reads })
    }
    const onExit = (): void => settle({ kind: 'never', reads })
    const timer = setTimeout(() => {
      void findRunningLines(worker, job.bundle).then((running) => settle({ kind: 'timeout', running, reads }))
    }, timeoutMs)
    const cleanUp = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.ref()
    worker.postMessage(job)
  })
}

/** The worker's entry as JavaScript; from TypeScript sources it is bundled once into a folder of its own. */
async function workerEntry({ worker }: OwnFiles): Promise<{ url: URL; remove(): Promise<void> }> {
  if (!worker.endsWith('.ts')) return { url: pathToFileURL(worker), remove: () => Promise.resolve() }
  const { build } = await import('esbuild')
  const folder = await mkdtemp(join(tmpdir(), 'devloop-worker-'))
  const outfile = join(folder, 'devloopfile-worker.mjs')
  await build({
    entryPoints: [worker],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // packages that are no ES modules ask for Node's own modules by it
    banner: { js: `import { createRequire as ownRequire } from 'node:module'; const require = ownRequire(import.meta.url);` },
    logLevel: 'silent',
  })
  return { url: pathToFileURL(outfile), remove: () => rm(folder, { recursive: true, force: true }) }
}
