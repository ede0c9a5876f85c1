// `devloop ci` with processes of this machine: when it ends, how, and what it tells.
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CiReport } from '../../src/protocol/messages.js'
import { freePort } from '../support/free-port.js'
import { homes, project, repository, run, start, type Ended, type Running } from '../support/devloop.js'
import { family, gone } from '../support/processes.js'
import { waitFor } from '../support/wait-for.js'

interface Locals {
  readonly folder: string
  ci(...args: string[]): Promise<Ended>
  start(...args: string[]): Running
  /** The JSON report of the last run. */
  report(): Promise<CiReport & { resources: { output?: string[] }[] }>
}

async function locals(resources: string, more = ''): Promise<Locals> {
  const folder = await project({
    'Devloopfile.ts': `import { app, defineDevloop, image, local } from 'devloop'
export default defineDevloop(({ args }) => ({ name: 'checks', ${more} resources: [${resources}] }))
`,
  })
  const options = { cwd: folder, env: await homes() }
  const args = ['ci', '--runtime', 'process', '--json', 'out/report.json']
  return {
    folder,
    ci: (...more) => run([...args, ...more], options),
    start: (...more) => start([...args, ...more], options),
    report: async () => JSON.parse(await readFile(join(folder, 'out/report.json'), 'utf8')) as never,
  }
}

const outcomes = ({ resources }: CiReport): Record<string, string> =>
  Object.fromEntries(resources.map(({ name, outcome }) => [name, outcome]))
const errorOf = ({ resources }: CiReport, name: string) => resources.find((one) => one.name === name)?.error

test('the example of the repository, without a cluster', async () => {
  const folder = await project({})
  await cp(join(repository, 'examples'), join(folder, 'examples'), { recursive: true })
  await cp(join(repository, 'Devloopfile.example.ts'), join(folder, 'Devloopfile.example.ts'))
  const args = ['ci', '--runtime', 'process', '--file', 'Devloopfile.example.ts', '--junit', 'junit.xml']
  const env = await homes()
  const ended = await run(args, { cwd: folder, env })
  expect([ended.code, ended.stderr]).toEqual([0, ''])
  expect(ended.stdout).toMatch(/^devloop ci: passed after .*: 3 passed$/m)
  expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toContain(
    '<testsuite name="example" tests="3" failures="0" errors="0"',
  )
  expect(await readdir(join(env.XDG_RUNTIME_DIR ?? '', 'devloop'))).toEqual([])
})

describe('[tilt-26] it ends in every combination', () => {
  const kinds = { run: `run: 'true'`, serve: `serve: 'sleep 3600'`, both: `run: 'true', serve: 'sleep 3600'` }
  test.each(
    Object.entries(kinds).flatMap(([kind, commands]) =>
      (['auto', 'manual'] as const).flatMap((trigger) => [true, false].map((auto) => [kind, trigger, auto, commands] as const)),
    ),
  )('%s, trigger %s, auto %s', async (_, trigger, auto, commands) => {
    const one = await locals(
      `local('it', { ${commands}, trigger: '${trigger}', auto: ${auto} }), local('other', { run: 'true' })`,
    )
    const ended = await one.ci('--timeout', '50s')
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    expect(outcomes(await one.report())).toEqual({ it: auto ? 'passed' : 'skipped', other: 'passed' })
  })

  test('what does not start holds nothing up, but whoever needs it cannot start', async () => {
    const one = await locals(
      `local('manual', { run: 'false', auto: false }), local('off', { run: 'false', enabled: false }), local('on', { run: 'true' })`,
    )
    expect((await one.ci()).code).toBe(0)
    expect(outcomes(await one.report())).toEqual({ manual: 'skipped', off: 'skipped', on: 'passed' })
    const two = await locals(
      `local('manual', { run: 'true', auto: false }), local('between', { run: 'true', needs: ['manual'] }), local('on', { run: 'true', needs: ['between'] })`,
    )
    const ended = await two.ci()
    expect(ended.code).toBe(1)
    expect(await two.report()).toMatchObject({
      outcome: 'failed',
      problems: [
        { code: 'ci/needs', message: 'between cannot start: it needs manual, and that starts only when it is triggered' },
        { code: 'ci/needs', message: 'on cannot start: it needs manual, and that starts only when it is triggered' },
      ],
    })
    expect(outcomes(await two.report())).toEqual({ manual: 'skipped', between: 'skipped', on: 'skipped' })
    expect(ended.stdout).toMatch(/^on +skipped: it needs manual, and that starts only when it is triggered$/m)
    const off = await locals(
      `local('off', { run: 'true', enabled: false }), local('on', { run: 'true', needs: ['off'] }), local('slow', { run: 'sleep 3600' })`,
    )
    expect((await off.ci('--junit', 'junit.xml')).code).toBe(1)
    expect(outcomes(await off.report())).toEqual({ off: 'skipped', on: 'skipped', slow: 'waiting' })
    expect(await readFile(join(off.folder, 'junit.xml'), 'utf8')).toContain('errors="2" skipped="2"')
    const none = await locals(`local('manual', { run: 'true', auto: false })`)
    const nothing = await none.ci()
    expect([nothing.code, nothing.stdout]).toEqual([1, expect.stringContaining('[ci/nothing]')])
  })

  test('single resources, with what they need, by name or label', async () => {
    const one = await locals(
      `local('gen', { run: 'true' }), local('web', { run: 'true', needs: ['gen'], auto: false }), local('lint', { run: 'false', labels: ['slow'] }), local('docs', { run: 'true', labels: ['text'] })`,
    )
    expect((await one.ci('web')).code).toBe(0)
    expect(outcomes(await one.report())).toEqual({ gen: 'passed', web: 'passed', lint: 'skipped', docs: 'skipped' })
    expect((await one.ci('label:text')).code).toBe(0)
    expect((await one.ci('-l', 'slow')).code).toBe(1)
    expect(outcomes(await one.report())).toEqual({ gen: 'skipped', web: 'skipped', lint: 'failed', docs: 'skipped' })
    const unknown = await one.ci('wep')
    expect([unknown.code, unknown.stdout]).toEqual([1, expect.stringMatching(/no resource "wep".*\n.*Did you mean 'web'/)])
  })

  test('an app that this runtime cannot run is skipped, and so is who needs it', async () => {
    const one = await locals(
      `app('db', { image: 'postgres:16', port: 5432 }), local('seed', { run: 'false', needs: ['db'] }), local('on', { run: 'true' })`,
    )
    expect((await one.ci()).code).toBe(0)
    expect(outcomes(await one.report())).toEqual({ db: 'skipped', seed: 'skipped', on: 'passed' })
  })
})

