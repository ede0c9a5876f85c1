// Manifests on a real cluster: what changes and what stays.
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../src/model/plan.js'
import { randomSuffix, waitFor } from '../support/cluster.js'
import {
  apps,
  configMap,
  connection,
  core,
  deployer,
  deployment,
  exists,
  get,
  image,
  manifestsSpec,
  pods,
  rolledOut,
  signal,
  sleepForever,
  space,
  useCluster,
} from './deploy-fixtures.js'

useCluster()

describe('manifests', () => {
  test('a change in one workload rolls out that one only', async () => {
    const suffix = randomSuffix()
    const [a, b] = [`a-${suffix}`, `b-${suffix}`]
    const mine = deployer()
    const first = await mine.deploy(manifestsSpec('two', [deployment(a), deployment(b)]))
    await Promise.all([rolledOut(a), rolledOut(b)])
    const before = await pods(`app=${a}`)
    const second = await mine.deploy(manifestsSpec('two', [deployment(a), deployment(b, { env: 'changed' })]))
    expect(second.templates[0]).toBe(first.templates[0])
    expect(second.templates[1]).not.toBe(first.templates[1])
    await rolledOut(b)
    expect((await pods(`app=${a}`)).map(({ metadata }) => metadata.uid)).toEqual(before.map(({ metadata }) => metadata.uid))
  })

  test('a definition and an object of its kind in one resource; removed, both are gone', async () => {
    const suffix = randomSuffix()
    const group = `g${suffix}.devloop.test`
    const names = { plural: 'widgets', singular: 'widget', kind: 'Widget' }
    const schema = {
      openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
    }
    const definition: KubeObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: { group, names, scope: 'Namespaced', versions: [{ name: 'v1', served: true, storage: true, schema }] },
    }
    const widget: KubeObject = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'one' }, spec: { size: 3 } }
    const mine = deployer()
    const both = manifestsSpec('widgets', [widget, definition])
    expect(await mine.deploy(both)).toEqual({
      objects: ['widget/one', `customresourcedefinition/widgets.${group}`],
      templates: [],
      warnings: [],
    })
    const path = `/apis/${group}/v1/namespaces/${space.name}/widgets`
    expect((await get(`${path}/one`)).spec).toEqual({ size: 3 })

    await expect(mine.deploy(manifestsSpec('typo', [{ ...widget, kind: 'Widgte' }]))).rejects.toThrow(
      expect.objectContaining({
        code: 'cluster/invalid',
        message: `Widgte "one": the cluster has no kind Widgte in ${group}/v1. Did you mean Widget?`,
      }),
    )

    // somebody else's object of the kind holds the definition back
    await connection.request('POST', path, { body: { ...widget, metadata: { name: 'foreign' } } })
    expect(await mine.again().remove('widgets', signal)).toEqual(['widget/one'])
    expect(await exists(`${path}/foreign`)).toBe(true)
    await mine.deploy(both)
    await connection.request('DELETE', `${path}/foreign`)
    expect(await mine.remove('widgets', signal)).toEqual(['widget/one', `customresourcedefinition/widgets.${group}`])
    await waitFor(async () => !(await exists(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`)), {
      what: 'the definition to be gone',
    })
  })

  test('objects that left the manifests are pruned, also by a later daemon; others stay', async () => {
    const suffix = randomSuffix()
    const [a, b, c] = [`a-${suffix}`, `b-${suffix}`, `c-${suffix}`]
    const mine = deployer()
    await mine.deploy(manifestsSpec('maps', [configMap(a), configMap(b), configMap(c)]))
    // c is somebody else's now
    await connection.request('PATCH', core('configmaps', c), {
      body: { metadata: { labels: { 'devloop.dev/resource': 'other' } } },
      contentType: 'application/merge-patch+json',
    })
    expect((await mine.again().deploy(manifestsSpec('maps', [configMap(a)]))).objects).toEqual([`configmap/${a}`])
    expect(await Promise.all([a, b, c].map((name) => exists(core('configmaps', name))))).toEqual([true, false, true])
  })

  test('a volume claim is let go, not deleted', async () => {
    const name = `data-${randomSuffix()}`
    const claim: KubeObject = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } }, storageClassName: 'none' },
    }
    const mine = deployer()
    await mine.deploy(manifestsSpec('data', [claim]))
    expect(await mine.remove('data', signal)).toEqual([])
    expect((await get(core('persistentvolumeclaims', name))).metadata.labels).toBeUndefined()
    expect(await mine.again().deployed(signal)).toEqual([])
  })

  test('a finished Job runs again when its template changed, and only then', async () => {
    const name = `job-${randomSuffix()}`
    const job = (text: string): KubeObject => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image, command: ['echo', text] }] } } },
    })
    const path = `/apis/batch/v1/namespaces/${space.name}/jobs/${name}`
    const succeeded = () =>
      waitFor(async () => ((await get(path)).status as { succeeded?: number }).succeeded === 1, {
        what: 'the job to succeed',
        timeoutMs: 60_000,
      })
    const mine = deployer()
    await mine.deploy(manifestsSpec('job', [job('a')]))
    await succeeded()
    const { uid } = (await get(path)).metadata
    await mine.deploy(manifestsSpec('job', [job('a')]))
    expect((await get(path)).metadata.uid).toBe(uid)
    await mine.deploy(manifestsSpec('job', [job('b')]))
    expect((await get(path)).metadata.uid).not.toBe(uid)
    await succeeded()
  })

  test('a changed Pod is made anew', async () => {
    const name = `pod-${randomSuffix()}`
    const pod = (value: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'main', image, command: sleepForever, env: [{ name: 'A', value }] }],
      },
    })
    const mine = deployer()
    await mine.deploy(manifestsSpec('pod', [pod('1')]))
    const { uid } = (await get(core('pods', name))).metadata
    await mine.deploy(manifestsSpec('pod', [pod('1')]))
    expect((await get(core('pods', name))).metadata.uid).toBe(uid)
    const second = await mine.deploy(manifestsSpec('pod', [pod('2')]))
    const { metadata } = await get(core('pods', name))
    expect(metadata.uid).not.toBe(uid)
    expect(metadata.labels?.['devloop.dev/template']).toBe(second.templates[0])
  })

  test('an immutable selector: an own Deployment is made anew, a StatefulSet is refused with what to do', async () => {
    const name = `sel-${randomSuffix()}`
    const mine = deployer()
    await mine.deploy(manifestsSpec('sel', [deployment(name, { replicas: 0 })]))
    const { uid } = (await get(apps('deployments', name))).metadata
    await mine.deploy(manifestsSpec('sel', [deployment(name, { replicas: 0, label: 'other' })]))
    expect((await get(apps('deployments', name))).metadata.uid).not.toBe(uid)

    const stateful = (label: string): KubeObject => ({ ...deployment(name, { replicas: 0, label }), kind: 'StatefulSet' })
    await mine.deploy(manifestsSpec('set', [stateful('a')]))
    await expect(mine.deploy(manifestsSpec('set', [stateful('b')]))).rejects.toThrow(
      expect.objectContaining({
        code: 'cluster/invalid',
        info: expect.objectContaining({
          where: { file: '/project/deploy/all.yaml', line: 1 },
          help: expect.stringContaining(`kubectl delete statefulset ${name} -n ${space.name} --cascade=orphan`) as string,
        }) as unknown,
      }),
    )
  })

  test('an object that is being deleted is waited for', async () => {
    const name = `slow-${randomSuffix()}`
    const mine = deployer()
    await mine.deploy(manifestsSpec('slow', [configMap(name)]))
    const body = { metadata: { finalizers: ['devloop.test/hold'] } }
    await connection.request('PATCH', core('configmaps', name), { body, contentType: 'application/merge-patch+json' })
    const { uid } = (await get(core('configmaps', name))).metadata
    await connection.request('DELETE', core('configmaps', name))
    const deployed = mine.deploy(manifestsSpec('slow', [configMap(name, { new: 'yes' })]))
    await connection.request('PATCH', core('configmaps', name), {
      body: { metadata: { finalizers: null } },
      contentType: 'application/merge-patch+json',
    })
    await deployed
    const live = await get(core('configmaps', name))
    expect(live.metadata.uid).not.toBe(uid)
    expect(live.data).toEqual({ new: 'yes' })
  })
})
