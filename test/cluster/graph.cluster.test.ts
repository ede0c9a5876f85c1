// The graph of resources on a cluster: manual trigger, needs, slots, enabling and disabling.
import { expect, test } from 'vitest'
import type { ImageView } from '../../src/protocol/messages.js'
import type { Watching } from '../support/devloop.js'
import { isRunning } from '../support/docker-builds.js'
import { appFiles, devloopfile, loop, type Names } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'

const imageOf = (watching: Watching, name: string): ImageView | undefined =>
  watching.client.views().get(`image/${name}`) as ImageView | undefined

/** How often the building of an image was begun. */
const builds = (watching: Watching, name: string): number => watching.output().split(`building ${name}: `).length - 1

const reloaded = (watching: Watching, generation: number): Promise<unknown> =>
  waitFor(() => watching.session()?.devloopfile.generation === generation, { what: `plan ${generation}`, timeoutMs: 30_000 })

test('with manual trigger nothing happens until a trigger, which syncs or else rebuilds [tilt-12]', async () => {
  const shop = await loop({ devloopfile: devloopfile("trigger: 'manual',") })
  const watching = await shop.begin()
  const image = `${shop.name}/web`
  await shop.answers('first', '/live')
  const [before] = await shop.pods()

  await shop.save('app/public/live.txt', 'second')
  const waiting = await watching.until('web', (view) => view.pending !== undefined)
  expect(waiting).toMatchObject({ ready: true, status: 'ready', pending: { paths: ['app/public/live.txt'], pathCount: 1 } })
  await shop.save('app/public/other.txt', 'more')
  await watching.until('web', (view) => view.pending?.pathCount === 2)
  expect(await (await fetch(shop.url('/live'))).text()).toBe('first')
  expect(watching.changes().map((change) => change.outcome)).toEqual(['pending', 'pending'])

  expect((await shop.devloop('trigger', 'web')).code).toBe(0)
  await shop.answers('second', '/live')
  await watching.until('web', (view) => view.ready && view.pending === undefined)
  expect(await shop.pods()).toEqual([before])
  expect(builds(watching, image)).toBe(1)
  await shop.same(before!.name, 'app/public', '/app/public')
  await waitFor(() => watching.changes().every((change) => change.outcome === 'live'), { what: 'both changes to be live' })

  // package.json is covered by no rule
  await shop.save('app/package.json', '{ "type": "module", "version": "2" }')
  await watching.until('web', (view) => view.pending !== undefined)
  expect(await shop.pods()).toEqual([before])
  expect(builds(watching, image)).toBe(1)
  await shop.devloop('trigger', 'web')
  await waitFor(
    async () => {
      const pods = await shop.pods()
      return pods.length === 1 && pods[0]?.uid !== before?.uid && watching.resource('web')?.ready
    },
    { what: 'the new pod', timeoutMs: 90_000 },
  )
  expect(builds(watching, image)).toBe(2)
  await shop.answers('second', '/live')
})

test('a change of modes, labels and limits alone rebuilds and deploys nothing [tilt-17]', async () => {
  const shop = await loop()
  const watching = await shop.begin()
  const before = await shop.pods()
  const modes = ["trigger: 'manual',", "trigger: 'manual', auto: false, labels: ['x'],", 'enabled: true, auto: true,']
  for (const [index, over] of modes.entries()) {
    await shop.save('Devloopfile.ts', devloopfile(over)(shop))
    await reloaded(watching, index + 2)
    await watching.ready()
  }
  await shop.save('Devloopfile.ts', devloopfile()(shop).replace('resources:', 'settings: { parallel: 1 }, resources:'))
  await reloaded(watching, modes.length + 2)
  await watching.ready()
  expect(await shop.pods()).toEqual(before)
  expect(builds(watching, `${shop.name}/web`)).toBe(1)
  expect(watching.output().split('applied ').length - 1).toBe(1)
})

/** Three apps of an image each; building one takes as long as it is told to. */
const three =
  (parallel: number) =>
  ({ name, namespace, base }: Names): string =>
    `
import { app, defineDevloop, image } from 'devloop'
const make = (letter: string) => app(letter, {
  image: image('${name}/' + letter, {
    context: letter,
    dockerfile: { inline: 'FROM ${base}\\nCOPY . /app\\nRUN sleep 6 && echo ' + letter + '\\nCMD ["sleep", "3600"]\\n' },
  }),
})
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  settings: { parallel: { builds: ${parallel} } },
  resources: ['a', 'b', 'c'].map(make),
}))
`

