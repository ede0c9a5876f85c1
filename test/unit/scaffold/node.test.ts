// Node.js packages: what proves them, and how they run.
import { expect, test } from 'vitest'
import { makeBases } from '../../../src/scaffold/bases.js'
import type { Found } from '../../../src/scaffold/component.js'
import { node } from '../../../src/scaffold/kinds/node.js'
import { sourceTreeOf } from '../../../src/scaffold/source-tree.js'

/** What is found in a folder of a tree, where every question is answered by its fallback. */
const find = (files: Readonly<Record<string, string>>, folder = ''): readonly Found[] =>
  node({ tree: sourceTreeOf(files), folder, bases: makeBases(), ask: ({ fallback }) => fallback })

const manifest = (json: object): string => JSON.stringify({ name: 'shop', ...json })

/** The command of a stage. */
const command = (found: Found | undefined, stage: 'dev' | 'prod'): unknown => {
  const text = found?.dockerfile.text.split(/^FROM /m).find((part) => part.includes(` AS ${stage}\n`))
  return JSON.parse(/^CMD (.*)$/m.exec(text ?? '')?.[1] ?? 'null')
}

test('a library is nothing that runs', () => {
  expect(find({ 'package.json': manifest({ scripts: { build: 'tsc' } }) })).toEqual([])
  expect(find({ 'package.json': 'no JSON' })).toEqual([])
})

test.each([
  ['npm', { 'package-lock.json': '{}' }, 'npm ci --cache /tmp/npm'],
  ['npm', {}, 'npm install --cache /tmp/npm'],
  ['pnpm', { 'pnpm-lock.yaml': "lockfileVersion: '6.0'\n" }, 'pnpm install --frozen-lockfile'],
  ['yarn', { 'yarn.lock': '# yarn lockfile v1\n' }, 'yarn install --frozen-lockfile'],
  ['yarn', { 'yarn.lock': '__metadata:\n  version: 8\n' }, 'yarn install --immutable'],
  ['bun', { 'bun.lock': '{}' }, 'bun install --frozen-lockfile'],
])('%s is told from its lockfile, and installs what that says: %j', (name, lock, install) => {
  const [found] = find({ ...lock, 'package.json': manifest({ scripts: { start: 'node index.js' } }), 'index.js': '' })
  expect(found?.findings.map(({ what }) => what.toLowerCase()).join()).toContain(name)
  expect(found?.dockerfile.text).toContain(`RUN ${install}`)
})

test.each([
  ['lts/iron', '20'],
  ['v18.19.0', '18'],
  ['22', '22'],
])('.nvmrc with %s means Node.js %s', (text, version) => {
  const [found] = find({ '.nvmrc': text, 'package.json': manifest({ scripts: { start: 'node index.js' } }), 'index.js': '' })
  expect(found?.findings[0]).toEqual({ what: `Node.js ${version}`, proof: '.nvmrc' })
  expect(found?.dockerfile.text).toContain(`FROM docker.io/library/node:${version}-slim`)
})

test('scripts are followed to the program, which is PID 1 itself', () => {
  const scripts = { start: 'npm run serve:it', 'serve:it': 'cross-env LOG=debug node --enable-source-maps server.js' }
  const [found] = find({ 'package.json': manifest({ scripts }), 'server.js': 'http.createServer()' })
  expect(command(found, 'dev')).toEqual(['node', '--enable-source-maps', 'server.js'])
  expect(found?.dockerfile.text).toContain('ENV NODE_ENV=development LOG=debug')
})

test('a script of several commands runs in a shell that gives its place to the last', () => {
  const scripts = { start: 'prisma migrate deploy && node server.js' }
  const [found] = find({ 'package.json': manifest({ scripts }), 'server.js': '' })
  expect(command(found, 'prod')).toEqual(['sh', '-c', 'prisma migrate deploy && exec node server.js'])
})

test('what watches its files itself is only synced; all else is restarted', () => {
  const live = (dev: string): readonly string[] | undefined =>
    find({ 'package.json': manifest({ scripts: { dev, start: 'node server.js' } }), 'server.js': '' })[0]?.live.map(
      ({ rule }) => rule,
    )
  expect(live('node --watch server.js')).toEqual(['rebuildOn', 'sync'])
  expect(live('node server.js')).toEqual(['rebuildOn', 'sync', 'restart'])
})

