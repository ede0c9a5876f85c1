// Commands on this machine: each in a process group of its own that ends as a whole, and never outlives this process.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { DevloopError } from '../../errors/devloop-error.js'
import type { Command } from '../../model/plan.js'
import type { ProcessEnd, ProcessRunner, RunningProcess, SpawnOptions } from '../../ports/process-runner.js'
import { createGroupGuard, type GroupGuard } from './group-guard.js'
import { groupRuns, signalGroup } from './process-group.js'
import { splitLines } from './split-lines.js'

type Child = ChildProcessByStdio<null, Readable, Readable>

const defaultGraceMs = 5000
/** After the end of a process its output is awaited until it was silent for this long: something that left the group may hold it. */
const silentOutputMs = 250

/**
 * Runs commands. What a command leaves running in its group when it ends is killed; what it moved to a session of its own
 * (`setsid`) is left alone. There is nothing to close: once all commands have ended, nothing is held.
 */
export function createProcessRunner(): ProcessRunner {
  const guard = createGroupGuard()
  return {
    async spawn(options) {
      const child = await start(options, guard)
      return supervise(child, options, guard)
    },
  }
}

async function start({ command, cwd, env }: SpawnOptions, guard: GroupGuard): Promise<Child> {
  const [file, ...args] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command
  if (!file) throw new DevloopError('local/start', 'A command is empty.')
  try {
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    if (child.pid !== undefined) guard.add(child.pid)
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    // from here on `error` could only tell of a signal that was not delivered, which the end of the process shows
    child.on('error', () => {})
    return child
  } catch (thrown) {
    throw await startError(thrown, command, file, cwd)
  }
}

async function startError(thrown: unknown, command: Command, file: string, cwd: string): Promise<DevloopError> {
  const shown = typeof command === 'string' ? command : command.join(' ')
  const folder = await stat(cwd).catch(() => undefined)
  if (!folder?.isDirectory()) {
    const what = folder ? 'is not a folder' : 'does not exist'
    return new DevloopError('local/start', `\`${shown}\` could not be started: the folder ${cwd} ${what}.`, { cause: thrown })
  }
  const error = thrown as NodeJS.ErrnoException
  if (error.code === 'ENOENT') {
    return new DevloopError('local/start', `\`${shown}\` could not be started: there is no command \`${file}\`.`, {
      help: file.includes('/') ? 'Check the path.' : 'Check its spelling, and that it is installed and in PATH.',
      cause: thrown,
    })
  }
  const why = error.code === 'EACCES' ? `${file} is not executable.` : error.message
  return new DevloopError('local/start', `\`${shown}\` could not be started.`, { why, cause: thrown })
}

function supervise(child: Child, { onLine, onErrorLine = onLine }: SpawnOptions, guard: GroupGuard): RunningProcess {
  const pid = child.pid as number
  let deadline = Infinity
  let killTimer: NodeJS.Timeout | undefined
  let exited = false

  const output = deliverOutput([
    [child.stdout, onLine],
    [child.stderr, onErrorLine],
  ])

  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => {
      exited = true
      const end = code === null ? { signal: signal ?? 'SIGKILL' } : { exitCode: code }
      const finish = async (): Promise<ProcessEnd> => {
        // asked to stop, the rest of the group has the rest of the grace; else what a command leaves behind ends with it
        await groupEnd(pid, () => deadline)
        clearTimeout(killTimer)
        guard.delete(pid)
        await output.drained()
        return end
      }
      resolve(finish())
    })
  })

  return {
    pid,
    ended,
    stop(graceMs = defaultGraceMs) {
      const wanted = Date.now() + graceMs
      if (wanted < deadline) {
        deadline = wanted
        clearTimeout(killTimer)
        if (!exited) {
          signalGroup(pid, 'SIGTERM')
          killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs)
        }
      }
      return ended
    },
  }
}

/** Resolves when nothing of a group runs any more: at once when nobody asked it to stop, else at the deadline at the latest. */
async function groupEnd(pgid: number, deadline: () => number): Promise<void> {
  let killedAt: number | undefined
  for (let pause = 2; groupRuns(pgid); pause = Math.min(pause * 2, 50)) {
    const left = deadline() === Infinity ? 0 : deadline() - Date.now()
    if (left <= 0) {
      killedAt ??= Date.now()
      signalGroup(pgid, 'SIGKILL')
      // what the kernel cannot end now (a process that waits for a device) is not waited for either
      if (Date.now() - killedAt > 1000) return
    }
    await new Promise((resolve) => setTimeout(resolve, left > 0 ? Math.min(pause, left) : pause))
  }
}

/** Delivers the lines of streams; `drained` resolves when they ended, or are held open in silence by a stranger. */
function deliverOutput(streams: readonly (readonly [Readable, (line: string) => void])[]): { drained(): Promise<void> } {
  let silent: NodeJS.Timeout | undefined
  const closed = streams.map(([stream, onLine]) => {
    const lines = splitLines(onLine)
    stream.on('data', (chunk: Buffer) => {
      silent?.refresh()
      lines.push(chunk)
    })
    return new Promise<void>((resolve) => {
      stream.once('error', () => stream.destroy())
      stream.once('close', () => {
        lines.end()
        resolve()
      })
    })
  })
  return {
    async drained() {
      silent = setTimeout(() => streams.forEach(([stream]) => stream.destroy()), silentOutputMs)
      await Promise.all(closed)
      clearTimeout(silent)
    },
  }
}
