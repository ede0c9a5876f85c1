// `devloop render` and `devloop diff`: what they say is what a deploy does, and neither writes anything.
import { parseAllDocuments } from 'yaml'
import { expect, test } from 'vitest'
import { imagesAnnotation } from '../../src/adapters/kube/labels.js'
import type { KubeObject } from '../../src/model/plan.js'
import { loop, type Loop, type Names } from '../support/loop.js'

const write =
  (word: string, more = '') =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, generated, image, manifests, local } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' } })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    app('web', { image: web, ports: { http: 8080 }, forward: { http: ${port} }, env: { WORD: '${word}', PASSWORD: generated('password') } }),
    manifests('settings', [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { word: '${word}' } }]),
    ${more}
    local('aside', { run: 'true' }),
  ],
}))
`

const objectsIn = (text: string): readonly KubeObject[] =>
  parseAllDocuments(text).map((document) => document.toJS() as KubeObject)

const find = (objects: readonly KubeObject[], kind: string): KubeObject => {
  const found = objects.find((object) => object.kind === kind)
  if (!found) throw new Error(`there is no ${kind}`)
  return found
}

/** All objects of the namespace that a deploy could have changed. */
async function versions(one: Loop): Promise<string> {
  const all = []
  for (const path of [
    'api/v1/namespaces/NS/configmaps',
    'api/v1/namespaces/NS/secrets',
    'apis/apps/v1/namespaces/NS/deployments',
  ]) {
    const { items } = (await one.connection.request('GET', `/${path.replace('NS', one.namespace)}`)) as { items: KubeObject[] }
    // the status of a workload may still change
    all.push(
      ...items.map(({ kind, metadata }) => [
        kind,
        metadata.name,
        metadata.generation,
        path.endsWith('deployments') || metadata.resourceVersion,
      ]),
    )
  }
  return JSON.stringify(all)
}

test('before the first deploy: all is new, and an image that is not built is named as such', async () => {
  const one = await loop({ devloopfile: write('one') })
  const before = await versions(one)
  const rendered = await one.devloop('render', 'web')
  expect(rendered.code).toBe(0)
  expect(rendered.stderr).toMatch(
    new RegExp(`${one.name}/web is not built yet: its reference is written as ${one.name}/web:not-built-yet`),
  )
  const objects = objectsIn(rendered.stdout)
  expect(objects.map(({ kind }) => kind).sort()).toEqual(['Deployment', 'Secret', 'Service', 'ServiceAccount'])
  expect(JSON.stringify(find(objects, 'Deployment'))).toContain(`"${one.name}/web:not-built-yet"`)

  const diff = await one.devloop('diff')
  expect(diff.code).toBe(1)
  expect(diff.stdout).toMatch(new RegExp(`^${one.namespace} deployment/web \\(new\\)$`, 'm'))
  expect(diff.stdout).toMatch(/^\+ {2}word: one$/m)
  expect(await versions(one)).toBe(before)
})

test('after a deploy: nothing differs; then exactly what was edited, what left, and no value of a Secret', async () => {
  const extra = `manifests('extra', [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'extra' } }]),`
  const one = await loop({ devloopfile: write('one', extra) })
  const watching = await one.begin()
  await one.answers('one')
  watching.child.kill('SIGINT')
  await watching.ended
  const before = await versions(one)

  expect(await one.devloop('diff')).toMatchObject({ code: 0, stdout: '', stderr: '' })

  // what is rendered is what was applied, images included
  const rendered = await one.devloop('render')
  expect(rendered).toMatchObject({ code: 0, stderr: '' })
  const objects = objectsIn(rendered.stdout)
  expect(JSON.parse((await one.devloop('render', '--json')).stdout)).toEqual({ apiVersion: 'v1', kind: 'List', items: objects })
  const live = (await one.connection.request('GET', `/apis/apps/v1/namespaces/${one.namespace}/deployments/web`)) as KubeObject
  const template = (object: KubeObject) => (object.spec as { template: KubeObject }).template
  expect(template(live)).toMatchObject(template(find(objects, 'Deployment')))
  expect(template(live).metadata.annotations?.[imagesAnnotation]).toContain(`${one.name}/web`)
  const secret = (await one.connection.request(
    'GET',
    `/api/v1/namespaces/${one.namespace}/secrets/web.devloop-env`,
  )) as KubeObject
  expect(find(objects, 'Secret').data).toEqual(secret.data)

  await one.save('Devloopfile.ts', write('two')(one))
  const diff = await one.devloop('diff')
  expect(diff.code).toBe(1)
  expect(diff.stdout).toMatch(/^- {2}word: one\n\+ {2}word: two$/m)
  expect(diff.stdout).toMatch(new RegExp(`^${one.namespace} configmap/extra \\(deleted\\)$`, 'm'))
  expect(diff.stdout).not.toContain((secret.data as { PASSWORD: string }).PASSWORD)
  const only = await one.devloop('diff', 'settings')
  expect(only.stdout).toMatch(/configmap\/settings \(changed\)/)
  expect(only.stdout).not.toMatch(/deployment|extra/)
  const json = await one.devloop('diff', 'settings', '--json')
  expect([json.code, JSON.parse(json.stdout)]).toEqual([
    1,
    {
      changes: [
        {
          name: `${one.namespace} configmap/settings`,
          what: 'changed',
          before: expect.stringContaining('word: one') as string,
          after: expect.stringContaining('word: two') as string,
        },
      ],
    },
  ])
  expect(await versions(one)).toBe(before)
})

test('resources are named, by label too, and the Devloopfile gets its arguments, as by watch', async () => {
  const one = await loop({
    files: {},
    devloopfile: ({ name, namespace }) => `
