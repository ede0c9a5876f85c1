// `devloop down`: nothing of the project is left, in the right order, and everything else is as it was.
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { allObjects, differences, ofProject, type SeenObject } from '../support/all-objects.js'
import { randomSuffix, testConnection } from '../support/cluster.js'
import { homes, project, run, start, watch } from '../support/devloop.js'
import { loop, type Loop, type Names } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'

let connection: KubeConnection
beforeAll(async () => {
  connection = await testConnection()
})
afterAll(() => connection.close())

const idle = `['sleep', '3600']`
const answering = `['node', '-e', 'require("node:http").createServer((_, response) => response.end()).listen(8080)']`
const devloopfile =
  (body: string, resources: string) =>
  ({ name, namespace, base }: Names): string =>
    `
import { app, defineDevloop, generated, manifests } from 'devloop'
const base = '${base}'
${body.replaceAll('NAMESPACE', namespace)}
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: ${resources},
}))
`

// several runs of devloop one after the other, each with pods that start and end
vi.setConfig({ testTimeout: 400_000 })

/** A definition of a kind of its own, with an object of it. */
const widgets = (group: string): string => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.${group} }
spec:
  group: ${group}
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget }
  versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }]
---
apiVersion: ${group}/v1
kind: Widget
metadata: { name: one }
spec: { size: 1 }
`

const create = (path: string, body: Record<string, unknown>): Promise<unknown> => connection.request('POST', path, { body })
const exists = async (path: string): Promise<boolean> =>
  connection.request('GET', path).then(
    () => true,
    () => false,
  )
const remove = (path: string): void =>
  onTestFinished(async () => void (await connection.request('DELETE', path).catch(() => undefined)))

/** Objects of the whole cluster but those that other tests come and go with: their names end with random digits. */
async function ofCluster(): Promise<ReadonlyMap<string, SeenObject>> {
  const all = await allObjects(connection)
  return new Map([...all].filter(([key]) => !/devloop|loop-|test|limited|bench|-[0-9a-f]{8}|tenantoperator|openshift/.test(key)))
}

/** Objects that are none of devloop's, in the namespace and beside it. */
async function bystanders({ namespace, base }: Loop): Promise<void> {
  const labels = { app: 'bystander', 'app.kubernetes.io/managed-by': 'devloop' }
  const pod = { metadata: { labels }, spec: { containers: [{ name: 'main', image: base, command: ['sleep', '3600'] }] } }
  await create(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: 'bystander', labels }, data: { a: 'b' } })
  await create(`/api/v1/namespaces/${namespace}/secrets`, { metadata: { name: 'bystander' }, stringData: { a: 'b' } })
  await create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name: 'bystander', labels: { 'devloop.dev/project': 'another', 'devloop.dev/instance': 'i0' } },
    spec: { selector: { matchLabels: { app: 'bystander' } }, template: pod },
  })
  await waitFor(
    async () => {
      const { status } = (await connection.request('GET', `/apis/apps/v1/namespaces/${namespace}/deployments/bystander`)) as {
        status: { availableReplicas?: number; conditions?: { type: string; reason?: string }[] }
      }
      return status.availableReplicas === 1 && status.conditions?.some((one) => one.reason === 'NewReplicaSetAvailable')
    },
    { what: 'the bystander to run', timeoutMs: 60_000 },
  )
}

test('[tilt-30] watch, then down: nothing with our label is left, and everything else is untouched', async () => {
  const group = `g${randomSuffix()}.example.com`
  const one = await loop({
    devloopfile: devloopfile(
      `const db = app('db', { image: base, command: ${idle}, env: { PASSWORD: generated('db-password') } })
