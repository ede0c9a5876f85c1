// The cluster is away, or denies something: one clear error, everything else goes on, and it heals.
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { limitedUser, proxiedCluster, testConnection, testKubeconfig } from '../support/cluster.js'
import { project } from '../support/devloop.js'
import { errorsOf, toldError, withBystanders } from '../support/failures.js'
import { loop } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'

test('no cluster at the start, until it is there; then the connection is cut, and comes back', async () => {
  const { proxy, kubeconfig, close } = await proxiedCluster()
  onTestFinished(close)
  proxy.cut()
  const one = await loop({ devloopfile: withBystanders(), env: { KUBECONFIG: kubeconfig.file } })
  const watching = await one.watch()
  // whichever of the first questions fails first
  const questions = [
    'for the announced registry',
    'for the nodes',
    'for the version of the cluster',
    `whether create configmaps is allowed in ${one.namespace}`,
    `whether list pods is allowed in ${one.namespace}`,
  ]
  const masks = {
    [String(proxy.port)]: 'PORT',
    [one.connection.context]: 'CONTEXT',
    ...Object.fromEntries(questions.map((question) => [question, 'SOMETHING'])),
  }
  expect(await toldError(watching, 'cluster/unreachable', masks)).toMatchInlineSnapshot(`
    "cluster/unreachable
    The API server https://127.0.0.1:PORT (context "CONTEXT") does not answer: could not ask SOMETHING.
    The connection was cut.
    -> Check that the cluster runs and can be reached."
  `)
  await watching.until('here', (view) => view.ready)
  expect(watching.resource('web')).toMatchObject({ status: 'pending', hold: { code: 'runtime' } })

  proxy.restore()
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('one')

  const before = await one.pods()
  proxy.cut()
  const lost = await toldError(watching, 'cluster/unreachable', masks)
  expect(lost.split('\n')[0]).toBe('cluster/unreachable')
  expect(errorsOf(watching)).toHaveLength(1)
  expect(watching.session()).toMatchObject({ ready: false, runtime: { state: 'lost' } })
  expect(watching.resource('here')?.ready).toBe(true)
  // saved while nothing can be reached
  await one.save('app/src/word.txt', 'two')
  await waitFor(() => watching.changes().length > 0, { what: 'the change to be seen' })
  proxy.restore()
  await watching.ready()
  await one.answers('two')
  await waitFor(() => watching.changes()[0]?.outcome === 'live', { what: 'the change to be live' })
  // it waited, and never failed; nothing else was said of it
  expect(watching.output()).not.toContain('ends: failed')
  expect(watching.output()).not.toContain('web: failed')
  expect(errorsOf(watching)).toEqual([])
  expect((await one.pods()).map(({ uid }) => uid)).toEqual(before.map(({ uid }) => uid))
})

test('no kubeconfig, until there is one', async () => {
  const [kubeconfig, folder] = [await testKubeconfig({}), await project({})]
  onTestFinished(kubeconfig.remove)
  const file = join(folder, 'config')
  const one = await loop({ devloopfile: withBystanders(), env: { KUBECONFIG: file, HOME: folder } })
  const watching = await one.watch()
  expect((await toldError(watching, 'cluster/none')).replaceAll(folder, 'FOLDER')).toMatchInlineSnapshot(`
    "cluster/none
    There is no kubeconfig.
    KUBECONFIG names FOLDER/config, which does not exist.
    -> Set KUBECONFIG, or use --runtime process, which needs no cluster."
  `)
  await watching.until('here', (view) => view.ready)
  await copyFile(kubeconfig.file, file)
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('one')
})

test(
  'a connection that hangs is noticed, and what was saved meanwhile arrives when it goes on',
  { timeout: 180_000 },
  async () => {
    const { proxy, kubeconfig, close } = await proxiedCluster()
    onTestFinished(close)
    const one = await loop({ devloopfile: withBystanders(), env: { KUBECONFIG: kubeconfig.file } })
    const watching = await one.begin()
    proxy.freeze()
    await one.save('app/src/word.txt', 'two')
    await waitFor(() => errorsOf(watching).length > 0, { what: 'an error', timeoutMs: 60_000 })
    expect(errorsOf(watching).map((error) => error.code)).toEqual([expect.stringMatching(/^(cluster|sync)\//)])
    proxy.restore()
    await watching.ready()
    await one.answers('two')
    expect(errorsOf(watching)).toEqual([])
  },
)

test('no known registry, until the Devloopfile names one; no right to create Deployments, until it is granted', async () => {
  const one = await loop({ devloopfile: withBystanders() })
  const all = ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete']
  const core = {
    apiGroups: [''],
    resources: ['pods', 'pods/log', 'services', 'serviceaccounts', 'secrets', 'configmaps', 'events'],
    verbs: all,
  }
  const streams = { apiGroups: [''], resources: ['pods/exec', 'pods/portforward'], verbs: ['get', 'create'] }
  const seen = { apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: ['get', 'list', 'watch'] }
  const user = await limitedUser(one.namespace, [core, streams, seen])
  onTestFinished(user.remove)
  one.env.KUBECONFIG = user.file
  const watching = await one.watch()
  const masks = { [one.connection.context]: 'CONTEXT', [one.namespace]: 'NAMESPACE', [one.name]: 'PROJECT', [user.name]: 'USER' }
  await toldError(watching, 'registry/none')
  await waitFor(() => watching.resource('other')?.error, { what: 'the other app to fail too' })
  expect(await toldError(watching, 'registry/none', masks)).toMatchInlineSnapshot(`
    "registry/none
    No registry is known that PROJECT/web could be pushed to and pulled from.
    The Devloopfile names none, and the cluster of context "CONTEXT" announces none that you may read.
    -> Name one in the Devloopfile: cluster: { registry: 'HOST:PORT' }

    cluster/forbidden
    You may not patch deployments.apps in namespace "NAMESPACE".
    deployments.apps "other" is forbidden: User "USER" cannot patch resource "deployments" in API group "apps" in the namespace "NAMESPACE"
    -> Ask an administrator of context "CONTEXT" for the right to patch deployments.apps in namespace "NAMESPACE"."
  `)

  const registry = one.base.split('/')[0] ?? ''
  await one.save('Devloopfile.ts', withBystanders({ cluster: `registry: '${registry}'` })(one))
  await waitFor(() => watching.resource('web')?.error?.code === 'cluster/forbidden', { what: 'the deploy to fail' })
  await waitFor(() => watching.resource('web')?.error && watching.resource('other')?.error, { what: 'both apps to fail' })
  expect(await toldError(watching, 'cluster/forbidden', masks)).toMatchInlineSnapshot(`
    "cluster/forbidden
    You may not patch deployments.apps in namespace "NAMESPACE".
    deployments.apps "web" is forbidden: User "USER" cannot patch resource "deployments" in API group "apps" in the namespace "NAMESPACE"
    -> Ask an administrator of context "CONTEXT" for the right to patch deployments.apps in namespace "NAMESPACE"."
  `)
  expect(watching.resource('here')?.ready).toBe(true)

  const admin = await testConnection()
  onTestFinished(() => admin.close())
  const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${one.namespace}/roles`
  await admin.request('PATCH', `${roles}/${user.name}`, {
    contentType: 'application/merge-patch+json',
    body: { rules: [core, streams, { ...seen, verbs: all }] },
  })
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('one')
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
})
