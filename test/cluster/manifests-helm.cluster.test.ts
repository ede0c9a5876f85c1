// Helm charts: rendered, applied, live-synced, rendered again when a file of the chart or of its values changes, and pruned.
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { statusOf } from '../../src/adapters/kube/errors.js'
import { testRegistry, waitFor } from '../support/cluster.js'
import { helmDevloopfile } from '../support/helm-devloopfile.js'
import { kubeTools, withKubeTools } from '../support/kube-tools.js'
import { appFiles, loop, type Loop } from '../support/loop.js'

const template = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }}-web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          env:
            - { name: MODE, value: {{ .Values.mode | quote }} }
            - { name: SET, value: {{ .Values.deep.set | quote }} }
            - { name: KUBE, value: {{ .Capabilities.KubeVersion.Version | quote }} }
`

const chart = (name: string): Record<string, string> => ({
  ...appFiles,
  'charts/shop/Chart.yaml': `
apiVersion: v2
name: shop
version: 1.0.0
dependencies: [{ name: cache, version: 1.0.0, repository: "file://../cache" }]
`,
  'charts/shop/values.yaml': `image: { repository: ${name}/web, tag: none }\nmode: default\ndeep: { set: default }\ncache: { size: small }\n`,
  'charts/shop/templates/web.yaml': template,
  'charts/shop/templates/tests/ask.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: { name: ask, annotations: { helm.sh/hook: test } }\nspec: { containers: [{ name: ask, image: none }] }\n',
  'charts/shop/templates/cleanup.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: cleanup, annotations: { helm.sh/hook: pre-delete } }\n',
  'charts/cache/Chart.yaml': 'apiVersion: v2\nname: cache\nversion: 1.0.0\n',
  'charts/cache/templates/settings.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .Release.Name }}-cache }\ndata: { size: {{ .Values.size | quote }} }\n',
  'values.dev.yaml': 'mode: dev\n',
})

const options = `chart: 'charts/shop', values: ['values.dev.yaml', { cache: { size: 'large' } }], set: { 'deep.set': 'a,b{c}' }, images: [web], forward: { 8080: PORT }`

async function prepared(over = options): Promise<Loop> {
  const one = await loop({ devloopfile: helmDevloopfile(over), files: {}, env: await withKubeTools() })
  for (const [path, text] of Object.entries(chart(one.name))) await one.save(path, text)
  return one
}

const configMap = async (one: Loop, name: string): Promise<Record<string, string> | undefined> => {
  try {
    const found = await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/configmaps/${name}`)
    return (found as { data?: Record<string, string> }).data ?? {}
  } catch (error) {
    if (statusOf(error)?.code === 404) return undefined
    throw error
  }
}

test('a chart with a subchart is applied, synced into, rendered again at each change of its files, and pruned', async () => {
  const one = await prepared()
  const watching = await one.begin()
  await one.answers('one')
  const env = JSON.parse(await one.answers(/MODE/, '/env')) as Record<string, string>
  expect(env).toMatchObject({ MODE: 'dev', SET: 'a,b{c}' })
  // what the cluster is, and not what helm was made for
  const { gitVersion } = (await one.connection.request('GET', '/version')) as { gitVersion: string }
  expect(env.KUBE).toBe(gitVersion)
  expect(await configMap(one, 'shop-cache')).toEqual({ size: 'large' })
  // neither tests nor what cleans up before a deletion
  expect((await one.pods('shop')).map(({ name }) => name)).toEqual([expect.stringMatching(/^shop-web-/)])
  expect(await configMap(one, 'cleanup')).toBeUndefined()

  const [before] = await one.pods('shop')
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  expect((await one.pods('shop'))[0]?.uid).toBe(before?.uid)

  await one.save('values.dev.yaml', 'mode: other\n')
  await one.answers(/"MODE":"other"/, '/env', 60_000)
  // a file of the subchart, which is packed again
  await one.save(
    'charts/cache/templates/settings.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .Release.Name }}-renamed }\ndata: { size: {{ .Values.size | quote }} }\n',
  )
  await waitFor(async () => (await configMap(one, 'shop-renamed'))?.size === 'large', {
    what: 'the new object',
    timeoutMs: 30_000,
  })
  await waitFor(async () => (await configMap(one, 'shop-cache')) === undefined, { what: 'the old one to go', timeoutMs: 30_000 })
  await watching.ready(60_000)

  // rebuilt: a file that no rule covers
  await one.save('app/package.json', '{"type":"module","version":"2.0.0"}')
  await waitFor(async () => (await one.pods('shop'))[0]?.image !== before?.image && watching.session()?.ready === true, {
    what: 'the new image',
    timeoutMs: 90_000,
  })
  await one.answers('two')
})

