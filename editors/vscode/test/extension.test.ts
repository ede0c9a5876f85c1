// The extension in a double of the editor, with real daemons: the built command line, real files, real processes.
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type * as vscode from 'vscode'
import { answers, homes, project, put, repository, watch, type Watching } from '../../../test/support/devloop.js'
import { freePort } from '../../../test/support/free-port.js'
import { waitFor } from '../../../test/support/wait-for.js'
import manifest from '../package.json' with { type: 'json' }
import { activate } from '../src/extension.js'
import { editor, Uri } from './vscode-double.js'

const server = `
import { createServer } from 'node:http'
import { word } from './word.js'
createServer((request, response) => response.end(word)).listen(Number(process.env.PORT))
console.log('listening')
`
const devloopfile = (port: number, debuggerPort: number) => `
import { app, defineDevloop, image, local, restart, run, sync } from 'devloop'
export default defineDevloop(() => ({
  name: 'shop',
  resources: [
    app('web', {
      image: image('shop/web', { context: 'web', live: [sync('src', '/app/src'), run('node --check src/checked.mjs', { on: 'src/checked.mjs' }), restart({ on: 'src/**' })] }),
      labels: ['shop'], ports: { http: 8080 }, forward: { http: ${port} }, debug: { language: 'node', local: ${debuggerPort} },
      process: { command: ['node', 'src/server.js'] },
    }),
    local('types', {
      labels: ['checks'], run: '${repository}/node_modules/.bin/tsc --noEmit --pretty false types/a.ts', watch: ['types/**'],
    }),
  ],
}))
`
let env: Record<string, string>
let folder: string
let port: number
let debuggerPort: number
/** The good Devloopfile of `folder`. */
let good: string

const file = (name: string): string => join(folder, name)
const save = (name: string, text: string): Promise<void> => put(file(name), text)
const shop = async (): Promise<string> =>
  project({
    'Devloopfile.ts': (good = devloopfile((port = await freePort()), (debuggerPort = await freePort()))),
    'web/Dockerfile': 'FROM node\nWORKDIR /app\n',
    'web/package.json': '{"type":"module"}',
    'web/src/server.js': server,
    'web/src/word.js': "export const word = 'one'\n",
    'web/src/checked.mjs': 'export {}\n',
    'types/a.ts': 'export const count: number = 1\n',
    'README.md': 'a file that nothing watches\n',
  })

/** VS Code calls activate with more than the extension uses. */
function start(): void {
  const context = { subscriptions: [] as vscode.Disposable[], extension: { packageJSON: manifest } }
  activate(context as unknown as vscode.ExtensionContext)
  onTestFinished(() => context.subscriptions.toReversed().forEach((one) => void one.dispose()))
}
const begin = async (cwd = folder): Promise<Watching> => {
  const watching = await watch(['--runtime', 'process'], { cwd, env })
  await watching.ready()
  return watching
}
const shows = (text: string | RegExp): Promise<unknown> =>
  waitFor(() => (typeof text === 'string' ? editor.statusBar?.text === text : text.test(editor.statusBar?.text ?? '')), {
    what: `the status bar to show ${String(text)}`,
    timeoutMs: 30_000,
  }).catch((thrown: unknown) => {
    throw new Error(`${String(thrown)}; it shows ${editor.statusBar?.text}`)
  })
const problemsAre = async (...expected: (string | RegExp)[]): Promise<void> => {
  const fits = (): boolean => {
    const found = editor.problems(folder)
    return (
      found.length === expected.length &&
      expected.every((one, index) => (typeof one === 'string' ? found[index] === one : one.test(found[index] ?? '')))
    )
  }
  await waitFor(fits, { what: 'the problems', timeoutMs: 30_000 }).catch((thrown: unknown) => {
    throw new Error(`${String(thrown)}\n${editor.problems(folder).join('\n')}\ninstead of\n${expected.join('\n')}`)
  })
}
const nodeOf = async (label: string): Promise<unknown> => {
  const found = (await editor.items('devloop.resources')).find(({ item }) => item.label === label)
  if (!found) throw new Error(`there is no node ${label}:\n${(await editor.tree('devloop.resources')).join('\n')}`)
  return found.node
}

