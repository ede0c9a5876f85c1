// The first watch of a project on a cluster: built, pushed, applied, ready, and answering through the forwarded port.
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { testImage, testKubeconfig, testNamespace, waitFor } from '../support/cluster.js'
import { answers, homes, project, repository, run, watch } from '../support/devloop.js'
import { appFiles, loop } from '../support/loop.js'

test('an app with no YAML is built, deployed and answers [tilt-1]', async () => {
  const one = await loop()
  const watching = await one.begin()
  await one.answers('one')
  await one.answers('first', '/live')
  expect(watching.output()).toContain(`building ${one.name}/web: not built yet`)
  expect(watching.resource('web')).toMatchObject({
    status: 'ready',
    endpoints: [{ state: 'listening', url: `http://localhost:${one.port}` }],
    pods: [{ ready: true, current: true, restarts: 0, targets: [{ state: 'in-sync' }] }],
  })
  // the image is named by its content, and that name stands in the pod
  expect((await one.pods()).map((pod) => pod.image)).toEqual([expect.stringMatching(/:devloop-[0-9a-f]{16}$/)])
  const status = await one.devloop('status', '--json', '--wait', 'ready', '--timeout', '10s')
  expect([status.code, JSON.parse(status.stdout)]).toMatchObject([0, { session: { ready: true } }])
  expect((await one.devloop('logs', 'web')).stdout).toContain('listening')
})

test('manifests are deployed with the image that was built, and are synced as an app is', async () => {
  const one = await loop({
    files: {
      ...appFiles,
      'settings.yaml': `base: ${await testImage()}`,
      'deploy/web.yaml': `
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop-web }
spec:
  selector: { matchLabels: { app: shop-web } }
  template:
    metadata: { labels: { app: shop-web } }
    spec:
      terminationGracePeriodSeconds: 2
      containers:
        - name: web
          image: registry.example/loop/web:latest
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: shop-web }
spec: { selector: { app: shop-web }, ports: [{ port: 80, targetPort: 8080 }] }
---
# listens on another port: the forward leads past it
apiVersion: apps/v1
kind: Deployment
metadata: { name: a-worker }
spec:
  selector: { matchLabels: { app: a-worker } }
  template:
    metadata: { labels: { app: a-worker } }
    spec:
      terminationGracePeriodSeconds: 2
      containers: [{ name: web, image: loop/web, env: [{ name: PORT, value: '9000' }] }]
`,
    },
    devloopfile: ({ name, namespace, port }) => `
import { defineDevloop, image, manifests, readYaml, restart, sync } from 'devloop'
const { base } = readYaml('settings.yaml') as { base: string }
const web = image('loop/web', { context: 'app', args: { BASE: base }, live: [sync('src', '/app/src'), sync('public', '/app/public'), restart({ on: 'src/**' })] })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [manifests('web', 'deploy/*.yaml', { images: [web], forward: { 8080: ${port} } })],
}))
`,
  })
  const watching = await one.begin()
  await one.answers('one')
  const before = await one.pods()
  expect(before).toHaveLength(2)
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live')
  expect(await one.pods()).toEqual(before)
  // a change of the YAML is applied without a build
  const yaml = join(one.folder, 'deploy/more.yaml')
  await writeFile(yaml, 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: more }\ndata: { a: b }\n')
  await waitFor(() => one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/configmaps/more`), {
    what: 'the new object to be applied',
  })
  await watching.ready()
  expect(await one.pods()).toEqual(before)
  expect(watching.output().match(/building/g)).toHaveLength(1)
})

test('the example Devloopfile runs on a cluster', async () => {
  const namespace = await testNamespace('devloop-loop')
  onTestFinished(() => namespace.remove())
  const kubeconfig = await testKubeconfig({ context: 'shared-dev' })
  onTestFinished(() => kubeconfig.remove())
  const folder = await project({})
  await cp(join(repository, 'examples'), join(folder, 'examples'), { recursive: true })
  await cp(join(repository, 'Devloopfile.example.ts'), join(folder, 'Devloopfile.example.ts'))
  const env = { ...(await homes()), KUBECONFIG: kubeconfig.file }
  const file = 'Devloopfile.example.ts'
  const registry = process.env.DEVLOOP_TEST_REGISTRY ?? 'localhost:5000'
  const args = ['--file', file, '--namespace', namespace.name, '--', `${registry}/testbed/node:20`]
  const watching = await watch(args, { cwd: folder, env, file })
  await watching.ready(90_000)
  await answers('http://127.0.0.1:8090/greeting?name=loop', /loop/)
  await answers('http://127.0.0.1:8091/?name=loop', /loop/)
  await writeFile(join(folder, 'examples/api/src/greeting.js'), 'export const greeting = (name) => `Saved for ${name}`\n')
  await answers('http://127.0.0.1:8090/greeting?name=loop', /Saved for loop/)
  await answers('http://127.0.0.1:8091/?name=loop', /Saved for loop/)
  await watching.ready()
  const down = await run(['down', '--file', file], { cwd: folder, env })
  expect([down.code, down.stderr]).toEqual([0, ''])
})
