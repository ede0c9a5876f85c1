// What becomes of a right Devloopfile: paths, texts, manifests, inputs.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isInput } from '../../../src/devloopfile/inputs.js'
import { ownFiles } from '../../../src/devloopfile/own-files.js'
import { isSecretText, type AppSpec, type LocalSpec, type ManifestsSpec, type TextPart } from '../../../src/model/plan.js'
import { devloopfile, project } from './project.js'

test('paths are relative to the file that the call stands in', async () => {
  const { plan, root } = project({
    'Devloopfile.ts': `import { defineDevloop } from 'devloop'\nimport { api, gen } from './services/api/devloop.js'\nexport default defineDevloop({ name: 'shop', resources: [api, gen] })\n`,
    'services/api/devloop.ts': `import { app, image, local, readFile, sync } from 'devloop'
const [server] = ['shop/api'].map((name) => image(name, { context: '.', dockerfile: '../Dockerfile.node', live: [sync('./src/', '/app/src')] }))
export const api = app('api', { image: server!, env: { MOTD: readFile('motd.txt'), URL: import.meta.url, DIR: import.meta.dirname, FILE: __filename } })
export const gen = local('gen', { run: ['make', 'gen'], cwd: '..', watch: './schema/' })
`,
    'services/api/motd.txt': 'hello',
    'services/Dockerfile.node': 'FROM node:20',
  })
  const made = await plan()
  expect(made.images['shop/api']).toMatchObject({
    context: `${root}/services/api`,
    dockerfile: { path: `${root}/services/Dockerfile.node` },
    live: [{ kind: 'sync', from: 'src', to: '/app/src', at: { file: `${root}/services/api/devloop.ts`, line: 2 } }],
    at: { file: `${root}/services/api/devloop.ts`, line: 2, column: 45 },
  })
  const env = (made.resources.api as AppSpec).env
  expect(
    Object.values(env)
      .flat()
      .map((part) => (part as { text: string }).text),
  ).toEqual(['hello', `file://${root}/services/api/devloop.ts`, `${root}/services/api`, `${root}/services/api/devloop.ts`])
  expect(made.resources.gen).toMatchObject({ cwd: `${root}/services`, watch: ['schema'], run: ['make', 'gen'] })
})

test('what is kept of images has a default, and can be set or left alone', async () => {
  const settings = async (text: string): Promise<unknown> => {
    const { plan } = project({
      'Devloopfile.ts': `import { defineDevloop } from 'devloop'\nexport default defineDevloop({ name: 'shop', ${text} resources: [] })\n`,
    })
    return (await plan()).settings.prune
  }
  expect(await settings('')).toEqual({ keep: 3, maxAge: 168 })
  expect(await settings('settings: { prune: { keep: 1 } },')).toEqual({ keep: 1, maxAge: 168 })
  expect(await settings('settings: { prune: false },')).toBe(false)
})

test('how much may run at once has a default, and can be set', async () => {
  const parallel = async (text: string): Promise<unknown> => {
    const { plan } = project({
      'Devloopfile.ts': `import { defineDevloop } from 'devloop'\nexport default defineDevloop({ name: 'shop', ${text} resources: [] })\n`,
    })
    return (await plan()).settings.parallel
  }
  const cores = availableParallelism()
  expect(await parallel('')).toEqual({ builds: cores, deploys: 8, locals: Math.max(4, cores) })
  expect(await parallel('settings: { parallel: 2 },')).toEqual({ builds: 2, deploys: 2, locals: 2 })
  expect(await parallel('settings: { parallel: { deploys: 1 } },')).toMatchObject({ builds: cores, deploys: 1 })
})

test('how resources take part in the graph', async () => {
  const { plan } = project({
    'Devloopfile.ts': devloopfile(
      `  const gen = local('gen', { run: 'x', labels: ['code'], auto: false })
  const objects = ['web', 'job'].map((name) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name } }))
  const all = manifests('all', objects, {
    labels: 'shop', trigger: 'manual', enabled: false, workloads: { web: { labels: ['front'], trigger: 'auto', rebuildAfter: [gen] } } })
  const api = app('api', { image: 'x', rebuildAfter: [gen, 'all'], trigger: 'manual' })`,
      'api, all',
    ),
  })
  const { resources } = await plan()
  expect(resources.gen).toMatchObject({ labels: ['code'], auto: false, trigger: 'auto', enabled: true, rebuildAfter: [] })
  expect(resources.api).toMatchObject({ labels: [], auto: true, trigger: 'manual', rebuildAfter: ['gen', 'web', 'job'] })
  expect(resources.job).toMatchObject({ labels: ['shop'], trigger: 'manual', enabled: false, rebuildAfter: [] })
  expect(resources.web).toMatchObject({ labels: ['shop', 'front'], trigger: 'auto', enabled: false, rebuildAfter: ['gen'] })
})

