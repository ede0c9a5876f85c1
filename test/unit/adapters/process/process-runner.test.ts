import { build } from 'esbuild'
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createProcessRunner } from '../../../../src/adapters/process/process-runner.js'
import { createGroupGuard } from '../../../../src/adapters/process/group-guard.js'
import { groupRuns } from '../../../../src/adapters/process/process-group.js'
import type { Command } from '../../../../src/model/plan.js'

const env = { PATH: process.env.PATH ?? '' }
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'devloop-runner-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // a dead process that nobody has waited for still takes signals
  return process.platform !== 'linux' || !/^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}
const gone = (pid: number): Promise<void> => vi.waitFor(() => expect(runs(pid)).toBe(false), { timeout: 10_000, interval: 10 })

const run = async (command: Command, cwd = dir) => {
  const lines: string[] = []
  const running = await createProcessRunner().spawn({ command, cwd, env, onLine: (line) => lines.push(line) })
  const line = (pattern: RegExp): Promise<string> =>
    vi.waitFor(
      () => {
        const found = lines.find((candidate) => pattern.test(candidate))
        if (found === undefined) throw new Error(`no line matches ${pattern} in ${JSON.stringify(lines)}`)
        return found
      },
      { timeout: 10_000, interval: 5 },
    )
  return { ...running, lines, line }
}

describe('createProcessRunner', () => {
  it('runs a string by sh and an array as it is', async () => {
    const shell = await run('echo "$((1 + 1))" && pwd')
    expect(await shell.ended).toEqual({ exitCode: 0 })
    expect(shell.lines[0]).toBe('2')
    const plain = await run(['printf', '%s\n', '$HOME', 'two words'])
    expect(await plain.ended).toEqual({ exitCode: 0 })
    expect(plain.lines).toEqual(['$HOME', 'two words'])
  })

  it('gives exactly the environment it was given, no stdin, and lines of both outputs', async () => {
    const running = await run('echo out; echo err >&2; cat; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=')
    expect(await running.ended).toEqual({ exitCode: 0 })
    expect(running.lines.toSorted()).toEqual([`PATH=${env.PATH}`, 'err', 'out'])
  })

  it('has delivered all output when it has ended', async () => {
    const running = await run(['node', '-e', 'for (let i = 0; i < 50000; i++) console.log("line " + i)'])
    await running.ended
    expect(running.lines.length).toBe(50_000)
    expect(running.lines.at(-1)).toBe('line 49999')
  })

  it('tells the exit code and the signal', async () => {
    expect(await (await run('exit 7')).ended).toEqual({ exitCode: 7 })
    expect(await (await run('kill -9 $$')).ended).toEqual({ signal: 'SIGKILL' })
  })

  it('says which command or folder is missing', async () => {
    await expect(run(['no-such-command', 'x'])).rejects.toMatchObject({
      code: 'local/start',
      message: expect.stringContaining('no command `no-such-command`') as string,
    })
    await expect(run('true', join(dir, 'nowhere'))).rejects.toMatchObject({
      code: 'local/start',
      message: expect.stringContaining(`${join(dir, 'nowhere')} does not exist`) as string,
    })
    const file = join(dir, 'plain')
    writeFileSync(file, '#!/bin/sh\n')
    chmodSync(file, 0o644)
    await expect(run([file])).rejects.toMatchObject({ code: 'local/start', info: { why: `${file} is not executable.` } })
    await expect(run(['true'], file)).rejects.toMatchObject({ message: expect.stringContaining('is not a folder') as string })
  })

  it('stops the whole group, grandchildren included', async () => {
    const running = await run('sleep 1000 & echo "child $!"; wait')
    const child = Number((await running.line(/^child/)).split(' ')[1])
    expect(await running.stop()).toEqual({ signal: 'SIGTERM' })
    await gone(child)
    expect(groupRuns(running.pid)).toBe(false)
  })

  it('kills what ignores SIGTERM after the grace, and a second stop may shorten it', async () => {
    const running = await run(`trap '' TERM; echo up; while :; do sleep 0.05; done`)
    await running.line(/up/)
    void running.stop(60_000)
    expect(await running.stop(50)).toEqual({ signal: 'SIGKILL' })
    expect(groupRuns(running.pid)).toBe(false)
  })

  it('lets the rest of a group end in its own time after its leader', async () => {
    const script = `(trap 'sleep 0.2; echo cleaned; exit' TERM; echo up; while :; do sleep 0.05; done) & wait`
    const running = await run(script)
    await running.line(/up/)
    await running.stop()
    expect(running.lines).toContain('cleaned')
  })

  it('ends what a command leaves behind when it ends by itself', async () => {
    const running = await run('sleep 1000 & echo $!')
    expect(await running.ended).toEqual({ exitCode: 0 })
    await gone(Number(running.lines[0]))
  })

  it('does not wait for output that something outside of the group holds open', async () => {
    const running = await run([
      'node',
      '-e',
      `
      const child = require('child_process').spawn('sleep', ['1000'], { detached: true, stdio: 'inherit' })
      child.unref()
      console.log(child.pid)`,
    ])
    expect(await running.ended).toEqual({ exitCode: 0 })
    const stranger = Number(running.lines[0])
    expect(runs(stranger)).toBe(true)
    process.kill(stranger, 'SIGKILL')
  })

  it('leaves no listener behind', async () => {
    const before = process.listenerCount('exit')
    const runner = createProcessRunner()
    const all = await Promise.all(
      Array.from({ length: 15 }, () => runner.spawn({ command: ['sleep', '1000'], cwd: dir, env, onLine: () => {} })),
    )
    expect(process.listenerCount('exit')).toBe(before + 1)
    await Promise.all(all.map((running) => running.stop()))
    expect(process.listenerCount('exit')).toBe(before)
  })
})

