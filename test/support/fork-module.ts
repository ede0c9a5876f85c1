// Runs a module of this repository, TypeScript included, in a process of its own.
import { fork, type ChildProcess } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

/** Bundles a module into a temporary folder; returns its path. `root` is the repository. */
export async function bundleModule(entry: string): Promise<string> {
  const outfile = join(await mkdtemp(join(tmpdir(), 'devloop-fork-')), 'module.mjs')
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'bundle',
    logLevel: 'silent',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  })
  return outfile
}

export interface Forked {
  readonly child: ChildProcess
  /** The next message of the child that was not taken yet. */
  next(): Promise<unknown>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/** Starts a bundled module with an IPC channel. */
export function forkModule(path: string, args: readonly string[], execArgv: readonly string[] = []): Forked {
  const child = fork(path, args, { execArgv: [...execArgv], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const messages: unknown[] = []
  const waiting: (() => void)[] = []
  child.on('message', (message) => {
    messages.push(message)
    waiting.shift()?.()
  })
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  )
  return {
    child,
    ended,
    async next() {
      if (messages.length === 0) {
        await Promise.race([new Promise<void>((resolve) => waiting.push(resolve)), ended])
      }
      if (messages.length === 0) throw new Error(`the process ended: ${JSON.stringify(await ended)}`)
      return messages.shift()
    },
  }
}
