// A large file whose connection is cut in the middle does not start again from its beginning.
import { createHash, randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { proxiedCluster, waitFor } from '../support/cluster.js'
import { devloopfile, loop } from '../support/loop.js'

const size = 40 * 1024 * 1024

test.each([
  ['the agent', true],
  ['the shell loop', false],
])('by %s, what has arrived is not sent again', async (_name, agent) => {
  const { proxy, kubeconfig, close } = await proxiedCluster()
  onTestFinished(close)
  const one = await loop({
    devloopfile: (names) => devloopfile()(names).replace('  resources:', `  settings: { agent: ${agent} },\n  resources:`),
    env: { KUBECONFIG: kubeconfig.file },
  })
  const watching = await one.begin()
  const [pod] = await one.pods()
  if (!pod) throw new Error('no pod')
  await waitFor(
    () => watching.resource('web')?.pods[0]?.targets[0]?.transport?.startsWith(agent ? 'agent' : 'shell loop') === true,
    { what: 'the transport that is tested' },
  )
  const content = randomBytes(size)
  const before = proxy.received()
  proxy.dropAfter(size * 0.6)
  await one.save('app/public/large.bin', content)
  const hash = createHash('sha256').update(content).digest('hex')
  await waitFor(
    async () => (await one.exec(pod.name, ['sh', '-c', 'sha256sum < /app/public/large.bin'])).stdout.startsWith(hash),
    { what: 'the file to be there', timeoutMs: 90_000 },
  )
  const sent = proxy.received() - before
  expect(watching.output()).toContain('ended: ')
  expect(sent).toBeGreaterThan(size)
  expect(sent).toBeLessThan(size * 1.4)
  await waitFor(async () => (await one.exec(pod.name, ['sh', '-c', 'ls -A /app/public'])).stdout === 'large.bin\nlive.txt\n', {
    what: 'nothing else to be left',
  })
  await waitFor(() => watching.changes().at(-1)?.outcome === 'live', { what: 'the change to be live' })
})