test('build options become part of the plan, with absolute paths and the names of the images they refer to', async () => {
  const { plan, root } = project({
    'Devloopfile.ts': `import { app, defineDevloop, image } from 'devloop'
import { options } from './shared/options.js'
const base = image('shop/base', { dockerfile: { inline: 'FROM node:20' } })
const tools = image('shop/tools', { dockerfile: { inline: 'FROM node:20' } })
const api = image('shop/api', { dockerfile: { inline: 'FROM node:20' }, args: { BASE: base, N: 1 }, bases: [tools], ...options })
const jib = image('shop/jib', { build: { command: ['./gradlew', 'jib'], cwd: 'shared', env: { BASE: base, MODE: 'dev' } }, tags: 'v1' })
export default defineDevloop({ name: 'shop', resources: [app('api', { image: api }), app('jib', { image: jib })] })
`,
    'shared/options.ts': `export const options = { secrets: { npmrc: { file: '.npmrc' }, token: { env: 'TOKEN' } }, ssh: true as const, platform: 'linux/arm64', network: 'host',
  extraHosts: { db: '10.0.0.1', up: 'host-gateway' }, cacheFrom: 'ghcr.io/shop/api:main', pull: true, labels: { team: 'shop' }, tags: ['v1', 'latest'] }
`,
  })
  const { images } = await plan()
  expect(images['shop/api']).toMatchObject({
    args: { N: '1' },
    baseArgs: { BASE: 'shop/base' },
    bases: ['shop/tools', 'shop/base'],
    options: {
      secrets: { npmrc: { file: `${root}/.npmrc` }, token: { env: 'TOKEN' } },
      ssh: { default: null },
      platform: 'linux/arm64',
      network: 'host',
      extraHosts: { db: '10.0.0.1', up: 'host-gateway' },
      cacheFrom: ['ghcr.io/shop/api:main'],
      pull: true,
      labels: { team: 'shop' },
      tags: ['v1', 'latest'],
    },
  })
  expect(images['shop/jib']).toMatchObject({
    dockerfile: { inline: '' },
    args: {},
    baseArgs: { BASE: 'shop/base' },
    bases: ['shop/base'],
    build: { command: ['./gradlew', 'jib'], cwd: `${root}/shared`, env: { MODE: 'dev' } },
    options: { tags: ['v1'] },
  })
  expect(Object.keys(images).sort()).toEqual(['shop/api', 'shop/base', 'shop/jib', 'shop/tools'])
  expect(images['shop/base']).not.toHaveProperty('options')
})

test('packages come from the importing module, workspace packages are sources, CommonJS works', async () => {
  const { plan, root, load } = project({
    'Devloopfile.ts': `import { db } from '@acme/preset'\nimport plain, { three } from 'plain'\nimport { defineDevloop } from 'devloop'\nexport default defineDevloop(() => ({ name: 'p' + plain.two + three, resources: [db] }))\n`,
    'package.json': '{ "type": "module" }',
    'node_modules/plain/package.json': '{ "name": "plain", "main": "main.js" }',
    'node_modules/plain/main.js': 'exports.two = require("./two.js"); exports.three = 3',
    'node_modules/plain/two.js': 'module.exports = 2',
    'packages/preset/package.json': '{ "name": "@acme/preset", "exports": "./index.ts" }',
    'packages/preset/index.ts': `import { app } from 'devloop'\nexport const db = app('db', { image: 'postgres:16' })\n`,
  })
  mkdirSync(join(root, 'node_modules/@acme'))
  symlinkSync('../../packages/preset', join(root, 'node_modules/@acme/preset'))
  expect(await plan()).toMatchObject({
    name: 'p23',
    resources: { db: { at: { file: `${root}/packages/preset/index.ts`, line: 2 } } },
  })
  const { inputs } = await load()
  expect(isInput(inputs, join(root, 'packages/preset/index.ts'))).toBe(true)
})

