// `devloop watch --detach`: the daemon as a process of a session of its own, which outlives this one and its terminal.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { findDaemon } from '../../client/index.js'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import type { Discovery, SessionView } from '../../protocol/messages.js'
import { askDaemon } from '../daemons.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { interruptible } from '../interrupted.js'
import { printJson } from '../print-json.js'
import { errorText } from '../../client/status/error-text.js'
import { sessionOf } from '../../client/status/views.js'

/** How long the daemon may take until it has addresses, and until it has read the Devloopfile. Milliseconds. */
const patience = { start: 60_000, devloopfile: 120_000 } as const

export interface DetachOptions {
  readonly file?: string
  readonly json?: boolean
}

/**
 * @param argv the command line, `watch` included
 * @throws DevloopError daemon/running, daemon/start
 */
export async function detach(argv: readonly string[], { file, json }: DetachOptions): Promise<number> {
  const devloopfile = findDevloopfile(file)
  const other = await findDaemon({ devloopfile })
  if (other)
    throw new DevloopError('daemon/running', `devloop already runs for this project, as process ${other.pid}`, {
      help: 'Use that one (`devloop attach` shows it), or end it with `devloop stop`.',
    })
  const files = (await import('../../daemon/detached.js')).detachedFiles(devloopfile)
  const errors = openSync(files.errors, 'w', 0o600)
  const rest = argv.slice(argv.indexOf('watch') + 1)
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, 'watch', '--background', ...rest], {
    detached: true,
    stdio: ['ignore', 'ignore', errors],
  })
  closeSync(errors)
  return interruptible(async (signal) => {
    signal.addEventListener('abort', () => child.kill('SIGTERM'))
    const up = await started(child, devloopfile, signal)
    if (up === undefined) {
      process.stderr.write(readFileSync(files.errors, 'utf8') || 'devloop: the daemon ended before it was up\n')
      return child.exitCode || exitCodes.failure
    }
    child.unref()
    const { discovery, session } = up
    if (json) {
      const { project, pid, socket, url } = discovery
      const error = session.devloopfile.error
      printJson({ project, devloopfile, pid, socket, url, log: files.log, error })
    } else {
      process.stdout.write(`${told(discovery, files.log)}\n`)
      if (session.devloopfile.error) process.stderr.write(`Devloopfile: failed: ${errorText(session.devloopfile.error)}\n`)
    }
    return exitCodes.ok
  })
}

const told = ({ project, pid, url }: Discovery, log: string): string =>
  [
    `devloop runs for ${project}, as process ${pid}`,
    ...(url === undefined ? [] : [`  page     ${url}  (devloop open)`]),
    '  attach   devloop attach',
    '  status   devloop status',
    '  stop     devloop stop',
    `  log      ${log}`,
  ].join('\n')

interface Up {
  readonly discovery: Discovery
  /** As it is once the Devloopfile was read for the first time, well or not. */
  readonly session: SessionView
}

/** @returns undefined when the process has ended instead */
async function started(child: ChildProcess, devloopfile: string, signal: AbortSignal): Promise<Up | undefined> {
  const ended = new Promise<void>((resolve, reject) => {
    child.once('exit', () => resolve())
    child.once('error', (problem) =>
      reject(new DevloopError('daemon/start', `the daemon could not be started: ${problem.message}`)),
    )
  })
  const deadline = Date.now() + patience.start
  for (;;) {
    const discovery = await findDaemon({ devloopfile })
    if (discovery?.pid === child.pid && discovery) {
      const asked = askDaemon(discovery, (client) => client.waitFor(readOnce, { timeoutMs: patience.devloopfile, signal }))
      const session = await Promise.race([asked.catch(gone), ended])
      if (session) return { discovery, session }
      await ended
      return undefined
    }
    await Promise.race([sleep(50), ended])
    signal.throwIfAborted()
    if (child.exitCode !== null || child.signalCode !== null) return undefined
    if (Date.now() < deadline) continue
    child.kill('SIGTERM')
    throw new DevloopError('daemon/start', `the daemon is not up after ${patience.start / 1000} s, and was ended`)
  }
}

const readOnce = (views: Parameters<typeof sessionOf>[0]): SessionView | undefined => {
  const session = sessionOf(views)
  if (!session || session.devloopfile.state === 'loading') return undefined
  // a wrong name on the command line: it is about to end
  const { generation, error } = session.devloopfile
  return generation === 0 && error?.code === 'request/unknown-resource' ? undefined : session
}

function gone(thrown: unknown): undefined {
  if (isDevloopError(thrown) && thrown.code === 'daemon/not-running') return undefined
  throw thrown
}
