// Databases by their kind on a real cluster: from an empty namespace that enforces "restricted" to an app that reads from them; what
// becomes of the links when one is gone; and what stays when the app is rebuilt and devloop is restarted.
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from '../../src/model/plan.js'
import { waitFor } from '../support/cluster.js'
import { loop, type Loop, type Names } from '../support/loop.js'
import { serviceImage } from '../support/service-images.js'

const images = { postgres: await serviceImage('postgres'), redis: await serviceImage('redis') }

/** Ends at once when a service does not answer: then its container was started again, which a test sees. */
const script = `set -e
psql "$DATABASE_URL" -qc 'create table if not exists visits (word text)' -c "insert into visits values ('$(cat word.txt)')"
exec 3<>"/dev/tcp/$CACHE_HOST/$CACHE_PORT"
printf 'AUTH %s\\r\\nINCR visits\\r\\n' "$CACHE_PASSWORD" >&3
read -r -t 10 answer <&3 && case $answer in +OK*) ;; *) exit 3;; esac
echo started
trap 'exit 0' TERM
while :; do sleep 1 & wait; done
`

const devloopfile = ({ name, namespace, base }: Names): string => `
import { app, defineDevloop, image, postgres, redis, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${images.postgres}' }, live: [sync('live', '/app/live')] })
const db = postgres('db', { image: '${images.postgres}', database: 'shop' })
const cache = redis('cache', { image: '${images.redis}' })
const env = { DATABASE_URL: db.url, CACHE_HOST: cache.host, CACHE_PORT: cache.port, CACHE_PASSWORD: cache.password }
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    app('web', { image: web, env }),
    // nothing is synced into it: its links are tried by what its image has
    app('tool', { image: '${base}', user: 1000, command: ['node', '-e', 'setInterval(() => {}, 1000)'], env: { DB: db.address } }),
    app('plain', { image: '${images.postgres}', user: 999, command: ['sleep', '1000000'], env: { DB: db.address } }),
  ],
}))
`

const files = {
  'app/Dockerfile': 'ARG BASE\nFROM ${BASE}\nWORKDIR /app\nCOPY . .\nUSER 999\nENTRYPOINT []\nCMD ["bash", "main.sh"]\n',
  'app/main.sh': script,
  'app/word.txt': 'one',
  'app/live/x': 'x',
}

const words = async (one: Loop): Promise<string> => {
  const [pod] = await one.pods('web')
  return (await one.exec(pod?.name ?? '', ['sh', '-c', `psql "$DATABASE_URL" -qtAc 'select word from visits order by 1'`])).stdout
}
const uidOf = async (one: Loop, resource: string): Promise<string | undefined> => (await one.pods(resource))[0]?.uid

async function scale(one: Loop, name: string, replicas: number): Promise<void> {
  await one.connection.request('PATCH', `/apis/apps/v1/namespaces/${one.namespace}/deployments/${name}`, {
    body: { spec: { replicas } },
    contentType: 'application/merge-patch+json',
  })
}