const custom = manifests('custom', 'custom.yaml', { needs: [db] })
const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'reader-${group}' }, rules: [] }
const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { a: '1' } }
const kept = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept', annotations: { 'devloop.dev/keep': 'true' } }, data: { a: '1' } }
const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none-${group}', resources: { requests: { storage: '1Mi' } } } }
const objects = manifests('objects', [role, config, kept, claim])
const web = app('web', { image: base, command: ${answering}, port: 8080, needs: [custom] })`,
      '[web, custom, objects, db]',
    ),
    files: { 'custom.yaml': widgets(group) },
  })
  remove(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`)
  remove(`/apis/rbac.authorization.k8s.io/v1/clusterroles/reader-${group}`)
  await bystanders(one)
  const before = await allObjects(connection, one.namespace)
  const clusterBefore = await ofCluster()
  const watching = await one.begin()
  const during = [...(await allObjects(connection, one.namespace)).values(), ...(await allObjects(connection)).values()]
  expect(ofProject(new Map(during.map((object) => [object.key, object])), one.name)).toEqual(
    expect.arrayContaining([
      `apiextensions.k8s.io/v1 customresourcedefinitions widgets.${group}`,
      `rbac.authorization.k8s.io/v1 clusterroles reader-${group}`,
      `apps/v1 deployments ${one.namespace}/web`,
      `${group}/v1 widgets ${one.namespace}/one`,
    ]),
  )
  watching.child.kill('SIGINT')
  await watching.ended

  const down = await one.devloop('down')
  expect([down.code, down.stderr]).toEqual([0, ''])
  const lines = down.stdout.trim().split('\n')
  expect(lines.map((line) => line.replace(/devloop-generated\.\S+:/, 'devloop-generated:')).toSorted()).toEqual(
    [
      'custom: deleted widget/one, customresourcedefinition/widgets.GROUP',
      'db: deleted deployment/db, secret/db.devloop-env, serviceaccount/db',
      'kept secret/devloop-generated: it holds the generated values, for data that was kept (--delete-generated deletes it)',
      'objects: deleted clusterrole/reader-GROUP, configmap/config',
      'objects: kept configmap/kept: it is annotated with devloop.dev/keep',
      'objects: kept persistentvolumeclaim/data: it holds data',
      'web: deleted deployment/web, service/web, serviceaccount/web',
    ].map((line) => line.replace('GROUP', group)),
  )
  // what needs others goes before them
  const at = (name: string): number => lines.findIndex((line) => line.startsWith(`${name}: deleted`))
  expect(at('web')).toBeLessThan(at('custom'))
  expect(at('custom')).toBeLessThan(at('db'))

  const after = await allObjects(connection, one.namespace)
  const kept = ['v1 configmaps NS/kept', 'v1 persistentvolumeclaims NS/data'].map((key) => key.replace('NS', one.namespace))
  const left = ofProject(after, one.name)
  expect(left).toEqual([expect.stringMatching(/secrets .*\/devloop-generated\./)])
  expect(differences(before, after, 'strict').toSorted()).toEqual([...kept, ...left].map((key) => `new: ${key}`).toSorted())
  expect(differences(clusterBefore, await ofCluster(), 'same objects')).toEqual([])

  // and again, with the values
  const again = await one.devloop('down', '--delete-generated')
  expect([again.code, again.stderr]).toEqual([0, ''])
  expect(again.stdout).toMatch(/^deleted secret\/devloop-generated\.\S+\n$/)
  const last = await allObjects(connection, one.namespace)
  expect(ofProject(last, one.name)).toEqual([])
  expect(differences(before, last, 'strict').toSorted()).toEqual(kept.map((key) => `new: ${key}`).toSorted())
  expect((await one.devloop('down')).stdout).toBe('nothing was deployed\n')
})

test('[tilt-30] down works when objects, or their kind, are missing', async () => {
  const group = `g${randomSuffix()}.example.com`
  const one = await loop({
    devloopfile: devloopfile(
      `const custom = manifests('custom', 'custom.yaml')
const side = app('side', { image: base, command: ${answering}, port: 8080 })`,
      '[custom, side]',
    ),
    files: { 'custom.yaml': widgets(group) },
  })
  const definition = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`
  remove(definition)
  const watching = await one.begin()
  watching.child.kill('SIGINT')
  await watching.ended
  await connection.request('DELETE', definition)
  await connection.request('DELETE', `/apis/apps/v1/namespaces/${one.namespace}/deployments/side`)
  await waitFor(async () => !(await exists(definition)), { what: 'the definition to be gone', timeoutMs: 60_000 })
  const down = await one.devloop('down')
  expect([down.code, down.stderr, down.stdout]).toEqual([0, '', 'side: deleted service/side, serviceaccount/side\n'])
})

test('[tilt-30] what needs others is gone before they go, and single resources can be named', async () => {
  const held = `{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'front', finalizers: ['example.com/hold'] } }`
  const plain = (name: string): string => `{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '${name}' } }`
  const one = await loop({
    devloopfile: devloopfile(
      `const back = manifests('back', ${plain('back')})
