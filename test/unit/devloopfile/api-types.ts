// Typing mistakes that must not compile. Checked by tsc: a line that compiles after all makes its @ts-expect-error an error.
import {
  app,
  compose,
  defineDevloop,
  generated,
  ignore,
  image,
  local,
  manifests,
  rebuildOn,
  notify,
  postgres,
  rabbitmq,
  restart,
  run,
  sync,
  text,
  type App,
  type Database,
  type Text,
} from 'devloop'

const server = image('shop/api', {
  context: '.',
  dockerfile: { inline: 'FROM scratch' },
  live: [sync('a', '/a'), ignore('*.md', ['b']), rebuildOn('x')],
})
const db = app('db', { image: 'postgres:16', port: 5432 })
const api = app('api', { image: server, ports: { http: 80, metrics: 81 }, forward: { metrics: 9000 }, needs: [db, 'other'] })
const legacy = manifests('legacy', ['*.yaml', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }], {
  images: [server],
  workloads: { web: { forward: { 80: 8080 } } },
})

export const named: App<'http' | 'metrics'> = api
export const address: Text = api.at('metrics').address
export const anyApp: App[] = [api, db]

export default defineDevloop(async ({ user, args, runtime }) => ({
  name: `shop-${user}`,
  cluster: { contexts: args, namespace: user },
  resources: [
    db,
    api,
    legacy,
    runtime === 'kubernetes' && legacy,
    local('x', { run: ['a'], env: { A: 1, B: true, C: db.address } }),
  ],
}))

const shop = compose(['compose.yaml', 'more.yaml'], {
  services: ['web'],
  live: { web: [restart({ on: 'src/**' })] },
  process: { web: { command: 'x' }, db: true },
  apps: { web: { replicas: 2 } },
})
export const services: readonly App[] = [...shop, shop.service('web')]
app('x', {
  image: 'a',
  volumes: { '/a': 'data', '/b': { files: 'conf' }, '/c': { text: generated('x') }, '/d': { empty: 'memory' } },
})
app('x', { image: 'a', probe: { exec: ['true'], period: 5 }, job: { retries: 1 }, user: '1:1', pod: { limits: { cpu: '1' } } })

export const shopDb: Database = postgres('db', { version: 16, size: '5Gi', needs: [api], password: generated('x') })
app('x', { image: 'a', needs: [shopDb], env: { URL: shopDb.url, NAME: shopDb.database, AT: shopDb.at('main').host } })
rabbitmq('queue', { forward: { management: 15672 } }).at('amqp')

// @ts-expect-error unknown option
postgres('db', { databse: 'x' })
// @ts-expect-error no such port
rabbitmq('queue', { forward: { http: 1 } })
// @ts-expect-error unknown option
compose('compose.yaml', { profile: ['x'] })
// @ts-expect-error neither a volume's name nor what is mounted
app('x', { image: 'a', volumes: { '/a': { file: 'x' } } })
// @ts-expect-error it says not what to ask
app('x', { image: 'a', probe: { period: 5 } })
// @ts-expect-error unknown option
app('x', { image: 'a', imagee: 'b' })
// @ts-expect-error no image
app('x', { port: 1 })
// @ts-expect-error a number for a port
app('x', { image: 'a', port: '80' })
// @ts-expect-error no such port
app('x', { image: 'a', ports: { http: 80 }, forward: { htttp: 8080 } })
// @ts-expect-error no such port
api.at('http2')
// @ts-expect-error the one port is called main
db.at('http')
// @ts-expect-error an image is no resource
app('x', { image: 'a', needs: [server] })
// @ts-expect-error an app is no text
app('x', { image: 'a', env: { DB: db } })
// @ts-expect-error undefined is no value
app('x', { image: 'a', env: { DB: process.env.DB } })
// @ts-expect-error a text is no string
app('x', { image: generated('x') })
// @ts-expect-error a rule is missing its target
sync('src')
// @ts-expect-error unknown option
run('x', { onn: 'a' })
// @ts-expect-error seconds, not words
run('x', { timeout: '60s' })
// @ts-expect-error unknown option
restart({ paths: [] })
// @ts-expect-error a signal that ends a process
restart({ signal: 'SIGKILL' })
// @ts-expect-error neither a request nor a signal
notify({ on: 'a' })
// @ts-expect-error a resource is no rule
image('x', { live: [db] })
// @ts-expect-error unknown option
image('x', { contxt: '.' })
// @ts-expect-error images are values
manifests('x', '*.yaml', { images: ['shop/api'] })
// @ts-expect-error unknown option
local('x', { cmd: 'a' })
// @ts-expect-error an app is no text
export const wrongText = text`http://${db}`
// @ts-expect-error no name
defineDevloop(() => ({ resources: [] }))
// @ts-expect-error a string is no resource
defineDevloop(() => ({ name: 'x', resources: ['db'] }))
// @ts-expect-error an image is no resource
defineDevloop({ name: 'x', resources: [server] })
// @ts-expect-error unknown option
defineDevloop({ name: 'x', resources: [], resource: [] })
// @ts-expect-error a made-up value is none
export const fake: Text = { text: 'x' }
