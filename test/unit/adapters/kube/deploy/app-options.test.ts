// What of an app only pods have: volumes, probes, jobs, users.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readVolumeFiles } from '../../../../../src/adapters/kube/deploy/app-volumes.js'
import { renderApp, type RenderAppInput } from '../../../../../src/adapters/kube/deploy/render-app.js'
import { generatedNames } from '../../../../../src/adapters/kube/deploy/resolve-text.js'
import type { KubeObject } from '../../../../../src/model/plan.js'
import { anApp, anInput, aRecord } from './fixtures.js'

const render = (changes: Partial<RenderAppInput> = {}) => renderApp(anInput(changes))

interface Workload {
  spec: {
    strategy?: object
    backoffLimit?: number
    template: {
      metadata: { annotations?: Record<string, string> }
      spec: { containers: Record<string, unknown>[]; [key: string]: unknown }
    }
  }
}
const kinds = (rendered: ReturnType<typeof render>) =>
  rendered.objects.map(({ object }) => `${object.kind}/${object.metadata.name}`)
const find = (rendered: ReturnType<typeof render>, kind: string) =>
  rendered.objects.find(({ object }) => object.kind === kind)?.object as unknown as KubeObject
const workload = (rendered: ReturnType<typeof render>) =>
  (find(rendered, 'Deployment') ?? find(rendered, 'Job')) as unknown as Workload
const container = (rendered: ReturnType<typeof render>) => workload(rendered).spec.template.spec.containers[0]

const data = (owns: boolean, storageClass?: string) =>
  anApp({
    volumes: [
      {
        kind: 'named',
        name: 'data',
        path: '/data',
        size: '2Gi',
        ...(owns ? { owner: true } : {}),
        ...(storageClass ? { storageClass } : {}),
      },
    ],
  })

test('a named volume is a claim, and its pod is stopped before the next is started', () => {
  const rendered = render({ app: data(true) })
  expect(kinds(rendered)).toEqual(['PersistentVolumeClaim/data', 'Deployment/api', 'ServiceAccount/api'])
  expect(find(rendered, 'PersistentVolumeClaim').spec).toEqual({
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '2Gi' } },
  })
  expect(workload(rendered).spec.strategy).toEqual({ type: 'Recreate' })
  expect(workload(rendered).spec.template.spec.volumes).toEqual([
    { name: 'volume-0', persistentVolumeClaim: { claimName: 'data' } },
  ])
  expect(container(rendered)).toMatchObject({ volumeMounts: [{ name: 'volume-0', mountPath: '/data' }] })
  // whoever shares it makes no other
  expect(kinds(render({ app: data(false) }))).toEqual(['Deployment/api', 'ServiceAccount/api'])
})

test('without a default storage class a named volume is an empty folder, and that is told', () => {
  const rendered = render({ app: data(true), storage: { hasDefaultClass: false } })
  expect(kinds(rendered)).toEqual(['Deployment/api', 'ServiceAccount/api'])
  expect(workload(rendered).spec.template.spec.volumes).toEqual([{ name: 'volume-0', emptyDir: {} }])
  expect(rendered.warnings).toMatchInlineSnapshot(`
    [
      {
        "code": "app/volume",
        "help": "Name a storage class of the cluster, or let an administrator make one the default.",
        "message": "The volume data of api is gone with each pod.",
        "where": {
          "file": "/project/Devloopfile.ts",
          "line": 7,
        },
        "why": "The cluster has no default storage class, so that /data is an empty folder of the pod, which no other pod shares.",
      },
    ]
  `)
  // one that names its class is the user's word
  const named = render({ app: data(true, 'fast'), storage: { hasDefaultClass: false } })
  expect(named.warnings).toEqual([])
  expect(find(named, 'PersistentVolumeClaim').spec).toMatchObject({ storageClassName: 'fast' })
})

