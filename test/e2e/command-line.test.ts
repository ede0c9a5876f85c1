// The command line as scripts use it: pipes that are closed early, disks that are full, signals.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, start, type Running } from '../support/devloop.js'
import { waitFor } from '../support/wait-for.js'

const devloopfile = `
import { defineDevloop, local } from 'devloop'
export default defineDevloop({
  name: 'lines',
  resources: [local('ticks', { serve: 'echo $$ > pid; i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.02; done' })],
})
`

async function watched(): Promise<{ cwd: string; env: Record<string, string>; watching: Running }> {
  const cwd = await project({ 'Devloopfile.ts': devloopfile })
  const env = await homes()
  const watching = start(['watch', '--runtime', 'process'], { cwd, env })
  await waitFor(() => /tick 3\n/.test(watching.output()), { what: 'the first ticks' })
  return { cwd, env, watching }
}

test.each([[['logs', '--follow']], [['events']]])('%j ends well when nobody reads on', async (args) => {
  const { cwd, env } = await watched()
  const reader = start(args, { cwd, env })
  await waitFor(() => reader.output() !== '', { what: 'some output' })
  reader.child.stdout?.destroy()
  // events only come when something happens
  if (args[0] === 'events') expect((await start(['trigger', 'ticks'], { cwd, env }).ended).code).toBe(0)
  expect(await reader.ended).toMatchObject({ code: 0, stderr: '' })
})

test('watch ends well when nobody reads on, with all that it started', async () => {
  const { cwd, watching } = await watched()
  const pid = Number(await readFile(join(cwd, 'pid'), 'utf8'))
  watching.child.stdout?.destroy()
  await once(watching.child, 'exit')
  expect(watching.child.exitCode).toBe(0)
  await waitFor(() => !existsSync(`/proc/${pid}`), { what: 'the end of the command' })
  expect((await watching.ended).stderr).toBe('')
})

test('logs says which resources there are, follows, and is interrupted with 130', async () => {
  const { cwd, env } = await watched()
  const unknown = await start(['logs', 'nope'], { cwd, env }).ended
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('There are ticks') })
  expect((await start(['logs', 'ticks', '--tail', '2'], { cwd, env }).ended).stdout).toMatch(/^(ticks │ tick \d+\n){2}$/)
  const following = start(['logs', '-f', '--tail', '0'], { cwd, env })
  await waitFor(() => /tick/.test(following.output()), { what: 'ticks' })
  following.child.kill('SIGINT')
  expect((await following.ended).code).toBe(130)
})

test('status waits, and gives the state as text and as JSON', async () => {
  const { cwd, env } = await watched()
  expect(await start(['status', '--wait', 'ready'], { cwd, env }).ended).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('1 of 1 ready'),
  })
  const json = await start(['status', '--json'], { cwd, env }).ended
  expect(JSON.parse(json.stdout)).toMatchObject({
    session: { project: 'lines' },
    resources: [{ name: 'ticks', ready: true }],
    images: [],
  })
})

test('down that names another place than the running one is refused', async () => {
  const { cwd, env, watching } = await watched()
  const refused = await start(['down', '--context', 'production'], { cwd, env }).ended
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('[request/refused]') })
  expect(watching.child.exitCode).toBeNull()
  expect((await start(['down'], { cwd, env }).ended).code).toBe(0)
  expect((await watching.ended).code).toBe(0)
})

test('logs takes what people know from elsewhere', async () => {
  const { cwd, env } = await watched()
  const logs = async (...args: string[]): Promise<string> => (await start(['logs', 'ticks', ...args], { cwd, env }).ended).stdout
  const stamped = await logs('--since', '1h', '--tail', '2', '-t')
  expect(stamped).toMatch(/^(\d{4}-\d\d-\d\dT[\d:.]+Z ticks │ tick \d+\n){2}$/)
  // at most what came in that very moment
  expect(await logs('--since', '1ms')).toMatch(/^(ticks │ tick \d+\n)?$/)
  expect(await logs('--raw', '--tail', '1')).toMatch(/^tick \d+\n$/)
  expect(JSON.parse(await logs('--json', '--tail', '1'))).toMatchObject({
    resource: 'ticks',
    level: 'info',
    text: expect.stringMatching(/^tick/) as string,
  })
  expect(await logs('--container', 'none')).toBe('')
  expect(await logs('--level', 'error')).toBe('')
  expect(await logs('--grep', 'TICK 1', '--tail', '1', '--raw')).toMatch(/^tick 1\d*\n$/)
})

test('logs that are not followed end with what there was', async () => {
  const cwd = await project({
    'Devloopfile.ts': `
import { defineDevloop, local } from 'devloop'
export default defineDevloop({ name: 'flood', resources: [local('flood', { serve: 'while :; do echo drop; sleep 0.001; done' })] })
`,
  })
  const env = await homes()
  const watching = start(['watch', '--runtime', 'process'], { cwd, env })
  await waitFor(() => /drop\n/.test(watching.output()), { what: 'the first lines' })
  const asked = Array.from({ length: 8 }, () => start(['logs', 'flood', '--raw', '--tail', '2'], { cwd, env }).ended)
  for (const { stdout } of await Promise.all(asked)) expect(stdout).toBe('drop\ndrop\n')
})

test('status and logs of some resources, by name and by label', async () => {
  const cwd = await project({
    'Devloopfile.ts': `
import { defineDevloop, local } from 'devloop'
export default defineDevloop({
  name: 'some',
  resources: [
    local('db', { run: 'echo from db', labels: ['back'] }),
    local('api', { run: 'echo from api', labels: ['back'] }),
    local('seed', { run: 'true', labels: ['back'], auto: false }),
    local('web', { serve: 'echo from web; sleep 3600', ready: { log: 'never printed' }, labels: ['front'] }),
  ],
})
`,
  })
  const env = await homes()
  const watching = start(['watch', '--runtime', 'process'], { cwd, env })
  await waitFor(() => watching.output().includes('from web'), { what: 'the start' })
  const ask = (...args: string[]) => start(args, { cwd, env }).ended
  const names = ({ stdout }: { stdout: string }) =>
    (JSON.parse(stdout) as { resources: { name: string }[] }).resources.map(({ name }) => name)

  // web never gets ready, and a group need not wait for what does not start by itself
  const back = await ask('status', '--json', '-l', 'back', '--wait', 'ready', '--timeout', '30s')
  expect([back.code, names(back)]).toEqual([0, ['db', 'api', 'seed']])
  expect(names(await ask('status', '--json', 'web', 'label:back'))).toEqual(['db', 'api', 'seed', 'web'])
  const text = (await ask('status', 'api')).stdout
  expect(text).toContain('api')
  expect(text).not.toMatch(/\bdb\b|\bweb\b/)
  const late = await ask('status', 'seed', 'web', '--wait', 'ready', '--timeout', '200ms')
  expect([late.code, late.stderr]).toEqual([1, expect.stringMatching(/not ready after 0.2 s: seed \(.*auto: false.*\); web \(/)])

  const logs = await ask('logs', '-l', 'back')
  expect(logs.stdout).toContain('from db')
  expect(logs.stdout).toContain('from api')
  expect(logs.stdout).not.toContain('from web')
  expect((await ask('logs', 'web', 'db')).stdout).toMatch(/from (db|web)[^]*from (db|web)/)
  for (const command of ['status', 'logs']) {
    expect(await ask(command, '-l', 'bakc')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the label "bakc".*\n.*label:back/),
    })
    expect(await ask(command, 'wep')).toMatchObject({ code: 1, stderr: expect.stringMatching(/no resource "wep".*\n.*'web'/) })
  }
})