test('a package that uses devloop itself works with the running one', async () => {
  const { plan } = project({
    'Devloopfile.ts': `import { db } from 'preset'\nimport { defineDevloop } from 'devloop'\nexport default defineDevloop(() => ({ name: 'p', resources: [db] }))\n`,
    'node_modules/preset/package.json': '{ "name": "preset", "type": "module", "exports": "./index.js" }',
    // stands for another copy of devloop: the same marks under the same registered symbols
    'node_modules/preset/index.js': `const at = { file: '/elsewhere', line: 1 }\nexport const db = { [Symbol.for('devloop.value')]: { kind: 'resource', type: 'local', name: 'db', options: { run: 'x', cwd: '/' }, at } }\n`,
  })
  expect(await plan()).toMatchObject({ resources: { db: { kind: 'local', run: 'x', cwd: '/' } } })
})

test('only what the resources reach is in the plan, the listed ones first', async () => {
  const { plan } = project({
    'Devloopfile.ts': devloopfile(
      `  const cache = app('cache', { image: 'redis', port: 6379 })
  const db = app('db', { image: 'postgres', port: 5432, needs: [cache] })
  const server = image('server'), unused = image('unused', { context: 'nowhere' })
  const old = app('old', { image: unused })
  const rule = sync('a', '/a'), secret = generated('unused')
  const api = app('api', { image: server, env: { DB: text\`\${db.host}:\${db.port}\` } })`,
      `false, api, undefined, local('last', { run: 'x' })`,
    ),
    Dockerfile: 'FROM x',
  })
  const made = await plan()
  expect(Object.keys(made.resources)).toEqual(['api', 'last', 'db', 'cache'])
  expect(Object.keys(made.images)).toEqual(['server'])
})

test('context of the function: user, arguments, runtime', async () => {
  const { plan } = project({ 'Devloopfile.ts': devloopfile('', `local('a', { run: [user, runtime, ...args] })`) })
  const made = await plan({ user: 'DOMAIN\\Ada.L', args: ['--fast', 'x'], runtime: 'process' })
  expect((made.resources.a as LocalSpec).run).toEqual(['domain-ada-l', 'process', '--fast', 'x'])
})

test('an app with all options', async () => {
  const { plan } = project({
    'Devloopfile.ts': devloopfile(
      `  const a = app('a', { image: 'x', ports: { http: 80, metrics: 9090 }, forward: { metrics: 9091 }, env: { N: 1, T: true, E: '', P: 'a'.repeat(3) },
    command: 'run me', args: ['--now'], replicas: 0, needs: ['b'], process: { command: 'node .' } })
  const b = app('b', { image: 'x', port: 80, forward: 8080, env: { A: a.address, M: a.at('metrics').port, SELF: 'x' }, command: ['a', 'b'] })`,
      'a, b',
    ),
  })
  expect((await plan()).resources).toMatchObject({
    a: {
      ports: { http: 80, metrics: 9090 },
      forward: [{ local: 9091, port: 'metrics' }],
      env: {
        N: [{ kind: 'literal', text: '1' }],
        T: [{ kind: 'literal', text: 'true' }],
        E: [],
        P: [{ kind: 'literal', text: 'aaa' }],
      },
      command: ['/bin/sh', '-c', 'run me'],
      args: ['--now'],
      replicas: 0,
      needs: ['b'],
      process: { command: 'node .' },
    },
    b: {
      ports: { main: 80 },
      forward: [{ local: 8080, port: 'main' }],
      env: {
        A: [{ kind: 'address', resource: 'a', part: 'address' }],
        M: [{ kind: 'address', resource: 'a', port: 'metrics', part: 'port' }],
      },
      command: ['a', 'b'],
      replicas: 1,
    },
  })
})