test('a mistake in a template is told with its file and line, what runs stays, and the mending is seen', async () => {
  const one = await prepared()
  const watching = await one.begin()
  const [before] = await one.pods('shop')
  await one.save('charts/shop/templates/web.yaml', `${template}        {{ .Values.none.such }}\n`)
  await waitFor(() => watching.resource('shop')?.error?.code === 'render/failed', { what: 'the error', timeoutMs: 30_000 })
  const error = watching.resource('shop')?.error
  expect(error?.where).toMatchObject({ file: join(one.folder, 'charts/shop/templates/web.yaml'), line: 18 })
  expect(error?.why).toMatch(/nil pointer/)
  expect((await one.pods('shop'))[0]?.uid).toBe(before?.uid)
  await one.save('charts/shop/templates/web.yaml', template)
  await watching.ready(60_000)
})

test('a chart comes from a repository, in the version that is asked for', async () => {
  const one = await prepared(`chart: 'cache', repo: 'REPO', version: '~1.0', values: { size: 'huge' }`)
  const repository = join(one.folder, 'repository')
  await mkdir(repository)
  const helm = join(await kubeTools(), 'helm')
  const run = promisify(execFile)
  for (const version of ['1.0.5', '2.0.0'])
    await run(helm, ['package', join(one.folder, 'charts/cache'), '--version', version, '-d', repository])
  await run(helm, ['repo', 'index', repository])
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    readFile(join(repository, request.url ?? '')).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  const text = await readFile(join(one.folder, 'Devloopfile.ts'), 'utf8')
  await one.save('Devloopfile.ts', text.replace('REPO', `http://127.0.0.1:${port}`))
  await one.begin()
  expect(await configMap(one, 'shop-cache')).toEqual({ size: 'huge' })
  expect(asked).toContain('/cache-1.0.5.tgz')
})

test('a chart comes from a registry, also as a release; that it has no TLS must be said', async () => {
  const one = await prepared(`chart: 'oci://REGISTRY', values: { size: 'huge' }`)
  const registry = `${await testRegistry()}/${one.name}`
  const helm = join(await kubeTools(), 'helm')
  const run = promisify(execFile)
  for (const version of ['1.0.5', '2.0.0']) {
    await run(helm, ['package', 'charts/cache', '--version', version, '-d', '.'], { cwd: one.folder })
    await run(helm, ['push', `cache-${version}.tgz`, `oci://${registry}`, '--plain-http'], { cwd: one.folder })
  }
  const text = (await readFile(join(one.folder, 'Devloopfile.ts'), 'utf8')).replace('REGISTRY', `${registry}/cache`)
  const chosen = (more: string): string => text.replace(`values: {`, `${more} values: {`)
  await one.save('Devloopfile.ts', text)
  const watching = await one.watch()
  const { error } = await watching.until('shop', (view) => view.error?.code === 'render/failed', 60_000)
  expect(error?.help).toBe('The registry has no TLS: say so with `plainHttp: true`.')

  await one.save('Devloopfile.ts', chosen(`plainHttp: true, version: '~1.0',`))
  await watching.ready()
  expect(await configMap(one, 'shop-cache')).toEqual({ size: 'huge' })
  await one.save('Devloopfile.ts', chosen(`plainHttp: true, release: true,`))
  await waitFor(
    async () => {
      const { stdout } = await run(helm, ['list', '-n', one.namespace])
      return /shop\s.*deployed\s+cache-2\.0\.0/.test(stdout)
    },
    { what: 'the release of the newest chart', timeoutMs: 60_000 },
  )
  await watching.ready()
  expect(await configMap(one, 'shop-cache')).toEqual({ size: 'huge' })
  await one.devloop('down')
})

test('without helm, one error says how to get it', async () => {
  const one = await loop({ devloopfile: helmDevloopfile(options), files: {}, env: { PATH: '/nowhere' } })
  for (const [path, text] of Object.entries(chart(one.name))) await one.save(path, text)
  const watching = await one.watch()
  await waitFor(() => watching.resource('shop')?.error?.code === 'tool/missing', { what: 'the error', timeoutMs: 30_000 })
  expect(watching.resource('shop')?.error).toMatchObject({
    message: 'The chart of shop needs `helm`, which is not installed.',
    help: expect.stringMatching(/https:\/\/helm\.sh/) as string,
  })
})
