import { expect, onTestFinished, test } from 'vitest'
import type { KubeConnection } from '../../../../../src/adapters/kube/connection.js'
import { makeNamespace } from '../../../../../src/adapters/kube/sandbox/make-namespace.js'
import { resolveNamespace, type NamespaceQuestion } from '../../../../../src/adapters/kube/sandbox/resolve-namespace.js'
import { toErrorInfo } from '../../../../../src/errors/devloop-error.js'
import { defaultSandbox } from '../../../../../src/model/sandbox.js'
import { errorText } from '../../../../support/error-text.js'
import { fakeCluster, type ClusterRules, type FakeCluster } from './fake-cluster.js'

const own = 'shop-ann-aurora-org'
const tenant = { name: 'bluesky', label: 'stakater.com/tenant' }
const signal = new AbortController().signal

interface Case extends ClusterRules {
  /** Named by the user, or by the context. */
  named?: string
  context?: string
  question?: Partial<NamespaceQuestion>
}

/** What is found on a cluster, what it was asked, and what was told. */
async function resolved({ named, context, question, ...rules }: Case) {
  const cluster = await fakeCluster(rules)
  onTestFinished(cluster.close)
  const told: string[] = []
  const said = named ?? context
  const connection: KubeConnection = {
    ...cluster.connection,
    ...(said === undefined
      ? {}
      : { namespace: said, namespaceFrom: named === undefined ? ('context' as const) : ('user' as const) }),
  }
  const answer = resolveNamespace(
    {
      connection,
      project: 'shop',
      instance: 'i',
      cluster: {},
      makes: true,
      tell: (text) => told.push(text),
      patienceMs: 0,
      ...question,
    },
    signal,
  )
  return { cluster, told, answer }
}

const name = async (given: Case): Promise<string> => (await (await resolved(given)).answer).name
const failure = async (given: Case): Promise<string> => failed((await resolved(given)).answer)
const failed = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'no error',
    (thrown: unknown) => errorText(toErrorInfo(thrown)),
  )
const sandboxed = { cluster: { sandbox: defaultSandbox } }
const metadataOf = ({ posted }: FakeCluster) => posted[0]?.body.metadata

test('a namespace with rights in it is used, and nothing is asked or made beside', async () => {
  for (const place of [{ named: 'dev' }, { context: 'dev' }, {}]) {
    const { cluster, answer } = await resolved({ ...place, rightsIn: () => true })
    expect((await answer).name).toBe('named' in place || 'context' in place ? 'dev' : 'default')
    expect(cluster.asked).toEqual([])
  }
})

test('a sandbox needs a namespace of its own, unless one is named', async () => {
  const all = { rightsIn: () => true, reads: true, makes: true, question: sandboxed }
  expect(await name({ ...all })).toMatch(new RegExp(`^${own}-[0-9a-f]{6}$`))
  expect(await name({ ...all, context: 'default' })).toMatch(new RegExp(`^${own}-[0-9a-f]{6}$`))
  expect(await name({ ...all, context: 'team' })).toBe('team')
  expect(await name({ ...all, named: 'team' })).toBe('team')
})

test('what is made says whose it is, and is found again without another write', async () => {
  const first = await resolved({ rightsIn: () => true, reads: true, makes: true, question: sandboxed })
  const { name: made, own: mine } = await first.answer
  expect(mine?.user).toBe('ann@aurora.org')
  expect(first.told).toEqual([`made the namespace ${made}`])
  const { labels, annotations } = metadataOf(first.cluster) ?? {}
  expect(labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'devloop', 'pod-security.kubernetes.io/enforce': 'baseline' })
  expect(annotations).toEqual({ 'devloop.dev/owner-user': 'ann@aurora.org', 'devloop.dev/made-for': 'shop.i' })

  const namespaces = { [made]: { labels: labels ?? {}, annotations: annotations ?? {} } }
  const second = await resolved({ namespaces, rightsIn: () => true, reads: true, makes: true, question: sandboxed })
  expect(await second.answer).toMatchObject({ name: made, own: { user: 'ann@aurora.org' } })
  expect(second.cluster.posted).toEqual([])
})

