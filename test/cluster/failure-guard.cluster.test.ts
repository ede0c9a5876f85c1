// Which clusters and objects are ever written to: only allowed contexts, as bound at the start, and only one's own objects.
import { readFile, writeFile } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { randomSuffix, testKubeconfig, waitFor } from '../support/cluster.js'
import { project, put, run, watch } from '../support/devloop.js'
import { errorsOf, masked, toldError, withBystanders } from '../support/failures.js'
import { appFiles, loop, type Loop } from '../support/loop.js'
import { join } from 'node:path'

/** Everything of devloop's in a namespace, by kind and name. */
async function objectsIn(one: Loop, namespace = one.namespace): Promise<string[]> {
  const kinds = ['apis/apps/v1/deployments', 'api/v1/services', 'api/v1/secrets', 'api/v1/pods', 'api/v1/configmaps']
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const plural = kind.split('/').at(-1) ?? ''
      const path = `/${kind.slice(0, -plural.length)}namespaces/${namespace}/${plural}`
      const { items } = (await one.connection.request('GET', path)) as { items: { metadata: { name: string; uid: string } }[] }
      return items.map(({ metadata }) => `${plural}/${metadata.name} ${metadata.uid}`)
    }),
  )
  return lists.flat().filter((name) => !name.startsWith('configmaps/kube-root-ca.crt'))
}

test('an unknown context is refused with the line to add, and nothing is written; adding the line heals it [tilt-28]', async () => {
  const kubeconfig = await testKubeconfig({ context: 'production' })
  onTestFinished(kubeconfig.remove)
  const one = await loop({ devloopfile: withBystanders({ contexts: "['dev-*']" }), env: { KUBECONFIG: kubeconfig.file } })
  const elsewhere = `devloop-never-${randomSuffix()}`
  const watching = await one.watch(['--namespace', elsewhere])
  const told = await toldError(watching, 'cluster/not-allowed')
  expect(told.replace(/\(https:[^)]*\)/, '(SERVER)')).toMatchInlineSnapshot(`
    "cluster/not-allowed
    devloop may not write to the cluster of context "production" (SERVER).
    It is not known as a local cluster, and none of cluster.contexts (dev-*) matches.
    -> If this is the cluster to develop on, add to the Devloopfile: cluster: { contexts: ['production'] }"
  `)
  await watching.until('here', (view) => view.ready)
  expect(watching.resource('web')).toMatchObject({ status: 'pending', hold: { code: 'runtime' } })
  const down = await one.devloop('down', '--namespace', elsewhere)
  expect(down.code).toBe(1)
  watching.child.kill('SIGINT')
  await watching.ended
  const refused = await one.devloop('down', '--namespace', elsewhere)
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('cluster/not-allowed')])
  const spaces = (await one.connection.request('GET', '/api/v1/namespaces')) as { items: { metadata: { name: string } }[] }
  expect(spaces.items.map(({ metadata }) => metadata.name)).not.toContain(elsewhere)

  const again = await one.watch()
  await toldError(again, 'cluster/not-allowed')
  expect(await objectsIn(one)).toEqual([])
  await one.save('Devloopfile.ts', withBystanders({ contexts: "['dev-*', 'production']" })(one))
  await again.ready()
  expect(errorsOf(again)).toEqual([])
  await one.answers('one')
  // and what is not allowed any more is let go of
  await one.save('Devloopfile.ts', withBystanders({ contexts: "['dev-*']" })(one))
  await toldError(again, 'cluster/not-allowed')
  const before = await one.pods()
  await one.save('app/src/word.txt', 'two')
  await waitFor(() => again.changes().length > 0, { what: 'the change to be seen' })
  expect(again.session()?.runtime.state).toBe('connecting')
  expect(await one.pods()).toEqual(before)
  expect((await one.exec(before[0]?.name ?? '', ['cat', '/app/src/word.txt'])).stdout).toBe('one')
})