import { defineDevloop, local, manifests } from 'devloop'
const map = (name: string, word: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { word } })
export default defineDevloop(({ args }) => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    manifests('one', map('one', args.join('+')), { labels: ['group'] }),
    manifests('two', map('two', 'two'), { labels: ['group', 'other'] }),
    manifests('three', map('three', 'three')),
    local('aside', { run: 'true', labels: ['group', 'own'] }),
  ],
}))
`,
  })
  const named = async (...args: string[]): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await one.devloop('render', ...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return objectsIn(stdout).map(({ metadata, data }) => `${metadata.name}=${(data as { word: string }).word}`)
  }
  expect(await named('--', 'a', '--b')).toEqual(['one=a+--b', 'two=two', 'three=three'])
  expect(await named('label:group', '--', 'x')).toEqual(['one=x', 'two=two'])
  expect(await named('-l', 'other', 'three')).toEqual(['two=two', 'three=three'])
  const diff = await one.devloop('diff', '-l', 'group', '--', 'y')
  expect(diff.code).toBe(1)
  expect(diff.stdout).toMatch(/^\+ {2}word: y$/m)
  expect(diff.stdout).not.toMatch(/three/)
  expect(await one.devloop('render', 'label:grop')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Did you mean 'label:group'?") as string,
  })
  expect(await one.devloop('render', 'label:own')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/'aside' is a local/) as string,
  })
})

test('what cannot be told is an error of its own exit code', async () => {
  const one = await loop({ devloopfile: write('one') })
  expect(await one.devloop('diff', 'wbe')).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/no resource 'wbe'[^]*web/) as string,
  })
  expect(await one.devloop('render', 'aside')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/'aside' is a local/) as string,
  })
  await one.save(
    'Devloopfile.ts',
    write('one', `manifests('bad', [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bad' }, data: { a: 7 } }]),`)(one),
  )
  const bad = await one.devloop('diff')
  expect(bad.code).toBe(3)
  expect(bad.stderr).toMatch(/configmap\/bad in namespace .* is not valid/)
})
