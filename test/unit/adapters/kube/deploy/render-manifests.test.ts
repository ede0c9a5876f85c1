import { describe, expect, test } from 'vitest'
import type { KindLookup } from '../../../../../src/adapters/kube/deploy/kinds.js'
import type { PodTemplate } from '../../../../../src/model/pod-bearing.js'
import {
  manifestObjects,
  renderManifests,
  type RenderManifestsInput,
} from '../../../../../src/adapters/kube/deploy/render-manifests.js'
import { templateLabel } from '../../../../../src/adapters/kube/labels.js'
import type { KubeObject } from '../../../../../src/model/plan.js'
import { aRecord, owner, position, someManifests } from './fixtures.js'

const kindOf: KindLookup = ({ apiVersion, kind }) => ({
  apiVersion,
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: !/^(Namespace|Cluster)/.test(kind),
})

const render = (objects: readonly KubeObject[], changes: Partial<RenderManifestsInput> = {}, images: readonly string[] = []) =>
  renderManifests({
    manifests: someManifests(objects, { images }),
    owner: { ...owner, resource: 'legacy' },
    namespace: 'dev',
    kindOf,
    images: { 'shop/api': aRecord() },
    restartable: new Set(),
    ...changes,
  })

const workload = (kind: string, name = 'web', image = 'ghcr.io/shop/api:v1', changes: object = {}): KubeObject => {
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image, ...changes }] } }
  const metadata = { name }
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata, spec: template.spec }
  if (kind === 'CronJob')
    return { apiVersion: 'batch/v1', kind, metadata, spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } } }
  return {
    apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
    kind,
    metadata,
    spec: { selector: { matchLabels: { app: name } }, template },
  }
}

/** The pod template of the first rendered object. */
function firstTemplate(rendered: ReturnType<typeof render>): PodTemplate {
  const [first] = rendered.objects
  if (!first) throw new Error('nothing was rendered')
  return (first.object.spec as { template: PodTemplate }).template
}

const config = (name: string, changes: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...changes,
})

