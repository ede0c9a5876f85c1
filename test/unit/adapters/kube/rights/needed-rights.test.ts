import { expect, test } from 'vitest'
import type { KindInfo } from '../../../../../src/adapters/kube/deploy/kinds.js'
import { renderApp } from '../../../../../src/adapters/kube/deploy/render-app.js'
import { appKinds, neededRights, type RightsInput } from '../../../../../src/adapters/kube/rights/needed-rights.js'
import { rightsTable } from '../../../../../src/model/missing-right.js'
import type { AppSpec, AttachSpec, CustomSpec, KubeObject } from '../../../../../src/model/plan.js'
import type { RightsSubject } from '../../../../../src/ports/runtime.js'
import { plainGraph } from '../../../../support/plain-graph.js'
import { anApp, owner, position, someManifests } from '../deploy/fixtures.js'

const plurals: Readonly<Record<string, string>> = { Ingress: 'ingresses', Tenant: 'tenants' }
const clusterWide = new Set(['ClusterRole', 'Tenant', 'Namespace'])
const kindOf = ({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): KindInfo | undefined =>
  kind === 'Unknown'
    ? undefined
    : { apiVersion, kind, plural: plurals[kind] ?? `${kind.toLowerCase()}s`, namespaced: !clusterWide.has(kind) }

const subject = (resource: RightsSubject['resource'], ...synced: string[]): RightsSubject => ({
  resource,
  synced: new Set(synced),
  linked: false,
})
const needed = (subjects: readonly RightsSubject[], over: Partial<RightsInput> = {}): string[] =>
  neededRights({ subjects, namespace: 'dev', copiesLogin: false, kindOf, ...over }).map(
    ({ verb, group, resource, namespace }) => `${namespace || '*'}: ${verb} ${group === undefined ? '' : `${group}/`}${resource}`,
  )

const object = (apiVersion: string, kind: string, over: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', ...over },
})

test('an app that is synced and forwarded: each right once, with what breaks without it', () => {
  const app = anApp({
    name: 'api',
    image: { built: 'shop/api' },
    ports: { http: 8080 },
    forward: [{ local: 8080, port: 'http' }],
    env: { PASSWORD: [{ kind: 'generated', name: 'db-password' }] },
  })
  const rights = neededRights({ subjects: [subject(app, 'shop/api')], namespace: 'dev', copiesLogin: true, kindOf })
  expect(new Set(rights.map((right) => JSON.stringify([right.verb, right.resource, right.group]))).size).toBe(rights.length)
  const table = rightsTable(
    rights.map(({ group, ...right }) => ({ ...right, resource: group ? `${right.resource}.${group}` : right.resource })),
  )
  expect(`\n${table.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    you may not                            in   without it
    get, create, patch, delete configmaps  dev  api cannot be deployed: what was applied is recorded there
    get, create, patch secrets             dev  generated values of api cannot be made; api cannot be deployed
    get, create, patch deployments.apps    dev  api cannot be deployed
    delete deployments.apps                dev  api cannot be deleted
    get, create, patch services            dev  api cannot be deployed
    delete services                        dev  api cannot be deleted
    delete secrets                         dev  api cannot be deleted
    get, create, patch serviceaccounts     dev  api cannot be deployed
    delete serviceaccounts                 dev  api cannot be deleted
    list, watch pods                       dev  nothing is seen of api: never ready
    list, watch events                     dev  nothing tells why pods do not start
    get pods/log                           dev  no logs of api
    list, watch deployments.apps           dev  nothing tells when a rollout of api is done
    get, create pods/portforward           dev  no forwarded ports of api
    get, create pods/exec                  dev  no live sync into api
    get, delete pods                       dev  pods of api that went wrong are not replaced
    "
  `)
})

test('what an app has no use for is not asked for', () => {
  const app = anApp({ name: 'api' })
  const rights = needed([subject(app)])
  for (const word of ['pods/exec', 'pods/portforward', 'secrets', 'services', 'jobs', 'persistentvolumeclaims'])
    expect(rights.filter((right) => right.endsWith(word))).toEqual([])
})

test('every kind that an app is rendered as is asked for', () => {
  const text = [{ kind: 'generated', name: 'p' }] as const
  const volumes: AppSpec['volumes'] = [
    { kind: 'named', name: 'data', size: '1Gi', path: '/data', owner: true },
    { kind: 'files', path: '/etc/plain', files: [{ to: 'a', from: { text: [{ kind: 'literal', text: 'a' }] }, mode: 0o644 }] },
    { kind: 'files', path: '/etc/secret', secret: true, files: [{ to: 'a', from: { text: [] }, mode: 0o644 }] },
  ]
  for (const over of [
    { ports: { http: 80 }, env: { A: [...text] }, volumes },
    { job: { retries: 1 } },
    { headless: true as const },
    { serviceAccount: { token: true, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] } },
  ]) {
    const app = anApp({ ...over })
    const { objects } = renderApp({
      app,
      owner,
      namespace: 'dev',
      apps: {},
      images: {},
      restartable: new Set(),
      generated: { p: 'value' },
      files: new Map(),
      storage: { hasDefaultClass: true },
    })
    const rendered = new Set(objects.map((one) => `${one.object.apiVersion} ${one.object.kind}`))
    expect(new Set(appKinds(app).map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))).toEqual(rendered)
  }
})