test('another current context in the kubeconfig moves nothing while devloop runs', async () => {
  const kubeconfig = await testKubeconfig({ context: 'first' })
  onTestFinished(kubeconfig.remove)
  const one = await loop({ devloopfile: withBystanders(), env: { KUBECONFIG: kubeconfig.file } })
  const watching = await one.begin()
  // the name of the old context now means another cluster and user, and another context is current
  const config = parse(await readFile(kubeconfig.file, 'utf8')) as {
    'current-context': string
    contexts: { name: string; context: object }[]
    clusters: { cluster: { server: string } }[]
  }
  config['current-context'] = 'second'
  config.contexts.push({ name: 'second', context: config.contexts[0]?.context ?? {} })
  for (const { cluster } of config.clusters) cluster.server = 'https://203.0.113.1:6443'
  await writeFile(kubeconfig.file, stringify(config))
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  await one.save('app/package.json', '{"type":"module","version":"2.0.0"}')
  await waitFor(() => watching.changes().filter((change) => change.outcome === 'live').length === 2, {
    what: 'both changes to be live',
  })
  expect(errorsOf(watching)).toEqual([])
  expect(watching.session()?.runtime).toMatchObject({ state: 'connected', context: 'first' })
  expect(watching.output().match(/building/g)).toHaveLength(2)
})

test("two worktrees of one project keep out of each other's way, in two namespaces and in one", async () => {
  const [one, other] = [await loop({ devloopfile: withBystanders() }), await loop()]
  const twin = await project({
    ...appFiles,
    'app/src/word.txt': 'twin',
    'Devloopfile.ts': withBystanders()({ ...one, namespace: other.namespace, port: other.port }),
  })
  const first = await one.begin()
  const second = await watch([], { cwd: twin, env: one.env })
  await second.ready(90_000)
  await Promise.all([one.answers('one'), other.answers('twin')])
  const firstObjects = await objectsIn(one)
  await put(join(twin, 'app/src/word.txt'), 'twin saved')
  await other.answers('twin saved')
  await one.answers('one')
  // what leaves one plan is deleted there only
  await put(
    join(twin, 'Devloopfile.ts'),
    withBystanders()({ ...one, namespace: other.namespace, port: other.port }).replace(/app\('other'.*\n/, ''),
  )
  await waitFor(async () => !(await objectsIn(one, other.namespace)).some((name) => name.startsWith('deployments/other')), {
    what: 'the app to be deleted',
  })
  const down = await run(['down'], { cwd: twin, env: one.env })
  expect([down.code, down.stderr]).toEqual([0, ''])
  await second.ended
  await waitFor(async () => (await objectsIn(one, other.namespace)).length === 0, { what: 'all of it to be deleted' })
  expect(await objectsIn(one)).toEqual(firstObjects)

  // in one namespace their objects would have the same names: the second is refused, and changes nothing
  await put(join(twin, 'Devloopfile.ts'), withBystanders()({ ...one, port: other.port }))
  const third = await watch([], { cwd: twin, env: one.env })
  await waitFor(() => third.resource('web')?.error && third.resource('other')?.error, {
    what: 'both apps to be refused',
    timeoutMs: 60_000,
  })
  const told = errorsOf(third)
  expect(
    masked(await toldError(third, told[0]?.code ?? ''), one)
      .replaceAll(/\bi[0-9a-f]{10}\b/g, 'INSTANCE')
      .replaceAll(`${twin}/`, ''),
  ).toMatchInlineSnapshot(`
    "cluster/conflict at Devloopfile.ts:8
    service/web in namespace NAMESPACE belongs to another devloop: instance INSTANCE of project PROJECT.
    -> Use a namespace of its own for this working copy (--namespace), or run \`devloop down\` in the other one.

    cluster/conflict at Devloopfile.ts:9
    deployment/other in namespace NAMESPACE belongs to another devloop: instance INSTANCE of project PROJECT.
    -> Use a namespace of its own for this working copy (--namespace), or run \`devloop down\` in the other one."
  `)
  expect(await objectsIn(one)).toEqual(firstObjects)
  const nothing = await run(['down'], { cwd: twin, env: one.env })
  expect(nothing.code).toBe(0)
  expect(await objectsIn(one)).toEqual(firstObjects)
  await one.answers('one')
  expect(first.session()?.ready).toBe(true)
})
