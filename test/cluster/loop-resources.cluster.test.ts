// Resources as a whole: what leaves the Devloopfile is deleted, what belongs to others is not; needs, environment, forwards.
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { homes, project, watch } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { devloopfile, loop, rules, type Loop, type Names } from '../support/loop.js'

/** Names of what is there of a kind, of anybody. */
async function names(one: Loop, path: string): Promise<string[]> {
  const { items } = (await one.connection.request('GET', `${path.replace('NS', `namespaces/${one.namespace}`)}`)) as {
    items: { metadata: { name: string; deletionTimestamp?: string } }[]
  }
  return items
    .filter((item) => item.metadata.deletionTimestamp === undefined)
    .map((item) => item.metadata.name)
    .sort()
}
const deployments = (one: Loop): Promise<string[]> => names(one, '/apis/apps/v1/NS/deployments')
const services = (one: Loop): Promise<string[]> => names(one, '/api/v1/NS/services')

const idle = `['node', '-e', "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)"]`

/** An app that is built, and others beside it that are not. */
const several =
  (resources: string) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, generated, image, manifests, restart, sync, text } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('src', '/app/src'), sync('public', '/app/public'), restart({ on: 'src/**' })] })
const password = generated('db-password')
const db = app('db', { image: '${base}', command: ${idle}, env: { PASSWORD: password }, ports: { sql: 5432 } })
const side = app('side', { image: '${base}', command: ${idle} })
const config = manifests('config', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { a: 'b' } })
const base = '${base}', port = ${port}
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: ${resources},
}))
`
const theApp = `app('web', { image: web, ports: { http: 8080 }, forward: { http: port } })`

test('what leaves the Devloopfile is deleted, while devloop runs and when it starts; what others made stays', async () => {
  const write = several(`[${theApp}, side, config]`)
  const one = await loop({ devloopfile: write })
  const others = `/api/v1/namespaces/${one.namespace}/configmaps`
  await one.connection.request('POST', others, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'of-others' } },
  })
  const first = await one.begin()
  const pods = await one.pods()
  expect([await deployments(one), await services(one)]).toEqual([['side', 'web'], ['web']])

  await one.save('Devloopfile.ts', several(`[${theApp}, config]`)(one))
  await waitFor(async () => (await deployments(one)).join() === 'web', { what: 'the app to be deleted' })
  await waitFor(() => first.resource('side') === undefined, { what: 'it to go from the status' })
  await first.ready()
  expect(await one.pods()).toEqual(pods)

  // out while devloop was down
  first.child.kill('SIGINT')
  await first.ended
  await one.save('Devloopfile.ts', several(`[${theApp}]`)(one))
  const second = await one.begin()
  await waitFor(async () => !(await names(one, '/api/v1/NS/configmaps')).includes('config'), { what: 'the object to be deleted' })
  expect(await names(one, '/api/v1/NS/configmaps')).toContain('of-others')
  expect(await one.pods()).toEqual(pods)

  // with a running daemon, `down` deletes everything and ends it
  const down = await one.devloop('down')
  expect([down.code, down.stderr]).toEqual([0, ''])
  await second.ended
  expect([await deployments(one), await services(one)]).toEqual([[], []])
  expect(await names(one, '/api/v1/NS/configmaps')).toEqual(['kube-root-ca.crt', 'of-others'])
})

test('down without a running daemon deletes what was deployed, and nothing of another working copy', async () => {
  const one = await loop({ devloopfile: several(`[side, config]`) })
  const watching = await one.begin()
  // another working copy of the same project, which names its app differently
  const folder = await project({ 'Devloopfile.ts': several(`[app('other', { image: base, command: ${idle} })]`)(one) })
  const env = await homes()
  const other = await watch([], { cwd: folder, env })
  await other.ready()
  expect(await deployments(one)).toEqual(['other', 'side'])
  watching.child.kill('SIGINT')
  await watching.ended

  const down = await one.devloop('down')
  expect([down.code, down.stderr]).toEqual([0, ''])
  expect(down.stdout).toContain('deployment/side')
  expect(await deployments(one)).toEqual(['other'])
  expect(other.session()?.ready).toBe(true)
  expect((await one.devloop('down')).code).toBe(0)
  // what the other has is refused to this one
  await one.save('Devloopfile.ts', several(`[app('other', { image: base, command: ${idle} })]`)(one))
  const refused = await one.watch()
  const failed = await refused.until('other', (view) => view.status === 'failed')
  expect(failed.error?.message).toContain('other')
  expect(other.session()?.ready).toBe(true)
})

test('needs, addresses and secrets reach the app; a generated value stays the same', async () => {
  const resources = `[db, app('web', {
    image: web, ports: { http: 8080 }, forward: { http: port }, needs: [db],
    env: { PLAIN: 'plain $(HOME) value', DB: text\`\${db.address}\`, URL: text\`postgres://u:\${password}@\${db.host}:\${db.port}/x\` },
  })]`
  // the database listens late: who needs it waits
  const one = await loop({
    devloopfile: (given) =>
      several(resources)(given).replace(
        /command: \['node'[^\]]*\], env/,
        `command: ['node', '-e', "process.on('SIGTERM', () => process.exit(0)); setTimeout(() => require('net').createServer((s) => s.end()).listen(5432), 1500)"], env`,
      ),
  })
  const first = await one.watch()
  await first.until('web', (view) => view.hold?.code === 'needs' && view.hold.message.includes('db'))
  await first.ready(60_000)
  const environment = async (): Promise<Record<string, string>> =>
    JSON.parse(await one.answers(/^\{/, '/env')) as Record<string, string>
  const env = await environment()
  expect(env).toMatchObject({
    PLAIN: 'plain $(HOME) value',
    DB: 'db:5432',
    URL: expect.stringMatching(/^postgres:\/\/u:[A-Za-z0-9]{32}@db:5432\/x$/) as string,
    PORT: '8080',
    PORT_HTTP: '8080',
  })
  const secret = /u:(.*)@/.exec(env.URL ?? '')?.[1] ?? ''
  // it is in a Secret and nowhere else
  const [deployment] = (
    (await one.connection.request('GET', `/apis/apps/v1/namespaces/${one.namespace}/deployments`)) as {
      items: unknown[]
    }
  ).items.map((item) => JSON.stringify(item))
  expect(deployment).not.toContain(secret)
  expect(JSON.stringify([...first.client.views().values()])).not.toContain(secret)
  expect(first.output()).not.toContain(secret)

  // through the address that it was given, the app reaches the other
  const pod = (await one.pods('web'))[0]?.name ?? ''
  const script = `const [host, port] = process.env.DB.split(':'); require('net').connect(port, host, () => process.exit(0)).on('error', () => process.exit(1))`
  await waitFor(async () => (await one.exec(pod, ['node', '-e', script])).code === 0, { what: 'the database to be reached' })

  const pods = await one.pods('web')
  first.child.kill('SIGINT')
  await first.ended
  await one.begin()
  expect((await environment()).URL).toBe(env.URL)
  expect(await one.pods('web')).toEqual(pods)
})

test('a changed setting rolls out without a build; the forward follows the ready pod', async () => {
  const one = await loop()
  const watching = await one.begin()
  await one.save('app/public/live.txt', 'synced')
  await one.answers('synced', '/live')
  const before = await one.pods()
  await one.save('Devloopfile.ts', devloopfile(`env: { MORE: 'x' }`)(one))
  await waitFor(async () => (await one.pods())[0]?.name !== before[0]?.name && watching.session()?.ready === true, {
    what: 'the rollout',
  })
  expect(await one.answers(/./, '/pod')).toBe((await one.pods())[0]?.name)
  expect(JSON.parse(await one.answers(/^\{/, '/env'))).toMatchObject({ MORE: 'x' })
  await one.answers('synced', '/live')
  expect(watching.output().match(/building/g)).toHaveLength(1)

  // another local port: nothing is deployed, the old one is closed
  const port = await freePort()
  const pods = await one.pods()
  await one.save('Devloopfile.ts', devloopfile(`env: { MORE: 'x' }`)({ ...one, port }))
  await waitFor(async () => (await (await fetch(`http://127.0.0.1:${port}/live`)).text()) === 'synced', { what: 'the new port' })
  await expect(fetch(one.url())).rejects.toThrow('fetch failed')
  expect(await one.pods()).toEqual(pods)

  // a live rule that comes is in force with the next save
  await one.save('app/docs/a.txt', 'covered by no rule')
  await waitFor(() => (watching.output().match(/building/g)?.length ?? 0) === 2, { what: 'the build' })
  await watching.until('web', (view) => view.ready && view.lastChange?.outcome === 'live')
  const built = await one.pods()
  await one.save(
    'Devloopfile.ts',
    devloopfile(`env: { MORE: 'x' }`, `[sync('docs', '/app/docs'), ${rules.slice(1)}`)({ ...one, port }),
  )
  await waitFor(() => watching.session()?.devloopfile.generation === 4, { what: 'the Devloopfile to be loaded' })
  await one.save('app/docs/a.txt', 'covered now')
  await one.same(built[0]?.name ?? '', 'app/docs', '/app/docs')
  expect([await one.pods(), watching.output().match(/building/g)?.length]).toEqual([built, 2])

  // one that leads elsewhere leaves nothing behind where the earlier one led
  await one.save(
    'Devloopfile.ts',
    devloopfile(`env: { MORE: 'x' }`, `[sync('docs', '/app/papers'), ${rules.slice(1)}`)({ ...one, port }),
  )
  const after = await waitFor(
    async () => {
      const pods = await one.pods()
      return pods.length === 1 && pods[0]?.name !== built[0]?.name && watching.session()?.ready === true ? pods[0] : undefined
    },
    { what: 'the pod to be replaced' },
  )
  await one.same(after.name, 'app/docs', '/app/papers')
  expect((await one.exec(after.name, ['cat', '/app/docs/a.txt'])).stdout).toBe('covered by no rule')
  expect(watching.output().match(/building/g)).toHaveLength(2)
})
