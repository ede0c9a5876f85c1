// Live rules with options, on real files and processes.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, put, run, watch } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { waitFor } from '../support/wait-for.js'

const devloopfile = (live: string) => `
import { app, defineDevloop, image, run, sync } from 'devloop'
export default defineDevloop({
  name: 'steps',
  resources: [app('web', { image: image('steps/web', { live: [${live}] }), process: { command: ['sleep', '3600'] } })],
})
`
const files = {
  Dockerfile: 'FROM scratch\nWORKDIR /app\n',
  'src/word.txt': 'one',
  'src/notes.md': 'notes',
  'src/draft/word.txt': 'draft',
}

async function begin(live: string) {
  const env = await homes()
  const folder = await project({ ...files, 'Devloopfile.ts': devloopfile(live) })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  await watching.ready()
  return { watching, save: (name: string, text: string) => put(join(folder, name), text) }
}

test('a step that is marked so ends when more is saved, and runs again with that; others run to their end', async () => {
  const step = `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do [ "$(cat src/word.txt)" = slow ] && sleep 1; done; echo "$1 $(cat src/word.txt)" >> ran.txt; echo "$1 ran with $(cat src/word.txt)"`
  const one = await begin(
    `sync('src', '/app/src'), run(['sh', '-c', ${JSON.stringify(step)}, 'sh', 'build'], { on: 'src/word.txt', cancelOnChange: true }), run('echo after', { on: 'src/word.txt' })`,
  )
  await one.save('src/word.txt', 'slow')
  await waitFor(() => one.watching.output().includes('running sh -c'), { what: 'the step to run', timeoutMs: 20_000 })
  await one.save('src/word.txt', 'quick')
  await waitFor(() => one.watching.output().includes('build ran with quick'), {
    what: 'the step to run again',
    timeoutMs: 20_000,
  })
  await waitFor(() => one.watching.output().includes('was ended, since more was saved'), { what: 'its end to be told' })
  await waitFor(() => one.watching.output().includes('running echo after'), { what: 'the step after it to run' })
  await one.watching.ready()
  expect(one.watching.output()).not.toContain('ran with slow')
  expect(one.watching.output().match(/running echo after/g)).toHaveLength(1)
})

test('a sync takes what its patterns name, and the rest is rebuilt', async () => {
  const one = await begin(`sync('src', '/app/src', { include: '**/*.txt', exclude: 'src/draft' }), run('cat src/word.txt')`)
  const records = () => one.watching.output().match(/building steps\/web/g)?.length ?? 0
  // what is printed follows what is told
  const built = await waitFor(() => records() || undefined, { what: 'the first build to be printed' })
  await one.save('src/word.txt', 'two')
  await waitFor(() => /run │ two|two$/m.test(one.watching.output()), {
    what: 'the step to print what was synced',
    timeoutMs: 20_000,
  })
  expect(records()).toBe(built)
  await one.save('src/draft/word.txt', 'more')
  await waitFor(() => records() > built, { what: 'a build', timeoutMs: 20_000 })
})