describe('renderManifests', () => {
  test('a Deployment gets namespace, labels, the built image and its annotation; its selector stays', () => {
    const original = workload('Deployment')
    const before = structuredClone(original)
    const rendered = render([original], {}, ['shop/api'])
    expect(rendered.objects[0]?.object).toMatchInlineSnapshot(`
      {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
          "labels": {
            "app.kubernetes.io/managed-by": "devloop",
            "devloop.dev/instance": "ann-1",
            "devloop.dev/project": "shop",
            "devloop.dev/resource": "legacy",
          },
          "name": "web",
          "namespace": "dev",
        },
        "spec": {
          "selector": {
            "matchLabels": {
              "app": "web",
            },
          },
          "template": {
            "metadata": {
              "annotations": {
                "devloop.dev/built": "1970-01-01T00:00:00.000Z",
                "devloop.dev/images": "{"main":"shop/api"}",
              },
              "labels": {
                "app": "web",
                "app.kubernetes.io/managed-by": "devloop",
                "devloop.dev/instance": "ann-1",
                "devloop.dev/project": "shop",
                "devloop.dev/resource": "legacy",
                "devloop.dev/template": "dcd9bb0f534d1cb0",
              },
            },
            "spec": {
              "containers": [
                {
                  "image": "registry.test:5000/shop/api:devloop-11",
                  "imagePullPolicy": "IfNotPresent",
                  "name": "main",
                },
              ],
            },
          },
        },
      }
    `)
    expect(rendered.objects[0]?.at).toEqual({ file: '/project/deploy/all.yaml', line: 1 })
    expect(original).toEqual(before)
  })

  test.each(['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'])(
    'the image is put into a %s',
    (kind) => {
      const rendered = render([workload(kind)], {}, ['shop/api'])
      const text = JSON.stringify(rendered.objects[0]?.object)
      expect(text).toContain('registry.test:5000/shop/api:devloop-11')
      expect(text).not.toContain('ghcr.io')
      expect(text).toContain(`"${templateLabel}":"${rendered.objects[0]?.template}"`)
    },
  )

  test.each([
    ['Deployment', 'main'],
    ['Pod', 'main'],
    ['Job', undefined],
    ['CronJob', undefined],
  ])('a restart rule in a %s', (kind, expected) => {
    const rendered = render([workload(kind)], { restartable: new Set(['shop/api']) }, ['shop/api'])
    const found = /"devloop.dev\/restartable":"([^"]*)"/.exec(JSON.stringify(rendered.objects[0]?.object))?.[1]
    expect(found).toBe(expected)
  })

  test('init containers get the image too; only a sidecar among them is restartable', () => {
    const object = workload('Deployment')
    const { template } = object.spec as { template: PodTemplate }
    template.spec.initContainers = [
      { name: 'migrate', image: 'shop/api' },
      { name: 'side', image: 'docker.io/shop/api', restartPolicy: 'Always' },
    ]
    const rendered = render([object], { restartable: new Set(['shop/api']) }, ['shop/api'])
    const after = firstTemplate(rendered)
    expect(after.spec.initContainers?.map(({ image }) => image)).toEqual(Array(2).fill('registry.test:5000/shop/api:devloop-11'))
    expect(after.spec.initContainers?.[0]).not.toHaveProperty('command')
    expect(after.metadata?.annotations).toEqual({
      'devloop.dev/images': '{"migrate":"shop/api","side":"shop/api","main":"shop/api"}',
      'devloop.dev/restartable': 'side,main',
      'devloop.dev/built': '1970-01-01T00:00:00.000Z',
    })
  })

  test('a pull policy is set where an image is put in, and left alone elsewhere', () => {
    const policy = (image: string) => {
      const rendered = render(
        [workload('Deployment', 'a', image, { imagePullPolicy: 'Always' }), workload('Deployment', 'b')],
        {},
        ['shop/api'],
      )
      return firstTemplate(rendered).spec.containers?.[0]?.imagePullPolicy
    }
    expect(policy('shop/api:latest')).toBe('IfNotPresent')
    expect(policy('redis:7')).toBe('Always')
  })

  test('a change in one workload leaves the template of the other as it is', () => {
    const first = render([workload('Deployment', 'a'), workload('Deployment', 'b')])
    const second = render([workload('Deployment', 'a'), workload('Deployment', 'b', 'redis:7')])
    expect(second.objects[0]?.template).toBe(first.objects[0]?.template)
    expect(second.objects[1]?.template).not.toBe(first.objects[1]?.template)
  })

  test('namespaces: set where missing, kept where given, never on what has none', () => {
    const own = config('b')
    own.metadata.namespace = 'other'
    const rendered = render([config('a'), own, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'c' } }])
    expect(rendered.objects.map(({ object }) => object.metadata.namespace)).toEqual(['dev', 'other', undefined])
  })

  test('what only the cluster may say is left out; stringData becomes data', () => {
    const metadata = { name: 's', uid: 'u', resourceVersion: '1', managedFields: [], creationTimestamp: null, generation: 2 }
    const rendered = render([
      { apiVersion: 'v1', kind: 'Secret', metadata, status: {}, data: { a: 'QQ==' }, stringData: { b: 'B' } },
    ])
    const { metadata: after, ...rest } = rendered.objects[0]?.object ?? config('none')
    expect(Object.keys(after)).toEqual(['name', 'namespace', 'labels'])
    expect(rest).toEqual({ apiVersion: 'v1', kind: 'Secret', data: { a: 'QQ==', b: 'Qg==' } })
  })

  test('lists are taken apart', () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      metadata: { name: '' },
      items: [config('a'), { ...config('b') }],
    } as unknown as KubeObject
    expect(manifestObjects(someManifests([list])).map(({ object }) => object.metadata.name)).toEqual(['a', 'b'])
  })

  test('a declared image that nothing uses is an error that says what is used', () => {
    expect(() =>
      render([workload('Deployment', 'a', 'ghcr.io/shop/apy:1'), workload('Job', 'b', 'redis')], {}, ['shop/api']),
    ).toThrow(
      expect.objectContaining({
        code: 'devloopfile/invalid',
        message: 'No container in manifests legacy runs image shop/api. Did you mean shop/apy?',
        info: expect.objectContaining({ why: 'The images in it are: ghcr.io/shop/apy:1, redis.', where: position }) as unknown,
      }),
    )
  })

  test('an object without a name, and one that is there twice, are errors with their place', () => {
    const nameless = { apiVersion: 'batch/v1', kind: 'Job', metadata: { generateName: 'x-' } } as unknown as KubeObject
    expect(() => render([nameless])).toThrow('A Job has no metadata.name but generateName: devloop could not find it again.')
    expect(() => render([config('a'), config('a')])).toThrow(
      expect.objectContaining({
        message: 'configmap/a is there twice.',
        info: expect.objectContaining({ where: { file: '/project/deploy/all.yaml', line: 11 } }) as unknown,
      }),
    )
  })
})
