// What becomes of right Compose files.
import { expect, test } from 'vitest'
import { isInput } from '../../../../src/devloopfile/inputs.js'
import type { AppSpec, ImageSpec, LiveRule, Plan } from '../../../../src/model/plan.js'
import { composeProject } from './compose-project.js'

const app = (plan: Plan, name: string): AppSpec => plan.resources[name] as AppSpec
const env = (plan: Plan, name: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(app(plan, name).env).map(([key, text]) => [
      key,
      text
        .map((part) =>
          part.kind === 'literal'
            ? part.text
            : part.kind === 'address'
              ? `<${part.resource} ${part.port ?? ''} ${part.part}>`
              : '***',
        )
        .join(''),
    ]),
  )
const rules = (image: ImageSpec | undefined): unknown[] => (image?.live ?? []).map(({ at: _at, ...rule }: LiveRule) => rule)
const warnings = (plan: Plan, name: string): string[] =>
  (app(plan, name).warnings ?? []).map(({ message, where }) => `${where?.line}:${where?.column} ${message}`)

test('services as apps: image, command, ports, needs, probe, volumes, limits', async () => {
  const one = composeProject({
    'compose.yaml': `name: my-shop
x-common: &common
  restart: always
  environment: &env { LOG: debug, LEVEL: 1.10 }
services:
  web:
    <<: *common
    image: web:1
    entrypoint: /bin/start --fast
    command: ["run", "", "it all"]
    ports: ["8080:3000", "9229:9229", "127.0.0.1:4000-4001:4000-4001", "5000"]
    expose: [7000]
    environment: { <<: *env, MORE: "yes" }
    depends_on:
      db: { condition: service_healthy, restart: true }
      migrate: { condition: service_completed_successfully }
      optional: { condition: service_started, required: false }
    working_dir: /srv
    user: "1000:5"
    hostname: front
    extra_hosts: ["gateway:10.0.0.1"]
    cap_add: [NET_ADMIN]
    read_only: true
    tty: true
    stdin_open: true
    stop_grace_period: 1m30s
    networks: { default: { aliases: [frontend] } }
    deploy: { replicas: 2, resources: { limits: { cpus: '0.5', memory: 64M } } }
    tmpfs: /tmp
    shm_size: 1g
  migrate:
    image: web:1
    command: migrate
    restart: on-failure:3
  optional: { image: x, profiles: [extra] }
  db:
    image: postgres:16
    expose: ["5432"]
    container_name: database
    volumes:
      - data:/var/lib/postgresql/data
      - type: volume
        source: data
        target: /backup
        read_only: true
      - /var/cache
    healthcheck:
      test: pg_isready -U $$USER
      interval: 1m
      timeout: 5s
      retries: 7
volumes:
  data:
`,
  })
  const plan = await one.plan()
  expect(Object.keys(plan.resources)).toEqual(['web', 'migrate', 'db'])
  expect(app(plan, 'web')).toMatchObject({
    image: { ref: 'web:1' },
    command: ['/bin/start', '--fast'],
    args: ['run', '', 'it all'],
    ports: { p3000: 3000, p4000: 4000, p4001: 4001, p5000: 5000, p7000: 7000, p9229: 9229 },
    forward: [
      { local: 8080, port: 'p3000' },
      { local: 9229, port: 'p9229' },
      { local: 4000, port: 'p4000' },
      { local: 4001, port: 'p4001' },
    ].map((one) => expect.objectContaining(one) as unknown),
    needs: ['db', 'migrate'],
    rebuildAfter: ['db'],
    replicas: 2,
    portVariables: false,
    aliases: ['front', 'frontend'],
    workdir: '/srv',
    user: { uid: 1000, gid: 5 },
    volumes: [
      { path: '/tmp', kind: 'empty', memory: true },
      { path: '/dev/shm', kind: 'empty', memory: true, size: '1Gi' },
    ],
    pod: {
      limits: { cpu: '500m', memory: '64Mi' },
      stopTimeout: 90,
      hosts: { gateway: '10.0.0.1' },
      hostname: 'front',
      capabilities: { add: ['NET_ADMIN'] },
      readOnly: true,
      stdin: true,
      tty: true,
    },
    at: { file: `${one.root}/compose.yaml`, line: 6, column: 3 },
  })
  expect(app(plan, 'web').probe).toBeUndefined()
  expect(app(plan, 'web').headless).toBeUndefined()
  expect(env(plan, 'web')).toEqual({ LOG: 'debug', LEVEL: '1.10', MORE: 'yes' })
  expect(app(plan, 'migrate')).toMatchObject({ args: ['migrate'], job: { retries: 3 } })
  expect(app(plan, 'migrate').headless).toBeUndefined()
  expect(app(plan, 'db')).toMatchObject({
    ports: { p5432: 5432 },
    forward: [],
    aliases: ['database'],
    probe: {
      check: { kind: 'exec', command: ['/bin/sh', '-c', 'pg_isready -U $USER'] },
      period: 60,
      startPeriod: 2,
      timeout: 5,
      failures: 7,
    },
    // a volume without a name hides what the image has there, so it is a folder of the container
    volumes: [
      { path: '/var/lib/postgresql/data', kind: 'named', name: 'my-shop-data', size: '1Gi', owner: true },
      { path: '/backup', kind: 'named', name: 'my-shop-data', readOnly: true },
    ],
  })
  for (const name of ['web', 'migrate', 'db']) expect(warnings(plan, name)).toEqual([])
})

