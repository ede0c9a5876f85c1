// Where built images stand in objects: init containers, two images in one pod, one image in two containers, custom resources, variables.
import { expect, test } from 'vitest'
import { statusOf } from '../../src/adapters/kube/errors.js'
import type { KubeObject } from '../../src/model/plan.js'
import { randomSuffix, waitFor } from '../support/cluster.js'
import { appFiles, loop, type Loop, type Names } from '../support/loop.js'

const sideFiles = {
  'side/Dockerfile':
    'ARG BASE\nFROM ${BASE}\nWORKDIR /side\nCOPY . .\nCMD ["sh", "-c", "trap exit TERM; while :; do sleep 1; done"]\n',
  'side/data/word.txt': 'side one',
}

const write =
  (group: string, rest: 'all' | 'nothing' = 'all') =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { defineDevloop, image, manifests, sync } from 'devloop'
const args = { BASE: '${base}' }
const web = image('${name}/web', { context: 'app', args, live: [sync('public', '/app/public')] })
const side = image('${name}/side', { context: 'side', args, live: [sync('data', '/side/data')] })
const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } } }
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: ${
    rest === 'nothing'
      ? '[]'
      : `[
    manifests('custom', [
      { apiVersion: '${group}/v1', kind: 'Runner', metadata: { name: 'one' }, spec: { image: '${name}/web', steps: [{ image: 'busybox' }, { image: 'docker.io/${name}/side:old' }], split: { repo: '${name}/side', tag: 'old' } } },
      { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'runners.${group}' },
        spec: { group: '${group}', names: { plural: 'runners', singular: 'runner', kind: 'Runner' }, scope: 'Namespaced', versions: [{ name: 'v1', served: true, storage: true, schema }] } },
    ], { images: [web, side], imageFields: [{ kind: 'Runner', path: 'spec.image' }, { kind: 'Runner', path: 'spec.steps[*].image' }, { kind: 'Runner', path: 'spec.split', repository: 'repo', tag: 'tag' }] }),
    manifests('pods', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'pods' }, spec: {
      selector: { matchLabels: { app: 'pods' } },
      template: { metadata: { labels: { app: 'pods' } }, spec: {
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: 'shared', emptyDir: {} }],
        initContainers: [{ name: 'prepare', image: '${name}/side', command: ['sh', '-c', 'cp data/word.txt /shared/'], volumeMounts: [{ name: 'shared', mountPath: '/shared' }] }],
        containers: [
          { name: 'web', image: '${name}/web', env: [{ name: 'WORKER', value: '${name}/side:any' }, { name: 'PLAIN', value: '${name}/web' }], volumeMounts: [{ name: 'shared', mountPath: '/shared' }] },
          { name: 'twin', image: '${name}/web', env: [{ name: 'PORT', value: '8081' }] },
          { name: 'side', image: '${name}/side' },
        ] } } } }, { images: [web, side], imageEnv: ['WORKER'], forward: { 8080: ${port} } }),
  ]`
  },
}))
`

interface PodSpec {
  readonly initContainers: readonly { name: string; image: string }[]
  readonly containers: readonly { image: string }[]
}

const read = async (one: Loop, path: string): Promise<KubeObject | undefined> => {
  try {
    return (await one.connection.request('GET', path)) as KubeObject
  } catch (error) {
    if (statusOf(error)?.code === 404) return undefined
    throw error
  }
}

const begin = async (): Promise<{ one: Loop; group: string; watching: Awaited<ReturnType<Loop['begin']>> }> => {
  const group = `g${randomSuffix()}.devloop.test`
  const one = await loop({ devloopfile: write(group), files: { ...appFiles, ...sideFiles } })
  return { one, group, watching: await one.begin() }
}

/** The image of its own init container; the agent's is another. */
const prepareOf = ({ initContainers }: PodSpec): string | undefined =>
  initContainers.find(({ name }) => name === 'prepare')?.image

test('init containers, two images in one pod and one in two containers are deployed, synced, rebuilt and pruned', async () => {
  const { one, group, watching } = await begin()
  await one.answers('first', '/live')
  const [before] = await one.pods('pods')
  const pod = before?.name ?? ''
  expect((await one.exec(pod, ['cat', '/shared/word.txt'])).stdout).toBe('side one')
  const env = JSON.parse(await one.answers(/WORKER/, '/env')) as Record<string, string>
  expect(env.PLAIN).toBe(`${one.name}/web`)

  const specOf = async (): Promise<PodSpec> => {
    const [current] = await one.pods('pods')
    return (await read(one, `/api/v1/namespaces/${one.namespace}/pods/${current?.name}`))?.spec as PodSpec
  }
  const spec = await specOf()
  const [web, twin, side] = spec.containers.map(({ image }) => image)
  expect(twin).toBe(web)
  expect(side).not.toBe(web)
  expect(prepareOf(spec)).toBe(side)
  expect(env.WORKER).toBe(side)

  // both containers of the one image, and that of the other
  await one.save('app/public/live.txt', 'second')
  await one.save('side/data/word.txt', 'side two')
  await watching.ready()
  for (const container of ['web', 'twin']) await one.same(pod, 'app/public', '/app/public', container)
  await one.same(pod, 'side/data', '/side/data', 'side')
  expect((await one.pods('pods'))[0]?.uid).toBe(before?.uid)

  // only the image that changed is another one
  await one.save('side/more.txt', 'more')
  await waitFor(async () => (await one.pods('pods'))[0]?.uid !== before?.uid && watching.session()?.ready === true, {
    what: 'the new pod',
    timeoutMs: 90_000,
  })
  const after = await specOf()
  expect(after.containers.map(({ image }) => image).slice(0, 2)).toEqual([web, web])
  expect(after.containers[2]?.image).not.toBe(side)
  expect(prepareOf(after)).toBe(after.containers[2]?.image)

  await one.save('Devloopfile.ts', write(group, 'nothing')(one))
  await waitFor(async () => (await read(one, `/apis/apps/v1/namespaces/${one.namespace}/deployments/pods`)) === undefined, {
    what: 'the deployment to be pruned',
  })
})

test('a definition and a resource of its kind: images where they are told to be, whole and in halves; rebuilt and pruned', async () => {
  const { one, group, watching } = await begin()
  const path = `/apis/${group}/v1/namespaces/${one.namespace}/runners/one`
  const spec = async () =>
    (await read(one, path))?.spec as { image: string; steps: { image: string }[]; split: { repo: string; tag: string } }
  const first = await spec()
  const [web, side] = ['web', 'side'].map(
    (image) => watching.client.views().get(`image/${one.name}/${image}`) as { ref?: string } | undefined,
  )
  expect(first.image).toBe(web?.ref)
  expect(first.steps.map(({ image }) => image)).toEqual(['busybox', side?.ref])
  expect(`${first.split.repo}:${first.split.tag}`).toBe(side?.ref)

  await one.save('side/more.txt', 'more')
  await waitFor(async () => (await spec()).split.tag !== first.split.tag && watching.session()?.ready === true, {
    what: 'the new image',
    timeoutMs: 90_000,
  })
  expect((await spec()).image).toBe(first.image)

  await one.save('Devloopfile.ts', write(group, 'nothing')(one))
  await waitFor(
    async () => (await read(one, `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/runners.${group}`)) === undefined,
    { what: 'the definition to be pruned' },
  )
})
