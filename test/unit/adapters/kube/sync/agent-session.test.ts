import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openAgentSession, type AgentSessionOptions } from '../../../../../src/adapters/kube/sync/agent/agent-session.js'
import type { OpenExec } from '../../../../../src/adapters/kube/sync/exec-stream.js'
import type { SyncOp, SyncSession } from '../../../../../src/ports/sync-transport.js'
import { fileEntry, fileOp } from '../../../../contract/sync-samples.js'
import { builtAgent } from '../../../../support/agent.js'
import { waitFor } from '../../../../support/wait-for.js'
import { localExec, readTree } from './local-exec.js'

const never = new AbortController().signal
const { agent, missing } = builtAgent()
const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'devloop-agent-'))
  cleanups.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function open(roots: readonly string[], changes: Partial<AgentSessionOptions> = {}): Promise<SyncSession> {
  const session = await openAgentSession(
    { exec: localExec(), roots, name: 'a folder', agentPath: agent.path, version: agent.version, ...changes },
    never,
  )
  cleanups.push(() => session.close())
  return session
}

/** What comes before a command so that it may not do everything: root may read and write anywhere. */
const anotherUser = process.getuid?.() === 0 ? ['setpriv', '--reuid', '12345', '--clear-groups'] : []

/** Runs another program in the agent's place. */
const instead =
  (...program: string[]): OpenExec =>
  (_argv, options) =>
    localExec()(program, options)

