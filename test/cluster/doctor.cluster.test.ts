// `devloop doctor` on a real cluster, engine and registry: what it tries is tried for real, leaves nothing behind, and passes where
// namespaces are strict. Then the same with one thing broken after another.
import { expect, onTestFinished, test } from 'vitest'
import { apiProxy } from '../support/api-proxy.js'
import { limitedUser } from '../support/cluster.js'
import { put } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { devloopfile, loop, type Loop } from '../support/loop.js'
import { join } from 'node:path'

interface Found {
  readonly check: string
  readonly status: string
  readonly text: string
  readonly error?: { readonly code: string; readonly message: string; readonly why?: string; readonly help: string }
}

const restricted = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } }

/** What the doctor finds, by the name of the check, and the whole as words. */
async function ask(one: Loop, ...options: readonly string[]) {
  const { code, stdout, stderr } = await one.devloop('doctor', '--json', ...options)
  const { checks } = JSON.parse(stdout) as { checks: readonly Found[] }
  const states = Object.fromEntries(
    checks.map(({ check, status, error }) => [check, [status, error?.code].filter(Boolean).join(' ')]),
  )
  return { code, stderr, states, of: (name: string) => checks.find(({ check }) => check === name) }
}

const left = async (one: Loop): Promise<readonly string[]> => {
  const names: string[] = []
  for (const kind of ['pods', 'serviceaccounts']) {
    const { items } = (await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/${kind}`, {
      query: { labelSelector: 'devloop.dev/doctor' },
    })) as { items: { metadata: { name: string } }[] }
    names.push(...items.map(({ metadata }) => metadata.name))
  }
  return names
}

test('in a strict namespace: pushed, pulled, run and looked up for real, with nothing left behind', async () => {
  const one = await loop()
  await one.connection.request('PATCH', `/api/v1/namespaces/${one.namespace}`, {
    contentType: 'application/merge-patch+json',
    body: restricted,
  })
  const before = await ask(one, '--read-only')
  expect(before.states).toMatchObject({ build: 'skipped', registry: 'ok', pull: 'skipped', DNS: 'skipped' })

  const { code, stderr, states, of } = await ask(one)
  expect({ code, stderr, states: { ...states, disk: '' } }).toEqual({
    code: 0,
    stderr: '',
    states: {
      'Node.js': 'ok',
      Devloopfile: 'ok',
      tools: 'skipped',
      'file watches': 'ok',
      cluster: 'ok',
      user: 'ok',
      namespace: 'ok',
      rights: 'ok',
      engine: 'ok',
      build: 'ok',
      disk: '',
      clock: 'ok',
      registry: 'ok',
      pull: 'ok',
      DNS: 'ok',
    },
  })
  expect(of('cluster')?.text).toMatch(/ is Kubernetes v1\.\d+\.\d+\S*, and answers in \d+ ms$/)
  expect(of('engine')?.text).toMatch(/ is version \d+\.\d+\.\S+ API 1\.\d+ /)
  expect(of('build')?.text).toMatch(/^BuildKit built a small image in /)
  expect(of('clock')?.text).toBe('agrees with the cluster, agrees with the engine')
  expect(of('pull')?.text).toMatch(/^a pod in devloop-loop-\w+ had it and ran on \S+ within /)
  expect(of('DNS')?.text).toBe('the same pod found kubernetes.default.svc')
  expect(await left(one)).toEqual([])

  // a registry at which nobody listens, and a quota that takes no pod
  const nobody = await freePort()
  await put(
    join(one.folder, 'Devloopfile.ts'),
    devloopfile()(one).replace('cluster: {', `cluster: { registry: 'localhost:${nobody}',`),
  )
  const wrong = await ask(one)
  expect([wrong.code, wrong.states.registry, wrong.states.pull]).toEqual([1, 'failed registry/unreachable', 'skipped'])
  expect(wrong.of('registry')?.error?.message).toContain(`localhost:${nobody}`)
  // nodes know the real registry by a name that leads nowhere
  const registry = process.env.DEVLOOP_TEST_REGISTRY ?? ''
  await put(
    join(one.folder, 'Devloopfile.ts'),
    devloopfile()(one).replace('cluster: {', `cluster: { registry: { push: '${registry}', pull: 'localhost:${nobody}' },`),
  )
  const unknown = await ask(one)
  expect([unknown.code, unknown.states.registry, unknown.states.pull, unknown.states.DNS]).toEqual([
    1,
    'ok',
    'failed pod/image',
    'skipped',
  ])
  expect(unknown.of('pull')?.error?.why).toContain(`localhost:${nobody}`)
  await put(join(one.folder, 'Devloopfile.ts'), devloopfile()(one))
  await one.connection.request('POST', `/api/v1/namespaces/${one.namespace}/resourcequotas`, {
    body: { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none' }, spec: { hard: { pods: '0' } } },
  })
  const full = await ask(one)
  expect([full.code, full.states.pull, full.states.DNS]).toEqual([0, 'warning cluster/denied', 'skipped'])
  expect(full.of('pull')?.error?.why).toContain('exceeded quota: none')
  expect(await left(one)).toEqual([])
})

test('another clock, a user who may little, and an API server that is gone: the rest is still told', async () => {
  const one = await loop()
  const proxy = await apiProxy(undefined, { ahead: -30_000 })
  onTestFinished(() => proxy.close())
  one.env.KUBECONFIG = proxy.kubeconfig.file
  const late = await ask(one, '--read-only')
  expect([late.code, late.states.clock]).toEqual([0, 'warning machine/clock'])
  expect(late.of('clock')?.text).toMatch(/^is (?:29|3[01])\.\d s ahead of the cluster, agrees with the engine$/)

  const user = await limitedUser(one.namespace, [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }])
  onTestFinished(user.remove)
  one.env.KUBECONFIG = user.file
  const few = await ask(one)
  expect(few).toMatchObject({ code: 1, states: { cluster: 'ok', rights: 'failed cluster/rights', engine: 'ok', build: 'ok' } })

  await proxy.close()
  one.env.KUBECONFIG = proxy.kubeconfig.file
  const gone = await ask(one)
  expect(gone).toMatchObject({
    code: 1,
    states: { Devloopfile: 'ok', namespace: 'skipped', engine: 'ok', build: 'ok', registry: 'skipped', pull: 'skipped' },
  })
  expect(gone.states.cluster).toMatch(/^failed cluster\//)
})
