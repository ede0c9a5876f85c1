// Services by their kind: what they become in the plan, what others get of them, and what can be wrong.
import { expect, test } from 'vitest'
import type { AppSpec, TextValue } from '../../../../src/model/plan.js'
import { project } from '../project.js'

const devloopfile = (body: string, resources: string): string =>
  `import { app, defineDevloop, generated, kafka, local, minio, mongodb, mysql, postgres, rabbitmq, redis, text } from 'devloop'
export default defineDevloop(() => {
${body}
  return { name: 'shop', resources: [${resources}] }
})
`
const made = (body: string, resources: string) => project({ 'Devloopfile.ts': devloopfile(body, resources) })

/** A text as one reads it. */
const shown = (value: TextValue | undefined): string =>
  (value ?? [])
    .map((part) =>
      part.kind === 'literal'
        ? part.text
        : part.kind === 'generated'
          ? `<${part.name}>`
          : part.kind === 'address'
            ? `<${part.part} of ${part.resource}>`
            : `<${part.kind}>`,
    )
    .join('')
const env = (app: AppSpec | undefined) =>
  Object.fromEntries(Object.entries(app?.env ?? {}).map(([key, text]) => [key, shown(text)]))

test('what they become, and what others get of them', async () => {
  const { resources } = await made(
    `  const db = postgres('db', { size: '5Gi', forward: 5432, labels: 'data' })
  const other = postgres('other', { version: '16-alpine', database: 'shop', user: 'me', password: 'a b', limits: { memory: '1Gi' }, env: { TZ: 'UTC' } })
  const cache = redis('cache', { image: 'mirror.example.com/redis:7', runAs: 5 })
  const api = app('api', { image: 'x', env: {
    URL: db.url, HOST: db.host, PORT_: db.port, USER: db.user, PASSWORD: db.password, NAME: db.database, AT: db.at('main').address,
    OTHER: other.url, CACHE: cache.url, TOKEN: text\`t=\${cache.password}\`,
  } })`,
    'api',
  ).plan()
  const { db, other, cache, api } = resources as unknown as Record<string, AppSpec>
  expect(db).toMatchObject({
    kind: 'app',
    service: 'postgres',
    image: { ref: 'docker.io/library/postgres:16' },
    ports: { main: 5432 },
    forward: [{ local: 5432, port: 'main' }],
    labels: ['data'],
    user: { uid: 999 },
    volumes: [{ kind: 'named', path: '/data', name: 'db-data', size: '5Gi', owner: true }],
    pod: { fsGroup: 999, limits: { memory: '512Mi' }, stopTimeout: 30 },
    probe: { check: { kind: 'exec', command: ['/bin/sh', '-c', expect.stringContaining('pg_isready')] } },
    at: { line: 3, column: 14 },
  })
  expect(env(db)).toEqual({
    POSTGRES_USER: 'app',
    POSTGRES_PASSWORD: '<db-password>',
    POSTGRES_DB: 'app',
    PGDATA: '/data/pgdata',
  })
  expect(other).toMatchObject({
    image: { ref: 'docker.io/library/postgres:16-alpine' },
    user: { uid: 70 },
    pod: { fsGroup: 70, limits: { memory: '1Gi' } },
  })
  expect(env(other)).toMatchObject({ POSTGRES_USER: 'me', POSTGRES_PASSWORD: 'a b', POSTGRES_DB: 'shop', TZ: 'UTC' })
  expect(cache).toMatchObject({ service: 'redis', image: { ref: 'mirror.example.com/redis:7' }, user: { uid: 5 } })
  expect(env(api)).toEqual({
    URL: 'postgres://app:<db-password>@<address of db>/app',
    HOST: '<host of db>',
    PORT_: '<port of db>',
    USER: 'app',
    PASSWORD: '<db-password>',
    NAME: 'app',
    AT: '<address of db>',
    OTHER: 'postgres://me:a%20b@<address of other>/shop',
    CACHE: 'redis://:<cache-password>@<address of cache>',
    TOKEN: 't=<cache-password>',
  })
})

