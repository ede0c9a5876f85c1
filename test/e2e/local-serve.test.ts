// What a `serve` is called while it runs: ready, not ready any more, ended, started again.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../support/free-port.js'
import { family, gone } from '../support/processes.js'
import { waitFor } from '../support/wait-for.js'
import { homes, project, put, watch, type Watching } from '../support/devloop.js'

interface Locals {
  readonly folder: string
  readonly watching: Watching
  save(name: string, text: string): Promise<void>
}

async function locals(resources: string, files: Readonly<Record<string, string>> = {}): Promise<Locals> {
  const folder = await project({
    'Devloopfile.ts': `import { defineDevloop, local } from 'devloop'
export default defineDevloop({ name: 'locals', settings: { parallel: { locals: 4 } }, resources: [${resources}] })
`,
    ...files,
  })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env: await homes() })
  return { folder, watching, save: (name, text) => put(join(folder, name), text) }
}

/** Answers /healthz with the number in the file \`status\`; says so when it listens. */
const health = (port: number): string => `
const { readFileSync } = require('node:fs')
require('node:http').createServer((request, response) => {
  response.writeHead(request.url === '/healthz' ? Number(readFileSync('status', 'utf8')) : 404).end()
}).listen(${port}, '127.0.0.1', () => console.log('listening on ${port}'))
`

test('http: readiness that is lost is shown with the last answer, and that it is found again', async () => {
  const port = await freePort()
  const { watching, save } = await locals(
    `local('web', { serve: ['node', 'web.cjs'], port: ${port}, ready: { http: '/healthz', period: 0.1, failures: 2 } }),
     local('after', { run: 'true', needs: ['web'] })`,
    { 'web.cjs': health(port), status: '503' },
  )
  await waitFor(() => watching.output().includes(`listening on ${port}`), { what: 'the server to listen' })
  expect(watching.resource('web')).toMatchObject({ ready: false, activity: 'starting' })
  expect(watching.resource('after')).toMatchObject({ ready: false, hold: { code: 'needs' } })
  await save('status', '200')
  await watching.ready()
  await save('status', '500')
  const lost = await watching.until('web', (view) => view.status === 'failed')
  expect(lost.error).toMatchObject({
    code: 'local/unready',
    message: 'web is not ready any more',
    why: `GET http://127.0.0.1:${port}/healthz answered 500 Internal Server Error`,
  })
  expect(lost.endpoints).toMatchObject([{ url: `http://localhost:${port}`, state: 'waiting' }])
  await save('status', '204')
  const found = await watching.until('web', (view) => view.ready)
  expect(found.error).toBeUndefined()
  await waitFor(() => watching.output().includes('it is ready again'), { what: 'the log to tell it' })
})

test('a probe that never passes is an error with its last answer; it is asked on', async () => {
  const { folder, watching } = await locals(
    `local('db', { serve: 'sleep 3600', ready: { exec: 'test -e up || { echo it is not up; exit 4; }', within: 0.3 } }),
     local('logger', { serve: 'echo warming up; sleep 3600', ready: { log: '^listening', within: 0.3 } })`,
  )
  const late = await watching.until('db', (view) => view.status === 'failed')
  expect(late.error).toMatchObject({
    code: 'local/unready',
    message: 'db is not ready, 0.3 s after its start',
    why: '`test -e up || { echo it is not up; exit 4; }` ended with exit code 4\nit is not up',
  })
  const silent = await watching.until('logger', (view) => view.status === 'failed')
  expect(silent.error).toMatchObject({
    code: 'local/unready',
    why: 'It has printed no line that /^listening/ matches. Its last line was: warming up',
  })
  await put(join(folder, 'up'), '')
  await watching.until('db', (view) => view.ready)
})

test('log: ready with the line, also one without its end on stderr', async () => {
  const { folder, watching } = await locals(
    `local('tool', { serve: 'while [ ! -e go ]; do sleep 0.05; done; echo "ready to go" >&2; sleep 3600', ready: { log: '^ready' } })`,
  )
  await watching.until('tool', (view) => view.activity === 'starting')
  expect(watching.resource('tool')?.ready).toBe(false)
  await mkdir(join(folder, 'go'))
  await watching.ready()
})

test.each([
  ['always', 0, true],
  ['on-failure', 3, true],
  ['on-failure', 0, false],
  ['never', 3, false],
] as const)('restart %s after exit code %i: %s', async (restart, code, again) => {
  const { folder, watching } = await locals(
    `local('tool', { serve: 'echo a line; while [ ! -e stop ]; do sleep 0.05; done; printf "no line end"; exit ${code}', restart: '${restart}' })`,
  )
  await watching.ready()
  await mkdir(join(folder, 'stop'))
  const ended = await watching.until('tool', (view) => view.status === 'failed')
  expect(ended.error).toMatchObject({
    code: 'local/failed',
    message: expect.stringContaining(`ended by itself (exit code ${code})`),
    why: 'a line\nno line end',
  })
  expect(ended.ready).toBe(false)
  if (!again) return expect(ended.hold?.message).toContain('a change or a trigger starts it again')
  expect(ended.hold).toMatchObject({ code: 'failed', message: expect.stringContaining('started again in') })
  await rm(join(folder, 'stop'), { recursive: true })
  const back = await watching.until('tool', (view) => view.ready)
  expect(back.error).toBeUndefined()
  expect(watching.output().match(/^.*\ba line$/gm)?.length).toBeGreaterThanOrEqual(2)
})

test('a save right after the start is noticed, however long it takes to read what is watched', async () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`tree/${i % 50}/file-${i}`, String(i)]))
  const { watching, save } = await locals(`local('tool', { serve: 'cat tree/word; sleep 3600', watch: 'tree' })`, {
    ...many,
    'tree/word': 'the first word\n',
  })
  await waitFor(() => watching.output().includes('the first word'), { what: 'the first start', timeoutMs: 30_000 })
  await save('tree/word', 'the second word\n')
  await waitFor(() => watching.output().includes('the second word'), { what: 'the next start', timeoutMs: 30_000 })
})

test('what a serve started ends with it, also after kill -9 of the daemon', async () => {
  const { watching, save } = await locals(`local('tool', { serve: '(sleep 3600 & sleep 3601 & wait) & wait', watch: 'touched' })`)
  const sleeping = () => family(watching.child.pid ?? 0).filter((one) => one.command.startsWith('sleep 360'))
  await waitFor(() => sleeping().length === 2, { what: 'the grandchildren' })
  const first = sleeping()
  await save('touched', '')
  await gone(first)
  await waitFor(() => sleeping().length === 2, { what: 'the next ones' })
  const second = sleeping()
  watching.child.kill('SIGKILL')
  await watching.ended
  await gone(second)
})

test('locals run side by side', async () => {
  // each waits for the other
  const meet = (mine: string, other: string): string => `mkdir -p met/${mine}; while [ ! -e met/${other} ]; do sleep 0.05; done`
  const { watching } = await locals(`local('a', { run: '${meet('a', 'b')}' }), local('b', { run: '${meet('b', 'a')}' })`)
  await watching.ready()
  expect(watching.session()?.ready).toBe(true)
})
