// What clusters and namespaces want of apps: ServiceAccounts, requests and limits, "restricted" pods, Routes and Ingresses.
import { afterEach, describe, expect, test } from 'vitest'
import { resourcesOf } from '../../../../../src/adapters/kube/deploy/app-resources.js'
import { boundsOf, createPlaceFinder, type Place } from '../../../../../src/adapters/kube/deploy/place.js'
import { renderApp } from '../../../../../src/adapters/kube/deploy/render-app.js'
import type { AppSpec, KubeObject } from '../../../../../src/model/plan.js'
import type { PodTemplate } from '../../../../../src/model/pod-bearing.js'
import { fakeApiServer, type FakeApiServer } from '../fake-api-server.js'
import { anApp, aRecord, owner } from './fixtures.js'

function render(changes: Partial<AppSpec>, place?: Place, user = '') {
  const { objects } = renderApp({
    app: anApp(changes),
    owner,
    namespace: 'dev',
    apps: {},
    images: { 'shop/api': aRecord({}, { user }) },
    restartable: new Set(),
    generated: {},
    files: new Map(),
    storage: { hasDefaultClass: true },
    ...(place ? { place } : {}),
  })
  const of = (kind: string): KubeObject | undefined => objects.map(({ object }) => object).find((one) => one.kind === kind)
  const { template } = (of('Deployment') as KubeObject).spec as { template: PodTemplate }
  return { of, pod: template.spec, container: template.spec.containers?.[0] }
}

describe('ServiceAccounts', () => {
  test('an app has its own, and its pods have no token', () => {
    const { of, pod } = render({})
    expect(of('ServiceAccount')).toMatchObject({ metadata: { name: 'api' }, automountServiceAccountToken: false })
    expect(pod).toMatchObject({ serviceAccountName: 'api', automountServiceAccountToken: false })
    expect(of('Role')).toBeUndefined()
  })

  test('the names that a cluster gives to its own are not taken', () => {
    expect(render({ name: 'default' }).pod.serviceAccountName).toBe('default-app')
    expect(render({ name: 'builder' }).of('ServiceAccount')?.metadata.name).toBe('builder-app')
  })

  test('with rules it has a Role, and a token to use it', () => {
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
    const { of, pod } = render({ serviceAccount: { token: true, rules, annotations: { 'cloud.example/role': 'x' } } })
    expect(pod.automountServiceAccountToken).toBe(true)
    expect(of('ServiceAccount')?.metadata.annotations).toEqual({ 'cloud.example/role': 'x' })
    expect(of('Role')).toMatchObject({ metadata: { name: 'api', namespace: 'dev' }, rules })
    expect(of('RoleBinding')).toMatchObject({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'api' },
      subjects: [{ kind: 'ServiceAccount', name: 'api' }],
    })
  })

  test("one of the user's own is named, and left as it is", () => {
    const { of, pod } = render({ serviceAccount: { name: 'mine' } }, { pullSecrets: ['hub'] })
    expect(of('ServiceAccount')).toBeUndefined()
    expect(pod.serviceAccountName).toBe('mine')
    expect(pod).not.toHaveProperty('automountServiceAccountToken')
    // pods that name no pull secret have those of their ServiceAccount
    expect(pod).not.toHaveProperty('imagePullSecrets')
  })

  test('pods pull with what they would have with the default ServiceAccount', () => {
    expect(render({}, { pullSecrets: ['hub'] }).pod.imagePullSecrets).toEqual([{ name: 'hub' }])
  })
})

