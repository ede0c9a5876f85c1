// A folder that vanishes or empties out does not empty containers: devloop holds it, tells so, and goes on when the files are back.
import { renameSync } from 'node:fs'
import { mkdir, readdir, rename, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { answers, homes, project, put, run, watch, type Watching } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { waitFor } from '../support/wait-for.js'

const server = `
import { createServer } from 'node:http'
import { readdirSync } from 'node:fs'
createServer((request, response) => {
  let names = []
  try { names = readdirSync('.' + request.url, { recursive: true }) } catch {}
  response.end(names.sort().join(' '))
}).listen(Number(process.env.PORT))
`
let env: Record<string, string>
let port: number
let folder: string

beforeEach(async () => {
  env = await homes()
  port = await freePort()
  folder = await project({
    'Devloopfile.ts': `
import { app, defineDevloop, image, sync } from 'devloop'
export default defineDevloop(() => ({
  name: 'shop',
  resources: [app('web', {
    image: image('shop/web', { context: 'web', live: [sync('src', '/app/src'), sync('lib', '/app/lib'), sync('page.html', '/app/page/'), sync('out', '/app/out', { from: 'container' })] }),
    ports: { http: 8080 }, forward: { http: ${port} }, process: { command: ['node', 'server.mjs'] },
  })],
}))
`,
    'web/Dockerfile': 'FROM node\nWORKDIR /app\n',
    'web/server.mjs': server,
    'web/page.html': 'page',
    'web/lib/x': 'x',
    'web/out/a': 'a',
    'web/out/b': 'b',
    'web/out/c': 'c',
    ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`web/src/${i % 7}/f${i}`, `${i}`])),
  })
})

const at = (path: string): string => join(folder, 'web', path)
const begin = async (): Promise<Watching> => {
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  await watching.ready()
  return watching
}
const holds = async (path: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${port}/${path}`)).text()
  return text.split(' ').filter((name) => /\bf\d+$|x$/.test(name)).length
}
const held = (watching: Watching) =>
  watching.until('web', (view) => view.ready && view.warnings.some(({ code }) => code === 'sync/root-gone'))
const released = (watching: Watching) =>
  watching.until('web', (view) => view.ready && view.warnings.every(({ code }) => code !== 'sync/root-gone'))
/** A save of another folder goes on. */
const saveIsLive = async (name: string): Promise<void> => {
  await put(at(`lib/${name}`), name)
  await answers(`http://127.0.0.1:${port}/lib`, new RegExp(`\\b${name}\\b`))
}
const devloop = (...args: string[]) => run(args, { cwd: folder, env })

test.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
  ['moved away', () => rename(at('src'), join(folder, 'away')), () => rename(join(folder, 'away'), at('src'))],
  [
    'emptied, one file after the other',
    async () => {
      const names = await readdir(at('src'), { recursive: true })
      for (const name of names) if (!name.includes('/')) await mkdir(join(folder, 'away', name), { recursive: true })
      // without a pause: what goes one by one over a while is deleted one by one
      for (const name of names) if (name.includes('/')) renameSync(at(`src/${name}`), join(folder, 'away', name))
    },
    async () => {
      await rm(at('src'), { recursive: true })
      await rename(join(folder, 'away'), at('src'))
    },
  ],
  [
    'replaced by a file',
    async () => {
      await rename(at('src'), join(folder, 'away'))
      await put(at('src'), 'a file')
    },
    async () => {
      await rm(at('src'))
      await rename(join(folder, 'away'), at('src'))
    },
  ],
])('a folder that is %s is held, and followed when it is back', async (_name, go, back) => {
  const watching = await begin()
  expect(await holds('src')).toBe(300)
  await go()
  await held(watching)
  expect(await holds('src')).toBe(300)
  await saveIsLive('x1')
  const status = (await devloop('status')).stdout
  expect(status).toContain(`${at('src')} is gone or empty.`)
  expect(status).toContain('devloop trigger web --confirm-empty')
  expect((await devloop('why', at('src/0/f0'))).stdout).toContain('held now (sync/root-gone)')
  const logged = watching.output().split('\n')
  expect(logged.filter((line) => line.includes('web sync') && line.includes('300 files would be deleted'))).toHaveLength(1)
  await back()
  await put(at('src/0/f0'), 'other')
  await released(watching)
  await put(at('src/0/f1000'), 'new')
  await waitFor(async () => (await holds('src')) === 301, { what: 'the new file' })
})

test('what is meant is confirmed, and deleted; nobody asks again after a restart', async () => {
  const watching = await begin()
  await rename(at('src'), join(folder, 'away'))
  await held(watching)
  expect(await holds('src')).toBe(300)
  const refused = await devloop('trigger', 'nothing', '--confirm-empty')
  expect(refused.code).toBe(1)
  expect(await devloop('trigger', 'web', '--confirm-empty')).toMatchObject({ code: 0, stdout: 'confirmed for web\n' })
  await waitFor(async () => (await holds('src')) === 0, { what: 'the files to be deleted' })
  await released(watching)
  expect((await devloop('trigger', 'web', '--confirm-empty')).stderr).toContain('nothing is held of web')
  watching.child.kill('SIGINT')
  await watching.ended
  const again = await begin()
  await saveIsLive('x2')
  expect(again.resource('web')?.warnings).toEqual([])
  expect(await holds('src')).toBe(0)
  // from then on it is guarded again
  await mkdir(at('src'))
  await put(at('src/f1'), '1')
  await put(at('src/f2'), '2')
  await waitFor(async () => (await holds('src')) === 2, { what: 'the files to be there again' })
  await rename(at('src'), join(folder, 'away again'))
  await held(again)
  expect(await holds('src')).toBe(2)
})

test('what vanished while devloop did not run is held, too', async () => {
  const first = await begin()
  await saveIsLive('x1')
  first.child.kill('SIGKILL')
  await first.ended
  await rename(at('src'), join(folder, 'away'))
  const watching = await begin()
  await held(watching)
  expect(await holds('src')).toBe(300)
  await rename(join(folder, 'away'), at('src'))
  await released(watching)
})

test('the whole context is held', async () => {
  const watching = await begin()
  await rename(at(''), join(folder, 'away'))
  await held(watching)
  expect(await holds('src')).toBe(300)
  await rename(join(folder, 'away'), at(''))
  await released(watching)
  await saveIsLive('x3')
  expect(await holds('src')).toBe(300)
})

test('what the app deletes of a folder that is synced both ways is deleted here, and not held; what is deleted here is', async () => {
  const watching = await begin()
  await watching.until('web', (view) => view.pods[0]?.targets[0]?.returns !== undefined)
  const stage = join(watching.client.get('image', 'shop/web')?.ref ?? '', 'app/out')
  for (const name of ['a', 'b', 'c']) await unlink(join(stage, name))
  await put(join(stage, 'd'), 'd')
  await waitFor(async () => (await readdir(at('out')).catch(() => [])).join() === 'd', { what: 'the same files here' })
  await saveIsLive('x4')
  expect(watching.resource('web')?.warnings).toEqual([])
  await rename(at('out'), join(folder, 'away'))
  await held(watching)
  expect(await readdir(stage)).toEqual(['d'])
})

test('a single file, and the last one of a folder, are deleted as any other', async () => {
  const watching = await begin()
  await unlink(at('lib/x'))
  await waitFor(async () => (await holds('lib')) === 0, { what: 'the last file to be deleted' })
  await unlink(at('page.html'))
  await answers(`http://127.0.0.1:${port}/page`, '')
  expect(watching.resource('web')?.warnings).toEqual([])
})