test('the other kinds', async () => {
  const { resources } = await made(
    `  const sql = mysql('sql'), root = mysql('root', { user: 'root', database: 'shop' }), mongo = mongodb('mongo')
  const queue = rabbitmq('queue', { forward: { management: 15672 } }), host = rabbitmq('host', { vhost: 'shop', version: '4-management-alpine' })
  const events = kafka('events', { forward: 19092 }), inside = kafka('inside'), files = minio('files', { bucket: 'uploads' })
  const api = app('api', { image: 'x', env: {
    SQL: sql.url, ROOT: root.url, MONGO: mongo.url, QUEUE: queue.url, HOST: host.url, UI: queue.at('management').address,
    EVENTS: events.brokers, INSIDE: inside.address, FILES: files.url, KEY: files.user, SECRET: files.password, BUCKET: files.bucket,
  } })`,
    'api',
  ).plan()
  const all = resources as unknown as Record<string, AppSpec>
  expect(env(all.api)).toEqual({
    SQL: 'mysql://app:<sql-password>@<address of sql>/app',
    ROOT: 'mysql://root:<root-password>@<address of root>/shop',
    MONGO: 'mongodb://app:<mongo-password>@<address of mongo>/app?authSource=admin',
    QUEUE: 'amqp://app:<queue-password>@<address of queue>',
    HOST: 'amqp://app:<host-password>@<address of host>/shop',
    UI: '<address of queue>',
    EVENTS: '<address of events>',
    INSIDE: '<address of inside>',
    FILES: 'http://<address of files>',
    KEY: 'app',
    SECRET: '<files-password>',
    BUCKET: 'uploads',
  })
  expect(new Set(all.api?.needs)).toEqual(new Set(['sql', 'root', 'mongo', 'queue', 'host', 'events', 'inside', 'files']))
  // the image refuses to make a user that is called root
  expect(env(all.sql)).toEqual({
    MYSQL_ROOT_PASSWORD: '<sql-password>',
    MYSQL_DATABASE: 'app',
    MYSQL_USER: 'app',
    MYSQL_PASSWORD: '<sql-password>',
  })
  expect(env(all.root)).toEqual({ MYSQL_ROOT_PASSWORD: '<root-password>', MYSQL_DATABASE: 'shop' })
  expect(all.queue).toMatchObject({
    ports: { amqp: 5672, management: 15672 },
    forward: [{ local: 15672, port: 'management' }],
    user: { uid: 999 },
  })
  expect(all.host).toMatchObject({ user: { uid: 100 } })
  // who connects goes on where the listener says that it is
  expect(all.events).toMatchObject({ ports: { main: 9092, local: 9094 }, forward: [{ local: 19092, port: 'local' }] })
  expect(env(all.events).KAFKA_ADVERTISED_LISTENERS).toBe('CLIENTS://events:9092,LOCAL://localhost:19092,POD://localhost:9095')
  expect(all.inside).toMatchObject({ ports: { main: 9092 }, forward: [] })
  expect(all.files).toMatchObject({
    ports: { api: 9000, console: 9001 },
    probe: { check: { kind: 'http', port: 'api', path: '/minio/health/ready' } },
    command: ['/bin/sh', '-c', 'mkdir -p /data/uploads && exec minio server /data --console-address :9001'],
  })
  for (const app of Object.values(all).filter(({ service }) => service)) {
    const { image, volumes, pod, user } = app
    expect(image).toMatchObject({ ref: expect.stringMatching(/^docker\.io\/[\w/-]+:[\w.-]+$/) as unknown })
    expect(volumes).toMatchObject([{ kind: 'named', name: `${app.name}-data` }])
    expect(pod).toMatchObject({ fsGroup: user?.uid, limits: { memory: expect.any(String) as unknown } })
  }
})

