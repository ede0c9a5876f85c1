// What devloop leaves alone in a real cluster, and what the cluster refuses.
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../src/model/plan.js'
import { limitedUser, randomSuffix, testConnection } from '../support/cluster.js'
import {
  apps,
  appSpec,
  apply,
  configMap,
  connection,
  core,
  deployer,
  deployment,
  exists,
  get,
  manifestsSpec,
  signal,
  space,
  useCluster,
} from './deploy-fixtures.js'

useCluster()

describe('what is not devloop’s, or not this instance’s', () => {
  test('two instances in one namespace: the second is refused before it writes anything', async () => {
    const suffix = randomSuffix()
    const [shared, own] = [`shared-${suffix}`, `own-${suffix}`]
    const first = deployer()
    const second = deployer()
    await first.deploy(manifestsSpec('maps', [configMap(shared, { of: 'first' })]))
    await expect(second.deploy(manifestsSpec('maps', [configMap(own), configMap(shared, { of: 'second' })]))).rejects.toThrow(
      expect.objectContaining({
        code: 'cluster/conflict',
        message: `configmap/${shared} in namespace ${space.name} belongs to another devloop: instance ${first.options.instance} of project test.`,
        info: expect.objectContaining({ where: { file: '/project/deploy/all.yaml', line: 11 } }) as unknown,
      }),
    )
    expect((await get(core('configmaps', shared))).data).toEqual({ of: 'first' })
    expect(await exists(core('configmaps', own))).toBe(false)
    expect(await second.deployed(signal)).toEqual([])
  })

  test('remove takes what this resource left and nothing else', async () => {
    const suffix = randomSuffix()
    const [mineOnly, foreign, taken] = [`mine-${suffix}`, `foreign-${suffix}`, `taken-${suffix}`]
    await connection.request('POST', `/api/v1/namespaces/${space.name}/configmaps`, { body: configMap(foreign) })
    const mine = deployer()
    const app = appSpec(`app-${suffix}`, { replicas: 0, ports: { http: 80 }, env: { A: [{ kind: 'generated', name: 'a' }] } })
    await mine.deploy(app)
    await mine.deploy(manifestsSpec('maps', [configMap(mineOnly), configMap(taken)]))
    await connection.request('DELETE', core('configmaps', taken))
    await connection.request('POST', `/api/v1/namespaces/${space.name}/configmaps`, { body: configMap(taken) })

    const later = mine.again()
    expect((await later.deployed(signal)).toSorted()).toEqual([app.name, 'maps'])
    expect(await later.remove('maps', signal)).toEqual([`configmap/${mineOnly}`])
    expect(await Promise.all([mineOnly, foreign, taken].map((name) => exists(core('configmaps', name))))).toEqual([
      false,
      true,
      true,
    ])
    expect((await later.remove(app.name, signal)).toSorted()).toEqual([
      `deployment/${app.name}`,
      `secret/${app.name}.devloop-env`,
      `service/${app.name}`,
      `serviceaccount/${app.name}`,
    ])
    expect(await later.remove(app.name, signal)).toEqual([])
    expect(await mine.again().deployed(signal)).toEqual([])
    expect(await exists(core('configmaps', `devloop-inventory.test.${mine.options.instance}`))).toBe(false)
  })

  test('many resources at once are all written down', async () => {
    const suffix = randomSuffix()
    const names = Array.from({ length: 25 }, (_, index) => `many-${suffix}-${index}`)
    const mine = deployer()
    await Promise.all(names.map((name) => mine.deploy(manifestsSpec(name, [configMap(name)]))))
    const later = mine.again()
    expect((await later.deployed(signal)).toSorted()).toEqual(names.toSorted())
    const removed = await Promise.all(names.map((name) => later.remove(name, signal)))
    expect(removed).toEqual(names.map((name) => [`configmap/${name}`]))
    expect(await mine.again().deployed(signal)).toEqual([])
  })

  test('a record that somebody deleted or broke is made anew by the next deploy', async () => {
    const name = `record-${randomSuffix()}`
    const mine = deployer()
    const record = core('configmaps', `devloop-inventory.test.${mine.options.instance}`)
    await mine.deploy(manifestsSpec(name, [configMap(name)]))
    await connection.request('DELETE', record)
    await mine.again().deploy(manifestsSpec(name, [configMap(name)]))
    expect(await mine.again().deployed(signal)).toEqual([name])
    await connection.request('PATCH', record, {
      body: { data: { [name]: '{"not":' } },
      contentType: 'application/merge-patch+json',
    })
    await mine.again().deploy(manifestsSpec(name, [configMap(name)]))
    expect(await mine.again().remove(name, signal)).toEqual([`configmap/${name}`])
  })

  test('what an earlier daemon wrote down but did not apply is no trouble', async () => {
    const mine = deployer()
    const name = `half-${randomSuffix()}`
    // the second object is refused, after both were written down
    const broken = manifestsSpec('half', [configMap(name), { ...deployment(`${name}-bad`), metadata: { name: `${name}_BAD` } }])
    await expect(mine.deploy(broken)).rejects.toThrow(expect.objectContaining({ code: 'cluster/invalid' }))
    const later = mine.again()
    expect(await later.deployed(signal)).toEqual(['half'])
    expect(await later.remove('half', signal)).toEqual([`configmap/${name}`])
    expect(await later.deployed(signal)).toEqual([])
  })

  test('an object of somebody else is taken over where nothing contradicts', async () => {
    const name = `adopted-${randomSuffix()}`
    await apply(configMap(name, { theirs: '1' }), core('configmaps', name), 'kubectl-client-side-apply')
    await deployer().deploy(manifestsSpec('adopted', [configMap(name, { ours: '2' })]))
    const live = await get(core('configmaps', name))
    expect(live.data).toEqual({ theirs: '1', ours: '2' })
    expect(live.metadata.labels?.['devloop.dev/resource']).toBe('adopted')
  })

  test('a contradiction is refused, naming field and owner; its immutable selector is not a reason to delete it', async () => {
    const name = `conflict-${randomSuffix()}`
    await apply(deployment(name, { replicas: 0, label: 'theirs' }), apps('deployments', name), 'helm')
    const { uid } = (await get(apps('deployments', name))).metadata
    await expect(
      deployer().deploy(manifestsSpec('conflict', [deployment(name, { replicas: 1, label: 'theirs' })])),
    ).rejects.toThrow(
      expect.objectContaining({
        code: 'cluster/conflict',
        message: `deployment/${name} in namespace ${space.name} is there already, and somebody else owns spec.replicas (helm).`,
        info: expect.objectContaining({ where: { file: '/project/deploy/all.yaml', line: 1 } }) as unknown,
      }),
    )
    await expect(deployer().deploy(appSpec(name, { replicas: 0 }))).rejects.toThrow(
      expect.objectContaining({ code: 'cluster/conflict' }),
    )
    expect((await get(apps('deployments', name))).metadata.uid).toBe(uid)
  })
})