describe('requests and limits', () => {
  const usual = { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '2', memory: '2Gi' } }

  test.each([
    ['nothing said', {}, {}, usual],
    [
      'limits said: the requests are the usual ones',
      { limits: { cpu: '500m', memory: '1G' } },
      {},
      { requests: usual.requests, limits: { cpu: '500m', memory: '1G' } },
    ],
    [
      'limits below the usual requests',
      { limits: { cpu: '5m', memory: '16Mi' } },
      {},
      { requests: { cpu: '5m', memory: '16Mi' }, limits: { cpu: '5m', memory: '16Mi' } },
    ],
    [
      'requests above the usual limits',
      { requests: { cpu: '3', memory: '3Gi' } },
      {},
      { requests: { cpu: '3', memory: '3Gi' }, limits: { cpu: '3', memory: '3Gi' } },
    ],
    [
      "a LimitRange's defaults count more than the usual ones",
      {},
      { limits: { cpu: '300m', memory: '256Mi' }, requests: { cpu: '100m' } },
      { requests: { cpu: '100m', memory: '32Mi' }, limits: { cpu: '300m', memory: '256Mi' } },
    ],
    [
      'and less than what the app says',
      { limits: { memory: '1Gi' }, requests: { cpu: '20m' } },
      { limits: { cpu: '300m', memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
      { requests: { cpu: '20m', memory: '128Mi' }, limits: { cpu: '300m', memory: '1Gi' } },
    ],
    [
      "a LimitRange's bounds are kept",
      {},
      { min: { cpu: '50m', memory: '64Mi' }, max: { cpu: '1', memory: '512Mi' } },
      { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '1', memory: '512Mi' } },
    ],
    [
      'and its ratio',
      {},
      { ratio: { cpu: '10', memory: '4' } },
      { requests: { cpu: '200m', memory: '512Mi' }, limits: usual.limits },
    ],
    [
      'of a quota an app takes an eighth',
      {},
      { quota: { cpu: '4', memory: '8Gi' } },
      { requests: usual.requests, limits: { cpu: '500m', memory: '1024Mi' } },
    ],
    ['of a large one what is usual', {}, { quota: { cpu: '64', memory: '256Gi' } }, usual],
  ])('%s', (_case, said, bounds, expected) => {
    expect(resourcesOf(said, bounds)).toEqual(expected)
  })

  test('what LimitRanges and quotas say', () => {
    const container = { type: 'Container', default: { cpu: '1', memory: '1Gi' }, maxLimitRequestRatio: { cpu: 10 } }
    const claims = { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } }
    expect(
      boundsOf(
        [{ spec: { limits: [claims, container, { type: 'Pod', max: { memory: '2Gi' } }] } }, {}],
        [{ spec: { hard: { pods: '10', 'requests.cpu': '1', 'limits.cpu': '4' } } }],
      ),
    ).toEqual({ limits: { cpu: '1', memory: '1Gi' }, ratio: { cpu: '10' }, max: { memory: '2Gi' }, quota: { cpu: '4' } })
  })

  test('every app has both', () => {
    expect(render({}).container?.resources).toEqual(usual)
    expect(render({}, { bounds: { max: { cpu: '1' } } }).container?.resources).toMatchObject({ limits: { cpu: '1' } })
  })
})

describe('the "restricted" Pod Security Standard', () => {
  const image = { built: 'shop/api' }

  test.each([
    ['a number', { image }, '1001', { capabilities: { drop: ['ALL'] }, runAsNonRoot: true }],
    ['a name', { image }, 'node', { capabilities: { drop: ['ALL'] } }],
    ['root', { image }, 'root', {}],
    ['somebody else’s image', {}, '', {}],
  ])('elsewhere an image of %s is asked of as much as it can do', (_what, changes, user, expected) => {
    expect(render(changes, {}, user).container?.securityContext).toEqual({ allowPrivilegeEscalation: false, ...expected })
  })

  test.each([
    ['a number', { image }, '1001'],
    ['a name', { image }, 'node'],
    ['root', { image }, 'root'],
    ['somebody else’s image', {}, ''],
  ])('where it is enforced an image of %s is asked for all of it, and never for a user', (_what, changes, user) => {
    const { container, pod } = render(changes, { restricted: true }, user)
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
    })
    expect(pod.securityContext).toEqual({ seccompProfile: { type: 'RuntimeDefault' } })
  })

  const database = { service: 'postgres', user: { uid: 999 }, pod: { fsGroup: 999, stopTimeout: 30 } } as const

  test.each([
    ['a service runs as its image’s user', database, {}, 999, 999],
    ['a service runs as whom a cluster gives that gives users', database, { givesUsers: true }, undefined, undefined],
    ['an app that says its user has it anywhere', { user: { uid: 7 } }, { givesUsers: true }, 7, undefined],
  ])('%s', (_what, changes, place, uid, group) => {
    const { container, pod } = render(changes, { ...place, restricted: true }, '')
    expect(container?.securityContext).toMatchObject({ runAsNonRoot: true, allowPrivilegeEscalation: false })
    const { runAsUser, fsGroup } = { ...(container?.securityContext as object), ...(pod.securityContext as object) } as Record<
      string,
      unknown
    >
    expect({ runAsUser, fsGroup }).toEqual({ runAsUser: uid, fsGroup: group })
    expect(pod.terminationGracePeriodSeconds).toBe('pod' in changes ? 30 : 5)
  })
})

test.each([
  ['postgres:16', 'docker.io/library/postgres:16'],
  ['grafana/grafana', 'docker.io/grafana/grafana'],
  ['localhost:5000/x:1', 'localhost:5000/x:1'],
  ['localhost/x', 'localhost/x'],
  ['ghcr.io/a/b@sha256:00', 'ghcr.io/a/b@sha256:00'],
])('the reference %s names its registry', (ref, full) => {
  expect(render({ image: { ref } }).container?.image).toBe(full)
})

