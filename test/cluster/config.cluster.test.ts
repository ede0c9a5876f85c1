// Configs and secrets: what they become in the cluster, who rolls out when they change, and that nobody else is told what they hold.
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findDaemon } from '../../src/client/index.js'
import type { Watching } from '../support/devloop.js'
import { testNamespace, waitFor } from '../support/cluster.js'
import { loop, type Loop, type Names } from '../support/loop.js'
import { connectRaw, hello } from '../support/raw-client.js'

/** Answers with a variable of its environment, or with a file below /etc/web. */
const server = `
require('http').createServer((request, response) => {
  const [, kind, name] = request.url.split('/')
  response.setHeader('connection', 'close')
  try {
    response.end(kind === 'env' ? process.env[name] ?? 'none' : require('fs').readFileSync('/etc/web/' + name, 'utf8'))
  } catch {
    response.writeHead(404).end()
  }
}).listen(8080)
process.on('SIGTERM', () => process.exit(0))`

const told = 'tok-5ecret-of-the-values'
const printed = 'pw-5ecret-of-the-command'
const shared = 'key-5ecret-of-another-namespace'

const deployment = (name: string, from: object, annotations: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, annotations },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'it', image: 'IMAGE', command: ['sleep', '3600'], envFrom: [from] }],
      },
    },
  },
})

const devloopfile =
  (platform: string) =>
  ({ name, namespace, base, port }: Names): string => {
    const manifest = (one: string, from: object, annotations?: object): string =>
      `manifests('${one}', ${JSON.stringify(deployment(one, from, annotations)).replace('IMAGE', base)})`
    return `
import { app, config, defineDevloop, generated, manifests, secret, text } from 'devloop'
const settings = config('settings', { envFile: ['.env', { path: 'local.env', required: false }], values: { COLOR: 'blue' } })
const page = config('page', { folder: 'page' })
const creds = secret('creds', {
  values: { PASSWORD: generated('db'), TOKEN: process.env.SHOP_TOKEN! },
  command: 'cat vault.env',
  watch: 'vault.env',
  from: { namespace: '${platform}', name: 'shared', keys: ['KEY'] },
})
const forever = { image: '${base}', command: ['sleep', '3600'] }
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    app('web', {
      image: '${base}',
      command: ['node', '-e', ${JSON.stringify(server)}],
      port: 8080,
      forward: ${port},
      envFrom: [settings, creds],
      env: { URL: text\`db://app:\${creds.at('PASSWORD')}@db/\${settings.at('COLOR')}\` },
      volumes: { '/etc/web': page },
    }),
    app('lean', { ...forever, env: { COLOR: settings.at('COLOR') } }),
    app('plain', forever),
    ${manifest('legacy', { configMapRef: { name: 'settings' } })},
    ${manifest('reloaded', { configMapRef: { name: 'settings' } }, { 'reloader.stakater.com/auto': 'true' })},
  ],
}))
`
  }

