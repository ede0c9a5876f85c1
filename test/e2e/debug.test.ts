// Apps under their debuggers, as processes of this machine.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, put, watch } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { waitFor } from '../support/wait-for.js'

const server = `
const { createServer } = require('node:http')
const word = require('node:fs').readFileSync(__dirname + '/word.txt', 'utf8')
createServer((_, response) => response.end(word)).listen(process.env.PORT)
`

/** @param over more settings of the app */
async function begin(command: string, debug: string, over = '') {
  const [env, port] = [await homes(), await freePort()]
  const folder = await project({
    Dockerfile: 'FROM scratch\nWORKDIR /app\n',
    'src/word.txt': 'one',
    'src/server.js': server,
    'Devloopfile.ts': `
import { app, defineDevloop, image, restart, sync } from 'devloop'
const web = image('debug/web', { live: [sync('src', '/app/src'), restart({ on: 'src/**' })] })
export default defineDevloop({
  name: 'debug',
  resources: [app('web', { image: web, port: 8080, forward: ${port}, debug: ${debug}, ${over} process: { command: ${command} } })],
})
`,
  })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  return {
    watching,
    save: (text: string) => put(join(folder, 'src/word.txt'), text),
    answers: (text: string) =>
      waitFor(async () => (await (await fetch(`http://127.0.0.1:${port}/`)).text()) === text, { what: text, timeoutMs: 20_000 }),
    view: () => watching.client.get('resource', 'web'),
  }
}

test('a debugger attaches at a port that stays; another process is told, and has another debugger', async () => {
  const local = await freePort()
  const one = await begin(`['node', 'src/server.js']`, `{ language: 'node', local: ${local} }`)
  await one.watching.ready()
  // the inspector names each process anew
  const attached = async (): Promise<string> => {
    const [found] = (await (await fetch(`http://127.0.0.1:${local}/json/list`)).json()) as { id: string; title: string }[]
    expect(found?.title).toMatch(/server\.js/)
    return found?.id ?? ''
  }
  const [before, first] = [one.view()?.debug, await attached()]
  expect(before).toEqual({ language: 'node', host: 'localhost', port: local, process: expect.stringMatching(/^web-\w+:0\.0$/) })
  expect(one.view()?.endpoints).toContainEqual({ name: 'debug', url: `tcp://localhost:${local}`, state: 'listening' })

  await one.save('two')
  await one.answers('two')
  await one.watching.ready()
  expect(await attached()).not.toBe(first)
  expect(one.view()?.debug).toEqual({ ...before, process: before?.process?.replace(/0$/, '1') })
  await waitFor(() => one.watching.output().includes(`was replaced: attach the debugger again at localhost:${local}`), {
    what: 'it to be told',
  })
})

test('what cannot be debugged runs without, and says why', async () => {
  const one = await begin(`'PORT=$PORT npm exec -c "node src/server.js"'`, `'node'`)
  await one.watching.ready(60_000)
  await one.answers('one')
  expect(one.view()?.warnings).toEqual([
    expect.objectContaining({ code: 'debug/unsupported', why: expect.stringMatching(/package manager/) as string }),
  ])
})

const python = spawnSync('python3', ['--version']).status === 0

test.each([
  ['go', `['./server']`, `env: { PATH: '/nowhere' },`],
  // without the folder in which packages are
  ...(python ? [['python', `['python3', '-S', 'app.py']`, '']] : []),
])('a debugger that is missing is one error that says how to bring it: %s', async (language, command, over) => {
  const one = await begin(command, `'${language}'`, over)
  const error = await waitFor(() => one.view()?.error, { what: 'the error', timeoutMs: 20_000 })
  expect(error).toMatchObject({ code: 'debug/missing', help: expect.stringMatching(/into the image/) as string })
})
