// Requests that take their time, on real pods: they are answered when the work is done, and say how it gets on.
import { expect, test } from 'vitest'
import type { Requests } from '../../src/protocol/messages.js'
import { dockerfile, loop, server } from '../support/loop.js'

test('trigger, verify and shutdown are waited for, with their progress', async () => {
  const one = await loop()
  const { client, ready, until, ended } = await one.begin()
  const told: string[] = []
  const onProgress = ({ message }: { message: string }): void => void told.push(message)
  const trigger = async (): Promise<Requests['trigger']['result']['outcomes']> =>
    (await client.request('trigger', { resource: 'web', wait: true }, { timeoutMs: 100_000, onProgress })).outcomes

  expect(await trigger()).toEqual([{ resource: 'web', ready: true }])
  expect(told.join('\n')).toMatch(/^web: (building|pushing|deploying)/m)

  await one.save('app/Dockerfile', `${dockerfile}RUN exit 9\n`)
  await until('web', (view) => view.status === 'failed')
  expect(await trigger()).toMatchObject([{ resource: 'web', ready: false, error: { code: 'build/failed', where: { line: 6 } } }])

  // pods that end at once: known when they have, and not by what the pods before them had
  await one.save('app/src/server.js', 'process.exit(3)\n')
  await one.save('app/Dockerfile', dockerfile)
  expect(await trigger()).toMatchObject([
    { resource: 'web', ready: false, error: { code: expect.stringMatching(/^(pod\/crashed|app\/exited)$/) as string } },
  ])
  await one.save('app/src/server.js', server)
  expect(await trigger()).toEqual([{ resource: 'web', ready: true }])
  await one.answers('one')
  await ready()

  const [pod] = await one.pods()
  told.length = 0
  await client.request('verify', {}, { timeoutMs: 60_000, onProgress })
  expect(told).toEqual(['comparing 1 container', `web: ${pod?.name}/web`])

  told.length = 0
  const down = await client.request('shutdown', { down: true, wait: true }, { timeoutMs: 100_000, onProgress })
  expect(down).toEqual({ accepted: true, removed: true })
  expect(told.join('\n')).toMatch(/^web: deleted .*deployment\/web/m)
  expect((await ended).code).toBe(0)
})
