// Apps and built images on a real cluster.
import { describe, expect, test } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { createDeployer } from '../../src/adapters/kube/deploy/deployer.js'
import type { BuildRecord } from '../../src/model/build-record.js'
import type { AppSpec, KubeObject, ManifestsSpec, TextValue } from '../../src/model/plan.js'
import { randomSuffix, testConnection, testOptions, waitFor } from '../support/cluster.js'
import {
  apps,
  appSpec,
  configMap,
  connection,
  core,
  deployer,
  deployment,
  exists,
  freshNamespace,
  get,
  image,
  manifestsSpec,
  pods,
  rolledOut,
  serve,
  signal,
  useCluster,
} from './deploy-fixtures.js'

useCluster()

describe('apps', () => {
  test('an app is deployed, answers, stays as it is on a second deploy, and rolls out on a change', async () => {
    const name = `web-${randomSuffix()}`
    const mine = deployer()
    const spec = appSpec(name, { command: serve, ports: { http: 8080 }, env: { MODE: [{ kind: 'literal', text: '$(PORT)' }] } })
    const first = await mine.deploy(spec)
    expect(first.objects).toEqual([`service/${name}`, `deployment/${name}`, `serviceaccount/${name}`])
    expect(first.warnings).toEqual([])
    await rolledOut(name)
    const [pod] = await pods(`devloop.dev/resource=${name}`)
    expect(pod?.metadata.labels?.['devloop.dev/template']).toBe(first.templates[0])
    const answer = (await (await fetch(`http://${pod?.status.podIP}:8080`)).json()) as Record<string, string>
    expect(answer).toMatchObject({ MODE: '$(PORT)', PORT: '8080', PORT_HTTP: '8080' })

    const before = await Promise.all([get(apps('deployments', name)), get(core('services', name))])
    // also from a daemon that knows nothing of the first deploy
    const second = await mine.again().deploy(spec)
    const after = await Promise.all([get(apps('deployments', name)), get(core('services', name))])
    expect(second).toEqual(first)
    expect(after.map(({ metadata }) => metadata.resourceVersion)).toEqual(before.map(({ metadata }) => metadata.resourceVersion))

    const third = await mine.deploy({ ...spec, env: { MODE: [{ kind: 'literal', text: 'other' }] } })
    expect(third.templates).not.toEqual(first.templates)
    await rolledOut(name)
    const [next] = await pods(`devloop.dev/template=${third.templates[0]}`)
    expect(((await (await fetch(`http://${next?.status.podIP}:8080`)).json()) as Record<string, string>).MODE).toBe('other')
  })

  test('what somebody else changed in the cluster is put back', async () => {
    const name = `drift-${randomSuffix()}`
    const mine = deployer()
    await mine.deploy(appSpec(name, { replicas: 0, ports: { http: 80 } }))
    await connection.request('PATCH', apps('deployments', name), {
      body: { spec: { replicas: 1 } },
      contentType: 'application/merge-patch+json',
    })
    await connection.request('DELETE', core('services', name))
    await mine.deploy(appSpec(name, { replicas: 0, ports: { http: 80 } }))
    expect(((await get(apps('deployments', name))).spec as { replicas: number }).replicas).toBe(0)
    expect(await exists(core('services', name))).toBe(true)
  })

  test('a secret is made once, reaches two apps as the same value, and a changed one rolls out', async () => {
    const suffix = randomSuffix()
    const mine = deployer()
    const password: TextValue = [{ kind: 'generated', name: 'db-password' }]
    const db = appSpec(`db-${suffix}`, { command: serve, ports: { sql: 8080 }, env: { PASSWORD: password } })
    const url: TextValue = [
      { kind: 'literal', text: 'db://' },
      ...password,
      { kind: 'literal', text: '@' },
      { kind: 'address', resource: db.name, part: 'address' },
    ]
    const web = appSpec(`web-${suffix}`, { replicas: 0, env: { URL: url } })
    const [first] = await Promise.all([mine.deploy(db, [web]), mine.again().deploy(web, [db])])
    await rolledOut(db.name)
    const [pod] = await pods(`devloop.dev/resource=${db.name}`)
    const { PASSWORD } = (await (await fetch(`http://${pod?.status.podIP}:8080`)).json()) as Record<string, string>
    expect(PASSWORD).toMatch(/^[A-Za-z0-9]{32}$/)
    const secret = await get(core('secrets', `${web.name}.devloop-env`))
    expect(Buffer.from((secret.data as Record<string, string>).URL ?? '', 'base64').toString()).toBe(
      `db://${PASSWORD}@${db.name}:8080`,
    )
    expect(JSON.stringify(await get(apps('deployments', db.name)))).not.toContain(PASSWORD)

    expect((await mine.again().deploy(db)).templates).toEqual(first.templates)
    await connection.request('DELETE', core('secrets', `devloop-generated.${mine.options.project}.${mine.options.instance}`))
    expect((await mine.again().deploy(db)).templates).not.toEqual(first.templates)
  })

  test('a namespace that is not there is made', async () => {
    const namespace = `devloop-deploy-${randomSuffix()}`
    const other = await testConnection(undefined, { namespace })
    try {
      const name = 'web'
      await deployer({}, other).deploy(appSpec(name, { replicas: 0, env: { A: [{ kind: 'generated', name: 'a' }] } }))
      expect(await exists(apps('deployments', name, namespace))).toBe(true)
    } finally {
      await other.request('DELETE', `/api/v1/namespaces/${namespace}`)
      other.close()
    }
  })

  test('a namespace that is being deleted is waited for, and made anew', async () => {
    const { name: namespace } = await freshNamespace()
    const other = await testConnection(undefined, { namespace })
    const held = core('configmaps', 'held', namespace)
    const path = `/api/v1/namespaces/${namespace}`
    try {
      const holding = { ...configMap('held'), metadata: { name: 'held', finalizers: ['devloop.test/hold'] } }
      await other.request('POST', `${path}/configmaps`, { body: holding })
      await other.request('DELETE', path)
      const deployed = deployer({}, other).deploy(appSpec('web', { replicas: 0 }))
      await waitFor(async () => (await get(held)).metadata.deletionTimestamp, { what: 'the held object to be deleted' })
      await other.request('PATCH', held, {
        body: { metadata: { finalizers: null } },
        contentType: 'application/merge-patch+json',
      })
      expect((await deployed).objects).toEqual(['deployment/web', 'serviceaccount/web'])
      expect((await get(path)).metadata.deletionTimestamp).toBeUndefined()
    } finally {
      other.close()
    }
  })

  test('aborted before the first write: nothing is written', async () => {
    const name = `never-${randomSuffix()}`
    const { deploy } = createDeployer(connection, testOptions())
    const spec = appSpec(name, { replicas: 0 })
    await expect(deploy({ resource: spec, images: {}, restartable: new Set(), apps: {} }, AbortSignal.abort())).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    )
    expect(await exists(apps('deployments', name))).toBe(false)
  })
})

