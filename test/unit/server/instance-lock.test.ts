// The lock with real processes: never two holders, and none left after a SIGKILL.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { lockInstance } from '../../../src/server/instance-lock.js'
import { bundleModule, forkModule, type Forked } from '../../support/fork-module.js'

let holder: string
let dir: string
const forked: Forked[] = []

beforeAll(async () => void (holder = await bundleModule(fileURLToPath(new URL('fixtures/lock-holder.ts', import.meta.url)))))
afterAll(() => rm(dirname(holder), { recursive: true, force: true }))
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'devloop-lock-'))))
afterEach(async () => {
  for (const { child, ended } of forked.splice(0)) {
    child.kill('SIGKILL')
    await ended
  }
  await rm(dir, { recursive: true, force: true })
})

async function candidate(): Promise<Forked> {
  const process = forkModule(holder, [dir, 'shop-1'])
  forked.push(process)
  expect(await process.next()).toBe('started')
  return process
}

async function tryLock(process: Forked): Promise<unknown> {
  process.child.send('lock')
  return process.next()
}

test('the second is told who holds it', async () => {
  const first = await candidate()
  expect(await tryLock(first)).toBe('held')
  const second = await candidate()
  expect(await tryLock(second)).toBe(`daemon/running: devloop already runs for this project (process ${first.child.pid}).`)
  await expect(lockInstance(dir, 'shop-1')).rejects.toMatchObject({ info: { code: 'daemon/running' } })
})

// twenty processes, which a busy machine takes its time to start
test('of several at the same moment exactly one wins', async () => {
  for (let round = 0; round < 5; round++) {
    const candidates = await Promise.all([candidate(), candidate(), candidate(), candidate()])
    const outcomes = await Promise.all(candidates.map(tryLock))
    expect(outcomes.filter((outcome) => outcome === 'held')).toHaveLength(1)
    expect(outcomes.filter((outcome) => String(outcome).startsWith('daemon/running'))).toHaveLength(3)
    for (const { child, ended } of forked.splice(0)) {
      child.kill('SIGKILL')
      await ended
    }
  }
}, 60_000)

test('after a SIGKILL it is free at once, and nothing is left of the dead', async () => {
  const first = await candidate()
  expect(await tryLock(first)).toBe('held')
  first.child.kill('SIGKILL')
  await first.ended
  expect(await readdir(dir)).toHaveLength(1)
  const lock = await lockInstance(dir, 'shop-1')
  expect(await readdir(dir)).toHaveLength(1)
  await lock.release()
  expect(await readdir(dir)).toEqual([])
})

test('a holder that is stopped still holds', async () => {
  const first = await candidate()
  expect(await tryLock(first)).toBe('held')
  first.child.kill('SIGSTOP')
  await expect(lockInstance(dir, 'shop-1')).rejects.toMatchObject({ info: { code: 'daemon/running' } })
  first.child.kill('SIGCONT')
})

test('other instances, also with a similar name, have their own', async () => {
  const locks = await Promise.all(['shop-1', 'shop-2', 'shop', 'shop-1.x'].map((instance) => lockInstance(dir, instance)))
  expect(await readdir(dir)).toHaveLength(4)
  for (const lock of locks) await lock.release()
})

test('after release it is free', async () => {
  await (await lockInstance(dir, 'shop-1')).release()
  const again = await lockInstance(dir, 'shop-1')
  await expect(lockInstance(dir, 'shop-1')).rejects.toMatchObject({ info: { code: 'daemon/running' } })
  await again.release()
})

test('within one process too there is one holder', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => lockInstance(dir, 'shop-1')))
  const held = outcomes.filter((outcome) => outcome.status === 'fulfilled')
  expect(held).toHaveLength(1)
  await held[0]!.value.release()
})