test("a namespace of somebody else's is never taken for one's own", async () => {
  const given = { rightsIn: () => true, reads: true, makes: true, question: sandboxed }
  const probe = await name(given)
  const theirs = { labels: { 'app.kubernetes.io/managed-by': 'devloop' }, annotations: { 'devloop.dev/owner-user': 'bob' } }
  expect(await failure({ ...given, namespaces: { [probe]: theirs } })).toContain(`The namespace ${probe} belongs to bob.`)
  // named by hand it is used, and left as it is
  const { answer } = await resolved({ ...given, named: 'theirs', namespaces: { theirs } })
  expect(await answer).toEqual({ name: 'theirs', isGiven: true })
})

test('who has no rights where nobody named anything gets a namespace of their own', async () => {
  let made = false
  const { cluster, answer } = await resolved({
    makes: true,
    rightsIn: (space) => space.startsWith(own) && made,
    refuses: () => void (made = true),
  })
  expect((await answer).name).toMatch(new RegExp(`^${own}`))
  // nothing was said of what it is to be given
  expect(Object.keys(metadataOf(cluster)?.labels ?? {})).toEqual(['app.kubernetes.io/managed-by', 'devloop.dev/owner'])
})

test('the namespace that an administrator made for all of a user is found by its name', async () => {
  expect(await name({ rightsIn: (space) => space.startsWith('dev-ann-aurora-org-'), question: sandboxed })).toMatch(
    /^dev-ann-aurora-org-/,
  )
})

test.each([{}, { question: { cluster: { tenant } } }])(
  'the sandbox of a tenant is read from its status, whatever its name (%#)',
  async (more) => {
    const rightsIn = (space: string): boolean => space === 'sb-4711'
    const groups = ['tenantoperator.stakater.com']
    const status = { deployedSandboxes: { 'ann@aurora.org': 'sb-4711', bob: 'sb-4712' } }
    const found = await resolved({ groups, rightsIn, tenants: { bluesky: { status }, redsky: {} }, ...more })
    expect((await found.answer).name).toBe('sb-4711')
    expect(found.cluster.posted).toEqual([])
  },
)

test('sandboxes in several tenants: the tenant must be named', async () => {
  const status = { deployedSandboxes: { 'ann@aurora.org': 'sb' } }
  const given = { groups: ['tenantoperator.stakater.com'], tenants: { bluesky: { status }, redsky: { status } } }
  expect(await failure(given)).toMatchInlineSnapshot(`
    "cluster/no-namespace
    You have sandboxes in several tenants, and none is named.
    bluesky: sb, redsky: sb
    -> Name the tenant in the Devloopfile: cluster: { tenant: 'bluesky' }"
  `)
})

test('a sandbox that is promised is waited for', async () => {
  const status: { deployedSandboxes?: Record<string, string> } = {}
  const spec = { namespaces: { sandboxes: { enabled: true } }, accessControl: { editors: { groups: ['devs'] } } }
  const { answer, told } = await resolved({
    groups: ['tenantoperator.stakater.com'],
    rightsIn: (space) => space === 'late',
    tenants: { bluesky: { spec, status } },
  })
  await expect.poll(() => told).toEqual(['waiting for the sandbox that the tenant bluesky is to give you'])
  status.deployedSandboxes = { 'ann@aurora.org': 'late' }
  expect((await answer).name).toBe('late')
})

