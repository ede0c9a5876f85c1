// Daemons in the background: started, listed, shown in a browser and ended by other commands; and what a killed one leaves behind.
import { chmod, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connectDevloop } from '../../src/client/index.js'
import type { ListedDaemon } from '../../src/cli/commands/list.js'
import { put, type Ended } from '../support/devloop.js'
import { waitFor } from '../support/wait-for.js'
import { wordApp, type WordApp } from '../support/word-app.js'

/** A project whose daemons are alone in their runtime folder, so that `--all` ends no others; all are ended after the test. */
async function alone(files?: Readonly<Record<string, string>>): Promise<WordApp> {
  const words = await wordApp(files)
  words.env.DEVLOOP_RUNTIME_DIR = join(words.env.XDG_RUNTIME_DIR!, 'devloop')
  onTestFinished(async () => void (await words.run('stop', '--all')))
  return words
}

const json = <T>({ stdout, stderr }: Ended): T => {
  try {
    return JSON.parse(stdout) as T
  } catch {
    throw new Error(`no JSON: ${stdout}${stderr}`)
  }
}

const list = async (words: WordApp): Promise<readonly ListedDaemon[]> =>
  json<{ daemons: ListedDaemon[] }>(await words.run('list', '--json')).daemons

const isProcess = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a daemon in the background is started, listed, opened and stopped', async () => {
  const words = await alone()
  const started = await words.run('watch', '--runtime', 'process', '--detach')
  expect([started.code, started.stderr]).toEqual([0, ''])
  const pid = Number(/as process (\d+)/.exec(started.stdout)?.[1])
  const log = / log +(.*)$/m.exec(started.stdout)?.[1] ?? ''
  expect(started.stdout).toMatch(/ page +http:\/\/127\.0\.0\.1:\d+ .*\n +attach +devloop attach\n[^]* stop +devloop stop\n/)
  // a session of its own: what ends the terminal does not reach it
  const [, , session] = (await readFile(`/proc/${pid}/stat`, 'utf8'))
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(1)
  expect(Number(session)).toBe(pid)
  expect((await words.run('status', '--wait', 'ready')).code).toBe(0)
  await words.answers(/^one/)

  const [daemon] = await list(words)
  expect(daemon).toMatchObject({ pid, state: 'running', ready: true, resources: { count: 1, ready: 1, failed: 0 } })
  expect(JSON.stringify(daemon)).not.toContain('token')
  const table = (await words.run('list')).stdout.split('\n')
  expect(table[0]).toMatch(/^PROJECT +STATE +PID +PAGE +DEVLOOPFILE$/)
  expect(table[1]).toContain(`${words.folder}/Devloopfile.ts`)
  await waitFor(async () => (await readFile(log, 'utf8')).includes('devloop: all resources are ready\n'), { what: 'the log' })

  const again = await words.run('watch', '--runtime', 'process', '-d')
  expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/as process \d+ \[daemon\/running\]\n.*devloop stop/)])

  // the browser gets the address with the token; the command line of a program that was not chosen by hand does not
  const bin = join(words.folder, 'bin')
  const tool = async (name: string, script: string): Promise<void> => {
    await put(join(bin, name), `#!/bin/sh\n${script}\n`)
    await chmod(join(bin, name), 0o755)
  }
  await tool('browser', `printf %s "$1" > ${words.folder}/chosen`)
  await tool(
    'xdg-open',
    `printf %s "$1" > ${words.folder}/opened; curl -sS -o /dev/null -w '%{redirect_url}' "$1" > ${words.folder}/led 2>&1 &`,
  )
  const screen = { PATH: `${bin}:${process.env.PATH}`, SSH_CONNECTION: '', SSH_TTY: '' }
  const address = (await words.run('open', '--print')).stdout.trim()
  expect(address).toMatch(new RegExp(`^${daemon!.url}/#token=[\\w-]{20,}$`))
  const toRead = (await words.run('open', '--read-only', '--print')).stdout.trim()
  expect(toRead).toMatch(new RegExp(`^${daemon!.url}/#token=[\\w-]{20,}$`))
  const reader = connectDevloop({ endpoint: { url: daemon!.url ?? '', token: toRead.split('=')[1] ?? '' } })
  onTestFinished(() => reader.close())
  await reader.whenOpen()
  await expect(reader.request('reload', {})).rejects.toMatchObject({ code: 'request/read-only' })
  Object.assign(words.env, { ...screen, BROWSER: `${bin}/none:${bin}/browser`, DISPLAY: '' })
  expect((await words.run('open')).stdout).toBe(`opened ${daemon!.url}\n`)
  expect(await readFile(join(words.folder, 'chosen'), 'utf8')).toBe(address)
  if (process.platform === 'linux') {
    Object.assign(words.env, { BROWSER: '', DISPLAY: ':7' })
    expect((await words.run('open')).stdout).toBe(`opened ${daemon!.url}\n`)
    expect(await readFile(join(words.folder, 'opened'), 'utf8')).not.toContain('token')
    await waitFor(async () => (await readFile(join(words.folder, 'led'), 'utf8')) === address, { what: 'the way to the page' })
  }
  Object.assign(words.env, { DISPLAY: '', SSH_CONNECTION: '10.0.0.1 5000 10.0.0.2 22', USER: 'ann' })
  const port = new URL(address).port
  expect((await words.run('open')).stdout).toContain(`${address}\nForward`)
  expect((await words.run('open')).stdout).toContain(`ssh -N -L ${port}:127.0.0.1:${port} ann@10.0.0.2\n`)

  const other = await words.run('stop', 'wordz')
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('It runs for ')])
  const stopped = await words.run('stop', 'words')
  expect(stopped).toMatchObject({ code: 0, stdout: `stopped words (process ${pid})\n`, stderr: '' })
  await waitFor(() => !isProcess(pid), { what: 'the end of the process' })
  expect(await list(words)).toEqual([])
  expect((await words.run('stop')).stderr).toContain('[daemon/not-running]')
  expect((await words.run('list')).stdout).toBe('devloop runs for no project\n')
})