test('a service that names no port is reached on all; one that publishes none is ready when it runs', async () => {
  const plan = await composeProject({
    'compose.yaml': `services:
  all: { image: a }
  some: { image: a, expose: [80] }
  udp: { image: a, ports: ["53:53/udp"] }
  debugged: { image: a, ports: ["9229:9229"] }
  off: { image: a, ports: ["80:80"], healthcheck: { disable: true } }
`,
  }).plan()
  const seen = Object.fromEntries(
    Object.keys(plan.resources).map((name) => [name, [app(plan, name).headless, app(plan, name).probe]]),
  )
  expect(seen).toEqual({
    all: [true, false],
    some: [undefined, false],
    udp: [true, false],
    debugged: [undefined, false],
    off: [undefined, false],
  })
  expect(warnings(plan, 'udp')).toEqual(["4:28 service 'udp': the port 53/udp is not forwarded to this machine."])
})

test('a variable that names a service and its port is the address of that', async () => {
  const plan = await composeProject({
    'compose.yaml': `services:
  web:
    image: a
    environment:
      URL: redis://:pw@cache:6379/0?x=cache:6379
      CACHE_HOST: cache
      CACHE_PORT: 6379
      OTHER_PORT: 6379
      MODE: cache
      UNKNOWN: cache:6380 mycache:6379
      SELF_URL: http://web:80
  cache: { image: redis, expose: [6379] }
`,
  }).plan()
  expect(env(plan, 'web')).toEqual({
    URL: '***<cache p6379 address>***<cache p6379 address>',
    CACHE_HOST: '<cache  host>',
    CACHE_PORT: '<cache p6379 port>',
    OTHER_PORT: '6379',
    MODE: 'cache',
    UNKNOWN: 'cache:6380 mycache:6379',
    SELF_URL: 'http://web:80',
  })
})

test('variables: .env, the environment, env files, what each wins over', async () => {
  const one = composeProject({
    '.env': 'FROM_ENV=file\nTAG=1\n',
    'a.env': 'A=1\nB=$FROM_ENV\nC=1\n',
    'b.env': 'C=2\nD=2\n',
    'compose.yaml': `services:
  web:
    image: web:\${TAG}
    env_file: [a.env, { path: b.env }, { path: none.env, required: false }]
    environment:
      - D=3
      - FROM_ENV
      - NOT_SET
      - PLAIN=$$HOME
      - UNSET=\${NOT_SET}
`,
  })
  const plan = await one.plan()
  expect(app(plan, 'web').image).toEqual({ ref: 'web:1' })
  expect(env(plan, 'web')).toEqual({ A: '1', B: 'file', C: '2', D: '3', FROM_ENV: 'file', PLAIN: '$HOME', UNSET: '' })
  expect(warnings(plan, 'web')).toEqual(['10:9 The variable NOT_SET is not set, so it stands for nothing.'])
  // each is watched, also what is not there yet
  const { inputs } = await one.load()
  for (const file of ['compose.yaml', '.env', 'a.env', 'none.env']) expect(isInput(inputs, `${one.root}/${file}`)).toBe(true)
})

