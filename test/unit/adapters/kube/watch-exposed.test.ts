// What Routes and Ingresses say of how an app is reached.
import { expect, test } from 'vitest'
import { exposedBy, type ExposingObject } from '../../../../src/adapters/kube/watch-exposed.js'

type Spec = NonNullable<ExposingObject['spec']>
const route = (spec: Spec, ...ingress: NonNullable<NonNullable<ExposingObject['status']>['ingress']>) =>
  exposedBy('Route', { metadata: { name: 'api' }, spec, status: { ingress } })
const admitted = (status: string, more = {}) => ({
  host: 'api-dev.apps.test',
  conditions: [{ type: 'Admitted', status, ...more }],
})

test('a Route', () => {
  expect(exposedBy('Route', { metadata: { name: 'api' } })).toBeUndefined()
  expect(route({})).toBeUndefined()
  expect(route({}, { host: 'api-dev.apps.test' })).toEqual({ kind: 'route', url: 'http://api-dev.apps.test', state: 'waiting' })
  expect(route({ path: '/shop', tls: { termination: 'edge' } }, admitted('True'))).toEqual({
    kind: 'route',
    url: 'https://api-dev.apps.test/shop',
    state: 'listening',
  })
})

test('a Route that a router refuses is told in its words, unless another takes it', () => {
  const refused = admitted('False', { reason: 'HostAlreadyClaimed', message: 'route shop already exposes it' })
  expect(route({}, refused)).toEqual({
    kind: 'route',
    url: 'http://api-dev.apps.test',
    state: 'failed',
    error: expect.objectContaining({
      code: 'app/not-admitted',
      message: "The cluster's router does not admit route/api.",
      why: 'HostAlreadyClaimed: route shop already exposes it',
    }),
  })
  expect(route({}, refused, { ...admitted('True'), host: 'other.test' })?.url).toBe('http://other.test')
})

test('an Ingress', () => {
  const ingress = (spec: Spec, ...taken: { hostname?: string; ip?: string }[]) =>
    exposedBy('Ingress', { metadata: { name: 'api' }, spec, status: { loadBalancer: { ingress: taken } } })
  const rules = (host?: string, path = '/') => [{ ...(host === undefined ? {} : { host }), http: { paths: [{ path }] } }]
  expect(ingress({ rules: rules() })).toBeUndefined()
  expect(ingress({ rules: rules('shop.test', '/x') })).toEqual({ kind: 'ingress', url: 'http://shop.test/x', state: 'waiting' })
  expect(ingress({ rules: rules('shop.test'), tls: [{}] }, { ip: '10.0.0.1' })).toEqual({
    kind: 'ingress',
    url: 'https://shop.test',
    state: 'listening',
  })
  expect(ingress({ rules: rules() }, { ip: 'fd00::1' })?.url).toBe('http://[fd00::1]')
  expect(ingress({ rules: rules() }, { hostname: 'lb.test' })?.url).toBe('http://lb.test')
})
