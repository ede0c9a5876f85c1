import { describe, expect, test } from 'vitest'
import type { AgentOf } from '../../../../../src/adapters/kube/agent/agents-of.js'
import { agentPath, putAgent } from '../../../../../src/adapters/kube/agent/put-agent.js'
import { renderApp } from '../../../../../src/adapters/kube/deploy/render-app.js'
import { renderManifests } from '../../../../../src/adapters/kube/deploy/render-manifests.js'
import type { KubeObject } from '../../../../../src/model/plan.js'
import { podBearing, type Container, type PodTemplate } from '../../../../../src/model/pod-bearing.js'
import { aRecord, anApp, owner, someManifests } from '../deploy/fixtures.js'

const agent = { ref: 'registry.test:5000/devloop-agent:1', version: '0123456789abcdef' }
const put: AgentOf = () => agent

/** A template of one container, with whatever is said beside it. */
const template = (spec: object = {}, container: object = {}): PodTemplate => ({
  spec: { containers: [{ name: 'main', image: 'shop/api', ...container }], ...spec },
})

/** Put it beside all containers. */
const into = (given: PodTemplate): string | undefined => putAgent(given, given.spec.containers ?? [], agent)

const manifests = (objects: readonly KubeObject[], agentOf: AgentOf, restartable: readonly string[] = [], shell = true) => {
  const record = aRecord()
  return renderManifests({
    manifests: someManifests(objects, { images: ['shop/api'] }),
    owner: { ...owner, resource: 'legacy' },
    namespace: 'dev',
    kindOf: ({ apiVersion, kind }) => ({ apiVersion, kind, plural: `${kind.toLowerCase()}s`, namespaced: true }),
    images: { 'shop/api': { ...record, config: { ...record.config, shell } } },
    restartable: new Set(restartable),
    agentOf,
  })
}

const workload = (kind: string, spec: PodTemplate['spec']): KubeObject => {
  const metadata = { name: 'web' }
  const of = { metadata: { labels: { app: 'web' } }, spec }
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata, spec }
  if (kind === 'CronJob')
    return { apiVersion: 'batch/v1', kind, metadata, spec: { schedule: '* * * * *', jobTemplate: { spec: { template: of } } } }
  return { apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1', kind, metadata, spec: { template: of } }
}

const templateOf = (object: KubeObject | undefined): PodTemplate => {
  const bearing = object && podBearing(object)
  if (!bearing) throw new Error('no pod template')
  return bearing.template
}