describe('a process that ends with running commands', () => {
  let host: string
  beforeAll(async () => {
    host = join(dir, 'host.mjs')
    const runner = fileURLToPath(new URL('../../../../src/adapters/process/process-runner.ts', import.meta.url))
    await build({
      stdin: {
        contents: `
          import { createProcessRunner } from ${JSON.stringify(runner)}
          const runner = createProcessRunner()
          for (const command of ['sleep 1000 & echo $!; wait', "trap '' TERM; echo $$; while :; do sleep 0.05; done"]) {
            await runner.spawn({ command, cwd: '/', env: process.env, onLine: (line) => console.log(line) })
          }
          const short = await runner.spawn({ command: 'true', cwd: '/', env: process.env, onLine: () => {} })
          await short.ended
          process.on('SIGUSR2', () => process.exit(3))
          setInterval(() => {}, 1000)
        `,
        resolveDir: dir,
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: host,
    })
  })

  it.each(['SIGKILL', 'SIGTERM', 'SIGUSR2'] as const)('leaves none of them behind after %s', async (signal) => {
    const child = spawn(process.execPath, [host], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await vi.waitFor(() => expect(output.trim().split('\n').length).toBe(2), { timeout: 10_000, interval: 10 })
    const pids = output.trim().split('\n').map(Number)
    expect(pids.map(runs)).toEqual([true, true])
    child.kill(signal)
    await Promise.all(pids.map(gone))
  })
})

describe('createGroupGuard', () => {
  it('forgets a group that has ended by itself', async () => {
    // a guard whose pipe ends must not touch a group it was told to forget
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
    const other = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
    const guard = createGroupGuard()
    guard.add(child.pid as number)
    guard.add(other.pid as number)
    guard.delete(child.pid as number)
    guard.delete(other.pid as number)
    expect([child, other].map((one) => runs(one.pid as number))).toEqual([true, true])
    child.kill('SIGKILL')
    other.kill('SIGKILL')
    await Promise.all([child, other].map((one) => gone(one.pid as number)))
  })
})