test('no more builds at once than slots, which may be raised and lowered in the middle [tilt-18]', async () => {
  const files = Object.fromEntries(['a', 'b', 'c'].map((letter) => [`${letter}/file`, String(Math.random())]))
  const shop = await loop({ devloopfile: three(1), files })
  const watching = await shop.watch()
  const building = (): string[] =>
    ['a', 'b', 'c'].filter((letter) => imageOf(watching, `${shop.name}/${letter}`)?.state === 'building')
  let most = 0
  let limit = 1
  const over: string[] = []
  watching.client.onViews(() => {
    const now = building()
    most = Math.max(most, now.length)
    if (now.length > limit) over.push(now.join(' '))
  })
  await waitFor(() => building().length === 1, { what: 'the first build', timeoutMs: 60_000 })
  const held = await watching.until('c', (view) => view.hold?.code === 'slot')
  expect(held.hold?.message).toMatch(/^1 other image is being built/)
  limit = 2
  await shop.save('Devloopfile.ts', three(2)(shop))
  await waitFor(() => building().length === 2, { what: 'two builds at once', timeoutMs: 60_000 })
  const both = building()
  await shop.save('Devloopfile.ts', three(1)(shop))
  await reloaded(watching, 3)
  // what runs goes on, and the third waits until both are done
  expect(building()).toEqual(both)
  await watching.ready(120_000)
  expect(over).toEqual([])
  expect(most).toBe(2)
  expect(['a', 'b', 'c'].map((letter) => builds(watching, `${shop.name}/${letter}`))).toEqual([1, 1, 1])
})

/** `web` needs a Job that ends when it can reach nothing any more: after some seconds. */
const gated =
  (needs: string, jobNeeds = '[]') =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, manifests } from 'devloop'
const job = {
  apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'migrate', image: '${base}', command: ['sleep', '5'] }] } } },
}
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    app('web', {
      image: '${base}', port: 8080, forward: ${port}, needs: ${needs},
      command: ['node', '-e', 'require("http").createServer((_, r) => r.end("up")).listen(8080)'],
    }),
    manifests('migrate', job, { needs: ${jobNeeds} }),
  ],
}))
`

test('what is needed gates the start, a Job until it has succeeded; a circle and an unknown name are refused [tilt-19]', async () => {
  const shop = await loop({ devloopfile: gated("['migrate']"), files: {} })
  const watching = await shop.watch()
  const held = await watching.until('web', (view) => view.hold?.code === 'needs', 60_000)
  expect(held.hold?.message).toBe('it needs migrate')
  expect(await shop.pods()).toEqual([])
  await watching.ready(90_000)
  await shop.answers('up')
  const path = `/namespaces/${shop.namespace}`
  const job = (await shop.connection.request('GET', `/apis/batch/v1${path}/jobs/migrate`)) as {
    status: { completionTime: string }
  }
  const deployment = (await shop.connection.request('GET', `/apis/apps/v1${path}/deployments/web`)) as {
    metadata: { creationTimestamp: string }
  }
  expect(Date.parse(deployment.metadata.creationTimestamp)).toBeGreaterThanOrEqual(Date.parse(job.status.completionTime))

  for (const [wrong, message] of [
    [gated("['migrate']", "['web']"), 'Resources need each other in a circle: web -> migrate -> web.'],
    [gated("['migrat']"), "app 'web': it needs 'migrat', and there is no such resource."],
    [gated("['web']"), "'web' needs itself."],
  ] as const) {
    await shop.save('Devloopfile.ts', wrong(shop))
    await waitFor(() => watching.session()?.devloopfile.error?.message === message, { what: message })
    // what runs goes on
    expect(await (await fetch(shop.url())).text()).toBe('up')
  }
})

test('disabling stops a running build and deletes what was deployed, enabling brings it back [tilt-20] [tilt-22]', async () => {
  const shop = await loop()
  const watching = await shop.begin()
  await shop.answers('one')
  const list = async (kind: string): Promise<string[]> => {
    const { items } = (await shop.connection.request('GET', `${kind.replace('*', `namespaces/${shop.namespace}`)}`, {
      query: { labelSelector: 'devloop.dev/resource=web' },
    })) as { items: { metadata: { name: string } }[] }
    return items.map((one) => one.metadata.name)
  }
  expect(await list('/apis/apps/v1/*/deployments')).toEqual(['web'])

  // a build that takes its time
  const seconds = String(61_000 + Math.floor(Math.random() * 9000))
  await shop.save('app/Dockerfile', `${appFiles['app/Dockerfile']}RUN sleep ${seconds}\n`)
  await waitFor(() => isRunning('sleep', seconds), { what: 'the step of the build', timeoutMs: 60_000 })
  expect((await shop.devloop('disable', 'web')).stdout).toBe('disabled web\n')
  await waitFor(async () => !(await isRunning('sleep', seconds)), { what: 'the step of the build to be gone' })
  await watching.until('web', (view) => view.status === 'disabled', 60_000)
  expect(await list('/apis/apps/v1/*/deployments')).toEqual([])
  expect(await list('/api/v1/*/services')).toEqual([])
  await waitFor(async () => (await shop.pods()).length === 0, { what: 'the pods to be gone', timeoutMs: 60_000 })
  await expect(fetch(shop.url())).rejects.toThrow('fetch failed')
  expect(watching.session()?.ready).toBe(true)

  // neither a save nor a reload brings it back
  await shop.save('app/Dockerfile', appFiles['app/Dockerfile']!)
  await shop.save('Devloopfile.ts', devloopfile('replicas: 1, ')(shop))
  await reloaded(watching, 2)
  expect(watching.resource('web')).toMatchObject({ status: 'disabled', disabled: 'request' })

  expect((await shop.devloop('enable', 'web')).stdout).toBe('enabled web\n')
  await shop.answers('one', '/', 90_000)
  await watching.ready()
})
