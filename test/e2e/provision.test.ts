// `devloop provision` as far as it goes without a cluster: what it prints for others to apply, and what it refuses.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from '../../src/model/plan.js'
import { homes, project, run } from '../support/devloop.js'

const objectsIn = (text: string): KubeObject[] => parseAllDocuments(text).map((one) => one.toJS() as KubeObject)

test('objects to be applied by others: the same in each run, and no cluster is asked', async () => {
  const cwd = await project({})
  const env = { ...(await homes()), KUBECONFIG: join(cwd, 'none') }
  const print = (...args: readonly string[]) => run(['provision', '--output', 'yaml', ...args], { cwd, env })
  const first = await print('--user', 'ann@aurora.org', '--group', 'devs')
  expect([first.code, first.stderr]).toEqual([0, ''])
  expect((await print('--user', 'ann@aurora.org', '--group', 'devs')).stdout).toBe(first.stdout)
  const objects = objectsIn(first.stdout)
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)).toEqual([
    expect.stringMatching(/^Namespace \/dev-ann-aurora-org-[0-9a-f]{6}$/),
    expect.stringMatching(/^NetworkPolicy dev-ann-aurora-org-[0-9a-f]{6}\/devloop$/),
    expect.stringMatching(/^RoleBinding dev-ann-aurora-org-[0-9a-f]{6}\/devloop-access$/),
  ])
  expect(objects.at(-1)).toMatchObject({
    roleRef: { kind: 'ClusterRole', name: 'edit' },
    subjects: [
      { kind: 'User', name: 'ann@aurora.org' },
      { kind: 'Group', name: 'devs' },
    ],
  })
  const tenant = objectsIn((await print('--user', 'ann', '--tenant', 'bluesky')).stdout)
  expect(tenant.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual(['Quota/bluesky', 'Tenant/bluesky'])
  const quota = objectsIn((await print('--user', 'ann', '--tenant', 'bluesky', '--quota', 'large')).stdout)
  expect(quota).toMatchObject([{ kind: 'Tenant', spec: { quota: 'large' } }])
})

test('what the Devloopfile says is what the namespace gets', async () => {
  const cwd = await project({
    'Devloopfile.ts': `
import { defineDevloop } from 'devloop'
export default defineDevloop(({ user }) => ({
  name: 'shop',
  cluster: { namespace: \`dev-\${user}\`, sandbox: { pods: 7, network: 'open', podSecurity: 'restricted', access: { role: 'view' } } },
  resources: [],
}))
`,
  })
  const { stdout } = await run(['provision', '--output', 'yaml', '--user', 'ann'], { cwd, env: await homes() })
  expect(objectsIn(stdout)).toMatchObject([
    {
      kind: 'Namespace',
      metadata: {
        name: 'dev-ann',
        labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
        annotations: { 'devloop.dev/owner-user': 'ann' },
      },
    },
    { kind: 'ResourceQuota', spec: { hard: { pods: '7' } } },
    { kind: 'RoleBinding', roleRef: { name: 'view' } },
  ])
})

test.each([
  ['nobody is named', [], "error: required option '--user <name>' not specified"],
  ['an empty name', ['--user', ' '], 'the name of the user is empty'],
  ['a token that lasts too short', ['--user', 'ann', '--lifetime', '60s'], 'a token lasts ten minutes at least'],
  [
    'a kubeconfig for what is only printed',
    ['--user', 'ann', '--output', 'yaml', '--kubeconfig', 'x'],
    'with --output yaml nothing',
  ],
])('usage: %s', async (_, args, message) => {
  const cwd = await project({})
  const ended = await run(['provision', ...args], { cwd, env: await homes() })
  expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(message)])
})
