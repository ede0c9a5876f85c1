// What `devloop status`, `why` and `verify` say of a container: in sync, so many paths behind, or unknown when its stream is cut.
import { expect, test } from 'vitest'
import type { ResourceView } from '../../src/protocol/messages.js'
import { proxiedCluster, waitFor } from '../support/cluster.js'
import { appFiles, devloopfile, loop } from '../support/loop.js'

const rules = `[sync('src', '/app/src'), sync('public', '/app/public')]`

test('what waits for a trigger is counted as behind, path by path', async () => {
  const one = await loop({ devloopfile: devloopfile(`trigger: 'manual'`, rules), files: appFiles })
  const watching = await one.begin()
  const row = async (): Promise<string> => (await one.devloop('status')).stdout
  expect(await row()).toMatch(/^  web-\S+\/web +in sync +agent$/m)
  await one.save('app/public/live.txt', 'second')
  await one.save('app/public/new.txt', 'new')
  await one.save('app/src/deep/er.txt', 'deep')
  await waitFor(async () => /^  web-\S+\/web +3 behind +agent$/m.test(await row()), { what: '3 paths behind' })
  const verify = await one.devloop('verify')
  expect(verify.code).toBe(1)
  expect(verify.stdout).toMatch(/: 3 of \d+ paths differ\n  what was saved and waits for `devloop trigger` counts as different/)
  // one of them is taken back
  await one.save('app/public/live.txt', 'first')
  await waitFor(async () => /^  web-\S+\/web +2 behind +agent$/m.test(await row()), { what: '2 paths behind' })
  expect(await one.devloop('trigger', 'web')).toMatchObject({ code: 0 })
  await watching.ready()
  await waitFor(async () => /^  web-\S+\/web +in sync +agent$/m.test(await row()), { what: 'all to be in sync' })
  expect(await one.devloop('verify')).toMatchObject({ code: 0 })
})

test('while the cluster is out of reach it is unknown, and nothing can be compared; then it is brought to what was saved', async () => {
  const { proxy, kubeconfig, close } = await proxiedCluster()
  try {
    const one = await loop({ devloopfile: devloopfile('', rules), files: appFiles, env: { KUBECONFIG: kubeconfig.file } })
    const watching = await one.begin()
    const row = async (): Promise<string> => (await one.devloop('status')).stdout
    expect(await row()).toMatch(/^  web-\S+\/web +in sync +agent$/m)
    proxy.cut()
    await one.save('app/public/live.txt', 'second')
    await waitFor(async () => /^  web-\S+\/web +unknown +agent$/m.test(await row()), {
      what: 'it to be unknown',
      timeoutMs: 60_000,
    })
    const verify = await one.devloop('verify')
    expect(verify.code).toBe(1)
    expect(verify.stdout).toContain('nothing could be compared')
    expect((await one.devloop('why', 'app/public/live.txt')).stdout).toContain('written to /app/public/live.txt')
    proxy.restore()
    await watching.ready(90_000)
    await waitFor(async () => /^  web-\S+\/web +in sync +agent$/m.test(await row()), {
      what: 'all to be in sync',
      timeoutMs: 60_000,
    })
    expect(await one.devloop('verify')).toMatchObject({ code: 0 })
    const [pod] = await one.pods()
    expect((await one.exec(pod?.name ?? '', ['cat', '/app/public/live.txt'])).stdout).toBe('second')
  } finally {
    await close()
  }
})

test('a script that waits until its saves are live finds them in the pod, also where that takes a build', async () => {
  const one = await loop({ devloopfile: devloopfile('', rules), files: appFiles })
  await one.begin()
  const holds = async (path: string): Promise<string> => {
    const waited = await one.devloop('status', '--json', '--wait', 'live', '--timeout', '100s')
    expect([waited.code, waited.stderr]).toEqual([0, ''])
    const { resources } = JSON.parse(waited.stdout) as { resources: ResourceView[] }
    const pod = resources.flatMap(({ pods }) => pods).find(({ current, ready }) => current && ready)
    return (await one.exec(pod?.name ?? '', ['cat', path])).stdout
  }
  for (const word of ['second', 'third', 'fourth']) {
    await one.save('app/public/live.txt', word)
    expect(await holds('/app/public/live.txt')).toBe(word)
  }
  await one.save('app/covered-by-no-rule.txt', 'built')
  expect(await holds('/app/covered-by-no-rule.txt')).toBe('built')
})