describe('openAgentSession', () => {
  const noAgent = { code: 'sync/no-agent' }

  it('says that there is no agent, or another program', async () => {
    await expect(open(['/x'], { agentPath: '/no/such/agent' })).rejects.toMatchObject(noAgent)
    await expect(open(['/x'], { exec: instead('sh', '-c', 'echo no frames; exec cat') })).rejects.toMatchObject(noAgent)
    await expect(open(['/x'], { exec: instead('sh', '-c', 'echo no way >&2; exit 2') })).rejects.toMatchObject({
      ...noAgent,
      info: { why: 'no way' },
    })
  })

  it('gives up on one that never answers', async () => {
    const mute = open(['/x'], { exec: instead('sh', '-c', 'exec cat > /dev/null'), deadlineMs: 100 })
    await expect(mute).rejects.toMatchObject({
      code: 'sync/disconnected',
      message: expect.stringContaining('did not answer') as string,
    })
  })

  it('can be called off', async () => {
    const controller = new AbortController()
    const opening = openAgentSession(
      { exec: instead('sh', '-c', 'exec cat > /dev/null'), roots: ['/x'], name: 'x', agentPath: 'x', version: 'x' },
      controller.signal,
    )
    controller.abort()
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe.skipIf(missing !== undefined)(`the agent's session${missing ? ` (${missing})` : ''}`, () => {
  it('loses an agent that stops in the middle, within the deadline', async () => {
    const root = folder()
    const exec: OpenExec = (argv, options) =>
      localExec()(['sh', '-c', 'echo $$ > "$0"; exec "$@"', path.join(root, '.pid'), ...argv], options)
    const session = await open([root], { exec, deadlineMs: 300 })
    const pid = Number(execFileSync('cat', [path.join(root, '.pid')], { encoding: 'utf8' }))
    process.kill(pid, 'SIGSTOP')
    cleanups.push(() => {
      process.kill(pid, 'SIGKILL')
    })
    await expect(session.apply([fileOp(`${root}/x`, 'x')], never)).rejects.toMatchObject({ code: 'sync/disconnected' })
    expect((await session.closed).reason).toBe('lost')
  })

  it('tells a name that is not known from a port that nobody listens on', async () => {
    const session = await open([folder()])
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const dial = (host: string) => session.dial?.({ host, port }, never)
    expect(await dial('127.0.0.1')).toEqual({ state: 'ok' })
    await new Promise((resolve) => server.close(resolve))
    expect(await dial('127.0.0.1')).toMatchObject({
      state: 'failed',
      step: 'tcp',
      why: expect.stringContaining('connection refused') as string,
    })
    expect(await dial('no such name.invalid')).toMatchObject({
      state: 'failed',
      step: 'dns',
      why: expect.stringContaining('no such host') as string,
    })
    await expect(session.dial?.({ host: 'localhost', port }, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('is not lost while nothing is asked of it', async () => {
    const root = folder()
    const session = await open([root], { deadlineMs: 50 })
    await new Promise((resolve) => setTimeout(resolve, 200))
    await session.apply([fileOp(`${root}/x`, 'x')], never)
    expect([...readTree(root).keys()]).toEqual(['x'])
  })

  it('needs little memory, whatever the environment of the container says', async () => {
    const root = folder()
    const exec = localExec([], { ...process.env, GOGC: 'off' })
    const session = await open([root], { exec })
    const content = randomBytes(48 * 1024 * 1024)
    await session.apply([fileOp(`${root}/large`, content)], never)
    const small = Array.from({ length: 2000 }, (_, number) => fileOp(`${root}/small/${number}`, content.subarray(0, 10_000)))
    await session.apply(small, never)
    const lines: string[] = []
    await session.run('cat /proc/$PPID/status', (line) => lines.push(line), never)
    const peak = Number(/^VmHWM:\s*(\d+) kB/m.exec(lines.join('\n'))?.[1])
    expect(peak).toBeGreaterThan(1000)
    expect(peak).toBeLessThan(40_000)
  })

  it('writes roots that are single files, links to folders, files in the place of folders, and / itself', async () => {
    const all = folder()
    mkdirSync(path.join(all, 'real'))
    symlinkSync('real', path.join(all, 'linked'))
    writeFileSync(path.join(all, 'file'), 'in the way')
    const roots = ['app.json', 'linked', 'file', 'not/yet/there', 'not/one.txt'].map((one) => path.join(all, one))
    const session = await open(roots)
    const [single = '', linked = '', file = '', fresh = '', late = ''] = roots
    await session.apply(
      [fileOp(single, '{}'), fileOp(`${linked}/a`, 'a'), fileOp(`${file}/b`, 'b'), fileOp(`${fresh}/c`, 'c'), fileOp(late, 'd')],
      never,
    )
    expect(readTree(all)).toEqual(
      new Map<string, unknown>([
        ['app.json', fileEntry('{}')],
        ['real', { kind: 'folder' }],
        ['real/a', fileEntry('a')],
        ['linked', { kind: 'link', target: 'real' }],
        ['file', { kind: 'folder' }],
        ['file/b', fileEntry('b')],
        ['not', { kind: 'folder' }],
        ['not/yet', { kind: 'folder' }],
        ['not/yet/there', { kind: 'folder' }],
        ['not/yet/there/c', fileEntry('c')],
        ['not/one.txt', fileEntry('d')],
      ]),
    )
    const everything = await open(['/'])
    await everything.apply([fileOp(`${linked}/e`, 'e'), { op: 'delete', path: single }], never)
    expect(await everything.inspect([`${all}/real/e`, single], never)).toEqual(
      new Map<string, unknown>([
        [`${all}/real/e`, fileEntry('e')],
        [single, { kind: 'absent' }],
      ]),
    )
  })

  it('lists roots that are files, missing, or may not be read', async () => {
    const all = folder()
    const roots = ['one.json', 'none', 'tree'].map((one) => path.join(all, one))
    writeFileSync(path.join(all, 'one.json'), '{}')
    mkdirSync(path.join(all, 'tree/shut'), { recursive: true })
    writeFileSync(path.join(all, 'tree/shut/f'), '')
    writeFileSync(path.join(all, 'tree/secret'), '')
    writeFileSync(path.join(all, 'tree/.devloop-left'), '')
    chmodSync(all, 0o755)
    chmodSync(path.join(all, 'tree/secret'), 0o200)
    chmodSync(path.join(all, 'tree/shut'), 0o300)
    execFileSync(agent.path, ['install', all])
    const exec: OpenExec = (argv, options) => localExec()([...anotherUser, ...argv], options)
    const session = await open(roots, { exec, agentPath: path.join(all, 'agent') })
    const found = new Map<string, unknown>()
    await session.list?.({ skip: [], onEntry: (at, entry) => found.set(at.slice(all.length), entry) }, never)
    expect(found).toEqual(
      new Map<string, unknown>([
        ['/one.json', fileEntry('{}')],
        ['/tree/secret', undefined],
        ['/tree/shut', undefined],
      ]),
    )
  })

  it('does not replace a folder by a root that is a single file', async () => {
    const all = folder()
    mkdirSync(path.join(all, 'app.json/kept'), { recursive: true })
    const session = await open([path.join(all, 'app.json')])
    for (const content of ['{}', 'x'.repeat(600_000)])
      await expect(session.apply([fileOp(path.join(all, 'app.json'), content)], never)).rejects.toMatchObject({
        code: 'sync/failed',
        message: expect.stringContaining('is a folder') as string,
      })
    expect(readdirSync(path.join(all, 'app.json'))).toEqual(['kept'])
    expect(readdirSync(all)).toEqual(['app.json'])
  })

  it('follows a link that leads to another place below the root, wherever it starts from', async () => {
    const root = folder()
    mkdirSync(path.join(root, 'releases/1'), { recursive: true })
    symlinkSync(path.join(root, 'releases/1'), path.join(root, 'current'))
    const session = await open([root])
    await session.apply([fileOp(`${root}/current/deep/a`, 'a'), fileOp(`${root}/current/b`, 'b')], never)
    expect([...readTree(path.join(root, 'releases/1')).keys()].sort()).toEqual(['b', 'deep', 'deep/a'])
  })

  it('names what may not be written, and goes on with the next call only', async () => {
    const all = folder()
    const [open1, shut] = ['open', 'shut'].map((one) => path.join(all, one)) as [string, string]
    mkdirSync(open1)
    mkdirSync(shut)
    chmodSync(shut, 0o555)
    chmodSync(all, 0o777)
    chmodSync(open1, 0o777)
    const exec: OpenExec = (argv, options) => localExec()([...anotherUser, ...argv], options)
    const copy = path.join(all, 'agent')
    execFileSync(agent.path, ['install', all])
    const session = await open([open1, shut], { exec, agentPath: copy })
    const ops: SyncOp[] = [
      fileOp(`${open1}/first`, 'x'),
      fileOp(`${shut}/denied`, 'x'),
      fileOp(`${open1}/large`, 'x'.repeat(600_000)),
    ]
    await expect(session.apply(ops, never)).rejects.toMatchObject({
      code: 'sync/permission',
      message: expect.stringMatching(/^User \d+.* may not write .*\/shut\/denied/) as string,
    })
    expect(readdirSync(open1)).not.toContain('large')
    await session.apply([fileOp(`${open1}/next`, 'x')], never)
    expect(readdirSync(open1)).toContain('next')
    expect(readdirSync(shut)).toEqual([])
  })

  it('keeps the folders of files that are written while somebody else removes them', async () => {
    const root = folder()
    const session = await open([root])
    const vandal = spawn('sh', ['-c', `while :; do rm -rf ${root}/a; done`], { stdio: 'ignore', detached: true })
    // with what it runs just now
    const end = (): void => void (vandal.exitCode ?? vandal.signalCode ?? process.kill(-(vandal.pid ?? 0), 'SIGKILL'))
    cleanups.push(end)
    for (let round = 0; round < 20; round++) {
      const ops = Array.from({ length: 50 }, (_, number) => fileOp(`${root}/a/b/c${number % 5}/f${number}`, 'x'))
      // each time it is either done, or said that it is not
      await session.apply(ops, never).catch((thrown: unknown) => expect(thrown).toMatchObject({ code: 'sync/failed' }))
    }
    const ended = new Promise((resolve) => vandal.once('exit', resolve))
    end()
    await ended
    await session.apply([fileOp(`${root}/a/b/f`, 'x')], never)
    expect(readTree(root).get('a/b/f')).toEqual(fileEntry('x'))
  })

  it('ends commands with the session, and by signal says so', async () => {
    const root = folder()
    const session = await open([root])
    expect(await session.run('kill -9 $$', () => {}, never)).toEqual({ exitCode: 137 })
    // what a command leaves running does not hold it up
    expect(await session.run('sleep 1000 & echo $! > "' + root + '/pid"', () => {}, never)).toEqual({ exitCode: 0 })
    process.kill(Number(execFileSync('cat', [`${root}/pid`], { encoding: 'utf8' })))
    const running = session.run(`echo $$ > "${root}/running"; exec sleep 1000`, () => {}, never)
    running.catch(() => {})
    await waitFor(() => readTree(root).get('running'), { what: 'the command to run' })
    const pid = Number(execFileSync('cat', [`${root}/running`], { encoding: 'utf8' }))
    await session.close()
    await expect(running).rejects.toMatchObject({ code: 'sync/disconnected' })
    await waitFor(() => !isAlive(pid), { what: 'the command to end' })
  })

  it('runs a program that may not be executed as a shell does', async () => {
    const root = folder()
    writeFileSync(`${root}/plain`, 'not a program')
    const session = await open([root])
    const said: string[] = []
    expect(await session.run([`${root}/plain`], (line) => said.push(line), never)).toEqual({ exitCode: 126 })
    expect(said.join('\n')).toContain('permission denied')
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
