// A folder that is synced both ways, without a cluster: what the app writes comes back, and leads to nothing more.
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { answers, homes, project, put, watch } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { waitFor } from '../support/wait-for.js'

const server = `
import { createServer } from 'node:http'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://here')
  const name = pathname.slice(1)
  try {
    if (searchParams.has('rm')) rmSync(name, { recursive: true })
    else if (searchParams.has('write')) {
      const write = () => {
        mkdirSync(name.replace(/[^/]*$/, '') || '.', { recursive: true })
        writeFileSync(name, searchParams.get('write'))
      }
      // when somebody says so who cannot reach it then
      const sign = searchParams.get('when')
      const timer = sign && setInterval(() => {
        if (!existsSync(sign)) return
        clearInterval(timer)
        write()
        rmSync(sign)
      }, 10)
      if (!sign) write()
    }
    response.end(searchParams.size > 0 ? 'done' : name === '' ? 'ready' : readFileSync(name, 'utf8'))
  } catch (error) { response.end(error.code) }
}).listen(Number(process.env.PORT))
`

test('what the app writes comes back, also while a step fails, and conflicts are told', async () => {
  const [env, port] = [await homes(), await freePort()]
  const folder = await project({
    'Devloopfile.ts': `
import { app, defineDevloop, image, run, sync } from 'devloop'
export default defineDevloop(() => ({
  name: 'shop',
  resources: [app('web', {
    image: image('shop/web', {
      context: 'web',
      live: [sync('src', '/app/src'), sync('out', '/app/out', { from: 'container' }), run('test ! -e src/broken', { on: 'src/**' })],
    }),
    ports: { http: 8080 }, forward: { http: ${port} }, process: { command: ['node', 'server.mjs'] },
  })],
}))
`,
    'web/Dockerfile': 'FROM node\nWORKDIR /app\n',
    'web/.dockerignore': 'out\n',
    'web/server.mjs': server,
    'web/src/x': 'x',
    'web/out/first': 'first',
  })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  await watching.ready()
  const url = `http://127.0.0.1:${port}/`
  await answers(url, 'ready')
  const app = (name: string): Promise<string> => fetch(`${url}${name}`).then((response) => response.text())
  const local = (name: string): Promise<string | undefined> =>
    readFile(join(folder, 'web/out', name), 'utf8').catch(() => undefined)
  const comesBack = (name: string, text: string | undefined): Promise<unknown> =>
    waitFor(async () => (await local(name)) === text, { what: `${name} to be ${text}` })

  // images are built without what .dockerignore names, and it is there all the same
  await answers(`${url}out/first`, 'first')
  await app('out/deep/generated?write=made')
  await comesBack('deep/generated', 'made')
  await app('out/first?write=second')
  await comesBack('first', 'second')
  await put(join(folder, 'web/out/mine'), 'mine')
  await answers(`${url}out/mine`, 'mine')
  await app('out/deep?rm')
  await comesBack('deep/generated', undefined)
  await waitFor(async () => (await readdir(join(folder, 'web/out'))).sort().join(' ') === 'first mine', {
    what: 'its folder to be gone',
  })
  expect(watching.changes().filter(({ cameFrom }) => cameFrom).length).toBeGreaterThan(0)

  await put(join(folder, 'web/src/broken'), '')
  await watching.until('web', ({ error }) => error?.code === 'run/failed')
  await app('out/first?write=third')
  await comesBack('first', 'third')
  await rm(join(folder, 'web/src/broken'))
  await put(join(folder, 'web/src/x'), 'y')
  await watching.ready()

  // neither a file here where the app has a folder, nor the reverse, takes anything along
  await mkdir(join(folder, 'web/out/clash'))
  await put(join(folder, 'web/out/clash/here'), 'here')
  await answers(`${url}out/clash/here`, 'here')
  const sign = join(folder, 'sign')
  await app(`out/clash/there?write=there&when=${encodeURIComponent(sign)}`)
  watching.child.kill('SIGSTOP')
  await rm(join(folder, 'web/out/clash'), { recursive: true })
  await put(join(folder, 'web/out/clash'), 'a file')
  await put(sign, '')
  await waitFor(() => !existsSync(sign), { what: 'the app to have written' })
  watching.child.kill('SIGCONT')
  const { warnings } = await watching.until('web', (view) => view.warnings.some(({ code }) => code === 'sync/conflict'))
  expect(warnings.map(({ code }) => code)).toEqual(['sync/conflict'])
  expect([await local('clash'), await app('out/clash/there')]).toEqual(['a file', 'there'])
  await rm(join(folder, 'web/out/clash'))
  await comesBack('clash/there', 'there')
  await watching.until('web', (view) => view.warnings.length === 0)
})