test('who refers to one needs it, and nobody else does', async () => {
  const { resources } = await made(
    `  const db = postgres('db'), cache = redis('cache', { needs: [db] }), shared = generated('shared')
  const one = redis('one', { password: shared }), two = redis('two', { password: shared }), own = app('own', { image: 'x', port: 1 })
  const files = app('files', { image: 'x', needs: [db], volumes: { '/etc/url': { text: db.url } } })
  const password = app('password', { image: 'x', env: { P: cache.password, S: shared } })
  const link = app('link', { image: 'x', env: { OWN: own.address } })
  const tool = local('tool', { run: 'true', env: { HOST: redis('forwarded', { forward: 6379 }).address } })`,
    'files, password, link, tool, one, two',
  ).plan()
  const needs = Object.fromEntries(Object.values(resources).map((spec) => [spec.name, spec.needs]))
  // a value that two services share says not whose it is, and an app of the project's own may refer to another in a circle
  expect(needs).toEqual({
    files: ['db'],
    password: ['cache'],
    link: [],
    tool: ['forwarded'],
    one: [],
    two: [],
    db: [],
    cache: ['db'],
    own: [],
    forwarded: [],
  })
})

test('a circle is told by its names, also one that nobody wrote as `needs`', async () => {
  expect(
    await made(
      `  const db = postgres('db', { needs: ['api'] }), api = app('api', { image: 'x', env: { URL: db.url } })`,
      'db, api',
    ).errors(),
  ).toMatchInlineSnapshot(`
      "devloopfile/cycle at Devloopfile.ts:3:14
      Resources need each other in a circle: db -> api -> db.
      -> Remove one of the \`needs\` or \`rebuildAfter\` that the error lists."
    `)
})

const wrong = async (call: string): Promise<string> => made(`  const db = ${call}`, 'db').errors()

test.each([
  ["postgres('db', { databse: 'x' } as any)", "postgres 'db': there is no option `databse`.", "Did you mean 'database'?"],
  ["postgres('db', { image: 'a', version: 1 })", '`image` and `version` say both', 'leave `version` out'],
  ["postgres('db', { image: 5 } as any)", '`image` must be a reference', 'docker.io/library/postgres:16'],
  ["postgres('db', { version: 'a:b' })", '`version` must be the tag', "Such as '16'"],
  ["postgres('db', { database: 'a b' })", '`database` must be a name', 'letters, digits'],
  ["postgres('db', { user: '' })", '`user` must be a name', 'letters, digits'],
  ["redis('db', { password: '' })", "redis 'db': `password` must be", 'generated'],
  ["redis('db', { password: 5 } as any)", '`password` must be', 'generated'],
  ["redis('db', { runAs: 0 })", '`runAs` must be the number', 'Leave it out'],
  ["redis('db', { user: 'x' } as any)", 'there is no option `user`', 'Options: image'],
  ["redis('db', { env: [] } as any)", '`env` must be an object', 'See `app`'],
  ["redis('db', 5 as any)", 'its options must be an object', 'Options: image'],
  ["redis('db', { size: 'big' })", 'must be a Kubernetes quantity', ''],
  ["redis('db', { needs: 5 } as any)", '`needs` must be an array', ''],
  ["kafka('db', { password: 'x' } as any)", 'there is no option `password`', 'Options: image'],
  ["kafka('db', { forward: { main: 9092 } } as any)", '`forward` must be the number of a port', 'Kafka tells'],
  ["rabbitmq('db', { vhost: '/' })", '`vhost` must be a name', 'letters, digits'],
  ["minio('db', { bucket: 'My_Bucket' })", '`bucket` must be a name', 'lower-case'],
  ["redis('My DB')", '`name` must be lower-case letters', 'my-db'],
])('what can be wrong: %s', async (call, message, help) => {
  const text = await wrong(call)
  expect(text).toMatch(/^devloopfile\/invalid at Devloopfile\.ts:3:14\n/)
  expect(text).toContain(message)
  expect(text).toContain(help)
})

test('put into a plain string, a service says what to write instead', async () => {
  // eslint-disable-next-line no-template-curly-in-string
  const text = await made("  const db = redis('db')", "app('a', { image: 'x', env: { A: `${db}` } })").errors()
  expect(text).toContain("Redis 'db' was put into a plain string")
})
