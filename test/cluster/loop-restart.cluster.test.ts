// A devloop that is started again, or cut off in the middle of a write, finds out what containers hold and brings them to the
// local content.
import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { proxiedCluster, waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { devloopfile, loop, type Loop } from '../support/loop.js'

const builds = (watching: Watching): number => watching.output().match(/building/g)?.length ?? 0

async function stop(watching: Watching): Promise<void> {
  watching.child.kill('SIGINT')
  expect((await watching.ended).code).toBe(130)
}

const firstPod = async (one: Loop): Promise<string> => (await one.pods())[0]?.name ?? ''

/** Wait until the container holds what is here, in every folder that is synced. */
async function same(one: Loop, pod: string): Promise<void> {
  await one.same(pod, 'app/src', '/app/src')
  await one.same(pod, 'app/public', '/app/public')
}

test('a restart with nothing changed builds, pushes and deploys nothing; edits made meanwhile are synced [tilt-2]', async () => {
  const one = await loop()
  const first = await one.begin()
  const pods = await one.pods()
  // built again with the same result: what runs is kept
  expect((await one.devloop('trigger', 'web')).code).toBe(0)
  await waitFor(() => builds(first) === 2 && first.client.get('image', `${one.name}/web`)?.state === 'built', {
    what: 'the build that was asked for',
  })
  await first.ready()
  await one.save('app/src/word.txt', 'two')
  await one.save('app/public/more/new.txt', 'new')
  await one.answers('two')
  await first.ready()
  const pid = await one.answers(/^\d+$/, '/pid')
  await stop(first)
  expect(await one.pods()).toEqual(pods)

  const second = await one.begin()
  await one.answers('two')
  expect(await one.answers(/^\d+$/, '/pid')).toBe(pid)
  expect([builds(second), await one.pods()]).toEqual([0, pods])
  expect(second.output()).not.toMatch(/sync │/)
  await stop(second)

  await one.save('app/src/word.txt', 'three')
  await one.save('app/public/while down.txt', 'x')
  await rm(join(one.folder, 'app/public/more'), { recursive: true })
  await chmod(join(one.folder, 'app/public/live.txt'), 0o755)
  const third = await one.begin()
  await one.answers('three')
  await same(one, pods[0]?.name ?? '')
  expect([builds(third), await one.pods()]).toEqual([0, pods])
  await stop(third)

  // a path that no rule covers, edited while it was down, is built
  await one.save('app/package.json', '{"type":"module","version":"2.0.0"}')
  const fourth = await one.begin()
  expect(builds(fourth)).toBe(1)
  await one.answers('three')
  await same(one, await firstPod(one))
})

test('with its state gone it still converges', async () => {
  const one = await loop()
  const first = await one.begin()
  await one.save('app/src/word.txt', 'two')
  await one.save('app/public/added.txt', 'only in the container')
  await one.answers('two')
  await first.ready()
  await stop(first)
  // back to what the image was built from, so that the same image is built again
  await one.save('app/src/word.txt', 'one')
  await rm(join(one.folder, 'app/public/added.txt'))
  await rm(join(one.env.XDG_STATE_HOME ?? '', 'devloop'), { recursive: true })
  const second = await one.begin()
  expect(builds(second)).toBe(1)
  await one.answers('one')
  await same(one, await firstPod(one))
  await one.save('app/src/word.txt', 'three')
  await one.answers('three')
  await second.ready()
  await same(one, await firstPod(one))
})

/** Much that is there at once: a big file and small ones, a delete, a rename. Returns when devloop has begun to write it. */
async function saveMuch(one: Loop, watching: Watching, round: number): Promise<void> {
  const files: Record<string, string | Buffer> = {
    'public/live.txt': `round ${round}`,
    'public/big.bin': randomBytes(20 * 1024 * 1024),
    'src/word.txt': `word ${round}`,
  }
  for (let n = 0; n < 40; n++) files[`public/many/${n % 4}/${n} of ${round}`] = randomBytes(2000)
  const [from, to] = [join(one.folder, `staged ${round}`), join(one.folder, 'app')]
  for (const [name, content] of Object.entries(files)) await one.save(`staged ${round}/${name}`, content)
  for (const folder of ['public/many/0', 'public/many/1', 'public/many/2', 'public/many/3'])
    mkdirSync(join(to, folder), { recursive: true })
  rmSync(join(to, `public/many/0/0 of ${round - 1}`), { force: true })
  renameSync(join(to, 'public/live.txt'), join(to, `public/live ${round}.txt`))
  for (const name of Object.keys(files)) renameSync(join(from, name), join(to, name))
  await waitFor(
    () =>
      watching.changes().some((change) => change.outcome === 'pending' && change.stages.some(({ stage }) => stage === 'sent')),
    { what: 'the write to begin', everyMs: 1 },
  )
  // wherever it is by now
  await new Promise((resolve) => setTimeout(resolve, randomInt(0, 200)))
}

test('after kill -9 in the middle of a write, the container holds exactly the local content', async () => {
  const one = await loop()
  let watching = await one.begin()
  const pods = await one.pods()
  for (let round = 1; round <= 3; round++) {
    await saveMuch(one, watching, round)
    watching.child.kill('SIGKILL')
    await watching.ended
    watching = await one.begin()
    await same(one, pods[0]?.name ?? '')
    // the restart that the write owed is made up for
    await one.answers(`word ${round}`)
    await one.answers(`round ${round}`, '/live')
  }
  expect(builds(watching)).toBe(0)
  expect(await one.pods()).toEqual(pods)
})

test("after the API server's connection was cut in the middle of a write, the container holds exactly the local content", async () => {
  const cluster = await proxiedCluster()
  onTestFinished(() => cluster.close())
  const one = await loop({ env: { KUBECONFIG: cluster.kubeconfig.file } })
  const watching = await one.begin()
  const pods = await one.pods()
  for (let round = 1; round <= 3; round++) {
    await saveMuch(one, watching, round)
    if (round % 2 === 0) {
      cluster.proxy.drop()
    } else {
      cluster.proxy.cut()
      await waitFor(() => watching.session()?.runtime.state === 'lost' || watching.resource('web')?.ready === false, {
        what: 'the loss to be seen',
      })
      cluster.proxy.restore()
    }
    await waitFor(() => watching.session()?.ready === true && watching.changes().every((change) => change.outcome === 'live'), {
      what: 'everything to be live again',
    })
    await same(one, pods[0]?.name ?? '')
    await one.answers(`word ${round}`)
    await one.answers(`round ${round}`, '/live')
  }
  expect(builds(watching)).toBe(1)
  expect(await one.pods()).toEqual(pods)
})

test('what changes while the cluster cannot be reached is written when it can', async () => {
  const cluster = await proxiedCluster()
  onTestFinished(() => cluster.close())
  const one = await loop({
    devloopfile: devloopfile(),
    env: { KUBECONFIG: cluster.kubeconfig.file },
  })
  const watching = await one.begin()
  const pods = await one.pods()
  cluster.proxy.cut()
  await watching.until('web', (view) => !view.ready)
  await one.save('app/src/word.txt', 'two')
  await one.save('app/public/live.txt', 'second')
  await waitFor(() => watching.session()?.runtime.state === 'lost', { what: 'the loss to be told' })
  expect(watching.session()?.runtime.error?.code).toBe('cluster/unreachable')
  cluster.proxy.restore()
  await watching.ready()
  await one.answers('two')
  await same(one, pods[0]?.name ?? '')
  expect(await one.pods()).toEqual(pods)
})
