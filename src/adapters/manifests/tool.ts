// Running a command line tool: its whole output, a time limit, and one clear error where it is not installed.
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import type { ProcessRunner } from '../../ports/process-runner.js'

export interface ToolResult {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface ToolRun {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds. */
  readonly timeoutMs: number
  /** Milliseconds that it may go on after an abort; default 0. */
  readonly patienceMs?: number
  /** Milliseconds from SIGTERM to SIGKILL; default 1,000. */
  readonly graceMs?: number
  readonly signal: AbortSignal
}

/** How to get a tool, for errors. */
const howToGet: Readonly<Record<string, string>> = {
  helm: 'Install Helm (https://helm.sh/docs/intro/install), so that `helm` is found in PATH.',
  kustomize:
    'Install kubectl (https://kubernetes.io/docs/tasks/tools), which has it built in, or kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize), so that one of them is found in PATH.',
}

/** The first of these commands that is in PATH; undefined = none. */
export async function findTool(names: readonly string[], path = process.env.PATH ?? ''): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of path.split(delimiter).filter(Boolean)) {
      const found = await access(join(folder, name), constants.X_OK).then(
        () => true,
        () => false,
      )
      if (found) return name
    }
  }
  return undefined
}

/** @param tool `helm` or `kustomize` */
export const missingTool = (tool: string, needed: string): DevloopError =>
  new DevloopError('tool/missing', `${needed} needs \`${tool}\`, which is not installed.`, {
    why: 'It was looked for in PATH.',
    help: howToGet[tool],
  })

/** Run to the end. @throws DevloopError local/start, render/timeout; AbortError */
export async function runTool(processes: ProcessRunner, run: ToolRun): Promise<ToolResult> {
  const { command, cwd, timeoutMs, patienceMs = 0, graceMs = 1000, signal } = run
  signal.throwIfAborted()
  const stdout: string[] = []
  const stderr: string[] = []
  const running = await processes.spawn({
    command,
    cwd,
    env: { ...inherited(), ...run.env },
    onLine: (line) => stdout.push(line),
    onErrorLine: (line) => stderr.push(line),
  })
  let late = false
  let patience: NodeJS.Timeout | undefined
  const stop = (): void => void running.stop(graceMs)
  const onAbort = (): void => {
    if (patienceMs === 0) stop()
    else patience = setTimeout(stop, patienceMs)
  }
  const timer = setTimeout(() => {
    late = true
    stop()
  }, timeoutMs)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const { exitCode } = await running.ended
    // what ended well within its patience is done
    if (exitCode !== 0 || patienceMs === 0) signal.throwIfAborted()
    if (late) {
      throw new DevloopError(
        'render/timeout',
        `\`${command.slice(0, 2).join(' ')}\` took longer than ${timeoutMs / 1000} seconds.`,
        {
          why: stderr.slice(-5).join('\n'),
        },
      )
    }
    return { exitCode, stdout: lines(stdout), stderr: lines(stderr) }
  } finally {
    clearTimeout(timer)
    clearTimeout(patience)
    signal.removeEventListener('abort', onAbort)
  }
}

const lines = (list: readonly string[]): string => (list.length === 0 ? '' : `${list.join('\n')}\n`)

const inherited = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))

/** Whether a tool's words mean that something could not be reached over the network. */
export const isNetworkTrouble = (text: string): boolean =>
  /dial tcp|no such host|connection refused|connection reset|i\/o timeout|TLS handshake|Client\.Timeout|network is unreachable|temporary failure in name resolution|could not resolve host/i.test(
    text,
  )
