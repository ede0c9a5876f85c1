// Some of the resources, when somebody says so: watch RESOURCE..., labels, enable and disable, trigger, args, without a cluster.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, put, run, watch, type Watching } from '../support/devloop.js'
import { family, gone } from '../support/processes.js'
import { waitFor } from '../support/wait-for.js'

/** Each `run` writes a line into a file of its name. */
const devloopfile = `
import { defineDevloop, local } from 'devloop'
const says = (name: string) => \`echo \${name} >> \${name}.log; echo \${name} >> all.log\`
export default defineDevloop(({ args }) => ({
  name: 'some',
  resources: [
    local('db', { run: says('db'), labels: 'back' }),
    local('api', { run: says('api'), serve: 'sleep 3600 & sleep 3600; wait', needs: ['db'], labels: ['back', 'web'] }),
    local('gen', { run: says('gen'), watch: 'schema/**' }),
    local('use', { run: says('use'), rebuildAfter: ['gen'] }),
    local('slow', { run: says('slow'), watch: 'slow/**', trigger: 'manual' }),
    local('extra', { run: says('extra'), auto: false }),
    ...args.map((arg) => local(arg, { run: says(arg) })),
  ],
}))
`

interface Some {
  readonly folder: string
  readonly watching: Watching
  devloop(...args: string[]): Promise<string>
  /** How often a local has run. */
  runs(name: string): number
  save(name: string, text: string): Promise<void>
}

async function some(...args: string[]): Promise<Some> {
  const folder = await project({ 'Devloopfile.ts': devloopfile, 'schema/a': '1', 'slow/a': '1' })
  const env = await homes()
  const watching = await watch(['--runtime', 'process', ...args], { cwd: folder, env })
  return {
    folder,
    watching,
    async devloop(...words) {
      const { code, stdout, stderr } = await run(words, { cwd: folder, env })
      return code === 0 ? stdout : `${code}: ${stderr}`
    },
    runs(name) {
      const file = join(folder, `${name}.log`)
      return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
    },
    save: (name, text) => put(join(folder, name), text),
  }
}

test('all start but those with auto: false; a trigger starts one, and lets go what waits for it', async () => {
  const { watching, devloop, runs, save } = await some()
  await watching.ready()
  expect(['db', 'api', 'gen', 'use', 'slow', 'extra'].map(runs)).toEqual([1, 1, 1, 1, 1, 0])
  expect(watching.resource('extra')).toMatchObject({ status: 'pending', auto: false, hold: { code: 'auto' } })
  expect(await devloop('trigger', 'extra')).toBe('triggered extra\n')
  await watching.until('extra', (view) => view.ready)

  await save('slow/a', '2')
  const waiting = await watching.until('slow', (view) => view.pending !== undefined)
  expect(waiting).toMatchObject({ ready: true, trigger: 'manual', pending: { paths: ['slow/a'] }, hold: { code: 'pending' } })
  expect(await devloop('status')).toMatch(/slow +ready +not triggered +.*slow\/a waits/)
  expect(runs('slow')).toBe(1)
  await devloop('trigger', 'slow')
  await waitFor(() => runs('slow') === 2, { what: 'slow to run' })
  await watching.until('slow', (view) => view.ready && view.pending === undefined)
})

test('what comes after another runs again after that', async () => {
  const { watching, folder, runs, save } = await some('gen', 'use')
  await watching.ready()
  await save('schema/a', '2')
  await waitFor(() => runs('use') === 2, { what: 'use to run again' })
  expect(runs('gen')).toBe(2)
  expect(readFileSync(join(folder, 'all.log'), 'utf8').trim().split('\n')).toEqual(['gen', 'use', 'gen', 'use'])
})