test('all daemons are listed and stopped; what a killed one left behind is swept', async () => {
  const words = await alone({
    'other/Devloopfile.ts':
      "import { defineDevloop } from 'devloop'\nexport default defineDevloop({ name: 'other', resources: [] })\n",
  })
  const start = async (...args: string[]): Promise<{ pid: number; devloopfile: string }> =>
    json(await words.run('watch', '--runtime', 'process', '--detach', '--json', ...args))
  const one = await start()
  const other = await start('--file', 'other/Devloopfile.ts')
  expect((await list(words)).map(({ pid }) => pid)).toEqual([one.pid, other.pid])

  process.kill(other.pid, 'SIGKILL')
  await waitFor(async () => (await list(words)).length === 1, { what: 'the killed one to be gone' })
  const files = await readdir(words.env.DEVLOOP_RUNTIME_DIR!)
  expect(files.filter((file) => file.endsWith('.json'))).toHaveLength(1)
  expect(files.filter((file) => file.endsWith('.sock'))).toHaveLength(1)
  await start('--file', 'other/Devloopfile.ts')

  // one that does not answer is told of, and keeps nothing else from its end
  process.kill(one.pid, 'SIGSTOP')
  expect((await list(words)).map(({ state }) => state)).toEqual(['silent', 'running'])
  const late = await words.run('stop', '--all', '--timeout', '4s', '--json')
  expect(late.code).toBe(1)
  expect(late.stderr).toContain(`kill -9 ${one.pid}`)
  expect(json<{ stopped: { devloopfile: string }[] }>(late).stopped).toMatchObject([
    { devloopfile: join(words.folder, 'other/Devloopfile.ts') },
  ])
  process.kill(one.pid, 'SIGCONT')
  expect((await words.run('stop', '--all')).code).toBe(0)
  expect(await list(words)).toEqual([])
})

test('a daemon that cannot start says why, and leaves nothing running', async () => {
  const words = await alone()
  const wrong = await words.run('watch', '--runtime', 'process', '--detach', 'wordz')
  expect([wrong.code, wrong.stdout, wrong.stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/'words'.*\n[^]*\[request\/unknown-resource\]|\[request\/unknown-resource\][^]*'words'/),
  ])
  expect(await list(words)).toEqual([])
  // a Devloopfile with an error is mended by a save: the daemon waits for that
  await words.save('Devloopfile.ts', 'export default 1 +')
  const broken = await words.run('watch', '--runtime', 'process', '--detach')
  expect([broken.code, broken.stderr]).toEqual([0, expect.stringContaining('[devloopfile/syntax]')])
  await words.save('Devloopfile.ts', words.devloopfile())
  expect((await words.run('status', '--wait', 'ready')).code).toBe(0)
})
