// What scripts and editors get: waiting for saves, events that go on where they stopped, JSON of each command, lines for problem
// matchers, and notifications.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { problemLine } from '../support/problem-matcher.js'
import type { Ended } from '../support/devloop.js'
import { waitFor } from '../support/wait-for.js'
import { wordApp } from '../support/word-app.js'

const json = <T>({ stdout, stderr }: Ended): T => {
  try {
    return JSON.parse(stdout) as T
  } catch {
    throw new Error(`no JSON: ${stdout}${stderr}`)
  }
}

interface Event {
  readonly event: string
  readonly place?: string
  readonly view?: { readonly kind: string; readonly name: string; readonly outcome?: string; readonly paths?: readonly string[] }
}

const eventsOf = (text: string): Event[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Event)

test('a script waits for its own save, and follows events without missing one', async () => {
  const words = await wordApp({ 'gen/in.txt': 'one' })
  await words.save(
    'Devloopfile.ts',
    words.devloopfile({
      imports: "import { local } from 'devloop'",
      resources: "local('gen', { run: 'grep -v bad gen/in.txt', watch: ['gen'], labels: ['tools'] }),",
    }),
  )
  const watching = await words.watch()
  await watching.ready()

  const first = words.start('events')
  await waitFor(() => eventsOf(first.output()).some(({ place }) => place !== undefined), { what: 'the state' })
  const all = eventsOf(first.output())
  expect(all[0]).toMatchObject({ event: 'begin', epoch: expect.any(String) as string })
  expect(new Set(all.slice(1).map(({ view }) => view?.kind))).toEqual(new Set(['session', 'resource', 'image']))
  await words.save('app/src/word.txt', 'two')
  expect(await words.run('status', '--wait', 'live', '--timeout', '60s')).toMatchObject({ code: 0, stderr: '' })
  await words.answers(/^two/)
  const live = await waitFor(() => eventsOf(first.output()).find(({ view }) => view?.outcome === 'live')?.view?.name, {
    what: 'it live',
  })
  const place = eventsOf(first.output()).findLast((one) => one.place !== undefined)?.place ?? ''
  first.child.kill('SIGINT')
  expect((await first.ended).code).toBe(130)

  // behind that place stands only what came after it
  await words.save('app/src/word.txt', 'three')
  expect((await words.run('status', '--wait', 'live')).code).toBe(0)
  const second = words.start('events', '--since', place)
  await waitFor(() => eventsOf(second.output()).some(({ view }) => view?.outcome === 'live'), { what: 'the second save' })
  expect(eventsOf(second.output())[0]).toMatchObject({ event: 'resumed' })
  expect(eventsOf(second.output()).map(({ view }) => view?.name)).not.toContain(live)
  second.child.kill('SIGINT')

  const onlyGen = words.start('events', 'gen', '--kinds', 'resource,change')
  await waitFor(() => eventsOf(onlyGen.output()).length >= 2, { what: 'the state of gen' })
  await words.save('app/src/word.txt', 'four')
  await words.save('gen/in.txt', 'bad')
  // what fails is no success, and says which
  const failed = await words.run('status', '--wait', 'live')
  expect([failed.code, failed.stderr]).toEqual([1, expect.stringMatching(/not live: .*\bgen\b.* \[change\/failed\]/)])
  expect((await words.run('status', 'words', '--wait', 'live')).code).toBe(0)
  const seen = eventsOf(onlyGen.output()).flatMap(({ view }) =>
    view ? [`${view.kind} ${view.name}`.replace(/^change .*/, 'change')] : [],
  )
  expect(new Set(seen)).toEqual(new Set(['resource gen', 'change']))
  for (const { view } of eventsOf(onlyGen.output())) if (view?.kind === 'change') expect(view.paths).toContain('gen/in.txt')
  const unknown = await words.run('events', 'genn')
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("'gen'")])
  const wrong = await words.run('events', '--since', 'yesterday')
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('is no place')])

  // what commands print with --json
  const ask = async <T>(...args: string[]): Promise<T> => json<T>(await words.run(...args))
  expect(await ask('trigger', 'words', '--json')).toEqual({ triggered: ['words'] })
  expect(await ask('disable', '-l', 'tools', '--json')).toEqual({ disabled: ['gen'], neededBy: [] })
  expect(await ask('enable', 'gen', '--json')).toEqual({ enabled: ['gen'], needs: [] })
  expect(await ask('args', '--json')).toEqual({ args: [], choices: {} })
  expect(await ask('why', 'app/src/word.txt', '--json')).toMatchObject({ answers: [{ action: 'sync' }] })
  expect(await ask('why', 'words', '--json')).toMatchObject({ kind: 'resource', name: 'words' })
  expect(await ask('version', '--json')).toMatchObject({ protocol: { major: expect.any(Number) as number } })
  onlyGen.child.kill('SIGINT')
  expect(await ask('prune', '--dry-run', '--json')).toMatchObject({ dryRun: true, removed: [], problems: [] })
  expect(await ask('down', '--json')).toEqual({ steps: [{ resource: 'words', level: 'info', text: 'deleted process/words' }] })
  await watching.ended
})

test('what is wrong at a known place is listed for problem matchers; who looks elsewhere is told', async () => {
  const words = await wordApp()
  const told = join(words.folder, 'told')
  // the command must not stand in the project's watched folders; the project root is not
  const watching = await words.watch('--plain', '--notify', `cat >> ${told}`, '--notify', './not-there')
  onTestFinished(() => void watching.child.kill('SIGINT'))
  await watching.ready()
  await waitFor(() => watching.output().includes('problems end: 0\ndevloop: all resources are ready\n'), {
    what: 'the first list',
  })
  await words.save('Devloopfile.ts', `${words.devloopfile()}\nexport const broken = 1 +\n`)
  await waitFor(() => watching.output().includes('problems end: 1\n'), { what: 'the problem' })
  const [, line = ''] = /problems begin\n(.*)\nproblems end: 1\n/.exec(watching.output()) ?? []
  expect(problemLine(line)).toMatchObject({
    file: join(words.folder, 'Devloopfile.ts'),
    severity: 'error',
    code: 'devloopfile/syntax',
  })
  const notices = async () =>
    (await readFile(told, 'utf8').catch(() => ''))
      .split('\n')
      .filter(Boolean)
      .flatMap((text) => (JSON.parse(text) as { notices: { event: string; subject: string }[] }).notices)
      .map(({ event, subject }) => `${subject} ${event}`)
  await waitFor(async () => (await notices()).length === 1, { what: 'the failure to be told' })
  await words.save('Devloopfile.ts', words.devloopfile({ extra: 'again' }))
  await words.answers('one again')
  await waitFor(async () => (await notices()).length === 2, { what: 'the recovery to be told' })
  expect(await notices()).toEqual(['Devloopfile failed', 'Devloopfile recovered'])
  expect(watching.output().match(/--notify \.\/not-there: it ended with exit code 127/g)).toHaveLength(1)
  expect(watching.output().trimEnd()).toMatch(/problems begin\nproblems end: 0\n/)
})