describe('what the cluster refuses', () => {
  const refused = async (object: KubeObject, expected: { message: unknown; line?: number; code?: string }) => {
    const name = `bad-${randomSuffix()}`
    const named = { ...object, metadata: { ...object.metadata, name } }
    await expect(deployer().deploy(manifestsSpec(name, [configMap(`${name}-first`), named]))).rejects.toThrow(
      expect.objectContaining({
        code: expected.code ?? 'cluster/invalid',
        message: expected.message,
        info: expect.objectContaining({ where: { file: '/project/deploy/all.yaml', line: 11 } }) as unknown,
      }),
    )
  }
  const changed = (path: 'spec' | 'container', fields: object): KubeObject => {
    const object = deployment('x', { replicas: 0 })
    const spec = object.spec as { template: { spec: { containers: object[] } } }
    Object.assign(path === 'spec' ? spec : (spec.template.spec.containers[0] ?? {}), fields)
    return object
  }

  test.each([
    [
      'an unknown field',
      () => changed('container', { imagee: 'x' }),
      / is not valid: spec\.template\.spec\.containers\[name="main"\]\.imagee: field not declared in schema\.$/,
    ],
    ['a wrong type', () => changed('spec', { replicas: 'two' }), / is not valid: spec\.replicas: expected numeric/],
    [
      'a duplicate',
      () =>
        changed('container', {
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
        }),
      /\.env: duplicate entries for key \[name="A"\]\.$/,
    ],
    [
      'an invalid value',
      () => changed('container', { name: 'Main' }),
      / is not valid: spec\.template\.spec\.containers\[0\]\.name: Invalid value: "Main": a lowercase RFC 1123 label must [^(]*\.$/,
    ],
    ['an unknown field of a plain object', () => ({ ...configMap('x'), dta: {} }), /dta/],
    [
      'an unknown kind',
      () => ({ ...configMap('x'), kind: 'ConfigMpa' }),
      / the cluster has no kind ConfigMpa in v1\. Did you mean ConfigMap\?$/,
    ],
    [
      'an old version',
      () => ({ ...deployment('x'), apiVersion: 'extensions/v1beta1' }),
      /: the cluster does not serve extensions\/v1beta1\. Deployment is in apps\/v1\.$/,
    ],
    [
      'an unknown group',
      () => ({ ...configMap('x'), apiVersion: 'batch/v11', kind: 'Foo' }),
      /: the cluster does not serve batch\/v11\. Did you mean batch\/v1\?$/,
    ],
  ])('%s is told with object, field and place', async (_, object, message) => {
    await refused(object(), { message: expect.stringMatching(message) })
  })

  test('a Secret’s value is not told, whatever is wrong with it', async () => {
    const secret = (fields: object): KubeObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'secret' }, ...fields })
    for (const fields of [
      { data: { pin: 987123 } },
      { data: { pin: 'secret-987123' } },
      { data: { 'bad key': 'OTg3MTIz' } },
      { data: 'secret-987123' },
    ]) {
      const thrown: unknown = await deployer()
        .deploy(manifestsSpec('secret', [secret(fields)]))
        .catch((error: unknown) => error)
      expect(thrown).toMatchObject({
        code: 'cluster/invalid',
        message: expect.stringContaining(`secret/secret in namespace ${space.name} is not valid`) as string,
      })
      expect(inspect(thrown, { depth: 10 })).not.toMatch(/987123|OTg3MTIz/)
    }
  })

  test('a user who may not create Deployments is told which right is missing', async () => {
    const user = await limitedUser(space.name, [
      { apiGroups: [''], resources: ['configmaps', 'services', 'secrets', 'serviceaccounts'], verbs: ['*'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
    ])
    const limited = await testConnection(user.file, { namespace: space.name })
    try {
      const mine = deployer({}, limited)
      await expect(mine.deploy(appSpec('web', { replicas: 0, ports: { http: 80 } }))).rejects.toThrow(
        expect.objectContaining({
          code: 'cluster/forbidden',
          message: `You may not patch deployments.apps in namespace "${space.name}".`,
        }),
      )
      // what could be applied is known and can be taken away
      expect(await mine.deployed(signal)).toEqual(['web'])
      expect(await mine.again().remove('web', signal)).toEqual(['service/web', 'serviceaccount/web'])
    } finally {
      limited.close()
      await user.remove()
    }
  })
})