beforeEach(async () => {
  editor.reset()
  env = await homes()
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  folder = await shop()
})
afterEach(() => {
  vi.unstubAllEnvs()
})

test('a running project: status, resources, problems where they are, why, logs, commands', async () => {
  const daemon = await begin()
  editor.open(folder)
  start()
  await shows('$(pass) devloop')
  expect(editor.statusBar).toMatchObject({ visible: true, command: 'devloop.menu', backgroundColor: undefined })
  expect(editor.statusBar?.tooltip).toContain('shop on process runtime: 2 of 2 ready')
  expect(editor.contexts).toEqual({ 'devloop.hasProject': true, 'devloop.running': true })

  // resources in their groups, each with what belongs to it
  const tree = await editor.tree('devloop.resources')
  expect(tree).toEqual(
    expect.arrayContaining([
      '[tag] shop: 1 of 1 ready',
      '  [pass-filled] web: ready',
      `    [link-external] http://localhost:${port}: http`,
      `    [debug-alt] debugger at localhost:${debuggerPort}: node`,
      expect.stringMatching(/^ {4}\[package\] shop\/web: built/),
      expect.stringMatching(/^ {4}\[server-process\] .+: running, ready$/),
      expect.stringMatching(/^ {6}\[symbol-object\] .+: running, in sync$/),
      '[tag] checks: 1 of 1 ready',
      '  [pass-filled] types: ready',
    ]),
  )

  // a debugger is attached, and again when a save restarted the process
  await editor.run('devloop.attachDebugger', await nodeOf('web'))
  expect(editor.sessions).toMatchObject([
    {
      configuration: { type: 'node', request: 'attach', address: 'localhost', port: debuggerPort },
      ended: false,
    },
  ])

  // a save is live
  const drawn = editor.drawn
  await save('web/src/word.js', "export const word = 'two'\n")
  await answers(`http://127.0.0.1:${port}`, 'two')
  await shows(/^\$\(zap\) live in \d/)
  expect(editor.drawn).toBeGreaterThan(drawn)
  await waitFor(() => editor.sessions.length === 2, { what: 'the debugger to be attached again', timeoutMs: 30_000 })
  expect(editor.sessions).toMatchObject([{ ended: true }, { ended: false, configuration: { type: 'node' } }])

  // what a compiler says in a local is in its file, and what failed in the Devloopfile; both go with the next success
  await save('types/a.ts', "\nexport const count: number = 'one'\n")
  const line = good.split('\n').findIndex((text) => text.includes("local('types'")) + 1
  await problemsAre(
    new RegExp(`^Devloopfile\\.ts:${line}:\\d+ error devloop types: types: .* failed with exit code \\d \\[local/failed\\]$`),
    "types/a.ts:2:14 error devloop types: Type 'string' is not assignable to type 'number'. [TS2322]",
  )
  const [diagnostic] = editor.diagnostics(file('types/a.ts'))
  expect(diagnostic?.relatedInformation?.[0]?.location.uri.fsPath).toBe(file('Devloopfile.ts'))
  await shows('$(error) failed: types')
  expect(editor.statusBar?.backgroundColor).toMatchObject({ id: 'statusBarItem.errorBackground' })
  const failed = (await editor.items('devloop.resources')).filter(({ item }) => item.label === 'types')
  expect(failed).toMatchObject([{ item: { iconPath: { id: 'error' }, contextValue: 'resource enabled restartable' } }])
  const [problem] = (await editor.items('devloop.resources')).filter(({ item }) => item.description === 'local/failed')
  expect(problem?.item.command).toMatchObject({
    command: 'vscode.open',
    arguments: [{ path: file('Devloopfile.ts') }, { selection: { start: { line: line - 1 } } }],
  })
  await save('types/a.ts', 'export const count: number = 2\n')
  await problemsAre()

  // a process that ends: its stack trace is of the stage, the diagnostic is in the source
  await save('web/src/word.js', "export const word = 'x'\nthrow new Error('broken on purpose')\n")
  await problemsAre('web/src/word.js:2:7 error devloop web: Error: broken on purpose [undefined]')
  await save('web/src/word.js', "export const word = 'three'\n")
  await problemsAre()
  await answers(`http://127.0.0.1:${port}`, 'three')

  // a step of live sync that fails
  await save('web/src/checked.mjs', '\nexport const = 1\n')
  await problemsAre(
    /^Devloopfile\.ts:7:\d+ error devloop web: .*node --check src\/checked\.mjs.* \[run\/failed\]$/,
    /^web\/src\/checked\.mjs:2:1 error devloop web: SyntaxError: /,
  )
  await save('web/src/checked.mjs', 'export {}\n')
  await problemsAre()

  // a bad Devloopfile
  await save('Devloopfile.ts', good.replace('forward:', 'forwards:'))
  await problemsAre(/^Devloopfile\.ts:\d+:\d+ error devloop Devloopfile: .*forwards.* \[devloopfile\/invalid\]$/)
  await shows(/^\$\(error\) the Devloopfile has an error/)
  await save('Devloopfile.ts', good)
  await problemsAre()

  // why a file syncs, and does not
  editor.edit(file('web/src/server.js'))
  editor.picks.push('image shop/web: sync')
  await editor.run('devloop.why')
  expect(editor.lists.at(-1)).toMatchObject([
    {
      label: '$(zap) image shop/web: sync',
      description: 'by sync("src", "/app/src")',
      detail: expect.stringMatching(/^written to \/app\/src\/server\.js/) as string,
    },
  ])
  const rule = good.split('\n').findIndex((text) => text.includes("sync('src'")) + 1
  expect(editor.documents).toEqual([`${file('Devloopfile.ts')}:${rule}`])
  await editor.run('devloop.why', Uri.file(file('README.md')))
  expect(editor.lists.at(-1)).toMatchObject([{ label: '$(circle-slash) nothing watches this file' }])

  // logs, of one and of all
  await editor.run('devloop.showLog', await nodeOf('web'))
  await waitFor(() => editor.channel('devloop: web')?.text.includes('web │ listening') ?? false, { what: 'the log' })
  expect(editor.channel('devloop: web')?.text).not.toContain('types')
  editor.picks.push('all resources')
  await editor.run('devloop.showLog')
  await waitFor(() => editor.channel('devloop: all')?.text.includes('types local │ running') ?? false, { what: 'all logs' })

  // commands
  const process = (): string | undefined => daemon.resource('web')?.pods[0]?.name
  const before = process()
  await editor.run('devloop.trigger', await nodeOf('web'))
  await daemon.until('web', (view) => view.ready && process() !== before)
  const restarts = daemon.resource('web')?.debug?.process
  editor.picks.push('web')
  await editor.run('devloop.restart')
  await daemon.until('web', (view) => view.ready && view.debug?.process !== undefined && view.debug.process !== restarts)
  await editor.run('devloop.disable', await nodeOf('types'))
  await daemon.until('types', (view) => view.status === 'disabled')
  await waitFor(
    async () =>
      (await editor.tree('devloop.resources')).includes(
        '  [circle-slash] types: disabled · it was disabled; `devloop enable types` starts it',
      ),
    { what: 'types to be shown as disabled' },
  ).catch(async (thrown: unknown) => {
    throw new Error(`${String(thrown)}\n${(await editor.tree('devloop.resources')).join('\n')}`)
  })
  await editor.run('devloop.enable', await nodeOf('types'))
  await daemon.until('types', (view) => view.ready)
  await editor.run('devloop.openEndpoint', await nodeOf('web'))
  expect(editor.external).toEqual([`http://localhost:${port}`])
  await editor.run('devloop.openPage')
  expect(editor.external.at(-1)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{20,}$/)
  expect(editor.messages).toEqual([])

  // the menu of the status bar, by which it is stopped
  editor.picks.push('Stop devloop')
  await editor.run('devloop.menu')
  expect((await daemon.ended).code).toBe(0)
  await shows('$(debug-disconnect) devloop')
  expect(await editor.tree('devloop.resources')).toEqual([])
  expect(editor.contexts['devloop.running']).toBe(false)
})