test('apps that reload themselves are told: by a request, by a signal, in the order of the rules, and are not replaced', async () => {
  const port = await freePort()
  const env = await homes()
  const folder = await project({
    Dockerfile: 'FROM scratch\nWORKDIR /app\n',
    'src/word.txt': 'one',
    'src/template.txt': 'first',
    'src/broken.txt': 'no',
    'src/server.js': `
const { createServer } = require('node:http')
const { readFileSync } = require('node:fs')
const read = (name) => readFileSync(__dirname + '/' + name, 'utf8')
const held = { word: read('word.txt'), template: read('template.txt'), pid: process.pid, steps: '' }
process.on('SIGUSR2', () => { held.word = read('word.txt'); held.steps += ' signal' })
createServer((request, response) => {
  if (request.url !== '/reload') return response.end(JSON.stringify(held))
  if (read('broken.txt') === 'yes') return response.writeHead(500).end('the template is broken')
  held.template = read('template.txt')
  held.steps += ' ' + request.method + (readFileSync('ran.txt', { encoding: 'utf8', flag: 'a+' }) ? ' after the step' : '')
  response.end()
}).listen(process.env.PORT)
`,
    'Devloopfile.ts': `
import { app, defineDevloop, image, notify, restart, run, sync } from 'devloop'
const web = image('steps/web', {
  live: [
    sync('src', '/app/src'),
    run('echo ran >> ran.txt', { on: 'src/*.txt' }),
    notify({ http: { port: 8080, path: '/reload' }, on: ['src/template.txt', 'src/broken.txt'] }),
    restart({ on: 'src/word.txt', signal: 'SIGUSR2' }),
    restart({ on: 'src/none.txt', signal: 'SIGWINCH' }),
  ],
})
export default defineDevloop({
  name: 'steps',
  resources: [app('web', { image: web, port: 8080, forward: ${port}, process: { command: ['node', 'src/server.js'] } })],
})
`,
  })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  await watching.ready()
  const held = async () => JSON.parse(await (await fetch(`http://127.0.0.1:${port}/`)).text()) as Record<string, unknown>
  const save = (name: string, text: string) => put(join(folder, 'src', name), text)
  const { pid } = await held()

  await save('template.txt', 'second')
  await waitFor(async () => (await held()).template === 'second', { what: 'the request', timeoutMs: 20_000 })
  await save('word.txt', 'two')
  await waitFor(async () => (await held()).word === 'two', { what: 'the signal', timeoutMs: 20_000 })
  expect(await held()).toEqual({ word: 'two', template: 'second', pid, steps: ' POST after the step signal' })
  await watching.ready()
  const stages = () =>
    [...watching.client.views().values()].flatMap((view) => (view.kind === 'change' ? view.stages.map(({ stage }) => stage) : []))
  expect(stages()).toEqual(expect.arrayContaining(['notified', 'signalled']))

  await save('broken.txt', 'yes')
  await waitFor(() => watching.client.get('resource', 'web')?.error?.code === 'notify/failed', {
    what: 'the failure to be told',
    timeoutMs: 20_000,
  })
  await waitFor(() => /POST :8080\/reload in web-\w+ answered with status 500: the template is broken/.test(watching.output()), {
    what: 'it to be printed',
  })
  await save('broken.txt', 'no')
  await watching.ready()
  expect((await held()).pid).toBe(pid)

  // a signal that would end the process is not sent
  await save('none.txt', 'x')
  await waitFor(() => watching.client.get('resource', 'web')?.error?.code === 'signal/failed', {
    what: 'the signal that is not handled to be told',
    timeoutMs: 20_000,
  })
  expect((await held()).pid).toBe(pid)

  const why = await run(['why', 'src/word.txt'], { cwd: folder, env })
  expect(why.stdout).toContain('then the process gets SIGUSR2')
  expect((await run(['why', 'src/template.txt'], { cwd: folder, env })).stdout).toContain(
    'then notifies the app: POST :8080/reload',
  )
})

test('an image that is only pulled: without a cluster its files are staged, and what no sync covers leads to nothing', async () => {
  const env = await homes()
  const folder = await project({
    'site/index.html': 'one\n',
    'site/notes.md': 'notes',
    'Devloopfile.ts': `
import { app, defineDevloop, image, run, sync } from 'devloop'
const site = image('steps/site', { from: 'nginx:1.27', context: 'site', live: [sync('index.html', '/srv/'), run('cat /dev/null')] })
export default defineDevloop({
  name: 'steps',
  resources: [app('site', { image: site, workdir: '/srv', process: { command: 'cat index.html; exec sleep 3600' } })],
})
`,
  })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  await watching.ready()
  await waitFor(() => /site.* one$/m.test(watching.output()), { what: 'the app to read its file', timeoutMs: 20_000 })
  expect(watching.output()).toContain('steps/site is nginx:1.27, which is only pulled')
  await put(join(folder, 'site/notes.md'), 'more')
  await put(join(folder, 'site/index.html'), 'two')
  await waitFor(() => watching.output().includes('running cat'), { what: 'the sync', timeoutMs: 20_000 })
  await watching.ready()
  expect(watching.output().match(/only pulled/g)).toHaveLength(1)
  const why = await run(['why', 'site/notes.md'], { cwd: folder, env })
  expect(why.stdout).toContain('no sync covers it, and the image is only pulled')
})
