// Ctrl-C in the middle of work on a cluster: devloop ends soon, with nothing left behind on this machine, in the engine or in pods.
import { readdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { proxiedCluster, waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { withBystanders } from '../support/failures.js'
import { appFiles, dockerfile, loop, server, type Loop } from '../support/loop.js'
import { family, gone } from '../support/processes.js'

/** Ids of the containers that devloop looked into images with, on this machine's engine. */
function probes(): Promise<string[]> {
  const url = new URL(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock')
  const place = url.protocol === 'unix:' ? { socketPath: url.pathname } : { host: url.hostname, port: url.port }
  const filters = JSON.stringify({ label: ['dev.devloop.probe'] })
  return new Promise((resolve, reject) => {
    const path = `/containers/json?all=1&filters=${encodeURIComponent(filters)}`
    const asked = request({ ...place, path, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () => resolve((JSON.parse(text) as { Id: string }[]).map((one) => one.Id)))
    })
    asked.on('error', reject).end()
  })
}

/** Interrupt, and make sure that nothing is left. */
async function interrupt(one: Loop, watching: Watching): Promise<void> {
  const processes = family(watching.child.pid ?? 0)
  watching.child.kill('SIGINT')
  const { code, stderr } = await watching.ended
  expect([code, stderr]).toEqual([130, ''])
  await gone(processes)
  // those of others that work with this engine come and go
  const seen = await probes()
  await waitFor(async () => (await probes()).every((id) => !seen.includes(id)), { what: 'all probes to be gone' })
  expect(await readdir(join(one.env.XDG_RUNTIME_DIR ?? '', 'devloop'))).toEqual([])
}

test('Ctrl-C while an image is built', async () => {
  const one = await loop({
    files: { ...appFiles, 'app/Dockerfile': dockerfile.replace('COPY', 'RUN echo this takes long; sleep 3599\nCOPY') },
    devloopfile: withBystanders(),
  })
  const watching = await one.watch()
  await waitFor(() => watching.output().includes('this takes long'), { what: 'the step to run' })
  await watching.until('other', (view) => view.ready)
  await interrupt(one, watching)
  // the next build of the same does not wait for the old one
  await one.save('app/Dockerfile', dockerfile)
  const again = await one.begin()
  await one.answers('one')
  await interrupt(one, again)
})

test('Ctrl-C while the cluster is connected to, and does not answer', async () => {
  const { proxy, kubeconfig, close } = await proxiedCluster()
  onTestFinished(close)
  const one = await loop({ devloopfile: withBystanders(), env: { KUBECONFIG: kubeconfig.file } })
  proxy.freeze()
  const watching = await one.watch()
  await watching.until('here', (view) => view.ready)
  await waitFor(() => proxy.connections() > 0, { what: 'the connection' })
  await interrupt(one, watching)
})

test('Ctrl-C while the cluster hangs in the middle of everything', async () => {
  const { proxy, kubeconfig, close } = await proxiedCluster()
  onTestFinished(close)
  const one = await loop({ devloopfile: withBystanders(), env: { KUBECONFIG: kubeconfig.file } })
  const watching = await one.begin()
  proxy.freeze()
  await one.save('app/src/word.txt', 'two')
  await waitFor(() => watching.changes().length > 0, { what: 'the change to be seen' })
  await interrupt(one, watching)
})

test('Ctrl-C while a step runs in a container ends the step too', async () => {
  const live = "[sync('src', '/app/src'), run('echo begun; sleep 3598; echo over', { on: 'src/word.txt' })]"
  const one = await loop({ devloopfile: withBystanders({ live }) })
  const watching = await one.begin()
  await one.save('app/src/word.txt', 'two')
  await waitFor(() => /run │ begun/.test(watching.output()), { what: 'the step to run' })
  const [pod] = await one.pods()
  const running = async (): Promise<string> =>
    (await one.exec(pod?.name ?? '', ['sh', '-c', 'for one in /proc/[0-9]*; do tr "\\0" " " < $one/cmdline; echo; done'])).stdout
  expect(await running()).toContain('sleep 3598 \n')
  await interrupt(one, watching)
  await waitFor(async () => !(await running()).includes('sleep 3598 \n'), { what: 'the step to end' })
})

test('Ctrl-C while a rollout is waited for; what was deployed stays, and the next watch goes on', async () => {
  const one = await loop({ devloopfile: withBystanders() })
  await one.save('app/src/server.js', 'setInterval(() => {}, 1000)\n')
  const watching = await one.watch()
  await watching.until('web', (view) => view.status === 'starting' && view.pods.some((pod) => pod.phase === 'running'))
  await interrupt(one, watching)
  expect(await one.pods()).toHaveLength(1)
  await one.save('app/src/server.js', server)
  await one.begin()
  await one.answers('one')
})