test('files become a ConfigMap, secret ones a Secret; a changed content rolls out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'devloop-files-'))
  writeFileSync(join(folder, 'a.conf'), 'plain')
  writeFileSync(join(folder, 'b.bin'), Buffer.from([0xff, 0xfe, 0]))
  const from = (name: string) => ({ file: join(folder, name), hash: name })
  const app = anApp({
    volumes: [
      {
        kind: 'files',
        path: '/etc/app',
        files: [
          { to: 'a.conf', from: from('a.conf'), mode: 0o644 },
          { to: 'sub/b.bin', from: from('b.bin'), mode: 0o755 },
        ],
      },
      {
        kind: 'files',
        path: '/run/token',
        single: true,
        files: [
          {
            to: '',
            from: {
              text: [
                { kind: 'literal', text: 'token=' },
                { kind: 'generated', name: 'token' },
              ],
            },
            mode: 0o444,
          },
        ],
      },
    ],
  })
  expect([...generatedNames(app)]).toEqual(['token'])
  const files = await readVolumeFiles(app)
  const rendered = render({ app, files, generated: { token: 'xyz' } })
  const map = find(rendered, 'ConfigMap')
  expect([map.data, map.binaryData]).toEqual([{ f0: 'plain' }, { f1: '//4A' }])
  expect(find(rendered, 'Secret').data).toEqual({ f0: Buffer.from('token=xyz').toString('base64') })
  expect(workload(rendered).spec.template.spec.volumes).toEqual([
    {
      name: 'volume-0',
      configMap: {
        name: map.metadata.name,
        items: [
          { key: 'f0', path: 'a.conf', mode: 0o644 },
          { key: 'f1', path: 'sub/b.bin', mode: 0o755 },
        ],
      },
    },
    {
      name: 'volume-1',
      secret: { secretName: find(rendered, 'Secret').metadata.name, items: [{ key: 'f0', path: 'file', mode: 0o444 }] },
    },
  ])
  expect(container(rendered)?.volumeMounts).toEqual([
    { name: 'volume-0', mountPath: '/etc/app', readOnly: true },
    { name: 'volume-1', mountPath: '/run/token', readOnly: true, subPath: 'file' },
  ])
  // no value of a secret stands where it could be read
  expect(JSON.stringify(workload(rendered))).not.toContain('xyz')
  const hash = (one: typeof rendered) => workload(one).spec.template.metadata.annotations?.['devloop.dev/files']
  expect(hash(render({ app, files, generated: { token: 'xyz' } }))).toBe(hash(rendered))
  expect(hash(render({ app, files, generated: { token: 'abc' } }))).not.toBe(hash(rendered))
})

test('a file that is gone when it is deployed is one error', async () => {
  const app = anApp({
    volumes: [{ kind: 'files', path: '/a', single: true, files: [{ to: '', from: { file: '/no/such', hash: '' }, mode: 0 }] }],
  })
  await expect(readVolumeFiles(app)).rejects.toMatchObject({ code: 'devloopfile/file', message: /\/no\/such, which api mounts/ })
})

test('a job is a Job, without a probe and without the restart wrapper', () => {
  const app = anApp({ image: { built: 'shop/api' }, ports: { http: 80 }, job: { retries: 2 } })
  const rendered = render({ app, images: { 'shop/api': aRecord() }, restartable: new Set(['shop/api']) })
  expect(kinds(rendered)).toEqual(['Service/api', 'Job/api', 'ServiceAccount/api'])
  expect(workload(rendered).spec).toMatchObject({ backoffLimit: 2, template: { spec: { restartPolicy: 'Never' } } })
  expect(container(rendered)).not.toHaveProperty('readinessProbe')
  expect(container(rendered)).not.toHaveProperty('command')
})

test('probes: a startup probe asks more often until it is ready once', () => {
  const times = { period: 30, startPeriod: 2, timeout: 5, failures: 4 }
  const probe = { ...times, check: { kind: 'exec', command: ['sh', '-c', 'test "$(id)"'] } } as const
  const rendered = container(render({ app: anApp({ probe }) }))
  const exec = { command: ['sh', '-c', 'test "$$(id)"'] }
  expect(rendered?.startupProbe).toEqual({ exec, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 1_000_000 })
  expect(rendered?.readinessProbe).toEqual({ exec, periodSeconds: 30, timeoutSeconds: 5, failureThreshold: 4 })
  const http = { ...times, startPeriod: 30, check: { kind: 'http', port: 'http', path: '/up' } } as const
  const plain = container(render({ app: anApp({ ports: { http: 8080 }, probe: http }) }))
  expect(plain?.readinessProbe).toMatchObject({ httpGet: { port: 8080, path: '/up' } })
  expect(plain).not.toHaveProperty('startupProbe')
  expect(container(render({ app: anApp({ ports: { http: 8080 }, probe: false }) }))).not.toHaveProperty('readinessProbe')
})

test('names and settings of pods', () => {
  const rendered = render({
    app: anApp({
      headless: true,
      aliases: ['database'],
      portVariables: false,
      ports: { sql: 5432 },
      workdir: '/srv',
      user: { uid: 1000, gid: 5 },
      pod: {
        limits: { cpu: '1', memory: '1Gi' },
        stopTimeout: 30,
        hosts: { gateway: '10.0.0.1' },
        hostname: 'one',
        capabilities: { add: ['NET_ADMIN'] },
        readOnly: true,
        stdin: true,
        tty: true,
      },
    }),
  })
  expect(kinds(rendered)).toEqual(['Service/api', 'Service/database', 'Deployment/api', 'ServiceAccount/api'])
  expect(find(rendered, 'Service').spec).toMatchObject({ clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] })
  expect(workload(rendered).spec.template.spec).toMatchObject({
    terminationGracePeriodSeconds: 30,
    hostname: 'one',
    hostAliases: [{ ip: '10.0.0.1', hostnames: ['gateway'] }],
  })
  expect(container(rendered)).toMatchObject({
    workingDir: '/srv',
    stdin: true,
    tty: true,
    resources: { limits: { cpu: '1', memory: '1Gi' } },
    securityContext: {
      runAsUser: 1000,
      runAsGroup: 5,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      capabilities: { add: ['NET_ADMIN'] },
    },
  })
  expect(container(rendered)).not.toHaveProperty('env')
})