test('what is compiled is compiled again in the container', () => {
  const [found] = find({
    'package.json': manifest({ scripts: { build: 'tsc', start: 'node dist/server.js' } }),
    'src/server.ts': 'app.listen({ port: 4100, host: "0.0.0.0" })',
  })
  expect(found?.live.slice(1)).toEqual([
    { rule: 'sync', from: '.', to: '/app' },
    { rule: 'run', command: 'npm run build' },
    { rule: 'restart' },
  ])
  expect(found?.port).toEqual({ number: 4100, proof: 'src/server.ts' })
})

test.each([
  ['express', 'app.listen(process.env.PORT || 4000)', 4000],
  ['express', 'app.listen(4001)', 4001],
  ['fastify', 'app.listen({ host, port: 4002 })', 4002],
  ['koa', 'app.listen(config.port)', 3000],
  ['bullmq', 'new Worker("jobs", work)', undefined],
])('with %s, `%s` listens on %s', (library, text, port) => {
  const files = { 'package.json': manifest({ scripts: { start: 'node a.js' }, dependencies: { [library]: '1' } }), 'a.js': text }
  expect(find(files)[0]?.port?.number).toBe(port)
})

test('Fastify that listens on localhost only is told', () => {
  const found = (text: string): Found | undefined =>
    find({ 'package.json': manifest({ scripts: { start: 'node a.js' }, dependencies: { fastify: '5' } }), 'a.js': text })[0]
  expect(found('app.listen({ port: 3000 })')?.notes).toEqual([expect.stringContaining("host: '0.0.0.0'")])
  expect(found('app.listen({ port: 3000, host: "0.0.0.0" })')?.notes).toEqual([])
})

test('which of several files starts the app is asked', () => {
  const asked: string[] = []
  const files = { 'package.json': manifest({ dependencies: { express: '4' } }), 'index.js': '', 'app.js': '' }
  const [found] = node({
    tree: sourceTreeOf(files),
    folder: '',
    bases: makeBases(),
    ask: ({ id, choices }) => (asked.push(`${id}: ${choices.map(({ value }) => value).join(', ')}`), 'app.js'),
  })
  expect(asked).toEqual(['entry: index.js, app.js'])
  expect(command(found, 'dev')).toEqual(['node', 'app.js'])
})

test('members of a workspace share its lockfile; the others are ignored', () => {
  const files = {
    'package.json': JSON.stringify({ private: true, workspaces: ['packages/*'] }),
    'package-lock.json': '{}',
    'packages/api/package.json': JSON.stringify({
      name: '@shop/api',
      scripts: { start: 'node index.js' },
      dependencies: { '@shop/lib': '*' },
    }),
    'packages/api/index.js': '',
    'packages/lib/package.json': JSON.stringify({ name: '@shop/lib', scripts: { build: 'tsc' } }),
    'packages/web/package.json': JSON.stringify({ name: '@shop/web', scripts: { start: 'node index.js' } }),
    'packages/web/index.js': '',
  }
  expect(find(files)).toEqual([])
  expect(find(files, 'packages/lib')).toEqual([])
  const [api] = find(files, 'packages/api')
  expect(api).toMatchObject({ name: 'api', context: '' })
  expect(api?.live).toEqual([
    { rule: 'rebuildOn', paths: ['packages/api/package.json', 'package.json', 'package-lock.json'] },
    { rule: 'ignore', paths: ['packages/web'] },
    { rule: 'sync', from: 'packages/api', to: '/app/packages/api' },
    { rule: 'sync', from: 'packages/lib', to: '/app/packages/lib' },
    { rule: 'run', command: 'cd ../lib && npm run build', on: ['packages/lib/**'] },
    { rule: 'restart' },
  ])
  expect(api?.dockerfile.text).toContain('COPY packages/lib/package.json packages/lib/')
  expect(api?.dockerfile.text).toContain('WORKDIR /app/packages/api')
})