describe('putAgent', () => {
  test('an init container that "restricted" admits, first of all; an emptyDir; read-only mounts', () => {
    const given = template(
      { initContainers: [{ name: 'migrate' }], volumes: [{ name: 'data', emptyDir: {} }] },
      { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
    )
    expect(into(given)).toBeUndefined()
    expect(given).toEqual({
      metadata: { annotations: { 'devloop.dev/agent': '0123456789abcdef' } },
      spec: {
        initContainers: [
          {
            name: 'devloop-agent',
            image: agent.ref,
            imagePullPolicy: 'IfNotPresent',
            command: ['/agent', 'install', '/.devloop'],
            securityContext: {
              runAsNonRoot: true,
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
              seccompProfile: { type: 'RuntimeDefault' },
            },
            volumeMounts: [{ name: 'devloop-agent', mountPath: '/.devloop' }],
          },
          { name: 'migrate' },
        ],
        containers: [
          {
            name: 'main',
            image: 'shop/api',
            volumeMounts: [
              { name: 'data', mountPath: '/data' },
              { name: 'devloop-agent', mountPath: '/.devloop', readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: 'data', emptyDir: {} },
          { name: 'devloop-agent', emptyDir: {} },
        ],
      },
    })
  })

  test('a pod that is said to run as root: the init container does not', () => {
    const given = template({ securityContext: { runAsUser: 0 } })
    into(given)
    expect(given.spec.initContainers?.[0]?.securityContext).toMatchObject({ runAsUser: 65532, runAsGroup: 65532 })
  })

  test('it asks for what the synced container asks for, but for devices', () => {
    const given = template(
      {},
      {
        resources: {
          limits: { cpu: '1', memory: '256Mi', 'nvidia.com/gpu': 1 },
          requests: { cpu: '100m', 'ephemeral-storage': '1Gi' },
          claims: [{ name: 'gpu' }],
        },
      },
    )
    into(given)
    expect(given.spec.initContainers?.[0]?.resources).toEqual({
      limits: { cpu: '1', memory: '256Mi' },
      requests: { cpu: '100m', 'ephemeral-storage': '1Gi' },
    })
  })

  test.each([
    ['a node selector for Windows', { nodeSelector: { 'kubernetes.io/os': 'windows' } }, {}, 'the pod is for Windows nodes'],
    ['an operating system that is Windows', { os: { name: 'windows' } }, {}, 'the pod is for Windows nodes'],
    [
      'a volume of that name',
      { volumes: [{ name: 'devloop-agent', emptyDir: {} }] },
      {},
      'the pod has something of its own called devloop-agent',
    ],
    [
      'something mounted there',
      {},
      { volumeMounts: [{ name: 'x', mountPath: '/.devloop/deep' }] },
      'container main has something of its own mounted at /.devloop',
    ],
  ])('%s: left as it is', (_what, spec, container, why) => {
    const given = template(spec, container)
    const before = structuredClone(given)
    expect(into(given)).toBe(why)
    expect(given).toEqual(before)
  })
})

describe('in rendered objects', () => {
  test.each(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob', 'Pod'])('a %s gets it', (kind) => {
    const [first] = manifests([workload(kind, template().spec)], put).objects
    expect(first?.agent).toBe('put')
    const { spec } = templateOf(first?.object)
    expect(spec.initContainers?.map(({ name, image }) => [name, image])).toEqual([['devloop-agent', agent.ref]])
    expect(spec.containers?.[0]?.image).toBe('registry.test:5000/shop/api:devloop-11')
  })

  test('a pod that runs no synced image does not', () => {
    const other = workload('Deployment', { containers: [{ name: 'main', image: 'redis:7' }] })
    const built = workload('StatefulSet', template().spec)
    const [first] = manifests([other, built], (image) => (image === 'shop/api' ? agent : undefined)).objects
    expect(first?.agent).toBeUndefined()
    expect(templateOf(first?.object).spec).toEqual({ containers: [{ name: 'main', image: 'redis:7' }] })
    const [unsynced] = manifests([workload('Deployment', template().spec)], () => undefined).objects
    expect(templateOf(unsynced?.object).spec.initContainers).toBeUndefined()
  })

  test('sidecars that run a synced image have it, init containers that only prepare do not', () => {
    const spec = {
      ...template().spec,
      initContainers: [
        { name: 'migrate', image: 'shop/api' },
        { name: 'side', image: 'shop/api', restartPolicy: 'Always' },
      ],
    }
    const [first] = manifests([workload('Deployment', spec)], put).objects
    const after = templateOf(first?.object).spec
    const has = ({ volumeMounts }: Container): boolean => Array.isArray(volumeMounts) && volumeMounts.length > 0
    expect([...(after.initContainers ?? []), ...(after.containers ?? [])].map((one) => [one.name, has(one)])).toEqual([
      ['devloop-agent', true],
      ['migrate', false],
      ['side', true],
      ['main', true],
    ])
    expect(after.initContainers?.map(({ image }) => image)).toEqual([
      agent.ref,
      'registry.test:5000/shop/api:devloop-11',
      'registry.test:5000/shop/api:devloop-11',
    ])
  })

  test('the agent runs the command of what is restarted, with or without a shell', () => {
    for (const shell of [true, false]) {
      const spec = template({}, { command: ['node', '$(FILE)'], args: ['--inspect', 'a b'] }).spec
      const { objects, warnings } = manifests([workload('Deployment', spec)], put, ['shop/api'], shell)
      const after = templateOf(objects[0]?.object)
      expect(after.spec.containers?.[0]).toMatchObject({
        command: [agentPath, 'run', '--', 'node', '$(FILE)', '--inspect', 'a b'],
      })
      expect(after.spec.containers?.[0]).not.toHaveProperty('args')
      expect(after.metadata?.annotations).toMatchObject({ 'devloop.dev/restartable': 'main' })
      expect(warnings).toEqual([])
    }
  })

  test('without it, a shell is needed, and it is said why it is not there', () => {
    const none: AgentOf = () => ({ why: '`settings.agent` is false' })
    const { objects, warnings } = manifests([workload('Deployment', template().spec)], none, ['shop/api'], false)
    expect(objects[0]?.agent).toEqual({ why: '`settings.agent` is false' })
    expect(templateOf(objects[0]?.object).spec.initContainers).toBeUndefined()
    expect(warnings).toMatchObject([
      { code: 'restart/unsupported', why: 'The agent, which needs no shell, is not there: `settings.agent` is false.' },
    ])
    const shell = manifests([workload('Deployment', template().spec)], none, ['shop/api'])
    expect(templateOf(shell.objects[0]?.object).spec.containers?.[0]?.command?.[0]).toBe('/bin/sh')
  })

  test('containers of two platforms have none', () => {
    const spec = { containers: [template().spec.containers?.[0], { name: 'other', image: 'shop/web' }] } as PodTemplate['spec']
    const record = aRecord()
    const rendered = renderManifests({
      manifests: someManifests([workload('Deployment', spec)], { images: ['shop/api', 'shop/web'] }),
      owner: { ...owner, resource: 'legacy' },
      namespace: 'dev',
      kindOf: ({ apiVersion, kind }) => ({ apiVersion, kind, plural: `${kind.toLowerCase()}s`, namespaced: true }),
      images: { 'shop/api': record, 'shop/web': record },
      restartable: new Set(),
      agentOf: (image) => ({ ...agent, ref: `${agent.ref}-${image}` }),
    })
    expect(rendered.objects[0]?.agent).toEqual({ why: 'its containers run images of different platforms' })
  })

  test('an app gets it, and what it is made from names its template', () => {
    const render = (agentOf: AgentOf) =>
      renderApp({
        app: anApp({ image: { built: 'shop/api' } }),
        owner,
        namespace: 'dev',
        apps: {},
        images: { 'shop/api': aRecord() },
        restartable: new Set(),
        agentOf,
        generated: {},
        files: new Map(),
        storage: { hasDefaultClass: undefined },
      }).objects.find(({ object }) => object.kind === 'Deployment')
    const [with1, again, with2] = [render(put), render(put), render(() => ({ ...agent, version: 'f'.repeat(16) }))]
    expect(with1?.agent).toBe('put')
    expect(with1?.template).toBe(again?.template)
    expect(with1?.template).not.toBe(with2?.template)
  })
})