test('builds: options, one image for services that are built alike, an image that another service builds', async () => {
  const one = composeProject({
    'web/Dockerfile': 'FROM node\n',
    'web/Dockerfile.dev': 'FROM node AS dev\n',
    'token.txt': '',
    '.env': 'VERSION=7\n',
    'compose.yaml': `name: shop
services:
  web:
    build:
      context: ./web
      dockerfile: Dockerfile.dev
      target: dev
      args: [VERSION, MODE=dev, NONE]
      labels: { a: b }
      extra_hosts: ["host:10.0.0.1"]
      ssh: [default]
      secrets: [token]
      platforms: [linux/amd64]
      pull: true
    image: registry.example.com/team/web:latest
  again:
    build: { context: web, dockerfile: Dockerfile.dev, target: dev, args: [VERSION, MODE=dev], labels: { a: b }, extra_hosts: ["host:10.0.0.1"], ssh: [default], secrets: [token], platforms: [linux/amd64], pull: true }
  worker: { image: "registry.example.com/team/web:latest", command: work }
  inline: { build: { dockerfile_inline: "FROM scratch" } }
secrets: { token: { file: token.txt } }
`,
  })
  const plan = await one.plan()
  expect(Object.keys(plan.images)).toEqual(['team/web', 'shop/inline'])
  expect(plan.images['team/web']).toMatchObject({
    context: `${one.root}/web`,
    dockerfile: { path: `${one.root}/web/Dockerfile.dev` },
    target: 'dev',
    args: { VERSION: '7', MODE: 'dev' },
    options: {
      labels: { a: 'b' },
      extraHosts: { host: '10.0.0.1' },
      ssh: { default: null },
      secrets: { token: { file: `${one.root}/token.txt` } },
      platform: 'linux/amd64',
      pull: true,
    },
    live: [],
  })
  expect(plan.images['shop/inline']).toMatchObject({ context: one.root, dockerfile: { inline: 'FROM scratch' } })
  for (const name of ['web', 'again', 'worker']) expect(app(plan, name).image).toEqual({ built: 'team/web' })
})

test('develop.watch becomes live rules; more can be given', async () => {
  const one = composeProject(
    {
      'web/Dockerfile': 'FROM node\n',
      'web/src/a.js': '',
      'web/conf.json': '',
      'compose.yaml': `name: shop
services:
  web:
    build: ./web
    develop:
      watch:
        - { action: sync, path: ./web/src, target: /app/src, ignore: [node_modules/, "*.test.js"] }
        - { action: sync+restart, path: ./web/conf.json, target: /etc/ }
        - { action: sync+exec, path: ./web/sql, target: /app/sql, exec: { command: npm run "my step", user: "node:node" } }
        - { action: rebuild, path: ./web/package.json }
        - { action: rebuild, path: ./elsewhere }
`,
    },
    `'compose.yaml', { live: { web: [run('make', { on: 'src/**' })] } }`,
  )
  const plan = await one.plan()
  expect(rules(plan.images['shop/web'])).toEqual([
    { kind: 'ignore', patterns: ['src/node_modules'] },
    { kind: 'ignore', patterns: ['src/*.test.js'] },
    { kind: 'sync', from: 'src', to: '/app/src' },
    { kind: 'sync', from: 'conf.json', to: '/etc/conf.json' },
    { kind: 'restart', on: ['conf.json'] },
    { kind: 'sync', from: 'sql', to: '/app/sql' },
    { kind: 'run', command: ['npm', 'run', 'my step'], on: ['sql'], timeoutMs: 300_000, user: 'node' },
    { kind: 'rebuildOn', patterns: ['package.json'] },
    { kind: 'run', command: 'make', on: ['src/**'], timeoutMs: 300_000 },
  ])
  expect(plan.images['shop/web']?.live[2]?.at).toMatchObject({ line: 7, column: 11 })
  expect(warnings(plan, 'web')).toEqual([`11:36 service 'web': changes of ${one.root}/elsewhere lead to nothing.`])
})

