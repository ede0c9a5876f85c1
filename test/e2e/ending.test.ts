// How `devloop watch` ends: by Ctrl-C and its likes, in the middle of whatever it does, leaving nothing behind.
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Running } from '../support/devloop.js'
import { family, gone, type ProcessInfo } from '../support/processes.js'
import { waitFor } from '../support/wait-for.js'
import { wordApp, type WordApp } from '../support/word-app.js'

/** Make sure that nothing is left: no process, no discovery file or socket. */
async function nothingLeft(words: WordApp, processes: readonly ProcessInfo[]): Promise<void> {
  await gone(processes)
  expect(await readdir(join(words.env.XDG_RUNTIME_DIR ?? '', 'devloop'))).toEqual([])
  const status = await words.run('status')
  expect([status.code, status.stderr]).toEqual([1, expect.stringContaining('daemon/not-running')])
}

const pidOf = ({ child }: Running): number => child.pid ?? 0

/** A command that writes a file `begun` and then takes an hour. */
const hour = 'echo > begun; sleep 3600; echo over > over'

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s while all runs', async (signal) => {
  const words = await wordApp()
  const watching = await words.watch()
  await watching.ready()
  await words.answers('one ')
  const processes = family(pidOf(watching))
  // the daemon, and at least the app
  expect(processes.map((one) => one.command)).toEqual(expect.arrayContaining(['node src/server.js']))
  watching.child.kill(signal)
  expect((await watching.ended).code).toBe(130)
  await nothingLeft(words, processes)
})

test('Ctrl-C while a Devloopfile hangs', async () => {
  const words = await wordApp()
  await words.save('Devloopfile.ts', words.devloopfile({ body: "console.log('here'); for (;;) {}" }))
  const watching = await words.watch()
  await waitFor(() => watching.output().includes('here'), { what: 'the Devloopfile to run' })
  const processes = family(pidOf(watching))
  watching.child.kill('SIGINT')
  expect(await watching.ended).toMatchObject({ code: 130, stderr: '' })
  await nothingLeft(words, processes)
})

test('Ctrl-C while a local command runs', async () => {
  const words = await wordApp()
  const parts = { imports: "import { local } from 'devloop'", resources: `local('long', { run: '${hour}' }),` }
  await words.save('Devloopfile.ts', words.devloopfile(parts))
  const watching = await words.watch()
  await waitFor(() => existsSync(join(words.folder, 'begun')), { what: 'the command to begin' })
  const processes = family(pidOf(watching))
  expect(processes.map((one) => one.command)).toContain('sleep 3600')
  watching.child.kill('SIGINT')
  expect((await watching.ended).code).toBe(130)
  await nothingLeft(words, processes)
  expect(existsSync(join(words.folder, 'over'))).toBe(false)
})

test('Ctrl-C while an app is prepared', async () => {
  const words = await wordApp()
  await words.save('Devloopfile.ts', words.devloopfile().replace('process: {', `process: { prepare: '${hour}',`))
  const watching = await words.watch()
  await waitFor(() => family(pidOf(watching)).some((one) => one.command === 'sleep 3600'), { what: 'the step to begin' })
  const processes = family(pidOf(watching))
  watching.child.kill('SIGINT')
  expect((await watching.ended).code).toBe(130)
  await nothingLeft(words, processes)
})

/** An app that takes its time to end, and says when it has. */
const slowToEnd = (ms: number, file: string): string => `
import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
createServer((request, response) => response.end('slow ')).listen(Number(process.env.PORT))
process.on('SIGTERM', () => setTimeout(() => (writeFileSync('${file}', ''), process.exit()), ${ms}))
`

