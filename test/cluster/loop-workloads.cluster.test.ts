// Workloads of every kind that run a built image.
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { loop, type Names } from '../support/loop.js'

const write = ({ name, namespace, base, port }: Names): string => `
import { defineDevloop, image, manifests, restart, run, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('src', '/app/src'), sync('public', '/app/public'), restart({ on: 'src/**' })] })
const template = (app: string, spec: object) => ({ metadata: { labels: { app } }, spec: { terminationGracePeriodSeconds: 2, ...spec } })
const containers = (command?: string[]) => [{ name: 'web', image: '${name}/web', ...(command ? { command } : {}) }]
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [manifests('all', [
    { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'state' }, spec: { serviceName: 'state', selector: { matchLabels: { app: 'state' } }, template: template('state', { containers: containers() }) } },
    { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'each' }, spec: { selector: { matchLabels: { app: 'each' } }, template: template('each', { containers: containers() }) } },
    { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'once' }, spec: { template: template('once', { restartPolicy: 'Never', containers: containers(['cat', 'src/word.txt']) }) } },
    { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly' }, spec: { schedule: '0 3 1 1 *', jobTemplate: { spec: { template: template('nightly', { restartPolicy: 'Never', containers: containers(['true']) }) } } } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'alone' }, spec: { terminationGracePeriodSeconds: 2, containers: containers() } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { a: 'b' } },
  ], { images: [web], workloads: { state: { forward: { 8080: ${port} } } } })],
}))
`

test('each is rolled out, synced, and rebuilt', async () => {
  const one = await loop({ devloopfile: write })
  const watching = await one.begin()
  const names = ['state', 'each', 'alone']
  expect(names.map((name) => watching.resource(name)?.status)).toEqual(['ready', 'ready', 'ready'])
  await one.answers('one')
  const before = await Promise.all(names.map((name) => one.pods(name)))

  await one.save('app/src/word.txt', 'two')
  await one.save('app/public/live.txt', 'second')
  await one.answers('two')
  await watching.ready()
  for (const [pod] of before)
    for (const folder of ['src', 'public']) await one.same(pod?.name ?? '', `app/${folder}`, `/app/${folder}`)
  expect(await Promise.all(names.map((name) => one.pods(name)))).toEqual(before)

  // a pod of the same name is another pod
  await one.connection.request('DELETE', `/api/v1/namespaces/${one.namespace}/pods/state-0`, { query: { gracePeriodSeconds: 1 } })
  await waitFor(async () => (await one.pods('state'))[0]?.uid !== before[0]?.[0]?.uid && watching.session()?.ready === true, {
    what: 'the replacement',
  })
  await one.answers('two')
  await one.same('state-0', 'app/public', '/app/public')

  await one.save('app/package.json', '{"type":"module","version":"2.0.0"}')
  const image = before[0]?.[0]?.image
  await waitFor(
    async () => {
      const pods = (await Promise.all(names.map((name) => one.pods(name)))).flat()
      return pods.length === 3 && pods.every((pod) => pod.image !== image) && watching.session()?.ready === true
    },
    { what: 'all to be rebuilt', timeoutMs: 90_000 },
  )
  await one.answers('two')
  await waitFor(async () => /one[^]*two/.test((await one.devloop('logs', 'once')).stdout), {
    what: 'the output of both jobs',
    everyMs: 200,
  })

  // out of the plan: all of them are deleted
  const devloopfile = write(one)
  await one.save('Devloopfile.ts', devloopfile.replace(/resources: \[[^]*\],\n\}\)\)/, 'resources: [],\n}))'))
  const kinds = ['apps/v1 statefulsets', 'apps/v1 daemonsets', 'batch/v1 jobs', 'batch/v1 cronjobs']
  const paths = kinds.map((kind) => `/apis/${kind.replace(' ', `/namespaces/${one.namespace}/`)}`)
  await waitFor(
    async () => {
      const lists = await Promise.all(
        [...paths, `/api/v1/namespaces/${one.namespace}/pods`].map((path) => one.connection.request('GET', path)),
      )
      return lists.every((list) => (list as { items: unknown[] }).items.length === 0)
    },
    { what: 'all to be pruned', timeoutMs: 60_000 },
  )
})
