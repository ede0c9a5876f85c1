// Changes that need a new image: what is built when, and what serves meanwhile.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { appFiles, dockerfile, loop, poll } from '../support/loop.js'

const withDockerfile = (step: string): Record<string, string> => ({
  ...appFiles,
  'app/Dockerfile': dockerfile.replace('CMD', `${step}\nCMD`),
})

test('paths that rules send to a rebuild, or that none covers, build anew; the old pod serves until the new one is ready', async () => {
  const one = await loop()
  const watching = await one.begin()
  await one.save('app/public/live.txt', 'synced')
  await one.answers('synced', '/live')
  const first = await one.pods()
  const polled = poll(one.url('/live'))
  await one.save('app/public/rebuild/a.txt', 'a')
  const rebuilt = (): boolean =>
    watching.changes().some((change) => change.paths[0]?.endsWith('a.txt') && change.outcome === 'live')
  await waitFor(() => rebuilt() && watching.resource('web')?.pods.length === 1, { what: 'the rebuild to be live' })
  const second = await one.pods()
  expect(second).toHaveLength(1)
  expect(second[0]?.image).not.toBe(first[0]?.image)
  await one.save('app/package.json', '{"type":"module","version":"2.0.0"}')
  await waitFor(
    async () => {
      const pods = await one.pods()
      return pods.length === 1 && pods[0]?.image !== second[0]?.image && watching.session()?.ready
    },
    { what: 'the second rebuild' },
  )
  const { answers, failures } = await polled.stop()
  expect(failures).toEqual([])
  expect(new Set(answers)).toEqual(new Set(['synced']))
  expect(watching.changes().map((change) => [change.paths, change.outcome, change.images[0]?.action])).toEqual([
    [['app/public/live.txt'], 'live', 'sync'],
    [['app/public/rebuild/a.txt'], 'live', 'rebuild'],
    [['app/package.json'], 'live', 'rebuild'],
  ])
  expect(watching.output()).toContain('package.json: no live rule covers it')
  // the new image holds what was synced before, and the loop goes on
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
})

test('a newer change aborts the older build', async () => {
  const one = await loop({ files: withDockerfile('RUN if [ -e slow ]; then echo slow; sleep 300; fi') })
  const watching = await one.begin()
  const polled = poll(one.url('/live'))
  await one.save('app/public/live.txt', 'never alone')
  await one.answers('never alone', '/live')
  await one.save('app/slow', 'x')
  await waitFor(
    () =>
      watching.client.get('image', `${one.name}/web`)?.steps.some((step) => step.state === 'running' && /RUN/.test(step.name)),
    { what: 'the slow step to run' },
  )
  // what is saved while a build runs is not lost with it
  await one.save('app/public/live.txt', 'newest')
  await rm(join(one.folder, 'app/slow'))
  await one.save('app/other', 'x')
  await watching.ready(60_000)
  await one.answers('newest', '/live')
  const { failures } = await polled.stop()
  expect(failures).toEqual([])
  expect((await one.exec((await one.pods())[0]?.name ?? '', ['ls', '/app'])).stdout).not.toContain('slow')
  await waitFor(() => watching.changes().every((change) => change.outcome === 'live' || change.outcome === 'superseded'), {
    what: 'all changes to be settled',
  })
})

test('a failed build shows the Dockerfile line and leaves the pod alone; a fix and a revert recover', async () => {
  const one = await loop({
    files: withDockerfile('RUN if [ -e fail ]; then echo it is broken; cat fail; exit 9; fi'),
  })
  const watching = await one.begin()
  const before = await one.pods()
  const builds = (): number => watching.output().match(/building/g)?.length ?? 0
  const polled = poll(one.url('/live'))

  await one.save('app/fail', 'on purpose\n')
  const failed = await watching.until('web', (view) => view.status === 'failed')
  expect(failed.error).toMatchObject({ code: 'build/failed', where: { file: join(one.folder, 'app/Dockerfile'), line: 5 } })
  expect(`${failed.error?.message} ${failed.error?.why}`).toContain('on purpose')
  expect(await one.pods()).toEqual(before)
  // what is printed follows what is told
  await waitFor(() => watching.output().includes('Dockerfile:5'), { what: 'the line to be printed' })
  expect(builds()).toBe(2)

  // back to what the running image was built from: nothing to build
  await rm(join(one.folder, 'app/fail'))
  await watching.ready()
  expect(builds()).toBe(2)
  expect(await one.pods()).toEqual(before)
  await one.save('app/public/live.txt', 'after the revert')
  await one.answers('after the revert', '/live')

  await one.save('app/fail', 'once more\n')
  await watching.until('web', (view) => view.status === 'failed')
  await one.save('app/Dockerfile', dockerfile)
  await watching.ready()
  await one.answers('after the revert', '/live')
  const after = await one.pods()
  expect([after.length, after[0]?.image === before[0]?.image]).toEqual([1, false])
  expect((await polled.stop()).failures).toEqual([])
})

test('an error in the Dockerfile itself is told with its line', async () => {
  const one = await loop({ files: { ...appFiles, 'app/Dockerfile': 'FROM scratch\nCOPPY . .\n' } })
  const watching = await one.watch()
  const failed = await watching.until('web', (view) => view.status === 'failed')
  expect(failed.error).toMatchObject({ where: { file: join(one.folder, 'app/Dockerfile'), line: 2 } })
  expect(failed.error?.why).toContain('COPPY')
  await one.save('app/Dockerfile', dockerfile)
  await watching.ready()
  await one.answers('one')
})

test('what was synced over an image is forgotten as soon as a build holds it: a pod of that is sent nothing, and nothing stays on disk', async () => {
  const one = await loop()
  const watching = await one.begin()
  const [old] = await one.pods()
  for (let i = 0; i < 20; i++) await one.save(`app/public/f${i}`, `${i}`)
  await one.save('app/public/live.txt', 'synced')
  await rm(join(one.folder, 'app/public/f19'))
  await one.answers('synced', '/live')
  const image = () => watching.client.get('image', `${one.name}/web`)
  await waitFor(() => image()?.overlay === 20, { what: 'the overlay' })
  const journals = async (): Promise<string[]> => {
    const files = await readdir(one.env.XDG_STATE_HOME ?? '', { recursive: true })
    return files.filter((name) => name.endsWith('.paths'))
  }
  expect(await journals()).toHaveLength(2)
  await one.save('app/package.json', '{"type":"module","version":"2.0.0"}')
  await waitFor(
    async () => {
      const pods = await one.pods()
      return pods.length === 1 && pods[0]?.name !== old?.name && watching.session()?.ready === true
    },
    { what: 'the rebuild' },
  )
  expect(image()?.overlay).toBe(0)
  const [pod] = await one.pods()
  if (!pod) throw new Error('no pod')
  await one.same(pod.name, 'app/public', '/app/public')
  expect((await one.devloop('verify', 'web')).code).toBe(0)
  // nothing was written into it, and nothing is known any more of the pod before, once that has gone
  await waitFor(async () => (await journals()).length === 0, { what: 'the journals to be forgotten', timeoutMs: 90_000 })
  expect(watching.output().includes(`in ${pod.name}`)).toBe(false)
  await one.save('app/public/live.txt', 'again')
  await one.answers('again', '/live')
  expect(image()?.overlay).toBe(1)
})