test('where tenants may not be read, the sandbox is found by labels, and must bear the name of its user', async () => {
  const labels = { 'stakater.com/tenant': 'bluesky', 'stakater.com/kind': 'sandbox' }
  const given: Case = {
    groups: ['tenantoperator.stakater.com'],
    tenants: 'hidden',
    lists: true,
    namespaces: {
      'bluesky-ann-aurora-sandbox': { labels },
      'bluesky-mary-ann-aurora-sandbox': { labels },
      'bluesky-bob-sandbox': { labels },
    },
    rightsIn: (space) => space.startsWith('bluesky'),
  }
  expect(await name(given)).toBe('bluesky-ann-aurora-sandbox')
  const { namespaces, ...rest } = given
  const projects = Object.entries(namespaces ?? {}).map(([key, value]) => ({ name: key, ...value }))
  const groups = ['tenantoperator.stakater.com', 'project.openshift.io']
  expect(await name({ ...rest, lists: false, groups, projects })).toBe('bluesky-ann-aurora-sandbox')
})

test('under a tenant a namespace is posted with its label, and not looked at before', async () => {
  let made = false
  const { cluster, answer, told } = await resolved({
    groups: ['tenantoperator.stakater.com', 'project.openshift.io'],
    tenants: 'hidden',
    makes: true,
    // rights come a moment after the namespace
    rightsIn: () => made && (told.length > 2 || (setTimeout(() => told.push('rights are there'), 50), false)),
    refuses: () => void (made = true),
    named: 'bluesky-dev',
    question: { cluster: { tenant: { ...tenant, label: 'example.com/tenant' } }, patienceMs: 20_000 },
  })
  expect((await answer).name).toBe('bluesky-dev')
  expect(metadataOf(cluster)?.labels?.['example.com/tenant']).toBe('bluesky')
  const at = cluster.asked.indexOf('POST /api/v1/namespaces bluesky-dev')
  expect(cluster.asked.slice(0, at)).toEqual(['GET /apis'])
  expect(told.slice(0, 2)).toEqual(['made the namespace bluesky-dev', 'waiting for rights in the namespace bluesky-dev'])
})

test("without a tenant the operator's refusal is told, with what to write", async () => {
  const message =
    'admission webhook "vnamespace.kb.io" denied the request: Cannot CREATE namespace dev without label stakater.com/tenant. User: ann@aurora.org'
  const given = { named: 'dev', makes: true, groups: ['tenantoperator.stakater.com'], refuses: () => message }
  expect(await failure(given)).toMatchInlineSnapshot(`
    "cluster/no-namespace
    The cluster does not admit the namespace "dev".
    admission webhook "vnamespace.kb.io" denied the request: Cannot CREATE namespace dev without label stakater.com/tenant. User: ann@aurora.org
    -> Name your tenant in the Devloopfile: cluster: { tenant: 'NAME' }"
  `)
})

test('on OpenShift a project is asked for, which brings its rights along', async () => {
  let made = false
  const given: Case = { groups: ['project.openshift.io'], rightsIn: () => made, refuses: () => void (made = true) }
  const { cluster, answer } = await resolved(given)
  expect((await answer).name).toMatch(new RegExp(`^${own}`))
  expect(cluster.posted.map(({ path, body }) => `${path} ${body.kind}`)).toEqual([
    '/apis/project.openshift.io/v1/projectrequests ProjectRequest',
  ])
  made = false
  const refused = { ...given, refuses: () => 'You may not request a new project via this API. Write to platform@aurora.org.' }
  expect(await failure({ ...refused, named: 'dev' })).toContain('Write to platform@aurora.org.')
})

