// Apps as strict clusters want them: admitted where "restricted" is enforced, with no warning, and reached by an Ingress or a Route.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { expect, onTestFinished, test } from 'vitest'
import type { KubeObject } from '../../src/model/plan.js'
import { waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { withKubeTools } from '../support/kube-tools.js'
import { appFiles, devloopfile, loop, rules, type Loop } from '../support/loop.js'
import { installRoutes } from '../support/route-crd.js'

const nonRoot = `ARG BASE
FROM \${BASE}
WORKDIR /app
COPY . .
RUN chgrp -R 0 /app && chmod -R g=u /app
USER 1001
CMD ["node", "src/server.js"]
`

const endpoint = (watching: Watching, name: string) => watching.resource('web')?.endpoints.find((one) => one.name === name)

async function told(watching: Watching, name: string, state: string) {
  await waitFor(() => endpoint(watching, name)?.state === state, { what: `${name} to be ${state}`, timeoutMs: 60_000 })
  return endpoint(watching, name)
}

const setStatus = (one: Loop, path: string, status: object): Promise<unknown> =>
  one.connection.request('PATCH', `${path}/status`, { body: { status }, contentType: 'application/merge-patch+json' })

test('where "restricted" is enforced an app is admitted with no warning, as nobody but its own ServiceAccount; by an Ingress it is reached', async () => {
  const one = await loop({
    devloopfile: devloopfile(`expose: { host: 'shop.test', path: '/shop', ingressClass: 'none' }`, rules),
    files: { ...appFiles, 'app/Dockerfile': nonRoot },
  })
  const levels = ['enforce', 'warn', 'audit'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted'])
  await one.connection.request('PATCH', `/api/v1/namespaces/${one.namespace}`, {
    body: { metadata: { labels: Object.fromEntries(levels) as object } },
    contentType: 'application/merge-patch+json',
  })
  const watching = await one.begin()
  await one.answers('one')

  const rendered = await one.devloop('render')
  const objects = parseAllDocuments(rendered.stdout).map((document) => document.toJS() as KubeObject)
  expect(objects.map(({ kind }) => kind).toSorted()).toEqual(['Deployment', 'Ingress', 'Service', 'ServiceAccount'])
  const file = join(one.folder, 'rendered.yaml')
  await writeFile(file, rendered.stdout)
  const { stderr, stdout } = await promisify(execFile)(
    'kubectl',
    // as another manager: devloop's own writes would be no change at all
    ['apply', '--server-side', '--force-conflicts', '--field-manager=test', '--dry-run=server', '--validate=strict', '-f', file],
    { env: { ...process.env, ...(await withKubeTools()) } },
  )
  expect(stderr).toBe('')
  expect(stdout.trim().split('\n')).toHaveLength(objects.length)

  const pods = `/api/v1/namespaces/${one.namespace}/pods`
  const { items } = (await one.connection.request('GET', pods)) as {
    items: { spec: { serviceAccountName: string; containers: { resources: object; volumeMounts?: { mountPath: string }[] }[] } }[]
  }
  const [pod] = items
  expect(pod?.spec.serviceAccountName).toBe('web')
  expect(JSON.stringify(pod?.spec)).not.toContain('runAsUser')
  const [container] = pod?.spec.containers ?? []
  expect(container?.resources).toEqual({ requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '2', memory: '2Gi' } })
  // no token of the API server
  expect(container?.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual(['/.devloop'])

  expect(endpoint(watching, 'ingress')).toMatchObject({ url: 'http://shop.test/shop', state: 'waiting' })
  const path = `/apis/networking.k8s.io/v1/namespaces/${one.namespace}/ingresses/web`
  await setStatus(one, path, { loadBalancer: { ingress: [{ ip: '10.1.2.3' }] } })
  expect(await told(watching, 'ingress', 'listening')).toMatchObject({ url: 'http://shop.test/shop' })
  expect((await one.devloop('status')).stdout).toContain('http://shop.test/shop')
})

test('where the cluster has Routes an app is reached by one, whose host the cluster gives; a refusal is told in its words', async () => {
  const one = await loop({ devloopfile: devloopfile('expose: { tls: true }') })
  onTestFinished(await installRoutes(one.connection))
  const watching = await one.begin()
  const path = `/apis/route.openshift.io/v1/namespaces/${one.namespace}/routes/web`
  const route = (await one.connection.request('GET', path)) as KubeObject
  expect(route.spec).toEqual({
    to: { kind: 'Service', name: 'web', weight: 100 },
    port: { targetPort: 'http' },
    tls: { termination: 'edge', insecureEdgeTerminationPolicy: 'Redirect' },
    wildcardPolicy: 'None',
  })
  const ingresses = `/apis/networking.k8s.io/v1/namespaces/${one.namespace}/ingresses`
  expect(((await one.connection.request('GET', ingresses)) as { items: unknown[] }).items).toEqual([])
  // without an address there is nothing to show
  expect(endpoint(watching, 'route')).toBeUndefined()

  const host = 'web-dev.apps.test'
  const by = (status: string, more = {}) => ({ ingress: [{ host, conditions: [{ type: 'Admitted', status, ...more }] }] })
  await setStatus(one, path, by('False', { reason: 'HostAlreadyClaimed', message: 'route old has it' }))
  expect(await told(watching, 'route', 'failed')).toMatchObject({
    error: { code: 'app/not-admitted', why: 'HostAlreadyClaimed: route old has it' },
  })
  await setStatus(one, path, by('True'))
  expect(await told(watching, 'route', 'listening')).toEqual({ name: 'route', url: `https://${host}`, state: 'listening' })
  expect(watching.resource('web')).toMatchObject({ ready: true })

  // what is not exposed any more has no address
  await one.save('Devloopfile.ts', devloopfile()(one))
  await waitFor(() => endpoint(watching, 'route') === undefined, { what: 'the address to go', timeoutMs: 60_000 })
  expect((await one.devloop('render')).stdout).not.toContain('route.openshift.io')
})