describe('built images', () => {
  const record = (config: Partial<BuildRecord['config']>): BuildRecord => ({
    image: 'shop/api',
    runtime: 'kubernetes',
    digest: 'sha256:1',
    ref: image,
    inputs: '1',
    tree: new Map(),
    config: { entrypoint: [], cmd: [], workingDir: '/', user: '', shell: true, ...config },
    builtAt: 0,
  })
  const deployBuilt = (spec: AppSpec | ManifestsSpec, built: BuildRecord, over: KubeConnection = connection) =>
    createDeployer(over, testOptions()).deploy(
      { resource: spec, images: { 'shop/api': built }, restartable: new Set(['shop/api']), apps: {} },
      signal,
    )

  test('under the restart wrapper, the image’s own command runs as it is written there', async () => {
    const name = `wrapped-${randomSuffix()}`
    const cmd = ['require("http").createServer((q, r) => r.end(process.argv[1])).listen(process.env.PORT)', '$(PORT) $$ "x"']
    const { command: _, ...spec } = appSpec(name, { image: { built: 'shop/api' }, ports: { http: 8080 } })
    const { templates } = await deployBuilt(spec, record({ entrypoint: ['node', '-e'], cmd }))
    await rolledOut(name)
    const [pod] = await pods(`devloop.dev/template=${templates[0]}`)
    expect(pod?.metadata.annotations).toMatchObject({
      'devloop.dev/images': `{"${name}":"shop/api"}`,
      'devloop.dev/restartable': name,
    })
    expect(await (await fetch(`http://${pod?.status.podIP}:8080`)).text()).toBe('$(PORT) $$ "x"')
  })

  test('in manifests, the declared image is replaced whatever registry and tag it is written with', async () => {
    const name = `built-${randomSuffix()}`
    const object = deployment(name)
    const written = JSON.parse(JSON.stringify(object).replace(JSON.stringify(image), '"ghcr.io/shop/api:v1"')) as KubeObject
    const deployed = await deployBuilt({ ...manifestsSpec(name, [written]), images: ['shop/api'] }, record({ shell: false }))
    expect(deployed.warnings).toMatchObject([
      { code: 'restart/unsupported', where: { file: '/project/deploy/all.yaml', line: 1 } },
    ])
    await rolledOut(name)
  })

  test('an image with a numeric user is admitted where only restricted pods are', async () => {
    const { name: namespace } = await freshNamespace()
    const body = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } }
    await connection.request('PATCH', `/api/v1/namespaces/${namespace}`, { body, contentType: 'application/merge-patch+json' })
    const restricted = await testConnection(undefined, { namespace })
    try {
      await deployBuilt(appSpec('web', { image: { built: 'shop/api' } }), record({ user: '1000' }), restricted)
      const admitted = async () => ((await get(apps('deployments', 'web', namespace))).status as { replicas?: number }).replicas
      expect(await waitFor(admitted, { what: 'the pod to be admitted' })).toBe(1)
    } finally {
      restricted.close()
    }
  })
})
