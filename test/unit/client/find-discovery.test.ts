import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findDaemon, findDiscoveries } from '../../../src/client/find-discovery.js'
import type { Discovery } from '../../../src/protocol/messages.js'
import { writeDiscovery } from '../../../src/server/discovery.js'
import { startTestServer } from '../../support/status-server.js'

let dir: string
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'devloop-find-'))))
afterEach(() => rm(dir, { recursive: true, force: true }))

const discovery = (changes: Partial<Discovery>): Discovery => ({
  pid: process.pid,
  project: 'shop',
  devloopfile: '/shop/Devloopfile.ts',
  startedAt: 1,
  version: '0.0.0',
  protocol: { major: 1, minor: 0 },
  epoch: 'e1',
  socket: '/none',
  token: 'secret',
  readToken: 'r',
  ...changes,
})

test('by instance or by Devloopfile, in all folders, the newest first', async () => {
  const dirs = ['a', 'b', 'missing'].map((name) => join(dir, name))
  await writeDiscovery(dirs[0]!, 'shop-1', discovery({ startedAt: 1 }))
  await writeDiscovery(dirs[1]!, 'shop-1', discovery({ startedAt: 2 }))
  await writeDiscovery(dirs[0]!, 'other-1', discovery({ devloopfile: '/other/Devloopfile.ts', startedAt: 3 }))
  const startTimes = async (options: Parameters<typeof findDiscoveries>[0]): Promise<number[]> =>
    (await findDiscoveries({ dirs, ...options })).map((found) => found.startedAt)
  expect(await startTimes({ instance: 'shop-1' })).toEqual([2, 1])
  expect(await startTimes({ devloopfile: '/shop/Devloopfile.ts' })).toEqual([2, 1])
  expect(await startTimes({ devloopfile: '/other/Devloopfile.ts' })).toEqual([3])
  expect(await startTimes({})).toEqual([3, 2, 1])
  expect(await startTimes({ instance: 'nobody' })).toEqual([])
})

test('a Devloopfile reached by a link is the same', async () => {
  await mkdir(join(dir, 'shop'))
  await writeFile(join(dir, 'shop/Devloopfile.ts'), '')
  await symlink(join(dir, 'shop'), join(dir, 'link'))
  await writeDiscovery(join(dir, 'run'), 'shop-1', discovery({ devloopfile: join(dir, 'shop/Devloopfile.ts') }))
  expect(await findDiscoveries({ dirs: [join(dir, 'run')], devloopfile: join(dir, 'link/Devloopfile.ts') })).toHaveLength(1)
})

test('broken files and links are passed over', async () => {
  const run = join(dir, 'run')
  await writeDiscovery(run, 'shop-1', discovery({}))
  await writeFile(join(run, 'broken.json'), '{')
  await writeFile(join(run, 'other.json'), '[]')
  await symlink(join(run, 'shop-1.json'), join(run, 'link.json'))
  expect(await findDiscoveries({ dirs: [run] })).toHaveLength(1)
})

test('only a daemon that answers is found', async () => {
  const run = join(dir, 'run')
  await writeDiscovery(run, 'dead', discovery({ startedAt: 9 }))
  expect(await findDaemon({ dirs: [run] })).toBeUndefined()
  const daemon = await startTestServer()
  try {
    await writeDiscovery(run, 'shop-1', discovery({ socket: daemon.socket }))
    expect((await findDaemon({ dirs: [run] }))?.socket).toBe(daemon.socket)
  } finally {
    await daemon.close()
  }
})
