// Commands on this machine as if they were execs in a container, and folders that stand for its files.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DevloopError } from '../../../../../src/errors/devloop-error.js'
import type { Entry } from '../../../../../src/model/tree.js'
import type { ExecEnd, ExecStream, OpenExec } from '../../../../../src/adapters/kube/sync/exec-stream.js'
import { openShellSession, type ShellSessionOptions } from '../../../../../src/adapters/kube/sync/shell-session.js'
import { openAgentSession, type AgentSessionOptions } from '../../../../../src/adapters/kube/sync/agent/agent-session.js'
import type { SyncSession } from '../../../../../src/ports/sync-transport.js'
import type { SyncFixture } from '../../../../contract/sync-transport.js'
import type { BuiltAgent } from '../../../../support/agent.js'

/** Runs commands here; `streams` collects what was started. `env` replaces the environment. */
export function localExec(streams: ExecStream[] = [], env: NodeJS.ProcessEnv = process.env): OpenExec {
  return (argv, { stdin, signal }) => {
    signal.throwIfAborted()
    const [program = '', ...args] = argv
    const child = spawn(program, args, { detached: true, stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'], env })
    if (!child.stdout || !child.stderr) throw new Error('no output')
    const { stdout, stderr } = child
    const ended = new Promise<ExecEnd>((resolve) => {
      child.on('error', (error) => resolve({ kind: 'failed', error: new DevloopError('sync/no-shell', error.message) }))
      child.on('close', (code, killedBy) =>
        resolve(killedBy === null ? { kind: 'exited', exitCode: code ?? 0 } : { kind: 'exited', exitCode: 137 }),
      )
    })
    let cut: (end: ExecEnd) => void = () => {}
    const lost = new Promise<ExecEnd>((resolve) => (cut = resolve))
    const stream: ExecStream = {
      // a command without input never gets any
      stdin: child.stdin ?? (null as never),
      stdout,
      stderr,
      ended: Promise.race([ended, lost]),
      close() {
        child.stdin?.destroy()
        stdout.destroy()
        stderr.destroy()
        cut({ kind: 'failed', error: new DevloopError('sync/disconnected', 'The stream was cut.') })
      },
    }
    streams.push(stream)
    return Promise.resolve(stream)
  }
}

/** A session of the shell loop on a folder of this machine. */
export const localFixture = (
  shell: readonly string[],
  changes: Partial<ShellSessionOptions> = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<SyncFixture> =>
  folderFixture(
    (exec, root) =>
      openShellSession(
        { exec, roots: [root], name: 'a folder', shell, sweepAfterMs: 50, ...changes },
        new AbortController().signal,
      ),
    env,
  )

/** A session of the agent on a folder of this machine. */
export const localAgentFixture = (agent: BuiltAgent, changes: Partial<AgentSessionOptions> = {}): Promise<SyncFixture> =>
  folderFixture((exec, root) =>
    openAgentSession(
      { exec, roots: [root], name: 'a folder', agentPath: agent.path, version: agent.version, sweepAfterMs: 50, ...changes },
      new AbortController().signal,
    ),
  )

async function folderFixture(
  openOn: (exec: OpenExec, root: string) => Promise<SyncSession>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<SyncFixture> {
  const folder = mkdtempSync(path.join(tmpdir(), 'devloop-sync-'))
  const root = path.join(folder, 'root')
  mkdirSync(root)
  const streams: ExecStream[] = []
  const exec = localExec(streams, env)
  const open = (): Promise<SyncSession> => openOn(exec, root)
  const first = await open()
  const sessions = [first]
  return {
    session: first,
    root,
    readTree: () => Promise.resolve(readTree(root)),
    async reopen() {
      const session = await open()
      sessions.push(session)
      return session
    },
    shell: (script) => runHere(script, { ...process.env, ROOT: root }),
    cut: () => streams[0]?.close(),
    sent: () => streams.reduce((sum, { stdin }) => sum + ((stdin as Socket | null)?.bytesWritten ?? 0), 0),
    async close() {
      for (const session of sessions) await session.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Everything below a folder. */
export function readTree(
  root: string,
  below = '',
  into = new Map<string, Entry | { kind: 'folder' }>(),
): Map<string, Entry | { kind: 'folder' }> {
  for (const name of readdirSync(path.join(root, below))) {
    const relative = below ? `${below}/${name}` : name
    const file = path.join(root, relative)
    const stat = lstatSync(file)
    if (stat.isSymbolicLink()) into.set(relative, { kind: 'link', target: readlinkSync(file) })
    else if (stat.isDirectory()) {
      into.set(relative, { kind: 'folder' })
      readTree(root, relative, into)
    } else if (stat.isFile())
      into.set(relative, {
        kind: 'file',
        hash: createHash('sha256').update(readFileSync(file)).digest('hex'),
        mode: stat.mode & 0o777,
        size: stat.size,
      })
  }
  return into
}

function runHere(script: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-ec', script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${script} ended with ${code}`))))
  })
}