describe('[tilt-26] what it fails for', () => {
  test('a run that fails: at once, with its output, in all reports', async () => {
    const one = await locals(
      `local('lint', { run: 'echo "a < b & c"; exit 3' }), local('after', { run: 'true', needs: ['lint'] }), local('slow', { run: 'sleep 3600' })`,
    )
    const ended = await one.ci('--junit', 'out/deep/junit.xml')
    expect([ended.code, ended.stderr]).toEqual([1, ''])
    expect(ended.stdout).toContain('✗ lint: `echo "a < b & c"; exit 3` failed with exit code 3 [local/failed]')
    expect(ended.stdout).toMatch(/Devloopfile\.ts:2:\d+$/m)
    expect(ended.stdout).toMatch(/^after +not ready: it needs lint$/m)
    expect(ended.stdout).toMatch(/^devloop ci: failed after .*: 1 failed, 2 not ready$/m)
    const report = await one.report()
    expect(report).toMatchObject({ project: 'checks', runtime: 'process', outcome: 'failed', problems: [] })
    expect(outcomes(report)).toEqual({ lint: 'failed', after: 'waiting', slow: 'waiting' })
    expect(report.resources[0]?.output).toEqual(['a < b & c'])
    const junit = await readFile(join(one.folder, 'out/deep/junit.xml'), 'utf8')
    expect(junit).toContain('tests="3" failures="1" errors="2" skipped="0"')
    expect(junit).toContain('<system-out>a &lt; b &amp; c</system-out>')
  })

  test('a serve that ends by itself, but not within the grace when it comes back', async () => {
    const flaky = `serve: 'echo try >> tries; test "$(wc -l < tries)" -ge 3 || exit 5; sleep 3600'`
    const one = await locals(`local('web', { ${flaky} })`)
    const ended = await one.ci('--grace', '60s')
    expect(ended.code).toBe(1)
    expect(errorOf(await one.report(), 'web')).toMatchObject({
      code: 'local/failed',
      message: expect.stringContaining('exit code 5'),
    })
    const restarted = await locals(`local('web', { ${flaky}, restart: 'always' })`)
    expect((await restarted.ci('--grace', '0')).code).toBe(1)
    const patient = await locals(`local('web', { ${flaky}, restart: 'always' })`, `settings: { ci: { grace: 50 } },`)
    expect((await patient.ci()).code).toBe(0)
  })

  test('a serve that is never ready: its limit', async () => {
    const port = await freePort()
    const one = await locals(
      `local('web', { serve: 'sleep 3600', port: ${port}, ready: { http: '/healthz' } }), local('ok', { run: 'true' })`,
    )
    const ended = await one.ci('--readiness-timeout', '1500ms')
    expect(ended.code).toBe(1)
    expect(errorOf(await one.report(), 'web')).toMatchObject({
      code: 'ci/not-ready',
      message: 'web was not ready within 1.5 s of its start',
    })
  })

  test('a serve that is not ready `within` its own time, and not within the grace', async () => {
    const port = await freePort()
    const late = await locals(
      `local('web', { serve: 'sleep 3600', port: ${port}, ready: { http: '/healthz', within: 0.2 } })`,
      `settings: { ci: { timeout: 3000, readinessTimeout: 2000 } },`,
    )
    const ended = await late.ci()
    expect(ended.code).toBe(1)
    expect(errorOf(await late.report(), 'web')).toMatchObject({
      code: 'local/unready',
      message: 'web is not ready, 0.2 s after its start',
      why: expect.stringContaining(`GET http://127.0.0.1:${port}/healthz was refused`),
    })
    const patient = await locals(
      `local('web', { serve: 'test -e begun || touch begun; until test -e late; do sleep 0.1; done; echo up; sleep 3600', ready: { log: 'up', within: 0.2 } }),
       local('let', { run: 'until test -e begun; do sleep 0.1; done; sleep 1; touch late' })`,
    )
    expect((await patient.ci('--grace', '60s')).code).toBe(0)
  })

  test('the limit for the whole run tells what it waited for', async () => {
    const one = await locals(`local('slow', { run: 'sleep 3600' }), local('after', { run: 'true', needs: ['slow'] })`)
    const ended = await one.ci('--timeout', '10s')
    expect(ended.code).toBe(1)
    expect(ended.stdout).toContain('✗ not everything was ready within 10 s [ci/timeout]')
    expect(outcomes(await one.report())).toEqual({ slow: 'waiting', after: 'waiting' })
  })

  test('a Devloopfile that is wrong', async () => {
    const one = await locals(`local('a', { rum: 'x' } as never)`)
    const ended = await one.ci()
    expect([ended.code, ended.stderr]).toEqual([1, ''])
    expect(ended.stdout).toContain('[devloopfile/invalid]')
    expect(await one.report()).toMatchObject({ outcome: 'failed', problems: [{ code: 'devloopfile/invalid' }], resources: [] })
  })

  test('an app that crashes, with its last output', async () => {
    const one = await locals(
      `app('web', { image: image('checks/web', { context: 'web', dockerfile: { inline: 'FROM scratch' } }), process: { command: 'echo cannot open the database; exit 4' } })`,
    )
    await mkdir(join(one.folder, 'web'), { recursive: true })
    const ended = await one.ci()
    expect(ended.code).toBe(1)
    expect(ended.stdout).toContain('cannot open the database')
    expect(errorOf(await one.report(), 'web')).toMatchObject({ code: 'app/exited' })
  })
})