const front = manifests('front', ${held}, { needs: [back] })
const other = manifests('other', ${plain('other')})`,
      '[back, front, other]',
    ),
    files: {},
  })
  const path = (name: string): string => `/api/v1/namespaces/${one.namespace}/configmaps/${name}`
  onTestFinished(async () => {
    await connection
      .request('PATCH', path('front'), { body: { metadata: { finalizers: null } }, contentType: 'application/merge-patch+json' })
      .catch(() => undefined)
  })
  const watching = await one.begin()
  const running = await one.devloop('down', 'other')
  expect([running.code, running.stderr]).toEqual([1, expect.stringContaining('would deploy other again')])
  watching.child.kill('SIGINT')
  await watching.ended

  const unknown = await one.devloop('down', 'othre')
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("Did you mean 'other'?")])
  expect((await one.devloop('down', 'other', '--delete-namespace')).code).toBe(2)
  expect(await one.devloop('down', 'other')).toEqual({ code: 0, stderr: '', stdout: 'other: deleted configmap/other\n' })
  expect(await Promise.all(['back', 'front', 'other'].map((name) => exists(path(name))))).toEqual([true, true, false])

  const down = start(['down'], { cwd: one.folder, env: one.env })
  await waitFor(
    async () => {
      const { metadata } = (await connection.request('GET', path('front'))) as { metadata: { deletionTimestamp?: string } }
      return metadata.deletionTimestamp !== undefined
    },
    { what: 'the first deletion', timeoutMs: 30_000 },
  )
  const { metadata } = (await connection.request('GET', path('back'))) as { metadata: { deletionTimestamp?: string } }
  expect(metadata.deletionTimestamp).toBeUndefined()
  await connection.request('PATCH', path('front'), {
    body: { metadata: { finalizers: null } },
    contentType: 'application/merge-patch+json',
  })
  expect(await down.ended).toEqual({
    code: 0,
    stderr: '',
    stdout: 'front: deleted configmap/front\nback: deleted configmap/back\n',
  })
})

test('[tilt-30] namespaces are kept, and with --delete-namespace only those go that devloop made and nobody else uses', async () => {
  const own = `devloop-down-${randomSuffix()}`
  const file = devloopfile(`const side = app('side', { image: base, command: ${idle} })`, '[side]')
  const one = await loop({ devloopfile: (names) => file({ ...names, namespace: own }), files: {} })
  const path = `/api/v1/namespaces/${own}`
  remove(path)
  const first = await one.begin()
  // with a daemon that runs
  const down = await one.devloop('down')
  expect([down.code, down.stderr]).toEqual([0, ''])
  expect(down.stdout).toContain('side: deleted deployment/side')
  expect(down.stdout).toContain(`kept namespace/${own}: it may hold what others put there (--delete-namespace deletes it)`)
  expect((await first.ended).code).toBe(0)

  // another project in the same namespace
  const folder = await project({
    'Devloopfile.ts': file({ ...one, name: `${one.name}-other`, namespace: own }).replaceAll('side', 'third'),
  })
  const env = await homes()
  const other = await watch([], { cwd: folder, env })
  await other.ready(90_000)
  const refused = await one.devloop('down', '--delete-namespace')
  expect([refused.code, refused.stderr, refused.stdout]).toEqual([
    0,
    '',
    `kept namespace/${own}: devloop deployed ${one.name}-other into it, too\n`,
  ])
  other.child.kill('SIGINT')
  await other.ended
  const others = await run(['down', '--delete-namespace'], { cwd: folder, env })
  expect([others.code, others.stderr, others.stdout]).toEqual([0, '', 'third: deleted deployment/third, serviceaccount/third\n'])
  expect(await exists(path)).toBe(true)

  const gone = await one.devloop('down', '--delete-namespace')
  expect([gone.code, gone.stderr, gone.stdout]).toEqual([0, '', `deleted namespace/${own}\n`])
  expect(await exists(path)).toBe(false)

  // one that was there before is not devloop's
  await one.save('Devloopfile.ts', file(one))
  const second = await one.begin()
  second.child.kill('SIGINT')
  await second.ended
  const kept = await one.devloop('down', '--delete-namespace')
  expect([kept.code, kept.stderr, kept.stdout]).toEqual([0, '', 'side: deleted deployment/side, serviceaccount/side\n'])
  expect(await exists(`/api/v1/namespaces/${one.namespace}`)).toBe(true)
})
