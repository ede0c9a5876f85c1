// The status protocol of a running devloop, as programs use it: another language, waiting, calling off, looking only.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, type TestContext } from 'vitest'
import { connectDevloop, findDaemon, type DevloopClient } from '../../src/client/index.js'
import type { View } from '../../src/protocol/messages.js'
import { connectRaw, hello, isType } from '../support/raw-client.js'
import { repository } from '../support/devloop.js'
import { waitFor } from '../support/wait-for.js'
import { wordApp, type WordApp } from '../support/word-app.js'

/** `gate` runs until there is a file `open`, and fails when that says so. */
const locals = `
      local('gate', { run: 'while [ ! -e open ]; do sleep 0.05; done; ! grep -q fail open', auto: false, needs: [] }),
      local('broken', { run: 'echo no good; exit 3', auto: false }),
`

async function begin(): Promise<WordApp> {
  const words = await wordApp()
  await words.save('Devloopfile.ts', words.devloopfile({ imports: "import { local } from 'devloop'", resources: locals }))
  return words
}

const discover = async ({ folder, env }: WordApp): Promise<NonNullable<Awaited<ReturnType<typeof findDaemon>>>> => {
  const dirs = [join(env.XDG_RUNTIME_DIR ?? '', 'devloop')]
  const found = await findDaemon({ devloopfile: join(folder, 'Devloopfile.ts'), dirs })
  if (!found) throw new Error('no daemon runs')
  return found
}

const viewsOf = (client: DevloopClient): View[] => [...client.views().values()]

test('docs/examples/status.py shows the state of a real daemon, each save, and its end', async (context: TestContext) => {
  const hasPython = await new Promise<boolean>((resolve) => {
    spawn('python3', ['--version'], { stdio: 'ignore' })
      .on('error', () => resolve(false))
      .on('close', (code) => resolve(code === 0))
  })
  if (!hasPython) return context.skip('there is no python3 on this machine')
  const words = await wordApp()
  const watching = await words.watch()
  await watching.ready()
  const python = spawn('python3', [join(repository, 'docs/examples/status.py'), join(words.folder, 'Devloopfile.ts')], {
    env: { ...process.env, ...words.env, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void python.kill())
  let shown = ''
  for (const stream of [python.stdout, python.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (shown += text))
  const ended = new Promise<number | null>((resolve) => python.on('close', resolve))
  await waitFor(() => shown === 'words ready\n', { what: 'the state', timeoutMs: 20_000 }).catch(() =>
    expect(shown).toBe('words ready\n'),
  )
  await words.save('app/src/word.txt', 'two')
  await waitFor(() => /^app\/src\/word\.txt live in \d+ ms$/m.test(shown), { what: 'the save', timeoutMs: 20_000 }).catch(() =>
    expect(shown).toMatch(/^app\/src\/word\.txt live in \d+ ms$/m),
  )
  await watching.client.request('shutdown', {})
  expect(await ended).toBe(0)
  expect(shown).toMatch(/\nstopped by a client\n$/)
})

test('trigger --wait tells what became of it; waiting can be called off, and the work goes on', async () => {
  const words = await begin()
  const watching = await words.watch()
  await watching.until('words', (view) => view.ready)

  const broken = await words.run('trigger', '--wait', 'broken')
  expect([broken.code, broken.stdout]).toEqual([1, expect.stringMatching(/^triggered broken\nbroken failed\n {2}\S/) as string])
  const good = await words.run('trigger', '--wait', 'words')
  expect([good.stderr, good.stdout, good.code]).toEqual(['', 'triggered words\nwords is ready\n', 0])

  // a second client of another program waits, and sees how it gets on
  const { socket } = await discover(words)
  const client = connectDevloop({ endpoint: { socket } })
  onTestFinished(() => client.close())
  const told: string[] = []
  const stop = new AbortController()
  const given = client.request(
    'trigger',
    { resource: 'gate', wait: true },
    { timeoutMs: undefined, signal: stop.signal, onProgress: ({ message }) => told.push(message) },
  )
  const outcome = given.catch((thrown: unknown) => String(thrown))
  await waitFor(() => told.includes('gate: running'), { what: 'progress' }).catch(() => expect(told).toContain('gate: running'))
  stop.abort(new Error('enough'))
  expect(await outcome).toContain('enough')
  expect(client.state).toBe('open')
  expect(watching.resource('gate')).toMatchObject({ status: 'updating', activity: 'running' })

  const waiting = words.start('trigger', '--wait', 'gate', 'words')
  await watching.until('gate', (view) => view.activity === 'running')
  await words.save('open', 'fail')
  const { code, stdout } = await waiting.ended
  expect(stdout).toMatch(/gate failed\n[^]*words is ready|words is ready\n[^]*gate failed/)
  expect(code).toBe(1)
})

test('who has the token for reading sees everything, and changes nothing', async () => {
  const words = await begin()
  const watching = await words.watch()
  await watching.until('words', (view) => view.ready)
  const { url = '', readToken, token } = await discover(words)
  expect(readToken).not.toBe(token)
  const reader = connectDevloop({ endpoint: { url, token: readToken } })
  onTestFinished(() => reader.close())
  await reader.whenOpen()
  expect(reader.access).toBe('read')
  await waitFor(() => viewsOf(reader).length === viewsOf(watching.client).length, { what: 'the same views' })
  const before = viewsOf(watching.client)
  for (const refused of [
    reader.request('trigger', { resource: 'gate' }),
    reader.request('disable', { resources: ['words'] }),
    reader.request('shutdown', { down: true }),
    reader.request('exec', { resource: 'words' }),
    reader.request('args', { args: ['x'] }),
  ])
    await expect(refused).rejects.toMatchObject({ code: 'request/read-only' })
  expect((await reader.request('why', { path: join(words.folder, 'app/src/word.txt') })).answers).not.toEqual([])
  expect(viewsOf(watching.client)).toEqual(before)

  // one that wants a part gets that part, and a filter of logs is the daemon's work
  const raw = await connectRaw((await discover(words)).socket)
  onTestFinished(() => raw.ws.terminate())
  raw.send(hello({ state: { kinds: ['resource'], resources: ['gate'] } }))
  const { snapshot = [] } = await raw.take(isType('welcome'))
  expect(snapshot.map(({ kind, name }) => `${kind} ${name}`).toSorted()).toEqual(['resource gate', 'session session'])
  raw.send({ type: 'logs', id: 4, logs: { after: 0, text: 'LISTENING AS', resources: ['words'] } })
  expect((await raw.take(isType('log'))).lines.map(({ text }) => text)).toEqual([
    expect.stringMatching(/listening as process \d+/) as string,
  ])
})

test('down waits for the end, tells what it does, and ends the daemon', async () => {
  const words = await begin()
  const watching = await words.watch()
  await watching.until('words', (view) => view.ready)
  const { socket } = await discover(words)
  const client = connectDevloop({ endpoint: { socket }, reconnect: false })
  onTestFinished(() => client.close())
  const told: object[] = []
  const reply = await client.request('shutdown', { down: true, wait: true }, { onProgress: (progress) => told.push(progress) })
  expect(reply).toEqual({ accepted: true, removed: true })
  expect(told).toContainEqual({ message: expect.stringContaining('words: deleted') as string, done: 1, total: 1 })
  expect((await watching.ended).code).toBe(0)
  await waitFor(() => !existsSync(socket), { what: 'the socket to go' })
})