test('what a run writes is built and waited for: codegen before what watches it', async () => {
  const one = await locals(
    `local('gen', { run: 'sleep 0.5; echo new > generated.txt' }),
     local('use', { run: 'cat generated.txt >> used.txt 2>/dev/null || echo none >> used.txt', watch: 'generated.txt' })`,
  )
  expect((await one.ci()).code).toBe(0)
  expect((await readFile(join(one.folder, 'used.txt'), 'utf8')).trim().split('\n').at(-1)).toBe('new')
})

test('Ctrl-C ends it with 130, with a report and nothing left', async () => {
  const one = await locals(`local('slow', { run: 'echo > begun; sleep 3600' })`)
  const running = one.start()
  await waitFor(() => existsSync(join(one.folder, 'begun')), { what: 'it to begin' })
  const processes = family(running.child.pid ?? 0)
  running.child.kill('SIGINT')
  const ended = await running.ended
  expect([ended.code, ended.stderr]).toEqual([130, ''])
  expect(ended.stdout).toContain('devloop ci: interrupted')
  expect(await one.report()).toMatchObject({ outcome: 'interrupted', resources: [{ outcome: 'waiting', reason: 'it runs' }] })
  await gone(processes)
})

test('usage is 2; a report that cannot be written is 1', async () => {
  const one = await locals(`local('a', { run: 'echo file > taken' })`)
  expect((await one.ci('--timeout', 'soon')).code).toBe(2)
  expect((await one.ci('--no-such')).code).toBe(2)
  const ended = await one.ci('--junit', 'taken/report.xml')
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('[ci/report]')])
})