test('they are objects of the cluster; a change rolls out exactly who uses it, once; nobody is told a secret', async () => {
  const platform = await testNamespace('devloop-platform')
  onTestFinished(() => platform.remove())
  const one = await loop({
    devloopfile: devloopfile(platform.name),
    files: { '.env': 'WORD=one # a word\nDB_HOST=db\n', 'vault.env': `VAULT=${printed}\n`, 'page/hello.txt': 'hello' },
    env: { SHOP_TOKEN: told },
  })
  const at = `/api/v1/namespaces/${platform.name}/secrets`
  const body = { metadata: { name: 'shared' }, data: { KEY: base64(shared), OTHER: base64('not asked for') } }
  await one.connection.request('POST', at, { body })

  const watching = await one.begin()
  const everything = await record(one)
  expect(await data(one, 'configmaps', 'settings')).toEqual({ WORD: 'one', DB_HOST: 'db', COLOR: 'blue' })
  expect(await data(one, 'configmaps', 'page')).toEqual({ 'hello.txt': 'hello' })
  const creds = await data(one, 'secrets', 'creds')
  expect(creds).toEqual({ KEY: base64(shared), VAULT: base64(printed), TOKEN: base64(told), PASSWORD: expect.any(String) })
  const password = Buffer.from(creds['PASSWORD'] ?? '', 'base64').toString()
  expect(password).toMatch(/^\w{32}$/)
  await one.answers('one', '/env/WORD')
  await one.answers(shared, '/env/KEY')
  await one.answers(printed, '/env/VAULT')
  await one.answers(`db://app:${password}@db/blue`, '/env/URL')
  await one.answers('hello', '/file/hello.txt')
  expect(await revisions(one)).toEqual({ web: 1, lean: 1, plain: 1, legacy: 1, reloaded: 1 })

  // an env file; what takes nothing of it, or leaves it to somebody else, stays
  await one.save('.env', 'WORD=two\nDB_HOST=db\n')
  await one.answers('two', '/env/WORD', 60_000)
  await rolledOut(watching, one, { web: 2, lean: 1, plain: 1, legacy: 2, reloaded: 1 })
  expect(await data(one, 'configmaps', 'settings')).toMatchObject({ WORD: 'two' })

  // a file that was not there; of a folder; what the command reads; the Secret of the other namespace
  await one.save('local.env', 'WORD=three\n')
  await one.answers('three', '/env/WORD', 60_000)
  await rolledOut(watching, one, { web: 3, lean: 1, plain: 1, legacy: 3, reloaded: 1 })
  await one.save('page/hello.txt', 'good day')
  await one.answers('good day', '/file/hello.txt', 60_000)
  await rolledOut(watching, one, { web: 4, lean: 1, plain: 1, legacy: 3, reloaded: 1 })
  await one.save('vault.env', `VAULT=${printed}-2\n`)
  await one.answers(`${printed}-2`, '/env/VAULT', 60_000)
  await rolledOut(watching, one, { web: 5, lean: 1, plain: 1, legacy: 3, reloaded: 1 })
  const patch = { body: { data: { KEY: base64(`${shared}-2`) } }, contentType: 'application/merge-patch+json' } as const
  await one.connection.request('PATCH', `${at}/shared`, patch)
  await one.answers(`${shared}-2`, '/env/KEY', 60_000)
  await rolledOut(watching, one, { web: 6, lean: 1, plain: 1, legacy: 3, reloaded: 1 })

  // a command that fails: one error, and what it gave before stays
  await rm(join(one.folder, 'vault.env'))
  const failed = await watching.until('creds', ({ error }) => error?.code === 'config/command')
  expect(failed.error?.why).toMatch(/vault.env: No such file/)
  expect(watching.resource('web')).toMatchObject({ status: 'ready' })
  await one.save('vault.env', `VAULT=${printed}-2\n`)
  await rolledOut(watching, one, { web: 6, lean: 1, plain: 1, legacy: 3, reloaded: 1 })

  const shown = await Promise.all(
    [['status'], ['status', '--json'], ['logs'], ['render'], ['diff'], ['why', '.env']].map((args) => one.devloop(...args)),
  )
  expect(shown[3]?.stdout).toContain('name: creds')
  expect(shown[4]?.stdout).toBe('')
  const text = [everything(), watching.output(), ...shown.map(({ stdout, stderr }) => stdout + stderr), await stateFiles(one)]
  const secrets = [told, printed, shared, password]
  for (const value of secrets.flatMap((secret) => [secret, base64(secret).replace(/=+$/, '')]))
    expect(text.join('\n')).not.toContain(value)
  // and the search would find what is there
  expect(everything()).toContain('"creds"')

  // the same after a restart, with nobody rolled out
  watching.child.kill('SIGINT')
  await watching.ended
  const again = await one.begin()
  await rolledOut(again, one, { web: 6, lean: 1, plain: 1, legacy: 3, reloaded: 1 })
  expect((await data(one, 'secrets', 'creds'))['PASSWORD']).toBe(base64(password))
  again.child.kill('SIGINT')
  await again.ended
  const down = await one.devloop('down')
  expect(down.stdout).toContain('secret/creds')
  await expect(data(one, 'secrets', 'creds')).rejects.toThrow('HTTP 404')
  await expect(data(one, 'configmaps', 'settings')).rejects.toThrow('HTTP 404')
}, 180_000)

