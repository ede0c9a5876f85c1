// Objects that cannot simply be applied: large ones, immutable fields, what is on its way out, and what fails in the middle.
import { expect, test } from 'vitest'
import type { KubeObject } from '../../src/model/plan.js'
import { randomSuffix, waitFor } from '../support/cluster.js'
import { configMap, connection, core, deployer, exists, get, manifestsSpec, useCluster } from './deploy-fixtures.js'

useCluster()

const claim = (name: string, storageClassName: string, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, annotations },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } }, storageClassName },
})

test('[tilt-21] an object far larger than an annotation may be is applied, and changed', async () => {
  const name = `large-${randomSuffix()}`
  const mine = deployer()
  const large = (letter: string) => configMap(name, { text: letter.repeat(900_000), small: letter })
  await mine.deploy(manifestsSpec('large', [large('a')]))
  const { uid } = (await get(core('configmaps', name))).metadata
  await mine.deploy(manifestsSpec('large', [large('b')]))
  const live = await get(core('configmaps', name))
  expect(live.metadata.uid).toBe(uid)
  expect((live.data as { text: string }).text).toBe('b'.repeat(900_000))
})

test('[tilt-21] an immutable field of a volume claim: refused by itself, made anew when its author allows it', async () => {
  const name = `claim-${randomSuffix()}`
  const mine = deployer()
  await mine.deploy(manifestsSpec('data', [claim(name, 'none')]))
  const { uid } = (await get(core('persistentvolumeclaims', name))).metadata
  await expect(mine.deploy(manifestsSpec('data', [claim(name, 'other')]))).rejects.toThrow(
    expect.objectContaining({
      code: 'cluster/invalid',
      info: expect.objectContaining({
        why: 'It holds what would be lost with it, so devloop does not delete it by itself.',
        help: expect.stringContaining('devloop.dev/replace: "true"') as string,
      }) as unknown,
    }),
  )
  expect((await get(core('persistentvolumeclaims', name))).metadata.uid).toBe(uid)

  await mine.deploy(manifestsSpec('data', [claim(name, 'other', { 'devloop.dev/replace': 'true' })]))
  const live = await get(core('persistentvolumeclaims', name))
  expect(live.metadata.uid).not.toBe(uid)
  expect((live.spec as { storageClassName: string }).storageClassName).toBe('other')
})

test('[tilt-21] immutable data of a ConfigMap and a Secret: made anew without being asked', async () => {
  const name = `fixed-${randomSuffix()}`
  const mine = deployer()
  const both = (value: string): KubeObject[] => [
    { ...configMap(name, { value }), immutable: true },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name }, immutable: true, stringData: { value } },
  ]
  await mine.deploy(manifestsSpec('fixed', both('one')))
  await mine.deploy(manifestsSpec('fixed', both('two')))
  expect((await get(core('configmaps', name))).data).toEqual({ value: 'two' })
  expect((await get(core('secrets', name))).data).toEqual({ value: Buffer.from('two').toString('base64') })
})

test('[tilt-21] what was deleted a moment ago is there again', async () => {
  const name = `gone-${randomSuffix()}`
  const mine = deployer()
  await mine.deploy(manifestsSpec('gone', [configMap(name, { a: 'b' })]))
  for (let round = 0; round < 5; round++) {
    const deleted = connection.request('DELETE', core('configmaps', name))
    await Promise.all([deleted, mine.deploy(manifestsSpec('gone', [configMap(name, { a: String(round) })]))])
    await mine.deploy(manifestsSpec('gone', [configMap(name, { a: String(round) })]))
    expect((await get(core('configmaps', name))).data).toEqual({ a: String(round) })
  }
})

test('[tilt-21] a namespace comes before what is in it, also when the one of that name is on its way out', async () => {
  const name = `devloop-deploy-inner-${randomSuffix()}`
  const mine = deployer()
  const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  const inside: KubeObject = { ...configMap('inside', { a: 'b' }), metadata: { name: 'inside', namespace: name } }
  const path = `/api/v1/namespaces/${name}`
  try {
    await mine.deploy(manifestsSpec('space', [inside, namespace]))
    const { uid } = (await get(path)).metadata
    await connection.request('DELETE', path)
    await mine.deploy(manifestsSpec('space', [inside, namespace]))
    expect((await get(path)).metadata.uid).not.toBe(uid)
    expect((await get(core('configmaps', 'inside', name))).data).toEqual({ a: 'b' })
  } finally {
    await connection.request('DELETE', path)
  }
})

test('[tilt-22] an object that left the manifests is deleted, and not by a deploy that failed', async () => {
  const suffix = randomSuffix()
  const [stays, leaves, comes] = [`stays-${suffix}`, `leaves-${suffix}`, `comes-${suffix}`]
  const there = () => Promise.all([stays, leaves, comes].map((name) => exists(core('configmaps', name))))
  const mine = deployer()
  await mine.deploy(manifestsSpec('maps', [configMap(stays), configMap(leaves)]))
  const broken: KubeObject = { ...configMap(comes), data: { value: 7 } }
  await expect(mine.deploy(manifestsSpec('maps', [configMap(stays), broken]))).rejects.toThrow(
    expect.objectContaining({ code: 'cluster/invalid' }),
  )
  expect(await there()).toEqual([true, true, false])
  await mine.deploy(manifestsSpec('maps', [configMap(stays), configMap(comes)]))
  expect(await there()).toEqual([true, false, true])
})

test('[tilt-22] what its author wants to keep is let go instead', async () => {
  const name = `kept-${randomSuffix()}`
  const mine = deployer()
  const kept: KubeObject = { ...configMap(name), metadata: { name, annotations: { 'devloop.dev/keep': 'true' } } }
  await mine.deploy(manifestsSpec('kept', [kept]))
  await mine.deploy(manifestsSpec('kept', [configMap(`other-${name}`)]))
  await waitFor(async () => (await get(core('configmaps', name))).metadata.labels === undefined, { what: 'it to be let go' })
})