test('an app may take a while to end after Ctrl-C, but a second Ctrl-C waits for nothing', async () => {
  const words = await wordApp()
  await mkdir(join(words.folder, 'said'))
  const [once, twice] = [join(words.folder, 'said/once'), join(words.folder, 'said/twice')]
  await words.save('app/src/server.js', slowToEnd(1000, once))
  const first = await words.watch()
  await words.answers('slow ')
  const before = family(pidOf(first))
  first.child.kill('SIGINT')
  expect((await first.ended).code).toBe(130)
  await nothingLeft(words, before)
  expect(existsSync(once)).toBe(true)

  await words.save('app/src/server.js', slowToEnd(1000, twice))
  const second = await words.watch()
  await second.ready()
  const processes = family(pidOf(second))
  second.child.kill('SIGINT')
  await waitFor(() => second.session()?.phase === 'stopping', { what: 'the end to begin' })
  second.child.kill('SIGINT')
  expect((await second.ended).code).toBe(130)
  await nothingLeft(words, processes)
  expect(existsSync(twice)).toBe(false)
})

test('an app that will not end is killed in the end', async () => {
  const words = await wordApp()
  await words.save('app/src/server.js', `process.on('SIGTERM', () => {})\n${slowToEnd(3_600_000, 'never')}`)
  const watching = await words.watch()
  await words.answers('slow ')
  const processes = family(pidOf(watching))
  watching.child.kill('SIGINT')
  expect((await watching.ended).code).toBe(130)
  await nothingLeft(words, processes)
})

test('after kill -9 of the daemon its apps end, and the next watch takes its place', async () => {
  const words = await wordApp()
  const watching = await words.watch()
  await watching.ready()
  const processes = family(pidOf(watching))
  watching.child.kill('SIGKILL')
  await watching.ended
  await gone(processes)
  const status = await words.run('status')
  expect([status.code, status.stderr]).toEqual([1, expect.stringContaining('daemon/not-running')])
  const next = await words.watch()
  await next.ready()
  await words.answers('one ')
})

test('[tilt-29] a second watch of the same project says who is there, and exits with 1', async () => {
  const words = await wordApp()
  const watching = await words.watch()
  await watching.ready()
  const second = await words.run('watch', '--runtime', 'process')
  expect(second.code).toBe(1)
  expect(second.stderr.replaceAll(String(pidOf(watching)), 'PID')).toMatchInlineSnapshot(`
    "devloop: devloop already runs for this project, as process PID [daemon/running]
      Use that one, or stop it first.
    "
  `)
  // by another name of it too
  const nested = await words.run('watch', '--runtime', 'process', '--file', 'app/../Devloopfile.ts')
  expect([nested.code, nested.stderr]).toEqual([1, second.stderr])
  expect(watching.resource('words')?.ready).toBe(true)
  const [discovery] = (await readdir(join(words.env.XDG_RUNTIME_DIR ?? '', 'devloop'))).filter((name) => name.endsWith('.json'))
  const text = await readFile(join(words.env.XDG_RUNTIME_DIR ?? '', 'devloop', discovery ?? ''), 'utf8')
  expect(JSON.parse(text)).toMatchObject({ pid: pidOf(watching) })
})

test('[tilt-29] a watch of another project on the same port says so at once, and leaves nothing behind', async () => {
  const words = await wordApp()
  const watching = await words.watch()
  await watching.ready()
  const [discovery] = (await readdir(join(words.env.XDG_RUNTIME_DIR ?? '', 'devloop'))).filter((name) => name.endsWith('.json'))
  const { url } = JSON.parse(await readFile(join(words.env.XDG_RUNTIME_DIR ?? '', 'devloop', discovery ?? ''), 'utf8')) as {
    url: string
  }
  const { port } = new URL(url)
  const other = await wordApp()
  const refused = await other.run('watch', '--runtime', 'process', '--port', port)
  expect([refused.code, refused.stdout]).toEqual([1, ''])
  expect(refused.stderr.split('\n')).toEqual([
    `devloop: 127.0.0.1:${port} is already in use. [daemon/start]`,
    expect.stringContaining('EADDRINUSE'),
    '  Choose another port with --port, or stop what uses it.',
    '',
  ])
  const status = await other.run('status')
  expect([status.code, status.stderr]).toEqual([1, expect.stringContaining('daemon/not-running')])
  expect(watching.resource('words')?.ready).toBe(true)
  // the lock of the one that could not start is free
  const again = await other.watch()
  await again.ready()
})