test('a Secret that comes later, values that nobody should see in a ConfigMap, those of a Compose file, and a service with a new name', async () => {
  const platform = await testNamespace('devloop-platform')
  onTestFinished(() => platform.remove())
  const text = ({ name, namespace, base }: Names, service: string): string => `
import { app, compose, config, defineDevloop, secret } from 'devloop'
const late = secret('late', { from: { namespace: '${platform.name}', name: 'late' } })
const open = config('open', { values: { API_TOKEN: 'of-a-test', PUBLIC_KEY: 'abc' } })
const forever = { image: '${base}', command: ['sleep', '3600'], probe: false } as const
const db = app('${service}', { ...forever, port: 5432 })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    open,
    app('web', { ...forever, env: { DB: db.address, PIN: late.at('PIN') } }),
    ...compose('compose.yaml'),
  ],
}))
`
  let names: Names | undefined
  const one = await loop({
    devloopfile: (given) => text((names = given), 'db'),
    files: {
      'compose.yaml': `services: { queue: { image: ${'IMAGE'}, command: [sleep, '3600'], env_file: queue.env, environment: { MODE: fast } } }\n`,
      'queue.env': `DB_PASSWORD=${told}\nBROKER_URL=amqp://me:${printed}@mq:5672\n`,
    },
  })
  await one.save('compose.yaml', (await readFile(join(one.folder, 'compose.yaml'), 'utf8')).replace('IMAGE', one.base))
  const watching = await one.watch()
  const missing = await watching.until('late', ({ error }) => error?.code === 'config/missing', 60_000)
  expect(missing.error?.message).toMatch(/takes values from the Secret .*\/late, which does not exist/)
  expect(watching.resource('web')?.hold?.message).toBe('it needs late')
  const open = await watching.until('open', ({ ready }) => ready)
  expect(open.warnings.map(({ code, message }) => [code, message])).toEqual([
    ['config/exposed', 'open holds API_TOKEN in a ConfigMap, which looks secret.'],
  ])

  const body = { metadata: { name: 'late' }, data: { PIN: base64('1234') } }
  await one.connection.request('POST', `/api/v1/namespaces/${platform.name}/secrets`, { body })
  await watching.ready(90_000)
  const [pod] = await one.pods()
  expect((await one.exec(pod!.name, ['sh', '-c', 'echo $DB $PIN'])).stdout.trim()).toBe('db:5432 1234')

  const [queue] = await one.pods('queue')
  const seen = await one.exec(queue!.name, ['sh', '-c', 'echo $DB_PASSWORD $BROKER_URL $MODE'], 'queue')
  expect(seen.stdout.trim()).toBe(`${told} amqp://me:${printed}@mq:5672 fast`)
  const deployments = await one.connection.request('GET', `/apis/apps/v1/namespaces/${one.namespace}/deployments`)
  for (const secret of [told, printed]) expect(JSON.stringify(deployments)).not.toContain(secret)

  await one.save('Devloopfile.ts', text(names!, 'store'))
  await watching.until('store', ({ ready }) => ready, 60_000)
  await watching.ready(60_000)
  const [renamed] = await one.pods()
  expect((await one.exec(renamed!.name, ['sh', '-c', 'echo $DB'])).stdout.trim()).toBe('store:5432')
  expect((await revisions(one))['web']).toBe(2)
  expect((await revisions(one))['queue']).toBe(1)

  // nothing stays, not even what hashes are made with
  watching.child.kill('SIGINT')
  await watching.ended
  expect((await one.devloop('down')).code).toBe(0)
  const left = await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/secrets`)
  expect((left as { items: unknown[] }).items).toEqual([])
}, 180_000)

const base64 = (text: string): string => Buffer.from(text).toString('base64')

async function data(one: Loop, kind: 'configmaps' | 'secrets', name: string): Promise<Record<string, string>> {
  const found = await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/${kind}/${name}`)
  return (found as { data: Record<string, string> }).data
}

/** How often each Deployment was rolled out. */
async function revisions(one: Loop): Promise<Record<string, number>> {
  const { items } = (await one.connection.request('GET', `/apis/apps/v1/namespaces/${one.namespace}/deployments`)) as {
    items: { metadata: { name: string; annotations: Record<string, string> } }[]
  }
  return Object.fromEntries(
    items.map(({ metadata }) => [metadata.name, Number(metadata.annotations['deployment.kubernetes.io/revision'])]),
  )
}

async function rolledOut(watching: Watching, one: Loop, expected: Record<string, number>): Promise<void> {
  await watching.ready(60_000)
  await waitFor(async () => (await revisions(one))['web'] === expected['web'], { what: 'the rollout', timeoutMs: 20_000 })
  expect(await revisions(one)).toEqual(expected)
}

/** All that clients of the daemon are sent from now on, and what it has told before. */
async function record(one: Loop): Promise<() => string> {
  const dirs = [join(one.env['XDG_RUNTIME_DIR'] ?? '', 'devloop')]
  const found = await findDaemon({ devloopfile: join(one.folder, 'Devloopfile.ts'), dirs })
  const raw = await connectRaw(found?.socket ?? '')
  onTestFinished(() => raw.ws.close())
  raw.send(hello({ topics: ['state', 'logs'], logs: { tail: 10_000 } }))
  await raw.take((message) => 'type' in message && message.type === 'welcome')
  return () => JSON.stringify(raw.received)
}

async function stateFiles(one: Loop): Promise<string> {
  const folder = one.env['XDG_STATE_HOME'] as string
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8'))
  return (await Promise.all(files)).join('\n')
}
