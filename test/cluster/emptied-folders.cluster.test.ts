// A synced folder that vanishes here stays in running containers, until it is back or somebody says that it is meant.
import { execFile } from 'node:child_process'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { loop } from '../support/loop.js'

test('a folder that a branch does not have, or that is deleted, is held; what is confirmed is deleted', async () => {
  const one = await loop()
  for (let i = 0; i < 200; i++) await one.save(`app/public/${i % 5}/f${i}`, `${i}`)
  const git = async (...args: string[]): Promise<void> => {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'init.defaultBranch=main']
    await promisify(execFile)('git', [...identity, '-C', one.folder, ...args])
  }
  await git('init')
  await git('add', 'app')
  await git('commit', '-m', 'with')
  await git('checkout', '-b', 'without')
  await git('rm', '-r', '-q', 'app/public')
  await git('commit', '-m', 'without')
  await git('checkout', 'main')
  const watching = await one.begin()
  const [pod] = await one.pods()
  if (!pod) throw new Error('no pod')
  const count = async (): Promise<number> => {
    const { stdout } = await one.exec(pod.name, ['sh', '-c', 'find /app/public -type f | wc -l'])
    return Number(stdout)
  }
  const held = (is: boolean) =>
    watching.until('web', (view) => view.ready && view.warnings.some(({ code }) => code === 'sync/root-gone') === is)
  const pid = await one.answers(/^\d+$/, '/pid')
  // what no image holds
  await one.save('app/public/0/late', 'late')
  await waitFor(async () => (await count()) === 202, { what: 'the file that was saved last' })

  // what git does not know would stay, and the folder with it
  await git('add', 'app')
  await git('commit', '-m', 'late')
  await git('checkout', 'without')
  await held(true)
  expect(await count()).toBe(202)
  await one.save('app/src/note.txt', 'saved meanwhile')
  await waitFor(async () => (await one.exec(pod.name, ['cat', '/app/src/note.txt'])).stdout === 'saved meanwhile', {
    what: 'a save of another folder',
  })
  expect((await one.devloop('status')).stdout).toContain('devloop trigger web --confirm-empty')
  expect(watching.resource('web')?.pods[0]?.targets[0]?.error?.code).toBe('sync/root-gone')
  expect(await count()).toBe(202)

  await git('checkout', 'main')
  await held(false)
  expect(await count()).toBe(202)
  expect(await one.answers('first', '/live')).toBe('first')

  await rename(join(one.folder, 'app/public'), join(one.folder, 'away'))
  await held(true)
  expect(await count()).toBe(202)
  expect(await one.devloop('trigger', 'web', '--confirm-empty')).toMatchObject({ code: 0, stdout: 'confirmed for web\n' })
  await waitFor(async () => (await one.exec(pod.name, ['sh', '-c', 'find /app/public -type f | wc -l'])).stdout.trim() === '0', {
    what: 'the files to be deleted',
  })
  await held(false)
  expect(await one.pods()).toEqual([pod])
  expect(await one.answers(/^\d+$/, '/pid')).not.toBe(pid)
  expect(watching.output().match(/building/g)).toHaveLength(1)
})