test('folders of the build context that are mounted are part of the image, and live', async () => {
  const one = composeProject({
    'web/Dockerfile': 'FROM node AS base\nUSER node\nFROM base AS dev\nWORKDIR /app\nFROM scratch\n',
    'web/.dockerignore': 'data\n',
    'web/index.js': '',
    'web/data/x': '',
    'web/.env': 'A=1',
    'compose.yaml': `name: shop
services:
  web:
    build: { context: web, target: dev }
    volumes:
      - ./web:/app
      - ./web/data:/data:ro
      - /app/node_modules
      - modules:/app/lib/node_modules
volumes: { modules: }
`,
  })
  const plan = await one.plan()
  expect(plan.images['shop/web']?.dockerfile).toEqual({
    inline:
      'FROM node AS base\nUSER node\nFROM base AS dev\nWORKDIR /app\nFROM scratch\n\nFROM dev AS devloop-mounts\nCOPY --chown=node [".","/app/"]\n',
  })
  expect(plan.images['shop/web']?.target).toBe('devloop-mounts')
  expect(rules(plan.images['shop/web'])).toEqual([
    { kind: 'ignore', patterns: ['node_modules'] },
    { kind: 'ignore', patterns: ['lib/node_modules'] },
    { kind: 'sync', from: '', to: '/app' },
  ])
  expect(app(plan, 'web').volumes).toMatchObject([{ path: '/data', kind: 'files' }])
  // the Dockerfile is read by the plan now
  expect(isInput((await one.load()).inputs, `${one.root}/web/Dockerfile`)).toBe(true)
})

test('an image alone with a folder: files where it is only read, else an image made of both', async () => {
  const one = composeProject({
    'conf/nginx.conf': 'x',
    'conf/sub/more.conf': 'y',
    'app/main.py': '',
    'initdb/a.sql': '',
    'empty/.keep/x': '',
    'compose.yaml': `name: shop
services:
  proxy: { image: nginx, volumes: ["./conf:/etc/nginx:ro", "./conf/nginx.conf:/one.conf"] }
  python: { image: "python:3", volumes: ["./app:/app"], user: "1000" }
  db: { image: postgres, volumes: ["./initdb:/docker-entrypoint-initdb.d", "./pgdata:/var/lib/postgresql/data"] }
`,
  })
  const plan = await one.plan()
  expect(app(plan, 'proxy').volumes).toMatchObject([
    { path: '/etc/nginx', kind: 'files', files: [{ to: 'nginx.conf' }, { to: 'sub/more.conf' }] },
    { path: '/one.conf', kind: 'files', single: true },
  ])
  expect(app(plan, 'python').image).toEqual({ built: 'shop/python' })
  expect(plan.images['shop/python']).toMatchObject({
    context: `${one.root}/app`,
    dockerfile: { inline: 'FROM python:3\nCOPY --chown=1000 [".","/app/"]\n' },
  })
  expect(rules(plan.images['shop/python'])).toEqual([{ kind: 'sync', from: '', to: '/app' }])
  expect(app(plan, 'db').volumes).toMatchObject([
    { path: '/docker-entrypoint-initdb.d', kind: 'files' },
    { path: '/var/lib/postgresql/data', kind: 'named', name: 'shop-db-pgdata' },
  ])
  expect(warnings(plan, 'db')).toEqual(["5:76 service 'db': pgdata is mounted as a volume of the cluster."])
})

test('secrets and configs', async () => {
  const one = composeProject({
    'password.txt': 'secret',
    'app.conf': 'conf',
    '.env': 'TOKEN=abc\n',
    'compose.yaml': `services:
  web:
    image: a
    secrets: [password, { source: token, target: /etc/token, mode: 0440 }]
    configs: [app, { source: inline, target: /etc/inline.conf }]
secrets: { password: { file: ./password.txt }, token: { environment: TOKEN } }
configs: { app: { file: app.conf }, inline: { content: "port=\${PORT:-80}" } }
`,
  })
  const { volumes } = app(await one.plan(), 'web')
  expect(volumes).toMatchObject([
    { path: '/run/secrets/password', secret: true, files: [{ from: { file: `${one.root}/password.txt` }, mode: 0o444 }] },
    { path: '/etc/token', secret: true, files: [{ from: { text: [{ kind: 'literal', text: 'abc' }] }, mode: 0o440 }] },
    { path: '/app', files: [{ from: { file: `${one.root}/app.conf` }, mode: 0o644 }] },
    { path: '/etc/inline.conf', files: [{ from: { text: [{ kind: 'literal', text: 'port=80' }] } }] },
  ])
})

