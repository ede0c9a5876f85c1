// What the outer loop gets of an app: its objects, and nothing of devloop's or of a developer's.
import { expect, test } from 'vitest'
import { ejectApp, type EjectAppInput } from '../../../../../src/adapters/kube/eject/eject-app.js'
import { asKustomize, asYaml } from '../../../../../src/daemon/eject-files.js'
import type { AppSpec, KubeObject } from '../../../../../src/model/plan.js'
import { anApp } from '../deploy/fixtures.js'

const password = { kind: 'generated', name: 'db-password' } as const
const api: Partial<AppSpec> = {
  image: { built: 'shop/api' },
  ports: { http: 8080 },
  env: { URL: [{ kind: 'literal', text: 'postgres://u:' }, password], TOKEN: [{ kind: 'sealed', id: 'x' }] },
  expose: { port: 'http', path: '/' },
  debug: { language: 'node', port: 9229, local: 9229 },
  process: { command: 'node .' },
  volumes: [
    {
      kind: 'files',
      path: '/etc/api',
      files: [{ to: 'a.conf', mode: 0o644, from: { text: [{ kind: 'literal', text: 'a=1\nb=2\n' }] } }],
    },
    {
      kind: 'files',
      path: '/key',
      secret: true,
      single: true,
      files: [{ to: '', mode: 0o444, from: { file: '/key.pem', hash: '1' } }],
    },
  ],
}

const eject = (changes: Partial<AppSpec> = {}, over: Partial<EjectAppInput> = {}) =>
  ejectApp({
    app: anApp({ ...api, ...changes }),
    project: 'shop',
    apps: {},
    image: 'ghcr.io/me/api:1',
    user: '1001',
    exposing: 'Ingress',
    files: new Map([['/key.pem', Buffer.from('PRIVATE KEY')]]),
    configs: () => undefined,
    ...over,
  })

const of = (objects: readonly KubeObject[], kind: string): KubeObject => {
  const found = objects.find((object) => object.kind === kind)
  if (!found) throw new Error(`there is no ${kind}`)
  return found
}

test('nothing in it is devloop’s, a developer’s or of one namespace', () => {
  const objects = eject()
  const text = JSON.stringify(objects)
  for (const word of ['devloop', 'ann-1', 'namespace', '9229', 'inspect', 'imagePullPolicy', 'PRIVATE KEY', 'progressDeadline'])
    expect(text).not.toContain(word)
  expect(objects.map(({ kind }) => kind).toSorted()).toEqual([
    'ConfigMap',
    'Deployment',
    'Ingress',
    'Secret',
    'Secret',
    'Service',
    'ServiceAccount',
  ])
  const labels = { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/part-of': 'shop' }
  for (const object of objects) expect(object.metadata.labels).toEqual(labels)
  expect(of(objects, 'Service').spec).toMatchObject({ selector: labels })
  expect(of(objects, 'Deployment').spec).toMatchObject({
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ image: 'ghcr.io/me/api:1' }] } },
  })
})

test('pods are asked as those are that start once and stay', () => {
  const container = (changes?: Partial<AppSpec>) => {
    const { template } = of(eject(changes), 'Deployment').spec as {
      template: { spec: { containers: [Record<string, unknown>] } }
    }
    return template.spec.containers[0]
  }
  expect(container()).toMatchObject({
    startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 300 },
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 10, failureThreshold: 3 },
    securityContext: { runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
  })
  expect(container({ probe: false })).not.toHaveProperty('readinessProbe')
})

test('Secrets are named with their keys, and what stands for the values', () => {
  const objects = eject()
  const secrets = objects.filter(({ kind }) => kind === 'Secret')
  expect(secrets.map(({ metadata, stringData }) => [metadata.name, stringData])).toEqual([
    ['api-env', { URL: 'postgres://u:<db-password>', TOKEN: '<secret>' }],
    [expect.stringMatching(/^api-files-[0-9a-f]{8}$/), { f0: '<content of /key>' }],
  ])
  expect(JSON.stringify(of(objects, 'Deployment'))).toContain('"secretKeyRef":{"name":"api-env","key":"URL"}')
})

test('a Route where the outer loop’s cluster has them', () => {
  expect(of(eject({}, { exposing: 'Route' }), 'Route').spec).toMatchObject({ to: { name: 'api' } })
})

test('as YAML: what others stand on comes first, Secrets in a file that nobody applies by mistake', () => {
  const [plain, secrets, ...more] = asYaml([{ name: 'api', objects: eject() }], '# head\n')
  expect(more).toEqual([])
  expect(plain?.path).toBe('api.yaml')
  expect([...String(plain?.content).matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind)).toEqual([
    'ServiceAccount',
    'ConfigMap',
    'Service',
    'Deployment',
    'Ingress',
  ])
  expect(String(plain?.content)).toMatch(/^# head\napiVersion/)
  expect(secrets).toMatchObject({
    path: 'secrets.yaml.template',
    content: expect.stringContaining('URL: postgres://u:<db-password>'),
  })
})

test('as a kustomization: images by name, ConfigMaps from files, byte for byte', () => {
  const config: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings' },
    data: { MODE: 'a=b c', QUOTED: '"x"', LINES: 'a\nb', UMLAUT: 'ü' },
    binaryData: { BYTES: Buffer.from([0, 255]).toString('base64') },
  }
  const files = asKustomize(
    [
      { name: 'api', objects: eject({ volumes: [] }, { image: 'shop/api' }) },
      { name: 'settings', objects: [config] },
    ],
    [
      { name: 'shop/api', ref: 'ghcr.io/me/api:1.2' },
      { name: 'shop/web', ref: 'localhost:5000/web@sha256:11' },
      { name: 'shop/job', ref: 'shop/job:latest' },
    ],
    '# head\n',
  )
  expect(String(files[0]?.content)).toMatchInlineSnapshot(`
    "# head
    apiVersion: kustomize.config.k8s.io/v1beta1
    kind: Kustomization
    resources:
      - api.yaml
    configMapGenerator:
      - name: settings
        literals:
          - MODE=a=b c
        files:
          - QUOTED=files/settings/QUOTED
          - LINES=files/settings/LINES
          - UMLAUT=files/settings/UMLAUT
          - BYTES=files/settings/BYTES
    images:
      - name: shop/api
        newName: ghcr.io/me/api
        newTag: "1.2"
      - name: shop/web
        newName: localhost:5000/web
        digest: sha256:11
      - name: shop/job
        newTag: latest
    "
  `)
  const named = Object.fromEntries(files.slice(1).map(({ path, content }) => [path, content]))
  expect(Object.keys(named)).toEqual([
    'api.yaml',
    'secrets.yaml.template',
    'files/settings/QUOTED',
    'files/settings/LINES',
    'files/settings/UMLAUT',
    'files/settings/BYTES',
  ])
  expect(String(named['files/settings/LINES'])).toBe('a\nb')
  expect(named['files/settings/BYTES']).toEqual(Buffer.from([0, 255]))
  expect(named['api.yaml']).toContain('image: shop/api\n')
})
