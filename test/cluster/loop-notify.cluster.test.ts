// Apps that reload themselves are told that their files are there, in real containers, and stay what they are.
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { appFiles, loop, type Names } from '../support/loop.js'

const server = `
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8').trim()
const held = { word: read('./word.txt'), template: read('./template.txt') }
process.on('SIGHUP', () => { held.word = read('./word.txt') })
const routes = {
  '/': () => held.word,
  '/template': () => held.template,
  '/pid': () => String(process.pid),
}
const server = createServer((request, response) => {
  response.setHeader('connection', 'close')
  if (request.url === '/reload') {
    if (read('./template.txt') === 'broken') return response.writeHead(500).end('the template is broken')
    held.template = read('./template.txt') + ' by ' + request.method
    return response.end()
  }
  const route = routes[request.url]
  if (!route) return response.writeHead(404).end()
  response.end(route())
}).listen(8080)
process.on('SIGTERM', () => process.exit(0))
`
const files = { ...appFiles, 'app/src/server.js': server, 'app/src/template.txt': 'one' }
/** @param over more settings of the app @param agent whether pods get it */
const devloopfile =
  (live: string, over = '', agent = true) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, image, notify, restart, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('src', '/app/src'), ${live}] })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' }, settings: { agent: ${agent} },
  resources: [app('web', { image: web, port: 8080, forward: ${port}, ${over} })],
}))
`
const told = `
  notify({ http: { port: 8080, path: '/reload' }, on: 'src/template.txt' }),
  restart({ on: 'src/word.txt', signal: 'SIGHUP' }),`

test.each([
  ['without a supervisor', told, true],
  ['below a supervisor', `${told} restart({ on: 'src/server.js' })`, true],
  ['without a supervisor, by the shell', told, false],
  ["below the shell's supervisor", `${told} restart({ on: 'src/server.js' })`, false],
])('an app gets its signal and its request, and is not replaced: %s', async (_, live, agent) => {
  const one = await loop({ files, devloopfile: devloopfile(live, '', agent) })
  const watching = await one.begin()
  const pods = await one.pods()
  const pid = await one.answers(/^\d+$/, '/pid')
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  await one.save('app/src/template.txt', 'second')
  await one.answers('second by POST', '/template')
  await watching.ready()
  expect([await one.pods(), await one.answers(/^\d+$/, '/pid')]).toEqual([pods, pid])

  await one.save('app/src/template.txt', 'broken')
  await waitFor(() => watching.client.get('resource', 'web')?.error?.code === 'notify/failed', { what: 'the failure to be told' })
  await waitFor(() => /POST :8080\/reload in web-\S+ answered with status 500: the template is broken/.test(watching.output()), {
    what: 'it to be printed',
  })
  // the next save tries again
  await one.save('app/src/template.txt', 'third')
  await one.answers('third by POST', '/template')
  await watching.ready()
  expect([await one.pods(), await one.answers(/^\d+$/, '/pid')]).toEqual([pods, pid])
})

test('a signal that the process does not handle is not sent: the error names the process', async () => {
  const live = `restart({ on: 'src/word.txt', signal: 'SIGHUP' })`
  const one = await loop({ files, devloopfile: devloopfile(live, `command: 'node src/server.js; exit 1'`) })
  const watching = await one.begin()
  const pods = await one.pods()
  await one.save('app/src/word.txt', 'two')
  const error = await waitFor(() => watching.client.get('resource', 'web')?.error, { what: 'the error' })
  expect(error).toMatchObject({
    code: 'signal/failed',
    why: expect.stringMatching(/^Process 1 \((?:sh|busybox)\) does not handle/),
  })
  expect(await one.pods()).toEqual(pods)
  // the file is there all the same
  await one.same(pods[0]?.name ?? '', 'app/src', '/app/src')
})