test('daemons come and go in several folders; what is not trusted only looks', async () => {
  const other = await project({
    'deep/Devloopfile.ts':
      "import { defineDevloop, local } from 'devloop'\nexport default defineDevloop(() => ({ name: 'tool', resources: [local('hello', { run: 'echo hello' })] }))\n",
  })
  const sources = join(folder, 'web/src')
  editor.trusted = false
  editor.open(sources, other)
  start()
  await shows(/^\$\(debug-disconnect\) /)
  // a Devloopfile is found above a folder, and below it
  expect(await editor.tree('devloop.resources')).toEqual([
    `[vm-outline] ${basename(folder)}: not running`,
    '[vm-outline] deep: not running',
  ])

  // nothing is started
  editor.picks.push(basename(folder))
  await editor.run('devloop.start')
  expect(editor.terminals).toEqual([])

  const daemon = await begin()
  await shows('$(pass) shop: devloop')
  expect((await editor.tree('devloop.resources')).filter((line) => line.startsWith('['))).toEqual([
    '[vm-active] shop: ready',
    '[vm-outline] deep: not running',
  ])
  const [running] = await editor.items('devloop.resources')
  expect(running?.item.contextValue).toBe('project-on')
  await editor.run('devloop.stop', running?.node)
  expect(editor.messages.join('\n')).toMatch(/read/)

  // trusted, it may
  editor.trust()
  editor.edit(file('web/src/word.js'))
  const triggers = async (): Promise<boolean> => {
    const before = editor.messages.length
    await editor.run('devloop.trigger', await nodeOf('types'))
    return editor.messages.length === before
  }
  await waitFor(triggers, { what: 'the connection that may trigger' })
  await editor.run('devloop.start', await nodeOf('deep'))
  expect(editor.terminals).toMatchObject([
    {
      shown: 1,
      options: {
        name: 'devloop: deep',
        cwd: join(other, 'deep'),
        shellPath: 'devloop',
        shellArgs: ['watch', '--file', join(other, 'deep/Devloopfile.ts')],
      },
    },
  ])
  await editor.run('devloop.start', await nodeOf('deep'))
  expect(editor.terminals).toMatchObject([{ shown: 2 }])

  // the log goes on with the next daemon
  await editor.run('devloop.showLog', await nodeOf('web'))
  daemon.child.kill('SIGINT')
  await daemon.ended
  await shows('$(debug-disconnect) shop: devloop')
  expect(editor.problems(folder)).toEqual([])
  const tool = await watch(['--runtime', 'process'], { cwd: join(other, 'deep'), env })
  await tool.ready()
  const text = editor.channel('devloop: web, shop')?.text ?? ''
  await begin()
  await shows('$(pass) shop: devloop')
  await waitFor(() => /listening/.test(editor.channel('devloop: web, shop')?.text.slice(text.length) ?? ''), {
    what: 'the log of the new daemon',
  })
  await waitFor(async () => (await editor.tree('devloop.resources')).includes('[vm-active] tool: ready'), {
    what: 'the other daemon',
  })

  // a folder and a Devloopfile that go
  editor.open(other)
  await waitFor(async () => (await editor.tree('devloop.resources')).join() === '[pass-filled] hello: ready', {
    what: 'one project',
  })
  await rm(join(other, 'deep/Devloopfile.ts'))
  editor.open()
  await waitFor(() => editor.statusBar?.visible === false, { what: 'nothing to be shown' })
  expect(editor.contexts['devloop.hasProject']).toBe(false)
})
