// Discovery files: whole, private, removed by their owner only.
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Discovery } from '../../../src/protocol/messages.js'
import { isLive, readDiscovery, removeDiscovery, writeDiscovery } from '../../../src/server/discovery.js'
import { startTestServer } from '../../support/status-server.js'

let dir: string
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'devloop-discovery-'))))
afterEach(() => rm(dir, { recursive: true, force: true }))

const discovery = (changes: Partial<Discovery> = {}): Discovery => ({
  pid: process.pid,
  project: 'shop',
  devloopfile: '/shop/Devloopfile.ts',
  startedAt: 1,
  version: '0.0.0',
  protocol: { major: 1, minor: 0 },
  epoch: 'e1',
  socket: join(dir, 'none.sock'),
  token: 'secret',
  readToken: 'r',
  ...changes,
})

test('what was written is read, by its user alone', async () => {
  const runtime = join(dir, 'made-on-demand')
  await writeDiscovery(runtime, 'shop-1', discovery())
  expect(await readDiscovery(runtime, 'shop-1')).toEqual(discovery())
  expect((await stat(join(runtime, 'shop-1.json'))).mode & 0o777).toBe(0o600)
  expect(await readdir(runtime)).toEqual(['shop-1.json'])
})

test('many writers at once never leave a torn file', async () => {
  const writers = Array.from({ length: 20 }, (_, i) =>
    writeDiscovery(dir, 'shop-1', discovery({ epoch: `e${i}`, token: 'x'.repeat(5_000) })),
  )
  const reads: (Discovery | undefined)[] = []
  await writers[0]
  for (let i = 0; i < 50; i++) reads.push(await readDiscovery(dir, 'shop-1'))
  await Promise.all(writers)
  expect(reads.every((read) => read?.token.length === 5_000)).toBe(true)
  expect(await readdir(dir)).toEqual(['shop-1.json'])
})

test('only the owner removes it', async () => {
  await writeDiscovery(dir, 'shop-1', discovery({ epoch: 'newer' }))
  await removeDiscovery(dir, 'shop-1', 'older')
  expect(await readDiscovery(dir, 'shop-1')).toBeDefined()
  await removeDiscovery(dir, 'shop-1', 'newer')
  expect(await readDiscovery(dir, 'shop-1')).toBeUndefined()
  await removeDiscovery(dir, 'shop-1', 'newer')
})

test.each(['', 'null', '[]', '{"pid":1}', '{"pid":"1","socket":"/x","epoch":"e"}', '{'])(
  'a file that holds %j is no discovery',
  async (text) => {
    await writeFile(join(dir, 'shop-1.json'), text)
    expect(await readDiscovery(dir, 'shop-1')).toBeUndefined()
  },
)

test('an unsafe folder, or none to make it in, is refused', async () => {
  await expect(writeDiscovery(join(dir, 'missing', 'devloop'), 'shop-1', discovery())).rejects.toMatchObject({
    info: { code: 'daemon/start' },
  })
  await chmod(dir, 0o777)
  await expect(writeDiscovery(dir, 'shop-1', discovery())).rejects.toMatchObject({ info: { code: 'daemon/start' } })
})

test('live is: the process is there and the socket answers', async () => {
  const daemon = await startTestServer()
  try {
    expect(await isLive(discovery({ socket: daemon.socket }))).toBe(true)
    expect(await isLive(discovery())).toBe(false)
    const dead = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
    await once(dead, 'exit')
    expect(await isLive(discovery({ socket: daemon.socket, pid: dead.pid! }))).toBe(false)
  } finally {
    await daemon.close()
  }
})
