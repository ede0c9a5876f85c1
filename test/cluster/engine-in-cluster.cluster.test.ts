// An engine in the cluster, reached by a port-forward: a laptop with no Docker of its own. The pod stands for one that holds an engine:
// it leads to that of its node, through the pod's loopback alone. Needs a node whose Docker socket is at /var/run/docker.sock.
import { expect, onTestFinished, test } from 'vitest'
import { testConnection, testImage, testNamespace } from '../support/cluster.js'
import { appFiles, loop, type Names } from '../support/loop.js'

const bridge =
  "require('net').createServer((c) => { const e = require('net').connect('/var/run/docker.sock'); c.pipe(e).pipe(c); for (const s of [c, e]) s.on('error', () => { c.destroy(); e.destroy() }) }).listen(2375, '127.0.0.1')"

async function engineIn(namespace: string): Promise<void> {
  const connection = await testConnection()
  const labels = { app: 'engine' }
  await connection.request('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, {
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'engine' },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [
              {
                name: 'engine',
                image: await testImage(),
                command: ['node', '-e', bridge],
                securityContext: { runAsUser: 0 },
                readinessProbe: {
                  exec: {
                    command: ['node', '-e', "require('net').connect(2375, '127.0.0.1').on('connect', () => process.exit(0))"],
                  },
                },
                volumeMounts: [{ name: 'socket', mountPath: '/var/run/docker.sock' }],
              },
            ],
            volumes: [{ name: 'socket', hostPath: { path: '/var/run/docker.sock', type: 'Socket' } }],
          },
        },
      },
    },
  })
  await connection.request('POST', `/api/v1/namespaces/${namespace}/services`, {
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'engine' },
      spec: { selector: labels, ports: [{ port: 2375 }] },
    },
  })
  connection.close()
}

const devloopfile =
  (engine: string) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, image, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('public', '/app/public')] })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}', engine: { inCluster: ${engine} } },
  resources: [app('web', { image: web, ports: { http: 8080 }, forward: { http: ${port} } })],
}))
`

// no Docker here: neither a socket nor a command
const noDocker = { DOCKER_HOST: 'unix:///nowhere/docker.sock', PATH: '/nowhere' }

test.each(['deployment', 'service'])(
  'a %s of another namespace builds, with nothing of Docker on this machine',
  async (kind) => {
    const place = await testNamespace('devloop-engine')
    onTestFinished(() => place.remove())
    await engineIn(place.name)
    const one = await loop({
      files: appFiles,
      devloopfile: devloopfile(`{ workload: '${kind}/engine', namespace: '${place.name}' }`),
      env: noDocker,
    })
    const devloop = await one.watch()
    // until its pod is ready, that is what is told
    await devloop.ready(120_000)
    await one.answers('one')
    await one.save('app/src/word.txt', 'two')
    expect(await one.answers('two', '/', 60_000)).toBe('two')
    // another pod takes over
    const connection = await testConnection()
    onTestFinished(() => connection.close())
    const pods = `/api/v1/namespaces/${place.name}/pods`
    await connection.request('DELETE', pods, { query: { labelSelector: 'app=engine' } })
    await one.save('app/src/word.txt', 'three')
    await one.answers('three', '/', 90_000)
  },
  300_000,
)

test('an engine that is not there is one error, and is found when it comes', async () => {
  const place = await testNamespace('devloop-engine')
  onTestFinished(() => place.remove())
  const one = await loop({
    files: appFiles,
    devloopfile: devloopfile(`{ workload: 'deployment/engine', namespace: '${place.name}' }`),
    env: noDocker,
  })
  const devloop = await one.watch()
  const { error } = await devloop.until('web', (view) => view.error?.code === 'engine/unreachable', 60_000)
  expect(error).toMatchObject({
    message: `The Docker engine deployment/engine in namespace ${place.name} cannot be reached.`,
    why: 'There is no deployment/engine there.',
  })
  await engineIn(place.name)
  await devloop.ready(120_000)
  await one.answers('one')
})
