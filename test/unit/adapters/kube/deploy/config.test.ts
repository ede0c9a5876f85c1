// Configs as objects, and what makes pods roll out when they change.
import { describe, expect, test } from 'vitest'
import { configRolls } from '../../../../../src/adapters/kube/deploy/config-rolls.js'
import { renderApp } from '../../../../../src/adapters/kube/deploy/render-app.js'
import { renderConfig } from '../../../../../src/adapters/kube/deploy/render-config.js'
import { configAnnotation } from '../../../../../src/adapters/kube/labels.js'
import type { ConfigValues } from '../../../../../src/model/config-values.js'
import type { AppSpec, ConfigSpec, KubeObject } from '../../../../../src/model/plan.js'
import { podBearing, type PodTemplate } from '../../../../../src/model/pod-bearing.js'
import { plainGraph } from '../../../../support/plain-graph.js'
import { anApp, anInput, owner, position } from './fixtures.js'

const values = (given: Readonly<Record<string, string | Buffer>>): ConfigValues =>
  new Map(Object.entries(given).map(([key, value]) => [key, Buffer.from(value)]))
const spec = (secret: boolean): ConfigSpec => ({
  kind: 'config',
  name: 'settings',
  secret,
  sources: [],
  ...plainGraph,
  forward: [],
  at: position,
})

describe('objects', () => {
  test('a ConfigMap with texts, and what is none; a Secret', () => {
    const given = values({ A: 'x', B: Buffer.from([0xff, 0]) })
    const [map] = renderConfig(spec(false), given, owner, 'dev').objects
    expect(map?.object).toMatchObject({ kind: 'ConfigMap', data: { A: 'x' }, binaryData: { B: '/wA=' } })
    expect(map?.object.metadata).toMatchObject({ name: 'settings', namespace: 'dev' })
    const [secret] = renderConfig(spec(true), given, owner, 'dev').objects
    expect(secret?.object).toMatchObject({ kind: 'Secret', type: 'Opaque', data: { A: 'eA==', B: '/wA=' } })
  })

  test('what looks secret in a ConfigMap is told by name', () => {
    const given = values({ LEVEL: 'x', DB_PASSWORD: 'hunter2', URL: 'db://a:hunter2@b' })
    const [warning, ...more] = renderConfig(spec(false), given, owner, 'dev').warnings
    expect(warning?.message).toBe('settings holds DB_PASSWORD and URL in a ConfigMap, which looks secret.')
    expect(JSON.stringify(warning)).not.toContain('hunter2')
    expect([...more, ...renderConfig(spec(true), given, owner, 'dev').warnings]).toEqual([])
  })
})