test('several files, overrides with tags, includes, services that extend others', async () => {
  const one = composeProject(
    {
      'compose.yaml': `name: shop
include: [{ path: db/compose.yaml }]
services:
  base: { image: base, profiles: [never], environment: { A: 1, B: 1 }, ports: ["80:80"], command: [one] }
  web:
    extends: base
    profiles: !reset null
    environment: { B: 2 }
  other: { extends: { file: common/services.yaml, service: shared } }
`,
      'compose.override.yaml': `services:
  web: { ports: ["81:81"], command: [two], environment: [C=3] }
  other: { ports: !override ["90:90"], environment: !reset null }
`,
      'db/compose.yaml': `services: { db: { image: "postgres:\${TAG}", env_file: own.env } }`,
      'db/.env': 'TAG=15\n',
      'db/own.env': 'IN=db\n',
      'common/services.yaml': `services: { shared: { build: ., environment: { X: 1 }, ports: ["70:70"] } }`,
      'common/Dockerfile': 'FROM x\n',
    },
    `'.'`,
  )
  const plan = await one.plan()
  expect(Object.keys(plan.resources).sort()).toEqual(['db', 'other', 'web'])
  expect(app(plan, 'web')).toMatchObject({ image: { ref: 'base' }, args: ['two'], ports: { p80: 80, p81: 81 } })
  expect(env(plan, 'web')).toEqual({ A: '1', B: '2', C: '3' })
  expect(app(plan, 'other')).toMatchObject({ ports: { p90: 90 }, env: {} })
  expect(plan.images['shop/other']?.context).toBe(`${one.root}/common`)
  expect([app(plan, 'db').image, env(plan, 'db')]).toEqual([{ ref: 'postgres:15' }, { IN: 'db' }])
})

test('which services: profiles, names with what they depend on, all but some', async () => {
  const files = {
    'compose.yaml': `services:
  web: { image: a, depends_on: [db] }
  db: { image: a }
  admin: { image: a, profiles: [tools] }
  debug: { image: a, profiles: [tools, debug], depends_on: { db: { condition: service_started, required: false } } }
`,
  }
  const names = async (options: string): Promise<string[]> =>
    Object.keys((await composeProject(files, `'compose.yaml', ${options}`).plan()).resources)
  expect(await names('{}')).toEqual(['web', 'db'])
  expect(await names(`{ profiles: ['debug'] }`)).toEqual(['web', 'db', 'debug'])
  expect(await names(`{ profiles: ['*'] }`)).toEqual(['web', 'db', 'admin', 'debug'])
  expect(await names(`{ services: ['web'] }`)).toEqual(['web', 'db'])
  expect(await names(`{ services: ['admin'] }`)).toEqual(['admin'])
  expect(await names(`{ services: ['debug'], except: ['db'] }`)).toEqual(['debug'])
})

test('options of the call: process, apps, the apps themselves', async () => {
  const one = composeProject({
    'compose.yaml': `services:
  web: { image: a, command: npm start, ports: ["80:80"], environment: { A: 1 } }
  once: { image: a, healthcheck: { test: [CMD, x] } }
`,
    'Devloopfile.ts': `import { app, compose, defineDevloop, text } from 'devloop'
const shop = compose('compose.yaml', { process: { web: true, once: { prepare: 'make', command: ['x'] } }, apps: { web: { replicas: 3 }, once: { job: true } } })
export default defineDevloop({ name: 'shop', resources: [...shop, app('other', { image: 'b', needs: [shop.service('web')], env: { URL: text\`http://\${shop.service('web').address}\` } })] })
`,
  })
  const plan = await one.plan()
  expect(app(plan, 'web')).toMatchObject({ process: { command: ['npm', 'start'] }, replicas: 3 })
  expect(app(plan, 'once')).toMatchObject({ process: { prepare: 'make', command: ['x'] }, job: { retries: 0 } })
  expect(app(plan, 'once').probe).toBeUndefined()
  expect(app(plan, 'other').needs).toEqual(['web'])
  expect(env(plan, 'other')).toEqual({ URL: 'http://<web  address>' })
})

test('names that the cluster does not allow', async () => {
  const plan = await composeProject({
    'compose.yaml': `services:
  My_Web: { image: a, depends_on: [db_1], environment: { DB_HOST: db_1, DB: "http://db_1:80" } }
  db_1: { image: a, expose: [80], links: ["My_Web:front"] }
`.replace(', links: ["My_Web:front"]', ''),
  }).plan()
  expect(Object.keys(plan.resources)).toEqual(['my-web', 'db-1'])
  expect(app(plan, 'my-web').needs).toEqual(['db-1'])
  expect(env(plan, 'my-web')).toEqual({ DB_HOST: '<db-1  host>', DB: 'http://<db-1 p80 address>' })
  expect(warnings(plan, 'db-1')).toEqual(["3:3 service 'db_1' is called 'db-1'."])
})
