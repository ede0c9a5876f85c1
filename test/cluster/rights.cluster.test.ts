// Rights: what the plan needs and the user lacks is told at the start, and stops nothing.
import { onTestFinished, expect, test } from 'vitest'
import { limitedUser, testRegistry, waitFor, type RbacRule } from '../support/cluster.js'
import type { SessionView } from '../../src/protocol/messages.js'
import { devloopfile, loop } from '../support/loop.js'

/** All that the plan of these tests needs. */
const needed: readonly RbacRule[] = [
  { apiGroups: [''], resources: ['pods', 'events'], verbs: ['get', 'list', 'watch', 'delete'] },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods/exec', 'pods/portforward'], verbs: ['get', 'create'] },
  { apiGroups: [''], resources: ['configmaps', 'services', 'serviceaccounts'], verbs: ['get', 'create', 'patch', 'delete'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
]

/** The same without one verb of one resource. */
const without = (verb: string, resource: string): readonly RbacRule[] =>
  needed.flatMap((rule) =>
    rule.resources.map((one) => ({
      ...rule,
      resources: [one],
      verbs: one === resource ? rule.verbs.filter((other) => other !== verb) : rule.verbs,
    })),
  )

test('exactly the verb that is missing is told, with what breaks without it; all else goes on, and the warning goes when it is granted', async () => {
  const registry = await testRegistry()
  // such a user may not read what the cluster announces
  const one = await loop({
    devloopfile: (names) => devloopfile()(names).replace('cluster: {', `cluster: { registry: '${registry}',`),
  })
  const user = await limitedUser(one.namespace, without('create', 'pods/exec'))
  onTestFinished(user.remove)
  Object.assign(one.env, { KUBECONFIG: user.file })
  const watching = await one.watch()
  const warnings = (session: SessionView | undefined) => session?.warnings?.map(({ code, why }) => [code, why])
  const told = await watching.client.waitFor((views) => warnings(views.get('session/session') as SessionView), {
    timeoutMs: 60_000,
  })
  expect(told).toEqual([
    [
      'cluster/rights',
      `you may not       in${' '.repeat(one.namespace.length)}without it\ncreate pods/exec  ${one.namespace}  no live sync into web`,
    ],
  ])
  await watching.ready(90_000)
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  expect(watching.output().match(/cluster\/rights/g)).toHaveLength(1)

  const doctor = async () => {
    const { code, stdout } = await one.devloop('doctor', '--json')
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { check: string; status: string; missing?: object[] }[] }
    return { code, ok, states: checks.map(({ check, status }) => `${check} ${status}`), rights: checks.find((it) => it.missing) }
  }
  const states = [
    'Node.js ok',
    'Devloopfile ok',
    'tools skipped',
    'file watches ok',
    'cluster ok',
    'user ok',
    'namespace ok',
    'rights failed',
    'engine ok',
    'build ok',
    expect.stringMatching(/^disk (?:ok|warning)$/) as string,
    'clock ok',
    'registry ok',
    // who may make no pods is not asked to; the pod that runs tells whether names are known
    'pull warning',
    'DNS ok',
  ]
  expect(await doctor()).toEqual({
    code: 1,
    ok: false,
    states,
    rights: expect.objectContaining({
      text: expect.stringMatching(/^1 of \d+ are missing$/) as string,
      missing: [{ verb: 'create', resource: 'pods/exec', namespace: one.namespace, breaks: 'no live sync into web' }],
    }) as object,
  })

  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${one.namespace}/roles/${user.name}`
  await one.connection.request('PATCH', path, { body: { rules: needed }, contentType: 'application/merge-patch+json' })
  await watching.client.waitFor((views) => !warnings(views.get('session/session') as SessionView), { timeoutMs: 90_000 })
  await waitFor(() => watching.output().includes('devloop: [cluster/rights] is over'), { what: 'the view to tell it' })
  expect(await doctor()).toMatchObject({
    code: 0,
    ok: true,
    states: states.map((state) => (state === 'rights failed' ? 'rights ok' : state)),
    rights: { missing: [] },
  })
})