test('from an empty namespace to an app that reads from its databases, and back from losing one', async () => {
  const one = await loop({ files, devloopfile })
  await one.connection.request('PATCH', `/api/v1/namespaces/${one.namespace}`, {
    body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    contentType: 'application/merge-patch+json',
  })
  const first = await one.watch()
  await first.ready(240_000)

  // the app read and wrote at its first start: its databases were ready before it, and no Secret was missing
  expect(await words(one)).toBe('one\n')
  expect((await one.pods('web')).map(({ containers }) => containers[0]?.restarts)).toEqual([0])
  const { items } = (await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/events`)) as {
    items: { message?: string }[]
  }
  expect(
    items.map(({ message }) => message ?? '').filter((text) => /secret .* not found|violates PodSecurity/i.test(text)),
  ).toEqual([])

  // links are tried from inside: by the agent, by the image's tools, or not at all
  const links = (name: string) => first.resource(name)?.links ?? []
  const green = (name: string): Promise<unknown> =>
    first.until(name, (view) => (view.links ?? []).every(({ state }) => state === 'ok'), 60_000)
  await green('web')
  await green('plain')
  expect(links('web').map(({ to, address }) => `${to} ${address}`)).toEqual(['db db:5432', 'cache cache:6379'])
  await first.until('tool', (view) => view.links?.[0]?.why !== 'it was not tried yet', 60_000)

  // a rebuild of the app leaves the databases and their data alone
  const before = [await uidOf(one, 'db'), await uidOf(one, 'cache')]
  const pod = await uidOf(one, 'web')
  await one.save('app/word.txt', 'two')
  await waitFor(async () => ![pod, undefined].includes(await uidOf(one, 'web')), {
    what: 'the app to be replaced',
    timeoutMs: 120_000,
  })
  await first.ready(120_000)
  await waitFor(async () => (await words(one)) === 'one\ntwo\n', { what: 'the app to find what it wrote', timeoutMs: 60_000 })
  expect([await uidOf(one, 'db'), await uidOf(one, 'cache')]).toEqual(before)

  // and so does a restart of devloop, with the same password
  first.child.kill('SIGINT')
  await first.ended
  const second = await one.begin()
  expect(await words(one)).toBe('one\ntwo\n')
  expect([await uidOf(one, 'db'), await uidOf(one, 'cache')]).toEqual(before)

  // the database is gone: red with the reason, in the view and for people; the other link stays green
  const app = await uidOf(one, 'web')
  await second.until('web', (view) => (view.links ?? []).every(({ state }) => state === 'ok'), 60_000)
  await scale(one, 'db', 0)
  const red = await second.until('web', (view) => view.links?.[0]?.state === 'failed', 60_000)
  expect(red.links).toEqual([
    { to: 'db', address: 'db:5432', state: 'failed', why: expect.stringMatching(/^no connection: .*(refused|timeout)/) },
    { to: 'cache', address: 'cache:6379', state: 'ok' },
  ])
  await second.until('plain', (view) => view.links?.[0]?.state === 'failed', 60_000)
  expect((await one.devloop('status')).stdout).toMatch(/web -> db \(db:5432\) +failed +no connection: /)
  expect((await one.devloop('why', 'web')).stdout).toMatch(/^ {2}link to db \(db:5432\): failed, no connection: /m)
  await scale(one, 'db', 1)
  await second.until('web', (view) => (view.links ?? []).every(({ state }) => state === 'ok'), 120_000)
  await second.until('plain', (view) => view.links?.[0]?.state === 'ok', 60_000)
  expect(second.output()).toContain('the link to db (db:5432) works again')
  expect(await uidOf(one, 'web')).toBe(app)
}, 600_000)

test('a resource is switched between source and release, and nobody else is touched', async () => {
  const word = (text: string): string =>
    `require('node:http').createServer((_, answer) => answer.end('${text}')).listen(8080); process.on('SIGTERM', () => process.exit(0))`
  const one = await loop({
    files: {
      'app/Dockerfile': 'ARG BASE\nFROM ${BASE}\nWORKDIR /app\nCOPY . .\nUSER 1000\nCMD ["node", "main.cjs"]\n',
      'app/main.cjs': word('from source'),
    },
    devloopfile: ({ name, namespace, base, port }) => `
import { app, defineDevloop, either, image, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('live', '/app/live')] })
const api = either('api', {
  local: () => app('api', { image: web, port: 8080, forward: ${port} }),
  remote: () => app('api', { image: '${base}', command: ['node', '-e', ${JSON.stringify(word('as released'))}], user: 1000, port: 8080, forward: ${port} }),
})
const idle = ['node', '-e', "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)"]
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [api, app('web', { image: '${base}', command: idle, user: 1000, env: { API: api.address } })],
}))
`,
  })
  const first = await one.begin()
  await one.answers('as released')
  const web = await uidOf(one, 'web')
  expect(first.session()?.choices).toEqual({ api: 'remote' })

  // while it runs
  const switched = await one.devloop('args', '--local', 'api')
  expect([switched.code, switched.stdout]).toEqual([0, 'no arguments\napi: local\n'])
  await one.answers('from source', '/', 120_000)
  await first.ready(60_000)
  expect(await uidOf(one, 'web')).toBe(web)
  const wrong = await one.devloop('args', '--local', 'apo')
  expect(wrong.code).toBe(1)
  expect(wrong.stderr).toContain("Did you mean 'api'?")
  first.child.kill('SIGINT')
  await first.ended

  // and by the command line that starts it
  const second = await one.begin(['--local', 'api'])
  await one.answers('from source')
  second.child.kill('SIGINT')
  await second.ended
  const third = await one.begin()
  await one.answers('as released', '/', 60_000)
  expect(await uidOf(one, 'web')).toBe(web)
  third.child.kill('SIGINT')
  await third.ended
  const refused = await one.devloop('watch', '--remote', 'apo')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain("Did you mean 'api'?")
}, 600_000)

test('all kinds are admitted by the API server, strictly checked, where only "restricted" pods are', async () => {
  const one = await loop({
    files: {},
    devloopfile: ({ name, namespace }) => `
import { defineDevloop, kafka, minio, mongodb, mysql, postgres, rabbitmq, redis } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    postgres('a'), mysql('b'), mongodb('c'), redis('d', { size: '2Gi', storageClass: 'fast' }), rabbitmq('e'), kafka('f', { forward: 19092 }),
    minio('g', { bucket: 'uploads' }),
  ],
}))
`,
  })
  await one.connection.request('PATCH', `/api/v1/namespaces/${one.namespace}`, {
    body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    contentType: 'application/merge-patch+json',
  })
  const rendered = await one.devloop('render')
  if (rendered.code !== 0) throw new Error(rendered.stderr)
  const objects = parseAllDocuments(rendered.stdout).map((document) => document.toJS() as KubeObject)
  const collections: Readonly<Record<string, string>> = {
    Deployment: 'apis/apps/v1/namespaces/NS/deployments',
    PersistentVolumeClaim: 'api/v1/namespaces/NS/persistentvolumeclaims',
    Secret: 'api/v1/namespaces/NS/secrets',
    Service: 'api/v1/namespaces/NS/services',
    ServiceAccount: 'api/v1/namespaces/NS/serviceaccounts',
  }
  const dryRun = (path: string, body: object): Promise<unknown> =>
    one.connection.request('POST', `/${path.replace('NS', one.namespace)}`, {
      body,
      query: { dryRun: 'All', fieldValidation: 'Strict' },
    })
  for (const object of objects) await dryRun(collections[object.kind] ?? `no collection of ${object.kind}`, object)
  const deployments = objects.filter(({ kind }) => kind === 'Deployment')
  expect(deployments.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  // Pod Security judges pods: Deployments are only warned of. Without the ServiceAccount, which is not there.
  for (const { metadata, spec } of deployments) {
    const { template } = spec as { template: { spec: Record<string, unknown> } }
    const { serviceAccountName: _own, ...pod } = template.spec
    await dryRun('api/v1/namespaces/NS/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: metadata.name }, spec: pod })
  }
}, 120_000)