test('a text keeps every reference, in order, and whether it is secret', async () => {
  const piece = fc.oneof(
    fc.record({
      source: fc.string().map((text) => `\${${JSON.stringify(text)}}`),
      part: fc.constant<TextPart | 'literal'>('literal'),
    }),
    fc
      .constantFrom('a', 'b')
      .map((name) => ({ source: `\${generated('${name}')}`, part: { kind: 'generated', name } as TextPart | 'literal' })),
    fc
      .constantFrom('address', 'host', 'port')
      .map((part) => ({ source: `\${db.${part}}`, part: { kind: 'address', resource: 'db', part } as TextPart | 'literal' })),
    fc.constant({
      source: `\${db.at('x').host}`,
      part: { kind: 'address', resource: 'db', port: 'x', part: 'host' } as TextPart | 'literal',
    }),
  )
  const texts = fc.array(fc.record({ pieces: fc.array(piece, { maxLength: 6 }), nested: fc.boolean() }), {
    minLength: 5,
    maxLength: 20,
  })
  const { write, plan } = project({})
  await fc.assert(
    fc.asyncProperty(texts, async (samples) => {
      const env = samples.map(({ pieces, nested }, index) => {
        const plain = `text\`<${pieces.map(({ source }) => source).join('|')}>\``
        return `V${index}: ${nested ? `text\`\${${plain}}\`` : plain}`
      })
      write({
        'Devloopfile.ts': devloopfile(
          `  const db = app('db', { image: 'x', ports: { x: 1 } })`,
          `app('a', { image: 'x', env: { ${env.join(', ')} } })`,
        ),
      })
      const app = (await plan()).resources.a as AppSpec
      samples.forEach(({ pieces }, index) => {
        const made = app.env[`V${index}`] ?? []
        expect(made.filter(({ kind }) => kind !== 'literal')).toEqual(
          pieces.flatMap(({ part }) => (part === 'literal' ? [] : [part])),
        )
        expect(isSecretText(made)).toBe(pieces.some(({ part }) => part !== 'literal' && part.kind === 'generated'))
        // no two literals beside each other, and none empty: one text has one form
        expect(made.some((part, at) => part.kind === 'literal' && (part.text === '' || made[at + 1]?.kind === 'literal'))).toBe(
          false,
        )
      })
    }),
    { numRuns: 10 },
  )
})

const deployment = (name: string, image: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  template:\n    spec:\n      containers:\n        - name: main\n          image: ${image}\n`

test('manifests: globs, folders, lists, positions', async () => {
  const { plan, root } = project({
    'Devloopfile.ts': devloopfile(
      '',
      `manifests('m', ['k8s/**/*.yaml', './k8s/b/', 'k8s/a.yaml', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'inline' } }], { images: [image('shop/web')], forward: { 80: 8080 } })`,
    ),
    Dockerfile: 'FROM x',
    'k8s/b/list.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'in-list' } }],
    }),
    'k8s/b/c/deep.yaml': `# first\n---\n${deployment('web', 'localhost:5000/shop/web:dev')}`,
    'k8s/a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n---\n\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: b }\n',
    'k8s/node_modules/x/y.yaml': 'no: object',
    'k8s/readme.md': 'no object',
  })
  const made = (await plan()).resources.m as ManifestsSpec
  expect(
    made.objects.map(({ object, at }) => [
      object.metadata.name,
      at && `${at.file.replace(`${root}/`, '')}:${at.line}:${at.column}`,
    ]),
  ).toEqual([
    ['a', 'k8s/a.yaml:1:1'],
    ['b', 'k8s/a.yaml:6:1'],
    ['web', 'k8s/b/c/deep.yaml:3:1'],
    ['in-list', 'k8s/b/list.json:1:43'],
    ['inline', undefined],
  ])
  expect(made.images).toEqual(['shop/web'])
  expect(made.forward).toEqual([{ local: 8080, port: 80 }])
})

test('manifests are read as Kubernetes reads YAML', async () => {
  const { plan } = project({
    'Devloopfile.ts': devloopfile('', `manifests('m', 'm.yaml')`),
    'm.yaml': `apiVersion: v1
kind: ConfigMap
metadata: { name: a, labels: &l { x: y } }
spec: { mode: 0644, on: yes, off: no, time: 12:30, day: 2024-01-02, ports: "8080:80", big: 1e3, none: ~, merged: { <<: *l, z: 1 }, n: n, hex: 0x10 }
`,
  })
  const [first] = ((await plan()).resources.m as ManifestsSpec).objects
  expect(first?.object.spec).toEqual({
    mode: 420,
    true: true,
    false: false,
    time: '12:30',
    day: '2024-01-02',
    ports: '8080:80',
    big: 1000,
    none: null,
    merged: { x: 'y', z: 1 },
    n: 'n',
    hex: 16,
  })
})

test('each workload its own resource', async () => {
  const { plan, root } = project({
    'Devloopfile.ts': devloopfile(
      `  const images = [image('shop/web'), image('shop/job')]
  const all = manifests('all', 'k8s', { images, needs: ['db'], workloads: { web: { forward: { 80: 8080 }, needs: ['tick'] } } })
  const only = manifests('only', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'solo' } }, { workloads: true })
  const db = app('db', { image: 'postgres' })`,
      `all, only, db, local('after', { run: 'x', needs: [all, 'only'] })`,
    ),
    Dockerfile: 'FROM x',
    'k8s/web.yaml': deployment('web', 'shop/web'),
    'k8s/job.yaml':
      'apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: tick }\nspec: { jobTemplate: { spec: { template: { spec: { containers: [{ image: shop/job }] } } } } }\n---\napiVersion: v1\nkind: Service\nmetadata: { name: web }\n',
  })
  const { resources } = await plan()
  expect(Object.keys(resources)).toEqual(['all', 'tick', 'web', 'solo', 'db', 'after'])
  expect(resources).toMatchObject({
    all: { kind: 'manifests', needs: ['db'], images: [], objects: [{ object: { kind: 'Service' } }] },
    tick: { needs: ['db'], images: ['shop/job'], forward: [], at: { file: `${root}/Devloopfile.ts`, line: 4 } },
    web: { needs: ['db', 'tick'], images: ['shop/web'], forward: [{ local: 8080, port: 80 }] },
    solo: { images: [], needs: [] },
    after: { needs: ['all', 'tick', 'web', 'solo'] },
  })
})

test('a workload with the name of another resource', async () => {
  const { errors } = project({
    'Devloopfile.ts': devloopfile('', `app('web', { image: 'x' }), manifests('m', 'k8s/*.yaml', { workloads: true })`),
    'k8s/web.yaml': `\n\n${deployment('web', 'x')}`,
  })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/invalid at k8s/web.yaml:3:1
    Two resources are named 'web'.
    The other one stands at Devloopfile.ts:4:38.
    -> Name them differently."
  `)
})

test('the plan is frozen, complete data, and the same for the same files', async () => {
  const { plan, load } = project({
    'Devloopfile.ts': devloopfile(
      `  const x = readYaml('x.yaml') as { a: string }`,
      `app(x.a, { image: image('i'), env: { A: generated('a') } }), manifests('m', 'k8s')`,
    ),
    'x.yaml': 'a: b',
    Dockerfile: 'FROM x',
    'k8s/a.yaml': deployment('web', 'x'),
  })
  const first = await plan()
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
  expect(frozen(first)).toBe(true)
  expect(JSON.stringify(await plan())).toBe(JSON.stringify(first))
  expect(JSON.parse(JSON.stringify(first))).toEqual(first)
  expect(await load()).toMatchObject({ ok: true, loadMs: expect.any(Number) as number })
})

test('inputs: what was read, and what would mend an error', async () => {
  const { load, root, write } = project({
    'Devloopfile.ts': devloopfile(`  readFile('motd.txt')\n  helper()`, `manifests('m', ['k8s/*.yaml', 'one.yaml'])`).replace(
      'import',
      `import { helper } from './lib/helper.js'\nimport`,
    ),
    'lib/helper.ts': `import data from './data.json'\nexport const helper = () => data\n`,
    'lib/data.json': '{}',
    'motd.txt': '',
    'one.yaml': '',
    'k8s/a.yaml': '',
  })
  const watched = async (...paths: string[]): Promise<boolean[]> => {
    const { inputs } = await load()
    return paths.map((path) => isInput(inputs, join(root, path)))
  }
  expect(await load()).toMatchObject({ ok: true })
  expect(
    await watched('Devloopfile.ts', 'lib/helper.ts', 'lib/data.json', 'motd.txt', 'one.yaml', 'k8s/a.yaml', 'k8s/new.yaml'),
  ).toEqual(Array(7).fill(true))
  expect(await watched('other.ts', 'k8s/readme.md', 'k8s/deep/a.yaml', 'lib', 'lib/other.ts')).toEqual(Array(5).fill(false))
  expect((await load()).inputs.some(({ root: path }) => path.startsWith(ownFiles().index))).toBe(false)
  // an import that is missing deep down: all that was read so far, and where the file may come
  write({ 'lib/helper.ts': `import { x } from './missing.js'\nimport y from 'absent'\nexport const helper = () => [x, y]\n` })
  expect(
    await watched(
      'Devloopfile.ts',
      'lib/helper.ts',
      'lib/missing.js',
      'lib/missing.ts',
      'lib/missing.js/index.ts',
      'lib/node_modules/absent/package.json',
      'node_modules/absent/package.json',
    ),
  ).toEqual(Array(7).fill(true))
  write({
    'lib/missing.ts': 'export const x = 1',
    'node_modules/absent/package.json': '{ "name": "absent", "main": "i.js" }',
    'node_modules/absent/i.js': '',
  })
  expect(await load()).toMatchObject({ ok: true })
  // files that a call names
  write({
    'Devloopfile.ts': devloopfile('', `manifests('m', 'none.yaml'), app('a', { image: image('a', { context: 'nowhere' }) })`),
  })
  expect(await watched('none.yaml', 'nowhere', 'nowhere/Dockerfile', 'Devloopfile.ts')).toEqual(Array(4).fill(true))
  write({ 'Devloopfile.ts': devloopfile(`  readFile('none.txt')`) })
  expect(await watched('none.txt')).toEqual([true])
})

test('globs do not enter what they cannot match', async () => {
  const { load } = project({
    'Devloopfile.ts': devloopfile('', `manifests('a', '*/k8s/*.yaml'), manifests('b', '**/*.yml')`),
    'x/k8s/a.yaml': '',
    'x/b.yml': '',
  })
  const { inputs } = await load()
  const [first, second] = inputs.filter(({ prunes }) => prunes)
  expect(['x', 'x/k8s', 'x/src', 'x/k8s/deep', 'node_modules'].map((folder) => first?.prunes?.(folder))).toEqual([
    false,
    false,
    true,
    true,
    true,
  ])
  expect(['x', 'x/y/z', 'node_modules', 'x/node_modules/y', '.git'].map((folder) => second?.prunes?.(folder))).toEqual([
    false,
    false,
    true,
    true,
    true,
  ])
})

test('it leaves nothing behind: neither in the project nor elsewhere', async () => {
  const { load, loader, root } = project({ 'Devloopfile.ts': devloopfile('') }, { idleMs: 1 })
  await load()
  await load()
  await loader.close()
  expect(readdirSync(root)).toEqual(['Devloopfile.ts'])
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`devloopfile-${process.pid}`))).toEqual([])
})

test('a Devloopfile behind a link is found by both paths', async () => {
  const { loader, root, load } = project({ 'real/Devloopfile.ts': devloopfile('', `local('a', { run: 'x' })`) })
  symlinkSync('real/Devloopfile.ts', join(root, 'Devloopfile.ts'))
  const result = await load()
  expect(result).toMatchObject({ ok: true, plan: { root: `${root}/real`, resources: { a: { cwd: `${root}/real` } } } })
  expect(['Devloopfile.ts', 'real/Devloopfile.ts'].map((path) => isInput(result.inputs, join(root, path)))).toEqual([true, true])
  await loader.close()
})

test('loads that are asked for at once follow one another', async () => {
  const { load, root } = project({ 'Devloopfile.ts': devloopfile('', `local('a', { run: 'x' })`) })
  const results = [load(), load({ runtime: 'process' }), load()]
  writeFileSync(join(root, 'other.txt'), '')
  expect((await Promise.all(results)).map(({ ok }) => ok)).toEqual([true, true, true])
})

test('a forward may fall back to the next free port, and readiness may be ignored', async () => {
  const { plan } = project({
    'Devloopfile.ts': devloopfile(
      `  const a = app('a', { image: 'x', ports: { http: 80, metrics: 81 }, forward: { http: { local: 8080, fallback: 'next-free' }, metrics: { local: 8081 } }, readiness: 'ignore' })
  const m = manifests('m', [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }], { workloads: { p: { forward: { 80: { local: 8082, fallback: 'next-free' } }, readiness: 'ignore' } } })`,
      'a, m',
    ),
  })
  expect((await plan()).resources).toMatchObject({
    a: {
      readiness: 'ignore',
      forward: [
        { local: 8080, port: 'http', fallback: 'next-free' },
        { local: 8081, port: 'metrics' },
      ],
    },
    p: { readiness: 'ignore', forward: [{ local: 8082, port: 80, fallback: 'next-free' }] },
  })
})