test('who may make nothing is told what an administrator is to do, once', async () => {
  const { cluster, answer } = await resolved({ named: 'shop-ann', question: sandboxed })
  expect(await failed(answer)).toMatchInlineSnapshot(`
    "cluster/no-namespace
    There is no namespace for you to work in: "shop-ann" does not exist for you, and you may not make it.
    namespaces is forbidden: User "ann@aurora.org" cannot create resource "namespaces"
    -> Let an administrator run: devloop provision --user 'ann@aurora.org' --namespace shop-ann
    or apply this; or name a namespace that you may use with --namespace:
    apiVersion: v1
    kind: List
    items:
      - apiVersion: v1
        kind: Namespace
        metadata:
          name: shop-ann
          labels:
            app.kubernetes.io/managed-by: devloop
            devloop.dev/owner: ann-aurora-org-79222c
            pod-security.kubernetes.io/enforce: baseline
            pod-security.kubernetes.io/enforce-version: latest
            pod-security.kubernetes.io/audit: restricted
            pod-security.kubernetes.io/audit-version: latest
            pod-security.kubernetes.io/warn: restricted
            pod-security.kubernetes.io/warn-version: latest
          annotations:
            devloop.dev/owner-user: ann@aurora.org
            devloop.dev/made-for: shop.i
      - apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata:
          labels: &a1
            app.kubernetes.io/managed-by: devloop
          name: devloop
          namespace: shop-ann
        spec:
          podSelector: {}
          policyTypes:
            - Ingress
          ingress:
            - from:
                - podSelector: {}
                - namespaceSelector:
                    matchExpressions:
                      - key: devloop.dev/owner
                        operator: DoesNotExist
      - apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata:
          labels: *a1
          name: devloop-access
          namespace: shop-ann
        roleRef:
          apiGroup: rbac.authorization.k8s.io
          kind: ClusterRole
          name: edit
        subjects:
          - apiGroup: rbac.authorization.k8s.io
            kind: User
            name: ann@aurora.org"
  `)
  expect(cluster.posted).toHaveLength(1)
})

test('a namespace that is there, with no rights in it', async () => {
  expect(await failure({ named: 'prod', makes: true, namespaces: { prod: {} } })).toContain(
    'The namespace prod exists, and you have no rights in it.\nann@aurora.org may not create configmaps there.',
  )
})

test('one that is being deleted is waited for', async () => {
  const namespaces: ClusterRules['namespaces'] = { dev: { deletionTimestamp: '2026-01-01T00:00:00Z' } }
  const given: Case = { named: 'dev', makes: true, reads: true, rightsIn: () => true, namespaces, question: sandboxed }
  const { cluster, answer, told } = await resolved(given)
  await expect.poll(() => told).toEqual(['waiting until the namespace dev, which is being deleted, is gone'])
  cluster.gone('dev')
  expect((await answer).name).toBe('dev')
  expect(told.at(-1)).toBe('made the namespace dev')
})

test('one that stays on its way out ends the wait with an error', async () => {
  const { connection, close } = await fakeCluster({
    makes: true,
    namespaces: { dev: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
  })
  onTestFinished(close)
  const wish = { connection, namespace: 'dev', owner: 'ann', settings: undefined, tenant: undefined, expires: undefined }
  const made = makeNamespace({ ...wish, madeFor: 'shop.i', asProject: false, tell: () => undefined, goingMs: 0 }, signal)
  expect(await failed(made)).toMatch(/^cluster\/no-namespace\nThe namespace dev is still being deleted\.\n/)
})

test.each(['kube-dev', 'openshift-dev', 'default'])('%s is not made', async (reserved) => {
  const given = { named: reserved, makes: true, question: sandboxed }
  const { cluster, answer } = await resolved(given)
  expect(await failed(answer)).toContain(`devloop makes no namespace "${reserved}": that name is the cluster's own.`)
  expect(cluster.posted).toEqual([])
})

test('a cluster that does not tell who one is', async () => {
  expect(await failure({ user: null })).toContain('No namespace is named, and the cluster does not tell who you are.')
  expect(await name({ user: null, named: 'dev', rightsIn: () => true })).toBe('dev')
})

test('where nothing is to be made, only the name is found out', async () => {
  const look = { makes: false, ...sandboxed }
  const { cluster, answer } = await resolved({ makes: true, question: look })
  expect((await answer).name).toMatch(new RegExp(`^${own}`))
  expect(await name({ named: 'gone', question: look })).toBe('gone')
  expect(cluster.posted).toEqual([])
})