test('an app that is exposed: Routes where the cluster serves them, else Ingresses', () => {
  const exposed = [subject(anApp({ ports: { http: 80 }, expose: { port: 'http', path: '/' } }))]
  const kindsOf = (rights: readonly string[]) => rights.filter((right) => /routes|ingresses/.test(right))
  const verbs = ['get', 'create', 'patch', 'delete']
  expect(kindsOf(needed(exposed))).toEqual(verbs.map((verb) => `dev: ${verb} route.openshift.io/routes`))
  const noRoutes: RightsInput['kindOf'] = (object) => (object.kind === 'Route' ? undefined : kindOf(object))
  expect(kindsOf(needed(exposed, { kindOf: noRoutes }))).toEqual(verbs.map((verb) => `dev: ${verb} networking.k8s.io/ingresses`))
})

test('manifests: their kinds in their namespaces, what the cluster does not serve left to the deploy', () => {
  const rights = needed([
    subject(
      someManifests(
        [
          object('apps/v1', 'StatefulSet'),
          object('networking.k8s.io/v1', 'Ingress', { namespace: 'edge' }),
          object('rbac.authorization.k8s.io/v1', 'ClusterRole'),
          object('example.org/v1', 'Unknown'),
          object('v1', 'PersistentVolumeClaim'),
        ],
        { namespace: 'data' },
      ),
    ),
  ])
  expect(rights).toEqual([
    ...['get', 'create', 'patch', 'delete'].map((verb) => `dev: ${verb} configmaps`),
    ...['get', 'create', 'patch', 'delete'].map((verb) => `data: ${verb} apps/statefulsets`),
    ...['get', 'create', 'patch', 'delete'].map((verb) => `edge: ${verb} networking.k8s.io/ingresses`),
    ...['get', 'create', 'patch', 'delete'].map((verb) => `*: ${verb} rbac.authorization.k8s.io/clusterroles`),
    // a claim is never deleted with its resource
    ...['get', 'create', 'patch'].map((verb) => `data: ${verb} persistentvolumeclaims`),
    ...['pods', 'events'].flatMap((resource) => ['list', 'watch'].map((verb) => `data: ${verb} ${resource}`)),
    'data: get pods/log',
    'data: list apps/statefulsets',
    'data: watch apps/statefulsets',
  ])
})

test('attached workloads and custom deploys: nothing is applied for them', () => {
  const attach: AttachSpec = {
    kind: 'attach',
    name: 'web',
    workload: { kind: 'ReplicaSet', name: 'web' },
    namespace: 'team',
    images: ['attach/web'],
    forward: [],
    ...plainGraph,
    at: position,
  }
  expect(needed([subject(attach, 'attach/web')])).toEqual([
    ...['pods', 'events'].flatMap((resource) => ['list', 'watch'].map((verb) => `team: ${verb} ${resource}`)),
    'team: get pods/log',
    ...['replicasets', 'deployments'].flatMap((resource) => ['list', 'watch'].map((verb) => `team: ${verb} apps/${resource}`)),
    'team: get pods/exec',
    'team: create pods/exec',
  ])
  const custom: CustomSpec = {
    kind: 'custom',
    name: 'other',
    apply: 'true',
    cwd: '/p',
    watch: [],
    env: {},
    images: [],
    timeoutMs: 1000,
    forward: [],
    ...plainGraph,
    at: position,
  }
  expect(needed([subject(custom)])).toEqual([
    ...['pods', 'events'].flatMap((resource) => ['list', 'watch'].map((verb) => `dev: ${verb} ${resource}`)),
    'dev: get pods/log',
  ])
})

test('a right that many need names some of them', () => {
  const apps = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => subject(anApp({ name })))
  const log = neededRights({ subjects: apps, namespace: 'dev', copiesLogin: false, kindOf }).find(
    ({ resource }) => resource === 'pods/log',
  )
  expect(log?.breaks).toBe('no logs of a, b, c, d and 2 more')
})

test('links are tried by exec, also in pods that nothing is synced into', () => {
  const rights = neededRights({
    subjects: [{ ...subject(anApp({ name: 'api' })), linked: true }],
    namespace: 'dev',
    copiesLogin: false,
    kindOf,
  })
  expect(rights.filter(({ resource }) => resource === 'pods/exec').map(({ verb, breaks }) => [verb, breaks])).toEqual([
    ['get', 'nothing tells whether api reach what they use'],
    ['create', 'nothing tells whether api reach what they use'],
  ])
})
