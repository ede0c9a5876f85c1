// `devloop exec`: a shell, or a command, where a resource runs.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import type { ContainerCommands } from '../../daemon/exec-in-container.js'
import { DevloopError, isDevloopError, toErrorInfo } from '../../errors/devloop-error.js'
import type { ExecPlace } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { errorText } from '../../client/status/error-text.js'

export interface ExecOptions {
  readonly file?: string
  readonly container?: string
}

type ContainerPlace = Extract<ExecPlace, { runtime: 'kubernetes' }>
type FolderPlace = Extract<ExecPlace, { runtime: 'process' }>

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
/** The best shell that a container has. */
const shell = ['/bin/sh', '-c', 'exec "$(command -v bash || command -v ash || echo sh)"']
/** Says its process id in a line of its own and becomes the command. */
const announced = ['/bin/sh', '-c', `printf '%s\\n' "$$"; exec "$@"`, 'sh']
const kill = (signal: string, pid: string): string[] => [
  '/bin/sh',
  '-c',
  `kill -s ${signal.replace(/^SIG/, '')} -- "-${pid}" 2>/dev/null || kill -s ${signal.replace(/^SIG/, '')} ${pid}`,
]

/** @returns the exit code of the command; 128 + n when signal n ended it */
export async function exec(resource: string, command: readonly string[], options: ExecOptions): Promise<number> {
  let place: ExecPlace | undefined
  const asked = await withDaemon(options.file, [], async (client) => {
    place = await client.request('exec', {
      resource,
      ...(options.container === undefined ? {} : { container: options.container }),
    })
    return exitCodes.ok
  })
  if (!place) return asked
  if (place.runtime === 'process') return inFolder(place, command)
  return inContainer(place, command).catch((thrown: unknown) => notThere(thrown, resource))
}

/** As shells have it: a command that is not there. */
const notFound = 127

function notThere(thrown: unknown, resource: string): number {
  if (!isDevloopError(thrown) || !['sync/no-shell', 'run/failed'].includes(thrown.code)) throw thrown
  const help =
    thrown.code === 'sync/no-shell' ? `Name a program that its image has: devloop exec ${resource} -- PROGRAM` : thrown.info.help
  process.stderr.write(`devloop: ${errorText({ ...toErrorInfo(thrown), ...(help === undefined ? {} : { help }) })}\n`)
  return notFound
}

/** The command has this terminal itself. */
async function inFolder({ cwd, env }: FolderPlace, command: readonly string[]): Promise<number> {
  const [program = env.SHELL ?? '/bin/sh', ...args] = command
  const child = spawn(program, args, { cwd, env, stdio: 'inherit' })
  // at a terminal Ctrl-C reaches the command too, and what it means is the command's affair
  const pass = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  for (const signal of passedOn) process.on(signal, pass)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (error) =>
        reject(new DevloopError('run/failed', `${program} could not be started`, { why: error.message })),
      )
      child.once('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 0)))
    })
  } finally {
    for (const signal of passedOn) process.off(signal, pass)
  }
}

async function inContainer(place: ContainerPlace, command: readonly string[]): Promise<number> {
  const { commandsIn } = await import('../../daemon/exec-in-container.js')
  const commands = await commandsIn(place, new AbortController().signal)
  try {
    const argv = command.length > 0 ? command : shell
    if (process.stdin.isTTY && process.stdout.isTTY) return await atTerminal(commands, argv)
    return (await piped(commands, [...announced, ...argv], true)) ?? (await piped(commands, argv, false)) ?? exitCodes.failure
  } finally {
    commands.close()
  }
}

async function atTerminal(commands: ContainerCommands, argv: readonly string[]): Promise<number> {
  const { stdin, stdout } = process
  const size = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 })
  const stream = await commands.start(argv, size())
  const resize = (): void => stream.resize(size())
  const restore = (): void => {
    if (stdin.isRaw) stdin.setRawMode(false)
  }
  // whatever ends this process, the terminal is left as it was
  process.on('exit', restore)
  stdin.setRawMode(true)
  stdin.pipe(stream.stdin)
  stream.stdout.pipe(stdout, { end: false })
  stdout.on('resize', resize)
  // from elsewhere: the shell ends with its connection
  const hangUp = (): void => stream.close()
  for (const signal of passedOn) process.on(signal, hangUp)
  try {
    const end = await stream.ended
    if (end.kind === 'failed') throw end.error
    return end.exitCode
  } finally {
    for (const signal of passedOn) process.off(signal, hangUp)
    stdout.off('resize', resize)
    stdin.unpipe(stream.stdin)
    restore()
    process.off('exit', restore)
    stdin.pause()
  }
}

/**
 * With pipes or files: output and errors apart, input to its end, and signals reach the command.
 * @param hasPid the command tells its process id first
 * @returns undefined when there is no shell that could tell it
 */
async function piped(commands: ContainerCommands, argv: readonly string[], hasPid: boolean): Promise<number | undefined> {
  const { stdin, stdout, stderr } = process
  const stream = await commands.start(argv)
  let pid: string | undefined
  let cut: NodeJS.Signals | undefined
  const pass = (signal: NodeJS.Signals): void => {
    if (pid === undefined) {
      cut = signal
      return stream.close()
    }
    void commands
      .start(kill(signal, pid))
      .then((killing) => (killing.stdout.resume(), killing.stderr.resume(), killing.ended))
      // it may have ended by itself
      .catch(() => stream.close())
  }
  for (const signal of passedOn) process.on(signal, pass)
  try {
    stream.stderr.pipe(stderr, { end: false })
    if (hasPid) pid = await firstLine(stream.stdout)
    stream.stdout.pipe(stdout, { end: false })
    if (!hasPid || pid !== undefined) stdin.pipe(stream.stdin)
    const end = await stream.ended
    if (end.kind === 'failed' && hasPid && end.error.code === 'sync/no-shell') return undefined
    if (end.kind === 'failed' && cut !== undefined) {
      if (!hasPid)
        stderr.write(`devloop: there is no shell that could pass ${cut} on: the command may still run in the container\n`)
      return 128 + constants.signals[cut]
    }
    if (end.kind === 'failed') throw end.error
    // a shell says so of a command that it does not find
    return end.exitCode
  } finally {
    for (const signal of passedOn) process.off(signal, pass)
    stdin.unpipe(stream.stdin)
    stdin.pause()
  }
}

/** Takes the first line out of a stream; undefined when it ends before. */
function firstLine(stream: Readable): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = Buffer.alloc(0)
    const done = (line: string | undefined): void => {
      stream.off('readable', read).off('end', end)
      resolve(line)
    }
    const end = (): void => done(undefined)
    const read = (): void => {
      for (let chunk = stream.read() as Buffer | null; chunk; chunk = stream.read() as Buffer | null) {
        text = Buffer.concat([text, chunk])
        const newline = text.indexOf(10)
        if (newline < 0) continue
        const rest = text.subarray(newline + 1)
        if (rest.length > 0) stream.unshift(rest)
        return done(text.subarray(0, newline).toString('utf8').trim())
      }
    }
    stream.on('readable', read).on('end', end)
  })
}