describe('exposed apps', () => {
  const ports = { http: 8080, admin: 9000 }

  test('by an Ingress', () => {
    const { of } = render({ ports, expose: { port: 'http', path: '/' } })
    expect(of('Route')).toBeUndefined()
    expect(of('Ingress')).toMatchObject({
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: 'api', namespace: 'dev' },
      spec: {
        rules: [
          { http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'api', port: { name: 'http' } } } }] } },
        ],
      },
    })
    const full = render({
      ports,
      expose: {
        port: 'admin',
        host: 'shop.test',
        path: '/admin',
        tls: { secret: 'cert' },
        ingressClass: 'nginx',
        annotations: { a: 'b' },
      },
    }).of('Ingress')
    expect(full).toMatchObject({
      metadata: { annotations: { a: 'b' } },
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: ['shop.test'], secretName: 'cert' }],
        rules: [{ host: 'shop.test', http: { paths: [{ path: '/admin', backend: { service: { port: { name: 'admin' } } } }] } }],
      },
    })
  })

  test('by a Route where the cluster has them, whose host is the cluster’s affair', () => {
    const place: Place = { exposing: 'Route' }
    const { of } = render({ ports, expose: { port: 'http', path: '/' } }, place)
    expect(of('Ingress')).toBeUndefined()
    expect(of('Route')).toMatchObject({
      apiVersion: 'route.openshift.io/v1',
      spec: { to: { kind: 'Service', name: 'api', weight: 100 }, port: { targetPort: 'http' }, wildcardPolicy: 'None' },
    })
    expect(of('Route')?.spec).not.toHaveProperty('host')
    expect(of('Route')?.spec).not.toHaveProperty('tls')
    const full = render({ ports, expose: { port: 'http', host: 'h.test', path: '/x', tls: true } }, place).of('Route')
    expect(full?.spec).toMatchObject({
      host: 'h.test',
      path: '/x',
      tls: { termination: 'edge', insecureEdgeTerminationPolicy: 'Redirect' },
    })
  })
})

describe('what a namespace says', () => {
  let server: FakeApiServer | undefined
  afterEach(() => server?.close())

  const answers = async (found: Readonly<Record<string, unknown>>): Promise<FakeApiServer> => {
    server = await fakeApiServer((_request, response, { pathname }) => {
      const body = found[pathname]
      const code = typeof body === 'number' ? body : body === undefined ? 404 : 200
      response.writeHead(code, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify(code === 200 ? body : { kind: 'Status', code, message: 'no' }))
    })
    return server
  }
  const ns = '/api/v1/namespaces/dev'

  test('is asked once for many apps, and Routes only for who is exposed', async () => {
    const { connection, requests } = await answers({
      [`${ns}/limitranges`]: { items: [{ spec: { limits: [{ type: 'Container', default: { cpu: '1' } }] } }] },
      [`${ns}/resourcequotas`]: { items: [] },
      [`${ns}/serviceaccounts/default`]: { imagePullSecrets: [{ name: 'hub' }] },
      [ns]: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
      '/apis/route.openshift.io/v1': { resources: [] },
    })
    const placeOf = createPlaceFinder(connection)
    const [one, two] = await Promise.all([placeOf(anApp()), placeOf(anApp({ expose: { port: 'http', path: '/' } }))])
    expect(one).toEqual({ bounds: { limits: { cpu: '1' } }, pullSecrets: ['hub'], restricted: true })
    expect(two).toEqual({ ...one, exposing: 'Route' })
    expect(requests).toHaveLength(5)
  })

  test('OpenShift is asked for only where a service is', async () => {
    const { connection, requests } = await answers({ [ns]: {}, '/apis/security.openshift.io/v1': { resources: [] } })
    const placeOf = createPlaceFinder(connection)
    expect(await placeOf(anApp())).not.toHaveProperty('givesUsers')
    const asked = requests.length
    expect(await placeOf(anApp({ service: 'redis' }))).toMatchObject({ givesUsers: true })
    expect(requests).toHaveLength(asked + 1)
  })

  test('what may not be read is not said', async () => {
    const { connection } = await answers({ [ns]: 403, [`${ns}/limitranges`]: 403, [`${ns}/resourcequotas`]: 403 })
    const placeOf = createPlaceFinder(connection)
    const place = await placeOf(anApp({ expose: { port: 'http', path: '/' } }))
    expect(place).toEqual({ bounds: {}, restricted: false, exposing: 'Ingress' })
  })
})