test('only some are watched, with what they need; the others can be enabled', async () => {
  const { watching, devloop, runs } = await some('-l', 'web')
  await watching.ready()
  expect(watching.session()?.only).toEqual(['label:web'])
  expect(['db', 'api', 'gen', 'use'].map(runs)).toEqual([1, 1, 0, 0])
  expect(watching.resource('gen')).toMatchObject({
    status: 'disabled',
    disabled: 'watch',
    hold: { message: 'devloop watches label:web only; `devloop enable gen` starts it' },
  })
  expect(await devloop('enable', 'gen', 'extra')).toBe('enabled gen, extra\n')
  await watching.until('gen', (view) => view.ready)
  await watching.until('extra', (view) => view.ready)
  expect(await devloop('status', '--wait', 'ready')).toContain('4 of 4 ready, 2 not started')
})

test('disabling ends a process with all that it started, survives a reload, and enabling brings along what is needed [tilt-20]', async () => {
  const { watching, devloop, runs, save } = await some()
  await watching.ready()
  const started = family(watching.child.pid ?? 0).filter((one) => one.command.includes('sleep 3600'))
  expect(started.length).toBeGreaterThan(1)
  expect(await devloop('disable', 'label:back')).toBe('disabled db, api\n')
  await gone(started)
  expect(watching.resource('api')).toMatchObject({ status: 'disabled', disabled: 'request' })
  expect(watching.session()?.ready).toBe(true)

  await save('Devloopfile.ts', devloopfile.replace("says('gen')", "says('gen') + ' '"))
  await waitFor(() => watching.session()?.devloopfile.generation === 2, { what: 'the new plan' })
  expect(watching.resource('api')?.status).toBe('disabled')
  expect(await devloop('trigger', 'api')).toMatch(/^1: .*api is disabled.*devloop enable api/s)
  expect(await devloop('enable', 'api')).toBe('enabled api\nenabled db too: needed by what was asked for\n')
  await watching.until('api', (view) => view.ready)
  expect([runs('db'), runs('api')]).toEqual([2, 2])
  expect(await devloop('disable', 'db')).toBe('disabled db\nstill enabled, and in need of it: api\n')
})

test('arguments are shown, changed and refused', async () => {
  const { watching, devloop, runs } = await some('--', 'one')
  await watching.until('one', (view) => view.ready)
  expect(await devloop('args')).toBe('one\n')
  expect(await devloop('args', '--', 'two', 'th ree')).toBe("two 'th ree'\n")
  const failed = await watching.client.waitFor((views) => {
    const view = views.get('session/session')
    return view?.kind === 'session' && view.devloopfile.error ? view : undefined
  })
  // the last good plan runs on
  expect(failed.devloopfile.error?.message).toContain('th ree')
  expect(watching.resource('one')?.ready).toBe(true)
  expect(await devloop('args', '--', 'two')).toBe('two\n')
  await watching.until('two', (view) => view.ready)
  await waitFor(() => watching.resource('one') === undefined, { what: 'one to be gone' })
  expect(runs('gen')).toBe(1)
  expect(await devloop('args', '--')).toBe('no arguments\n')
  expect(await devloop('args', 'three')).toContain('write what the Devloopfile gets after --')
})

test('a wrong name at the start ends devloop before it has done anything, and a reload keeps what runs', async () => {
  const folder = await project({ 'Devloopfile.ts': devloopfile })
  const options = { cwd: folder, env: await homes() }
  const refused = await run(['watch', '--runtime', 'process', 'label:bakc'], options)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/there is no resource "label:bakc" to run.*Did you mean 'label:back'/s)
  expect(existsSync(join(folder, 'all.log'))).toBe(false)

  const { watching, save } = await some('gen')
  await watching.ready()
  await save('Devloopfile.ts', devloopfile.replaceAll("'gen'", "'generate'"))
  await waitFor(() => watching.session()?.devloopfile.error?.code === 'request/unknown-resource', { what: 'the error' })
  expect(watching.resource('gen')?.ready).toBe(true)
})

test('what nobody has named so is one error, with what was meant', async () => {
  const { watching, devloop } = await some()
  await watching.ready()
  expect(await devloop('disable', 'label:bakc')).toMatch(/there is no resource "label:bakc".*label:back/s)
  expect(await devloop('enable', 'ap')).toMatch(/there is no resource "ap"/)
  expect(await devloop('enable')).toContain("missing required argument 'resource'")
})
