// What the variables of a component get.
import { expect, test } from 'vitest'
import { wire } from '../../../src/scaffold/links.js'
import { valueOf } from '../../../src/scaffold/service-signs.js'

const component = (name: string, more: object = {}) => ({
  name,
  kind: 'node',
  services: [],
  port: { number: 80, proof: '' },
  local: 8080,
  ...more,
})
const shop = component('shop')
const others = [shop, component('catalog'), component('mail-service', { local: 8081 }), component('pages', { kind: 'static' })]

const got = (name: string, example?: string): unknown => {
  const { env, unknown } = wire(shop, others, [{ name, proof: 'a.js', ...(example === undefined ? {} : { example }) }])
  return env[name] ?? (unknown.length > 0 ? 'unknown' : undefined)
}

test.each([
  ['CATALOG_URL', { kind: 'component', component: 'catalog', value: 'url' }],
  ['CATALOG_SERVICE_HOST', { kind: 'component', component: 'catalog', value: 'host' }],
  ['CATALOG_ADDR', { kind: 'component', component: 'catalog', value: 'address' }],
  ['MAIL_PORT', { kind: 'component', component: 'mail-service', value: 'port' }],
  // the browser is outside of the cluster
  ['VITE_MAIL_URL', { kind: 'text', text: 'http://localhost:8081' }],
  ['JWT_SECRET', { kind: 'generated', name: 'shop-jwt-secret' }],
  ['SECRET_KEY_BASE', { kind: 'generated', name: 'shop-secret-key-base' }],
  // others' secrets cannot be made
  ['STRIPE_SECRET_KEY', 'unknown'],
  ['PAYMENTS_URL', 'unknown'],
  // one's own address, and what others set
  ['SHOP_URL', 'unknown'],
  ['PORT', undefined],
  ['NODE_ENV', undefined],
])('%s gets %j', (name, expected) => {
  expect(got(name)).toEqual(expected)
})

test('examples are taken, unless they are secrets or lead to this machine', () => {
  expect(got('LOG_LEVEL', 'debug')).toEqual({ kind: 'text', text: 'debug' })
  expect(got('API_TOKEN', 'changeme')).toBe('unknown')
  expect(got('PAYMENTS_URL', 'http://localhost:9999')).toBe('unknown')
})

test.each([
  ['postgres', 'DATABASE_URL', 'url'],
  ['postgres', 'PGHOST', 'host'],
  ['postgres', 'DB_PASSWORD', 'password'],
  ['postgres', 'POSTGRES_DB', 'database'],
  ['postgres', 'SPRING_DATASOURCE_URL', 'jdbc'],
  ['mysql', 'MYSQL_USER', 'user'],
  ['mongodb', 'MONGODB_URI', 'url'],
  ['redis', 'REDIS_ADDR', 'address'],
  ['redis', 'REDIS_USER', undefined],
  ['kafka', 'KAFKA_BOOTSTRAP_SERVERS', 'brokers'],
  ['rabbitmq', 'AMQP_URL', 'url'],
  ['minio', 'AWS_SECRET_ACCESS_KEY', 'password'],
  ['minio', 'S3_BUCKET', 'bucket'],
  ['postgres', 'REDIS_URL', undefined],
  ['postgres', 'DATABASE_POOL_SIZE', undefined],
] as const)('for %s, %s wants the %s', (kind, variable, value) => {
  expect(valueOf(kind, variable)).toBe(value)
})
