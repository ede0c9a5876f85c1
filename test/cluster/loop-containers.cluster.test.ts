// Which containers are written to, when, and when not.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { devloopfile, loop, type Loop, type Names } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'
import { workload } from '../support/workloads.js'

const live = "[sync('public', '/app/public'), sync('src', '/app/src')]"
const container = (name: string, image: string, port: number): object => ({
  name,
  image,
  command: ['node', 'src/server.js'],
  env: [{ name: 'PORT', value: String(port) }],
})

/** A Deployment `web` with these containers, of the image of the project. */
const deployment =
  (containers: (image: string) => readonly object[], pod: object = {}) =>
  ({ name, namespace, base }: Names): string => {
    const object = workload('apps/v1', 'Deployment', 'web', { containers: containers(`${name}/web`), ...pod })
    return `
import { defineDevloop, image, manifests, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: ${live} })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [manifests('web', ${JSON.stringify(object).replaceAll('BASE', base)}, { images: [web] })],
}))
`
  }

/** Number of the file in its file system: another one when it was written anew. */
const inode = async (one: Loop, pod: string, file: string): Promise<string> =>
  (await one.exec(pod, ['node', '-p', `require('fs').statSync('${file}').ino`])).stdout.trim()
const builds = (output: string): number => output.match(/│ building /g)?.length ?? 0

test('a container that is killed beside another of the same image is brought up again, and the pod stays [tilt-7]', async () => {
  const one = await loop({ devloopfile: deployment((image) => [container('a', image, 8080), container('b', image, 8081)]) })
  const watching = await one.begin()
  await one.save('app/public/live.txt', 'second')
  const pod = (await one.pods())[0]
  await one.same(pod?.name ?? '', 'app/public', '/app/public', 'a')
  await one.exec(pod?.name ?? '', ['node', '-e', "fetch('http://127.0.0.1:8080/exit').catch(() => {})"], 'b')
  const restarts = async (): Promise<number[]> => (await one.pods())[0]?.containers.map((each) => each.restarts) ?? []
  await waitFor(async () => (await restarts()).join() === '1,0', { what: 'the container to be started again', timeoutMs: 60_000 })
  await watching.ready(60_000)
  for (const name of ['a', 'b']) await one.same(pod?.name ?? '', 'app/public', '/app/public', name)
  const after = (await one.pods())[0]
  expect([after?.uid, after?.containers[1]?.id]).toEqual([pod?.uid, pod?.containers[1]?.id])
})

test('what is saved while a container is starting is written when it runs, with no second rollout [tilt-8]', async () => {
  const slow = {
    initContainers: [
      {
        name: 'slow',
        image: 'BASE',
        command: ['sh', '-c', 'until [ -e /gate/open ]; do sleep 0.2; done'],
        volumeMounts: [{ name: 'gate', mountPath: '/gate' }],
      },
    ],
    volumes: [{ name: 'gate', emptyDir: {} }],
  }
  const one = await loop({ devloopfile: deployment((image) => [container('web', image, 8080)], slow) })
  const watching = await one.watch()
  const running = await watching.until(
    'web',
    (view) => view.pods[0]?.containers[0]?.name === 'slow' && view.pods[0].containers[0].state === 'running',
    90_000,
  )
  await one.save('app/public/live.txt', 'early')
  await waitFor(() => watching.changes().length > 0, { what: 'the change to be seen' })
  expect(watching.resource('web')?.ready).toBe(false)
  const name = running.pods[0]?.name ?? ''
  await one.exec(name, ['sh', '-c', 'touch /gate/open'], 'slow')
  await watching.ready(60_000)
  await one.same(name, 'app/public', '/app/public')
  expect([(await one.pods()).map((pod) => pod.name), builds(watching.output())]).toEqual([[name], 1])
  expect(watching.changes()[0]?.outcome).toBe('live')
})

test('what a container holds is not sent again: not by other events, nor what its image was built with [tilt-10] [tilt-11]', async () => {
  const one = await loop({ devloopfile: devloopfile('', live) })
  const watching = await one.begin()
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live')
  const pod = (await one.pods())[0]?.name ?? ''
  const before = await inode(one, pod, '/app/public/live.txt')
  // the status of the pod changes for other reasons
  await one.connection.request('PATCH', `/api/v1/namespaces/${one.namespace}/pods/${pod}`, {
    body: { metadata: { annotations: { other: 'reason' } } },
    contentType: 'application/merge-patch+json',
  })
  await one.save('app/public/more.txt', 'more')
  await one.same(pod, 'app/public', '/app/public')
  expect(await inode(one, pod, '/app/public/live.txt')).toBe(before)

  // older than the build that a change beside it leads to: the new image has it
  await Promise.all([one.save('app/public/live.txt', 'third'), one.save('app/package.json', '{"type":"module","name":"x"}')])
  await waitFor(async () => !(await one.pods()).some(({ name }) => name === pod), {
    what: 'the pod to be replaced',
    timeoutMs: 60_000,
  })
  await watching.ready(60_000)
  await one.answers('third', '/live')
  expect(watching.client.get('image', `${one.name}/web`)?.overlay).toBe(0)
  const built = watching.output().lastIndexOf('│ building ')
  expect(watching.output().slice(built)).not.toMatch(/web sync │ /)
})

test('a volume that outlives its container ends up with the sources, whatever was saved meanwhile', async () => {
  const mount = (path: string): object => ({ volumeMounts: [{ name: 'public', mountPath: path }] })
  const pod = {
    volumes: [{ name: 'public', emptyDir: {} }],
    initContainers: [{ name: 'copy', image: 'IMAGE', command: ['cp', '-a', '/app/public/.', '/copy/'], ...mount('/copy') }],
  }
  const one = await loop({
    devloopfile: (names) =>
      deployment(
        (image) => [{ ...container('web', image, 8080), ...mount('/app/public') }],
        pod,
      )(names).replaceAll('IMAGE', `${names.name}/web`),
  })
  const first = await one.begin()
  await one.save('app/public/new.txt', 'new')
  await one.save('app/public/live.txt', 'second')
  const name = (await one.pods())[0]?.name ?? ''
  await one.same(name, 'app/public', '/app/public')
  first.child.kill('SIGKILL')
  await first.ended

  await rm(join(one.folder, 'app/public/new.txt'))
  await one.save('app/public/live.txt', 'first')
  await one.exec(name, ['node', '-e', "fetch('http://127.0.0.1:8080/exit').catch(() => {})"], 'web')
  await waitFor(async () => (await one.pods())[0]?.containers[0]?.restarts === 1, {
    what: 'the container to be started again',
    timeoutMs: 60_000,
  })
  await one.begin()
  await one.same(name, 'app/public', '/app/public')
  expect((await one.pods()).map((pod) => pod.name)).toEqual([name])
})
