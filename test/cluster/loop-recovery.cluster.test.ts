// What breaks is told, leaves the pod alone as long as it can, and is brought back to the newest content.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { answersWhenReady, loop, poll, server, type Loop } from '../support/loop.js'

const builds = (watching: Watching): number => watching.output().match(/building/g)?.length ?? 0

test('a failed step is told with its output and keeps the pod; the next good save recovers without a build [tilt-5]', async () => {
  const one = await loop()
  const watching = await one.begin()
  const before = await one.pods()
  await one.save('app/public/broken', 'x')
  const failed = await watching.until('web', (view) => view.status === 'failed')
  expect(failed.error).toMatchObject({
    code: 'run/failed',
    message: expect.stringContaining('exit code 7') as string,
    why: 'the step is broken',
    where: { file: join(one.folder, 'Devloopfile.ts'), line: expect.any(Number) as number },
  })
  expect(watching.changes()).toMatchObject([{ outcome: 'failed' }])
  await one.answers('first', '/live')
  // a save that leads to no step does not make it good
  await one.save('app/src/word.txt', 'two')
  await waitFor(() => watching.changes().length === 2 && watching.changes().every((change) => change.outcome === 'failed'), {
    what: 'the second change to fail',
  })
  await rm(join(one.folder, 'app/public/broken'))
  await one.save('app/public/live.txt', 'second')
  await watching.ready()
  await one.answers('second', '/live')
  await one.answers('two')
  expect(await one.pods()).toEqual(before)
  expect(builds(watching)).toBe(1)
})

/** Save ten times, so that the container differs from its image. */
async function tenSaves(one: Loop, watching: Watching): Promise<void> {
  for (let n = 1; n <= 10; n++) {
    await one.save('app/src/word.txt', `word ${n}`)
    await one.save('app/public/live.txt', `live ${n}`)
    await one.answers(`word ${n}`)
  }
  await watching.ready()
}

test('a pod that takes the place of a deleted one serves the newest content before it is ready [tilt-6]', async () => {
  const one = await loop()
  const watching = await one.begin()
  await tenSaves(one, watching)
  const [before] = await one.pods()
  const whenReady = answersWhenReady(watching, 'web', one.url())
  const polled = poll(one.url('/'))
  await one.connection.request('DELETE', `/api/v1/namespaces/${one.namespace}/pods/${before?.name}`, {
    query: { gracePeriodSeconds: 1 },
  })
  await watching.until('web', (view) => view.ready && view.pods.some((pod) => pod.current && pod.name !== before?.name))
  expect(await whenReady.seen()).toEqual(['word 10'])
  expect(new Set((await polled.stop()).answers)).toEqual(new Set(['word 10']))
  const [after] = await one.pods()
  await one.same(after?.name ?? '', 'app/src', '/app/src')
  await one.same(after?.name ?? '', 'app/public', '/app/public')
  expect(builds(watching)).toBe(1)
})

test.each([
  ['its first process', (one: Loop, pod: string) => one.exec(pod, ['kill', '1'])],
  ["the app's own process", async (one: Loop, pod: string) => one.exec(pod, ['kill', '-9', await one.answers(/^\d+$/, '/pid')])],
])('a container that ended by the end of %s is brought to the newest content before it is ready', async (_name, kill) => {
  const one = await loop()
  const watching = await one.begin()
  await tenSaves(one, watching)
  const [before] = await one.pods()
  const whenReady = answersWhenReady(watching, 'web', one.url())
  await kill(one, before?.name ?? '').catch(() => undefined)
  await watching.until('web', (view) => view.ready && view.pods[0]?.restarts === 1)
  const polled = poll(one.url('/'))
  await one.answers('word 10')
  await one.answers('live 10', '/live')
  const [after] = await one.pods()
  expect(after?.name).toBe(before?.name)
  expect(after?.containers[0]?.id).not.toBe(before?.containers[0]?.id)
  await one.same(after?.name ?? '', 'app/src', '/app/src')
  expect(new Set((await polled.stop()).answers)).toEqual(new Set(['word 10']))
  expect((await whenReady.seen()).filter((answer) => answer !== 'word 10')).toEqual([])
  expect(builds(watching)).toBe(1)
})

test('a save that makes the app crash is told, and a fix recovers without waiting for the back-off [tilt-9]', async () => {
  const one = await loop()
  const watching = await one.begin()
  const [before] = await one.pods()
  await one.save('app/src/server.js', `console.log('about to fail')\nthrow new Error('broken on purpose')\n`)
  const failed = await watching.until('web', (view) => view.error?.code === 'pod/crashed')
  expect(failed.error?.message).toContain('web')
  // the kubelet waits ten seconds and more before it starts such a container again
  await waitFor(
    async () => {
      const pod = (await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/pods/${before?.name}`)) as {
        status: { containerStatuses: { state: { waiting?: { reason: string } } }[] }
      }
      return pod.status.containerStatuses[0]?.state.waiting?.reason === 'CrashLoopBackOff'
    },
    { what: 'the back-off to begin' },
  )
  await one.save('app/src/server.js', server.replace('() => word', `() => word + ' mended'`))
  await one.answers('one mended')
  await watching.ready()
  const after = await one.pods()
  expect(after).toHaveLength(1)
  expect(after[0]?.name).not.toBe(before?.name)
  expect(builds(watching)).toBe(1)
})
