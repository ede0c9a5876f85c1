// Connections to an engine on another machine, as the docker command makes them: `ssh HOST docker system dial-stdio`.
import { spawn, type ChildProcess } from 'node:child_process'
import { Duplex } from 'node:stream'
import { shellWord } from '../../model/shell-word.js'
import type { Environment } from './docker-config.js'

/** What an `ssh://` address names. */
export interface SshPlace {
  readonly host: string
  readonly user?: string
  readonly port?: number
  /** Socket of the engine there; undefined = as the docker command finds it there. */
  readonly socketPath?: string
}

const connectSeconds = 30
/** As much as is kept of what ssh complains of. */
const complaintLimit = 2000

/** Undefined for what is no such address. A password in it is not taken: it would show in the list of processes. */
export function parseSsh(address: string): SshPlace | undefined {
  const [, user, host, port, path] = /^ssh:\/\/(?:([^@/:]+)@)?(\[[^\]]+\]|[^/:@]+)(?::(\d+))?(\/.*)?$/.exec(address) ?? []
  // what begins with a dash would be read as an option
  if (!host || host.startsWith('-') || user?.startsWith('-')) return undefined
  return {
    host: host.replaceAll(/[[\]]/g, ''),
    ...(user ? { user } : {}),
    ...(port ? { port: Number(port) } : {}),
    ...(path && path !== '/' ? { socketPath: path } : {}),
  }
}

/** The arguments of ssh. Nothing is asked on the terminal, which is devloop's: keys, agents and ~/.ssh/config must do. */
export function sshArguments({ host, user, port, socketPath }: SshPlace): readonly string[] {
  const remote = ['docker', ...(socketPath ? ['--host', `unix://${socketPath}`] : []), 'system', 'dial-stdio']
  return [
    ...['-o', 'BatchMode=yes', '-o', `ConnectTimeout=${connectSeconds}`, '-T'],
    ...(user ? ['-l', user] : []),
    ...(port ? ['-p', String(port)] : []),
    ...['--', host],
    ...remote.map(shellWord),
  ]
}

/** Open a connection. Whether it works shows only in use: the stream is destroyed with what ssh said. */
export function dialSsh(place: SshPlace, env: Environment): Promise<Duplex> {
  const child = spawn('ssh', sshArguments(place), {
    env: { ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C in the terminal is for devloop, which ends what it has begun in order
    detached: true,
  })
  return Promise.resolve(streamOf(child))
}

function streamOf(child: ChildProcess): Duplex {
  const { stdin, stdout, stderr } = child
  if (!stdin || !stdout || !stderr) throw new Error('ssh was started without pipes')
  let complaint = ''
  stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-complaintLimit)))
  const stream = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      if (stdin.write(chunk)) done()
      else stdin.once('drain', () => done())
    },
    final: (done) => void stdin.end(() => done()),
    destroy: (error, done) => {
      // its end takes the remote command along
      stdin.destroy()
      stdout.destroy()
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      done(error)
    },
  })
  stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause()
  })
  // told by the end of the process, with its reason
  stdin.on('error', () => undefined)
  child.on('error', (error: NodeJS.ErrnoException) =>
    stream.destroy(error.code === 'ENOENT' ? new Error('the program ssh is not installed, or not in PATH') : error),
  )
  child.on('close', (code, signal) => {
    if (stream.destroyed) return
    if (code === 0) return void stream.push(null)
    const said = complaint.trim() || `it ended with ${signal ?? `exit code ${code}`}`
    stream.destroy(new Error(`ssh: ${said}`))
  })
  child.unref()
  return stream
}