describe('an app', () => {
  const render = (app: Partial<AppSpec>, configs: Readonly<Record<string, ConfigValues>>, hashKey = 'k') => {
    const { objects } = renderApp(
      anInput({ app: anApp({ ports: {}, ...app }), configs: (name) => configs[name], sealed: { s1: 'hunter2' }, hashKey }),
    )
    const workload = objects.find(({ object }) => object.kind === 'Deployment')?.object as KubeObject
    const { template } = workload.spec as { template: PodTemplate }
    return {
      objects,
      container: template.spec.containers?.[0],
      spec: template.spec,
      hash: template.metadata?.annotations?.[configAnnotation],
    }
  }
  const at = (key: string, secret?: true) => [
    { kind: 'config' as const, config: secret ? 'creds' : 'settings', key, ...(secret ? { secret } : {}) },
  ]

  test('takes configs as a whole, by single values, and as a folder', () => {
    const {
      container,
      spec: pod,
      objects,
    } = render(
      {
        envFrom: [{ config: 'settings' }, { config: 'creds', secret: true }],
        env: {
          A: at('A'),
          P: at('P', true),
          U: [{ kind: 'literal', text: 'x:' }, ...at('P', true)],
          S: [{ kind: 'sealed', id: 's1' }],
        },
        volumes: [{ path: '/etc/a', kind: 'config', config: 'creds', secret: true }],
      },
      { settings: values({ A: '1' }), creds: values({ P: 'pw' }) },
    )
    expect(container?.envFrom).toEqual([{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'creds' } }])
    expect(container?.env).toEqual([
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'A' } } },
      { name: 'P', valueFrom: { secretKeyRef: { name: 'creds', key: 'P' } } },
      { name: 'U', valueFrom: { secretKeyRef: { name: 'api.devloop-env', key: 'U' } } },
      { name: 'S', valueFrom: { secretKeyRef: { name: 'api.devloop-env', key: 'S' } } },
    ])
    expect(pod.volumes).toEqual([{ name: 'volume-0', secret: { secretName: 'creds' } }])
    const workload = objects.filter(({ object }) => object.kind !== 'Secret')
    expect(JSON.stringify(workload)).not.toMatch(/hunter2|"pw"|cHc=/)
  })

  test('rolls out when a value changes that it uses, and not otherwise', () => {
    const hashOf = (app: Partial<AppSpec>, a: string, b: string, key?: string) =>
      render(app, { settings: values({ A: a, B: b }) }, key).hash
    const single = { env: { X: at('A') } }
    expect(hashOf(single, '1', '1')).toBe(hashOf(single, '1', '2'))
    expect(hashOf(single, '1', '1')).not.toBe(hashOf(single, '2', '1'))
    expect(hashOf(single, '1', '1')).not.toBe(hashOf(single, '1', '1', 'another'))
    for (const whole of [
      { envFrom: [{ config: 'settings' }] },
      { volumes: [{ path: '/a', kind: 'config' as const, config: 'settings' }] },
    ])
      expect(hashOf(whole, '1', '1')).not.toBe(hashOf(whole, '1', '2'))
    expect(render({}, { settings: values({ A: '1' }) }).hash).toBeUndefined()
  })

  test('a value that is not there is an error with those that are', () => {
    expect(() => render({ env: { X: at('LEVLE') } }, { settings: values({ LEVEL: '1' }) })).toThrow(
      'api takes LEVLE from the config settings, which has no such value.',
    )
    expect(() => render({ envFrom: [{ config: 'settings' }] }, {})).toThrow(
      'api takes values from the config settings, which is not deployed.',
    )
  })
})

describe('manifests', () => {
  const template = (env: object): PodTemplate => ({
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'c', ...env }] },
  })
  const workload = (env: object, annotations: Record<string, string> = {}, namespace = 'dev'): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', namespace, annotations },
    spec: { template: template(env) },
  })
  const rollOf = async (object: KubeObject, configs: Readonly<Record<string, ConfigValues>>): Promise<string | undefined> => {
    const rolls = await configRolls(
      {
        connection: { namespace: 'dev' } as never,
        configs: new Map(Object.entries(configs)),
        generated: () => Promise.resolve({ 'devloop.hash-key': 'k' }),
      },
      [{ object }],
      new AbortController().signal,
    )
    const bearing = podBearing(object)
    return bearing && rolls?.(object, bearing.template)
  }
  const one = { settings: values({ A: '1' }) }
  const two = { settings: values({ A: '2' }) }

  test.each([
    ['envFrom', { envFrom: [{ configMapRef: { name: 'settings' } }] }],
    ['a variable', { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'A' } } }] }],
  ])('roll out by what they name: %s', async (_what, env) => {
    expect(await rollOf(workload(env), one)).toMatch(/^[0-9a-f]{16}$/)
    expect(await rollOf(workload(env), one)).not.toBe(await rollOf(workload(env), two))
    expect(await rollOf(workload(env, {}, 'elsewhere'), one)).toBeUndefined()
    expect(await rollOf(workload(env), {})).toBeUndefined()
  })

  test.each<[string, Record<string, string>, boolean]>([
    ['everything', { 'reloader.stakater.com/auto': 'true' }, true],
    ['every ConfigMap', { 'configmap.reloader.stakater.com/auto': 'true' }, true],
    ['every Secret', { 'secret.reloader.stakater.com/auto': 'true' }, false],
    ['this one', { 'configmap.reloader.stakater.com/reload': 'other, settings' }, true],
    ['another', { 'configmap.reloader.stakater.com/reload': 'other' }, false],
    ['nothing', { 'reloader.stakater.com/auto': 'false' }, false],
  ])('are left to Reloader where it is asked to look after %s', async (_what, annotations, left) => {
    const object = workload({ envFrom: [{ configMapRef: { name: 'settings' } }] }, annotations)
    expect((await rollOf(object, one)) === undefined).toBe(left)
  })
})
