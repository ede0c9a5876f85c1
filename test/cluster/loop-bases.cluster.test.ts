// Images that are built on other images of the project: built once, rebuilt with them, and synced through.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createEngineConnector } from '../../src/adapters/docker/engine.js'
import type { ImageView } from '../../src/protocol/messages.js'
import { loop, server, type Loop, type Names } from '../support/loop.js'
import type { Watching } from '../support/devloop.js'
import { waitFor } from '../support/wait-for.js'

const devloopfile = ({ name, namespace, base, port }: Names): string => `
import { app, defineDevloop, image, restart, sync } from 'devloop'
const base = image('${name}/base', {
  context: 'base',
  args: { NODE: '${base}' },
  live: [sync('public', '/app/public'), sync('settings', '/app/settings'), restart({ on: 'settings/**' })],
})
const web = image('${name}/web', { context: 'web', args: { PARENT: base }, live: [sync('src', '/app/src'), sync('own', '/app/public/own')] })
const admin = image('${name}/admin', { context: 'admin', bases: [base] })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    app('web', { image: web, port: 8080, forward: ${port} }),
    app('admin', { image: admin, port: 8080 }),
  ],
}))
`

const files = (name: string): Record<string, string> => ({
  'base/Dockerfile':
    'ARG NODE\nFROM ${NODE}\nWORKDIR /app\nCOPY . .\nRUN echo \'{"type":"module"}\' > package.json\nCMD ["node", "src/server.js"]\n',
  'base/public/live.txt': 'first',
  'base/public/own/a.txt': 'of the base',
  'base/settings/word.txt': 'plain',
  'base/built.txt': 'one',
  'web/Dockerfile': 'ARG PARENT\nFROM ${PARENT}\nCOPY src src\nCOPY own public/own\n',
  'web/src/server.js': server,
  'web/src/word.txt': 'web',
  'web/own/a.txt': 'of web',
  'admin/Dockerfile': `FROM ${name}/base AS start\nFROM start\nCOPY server.js word.txt src/\n`,
  'admin/server.js': server,
  'admin/word.txt': 'admin',
})

async function project(env: Readonly<Record<string, string>> = {}): Promise<Loop> {
  const made = await loop({ devloopfile, files: {}, env })
  for (const [name, text] of Object.entries(files(made.name))) await made.save(name, text)
  return made
}

const imageOf = (watching: Watching, name: string): ImageView | undefined =>
  watching.client.views().get(`image/${name}`) as ImageView | undefined

const builds = (watching: Watching, name: string): number => watching.output().split(`building ${name}: `).length - 1

test('a base image is built first and once for the images built on it, and rebuilt with them [tilt-18]', async () => {
  const shop = await project()
  const watching = await shop.begin()
  const [base, web, admin] = ['base', 'web', 'admin'].map((one) => `${shop.name}/${one}`) as [string, string, string]
  await shop.answers('web')
  await shop.answers('first', '/live')
  expect([base, web, admin].map((one) => builds(watching, one))).toEqual([1, 1, 1])
  expect(imageOf(watching, web)?.bases).toEqual([base])
  expect(imageOf(watching, admin)?.bases).toEqual([base])
  const before = [await shop.pods('web'), await shop.pods('admin')].flat()

  await shop.save('base/built.txt', 'two')
  for (const app of ['web', 'admin']) {
    await waitFor(
      async () => {
        const pods = await shop.pods(app)
        return (
          pods.length === 1 &&
          !before.some((old) => old.uid === pods[0]?.uid) &&
          (await shop.exec(pods[0]!.name, ['cat', '/app/built.txt'], app)).stdout === 'two'
        )
      },
      { what: `${app} to be built on the new base`, timeoutMs: 120_000 },
    )
  }
  await watching.ready(90_000)
  expect([base, web, admin].map((one) => builds(watching, one))).toEqual([2, 2, 2])
  expect(imageOf(watching, base)).toMatchObject({ context: { files: 5, sentFiles: 1, sentBytes: 3 } })
  expect((await shop.devloop('status')).stdout).toMatch(/\/base +built in .*, 3 B of context sent \(1 of 5 files\)/)
  watching.child.kill('SIGINT')
  await watching.ended

  const again = await shop.begin()
  expect([base, web, admin].map((one) => builds(again, one))).toEqual([0, 0, 0])
  await shop.answers('web')
})

test("a base image's synced file reaches the containers of the images built on it [tilt-18]", async () => {
  const shop = await project()
  const watching = await shop.begin()
  const [[web], [admin]] = [await shop.pods('web'), await shop.pods('admin')]
  await shop.save('base/public/live.txt', 'second')
  await shop.answers('second', '/live')
  await shop.save('base/public/new/deep.txt', 'more')
  const held = async (pod: string, container: string, path: string): Promise<string> =>
    (await shop.exec(pod, ['cat', path], container)).stdout
  for (const [pod, name] of [
    [web!.name, 'web'],
    [admin!.name, 'admin'],
  ] as const) {
    await waitFor(async () => (await held(pod, name, '/app/public/new/deep.txt')) === 'more', { what: `${name} to hold it` })
    expect(await held(pod, name, '/app/public/live.txt')).toBe('second')
  }

  // what an image copies over its base's file hides that
  await shop.save('base/public/own/a.txt', 'changed in the base')
  await waitFor(async () => (await held(admin!.name, 'admin', '/app/public/own/a.txt')) === 'changed in the base', {
    what: 'admin to hold what nothing hides',
  })
  await watching.ready()
  expect(await held(web!.name, 'web', '/app/public/own/a.txt')).toBe('of web')

  // a rule of the base restarts the process of the image built on it
  const pid = await shop.answers(/\d+/, '/pid')
  await shop.save('base/settings/word.txt', 'fancy')
  await waitFor(async () => (await held(web!.name, 'web', '/app/settings/word.txt')) === 'fancy', { what: 'the setting' })
  await waitFor(async () => (await shop.answers(/\d+/, '/pid')) !== pid, { what: 'the process to be started again' })

  await shop.save('base/public/new/deep.txt', 'gone soon')
  await rm(join(shop.folder, 'base/public/new'), { recursive: true })
  await waitFor(async () => (await shop.exec(web!.name, ['ls', '/app/public'], 'web')).stdout === 'live.txt\nown\n', {
    what: 'the deleted folder to go',
  })
  await watching.ready()
  expect([await shop.pods('web'), await shop.pods('admin')].flat().map(({ uid }) => uid)).toEqual([web!.uid, admin!.uid])
  expect(builds(watching, `${shop.name}/base`)).toBe(1)

  // a pod that takes the place of another gets all of it
  await shop.save('base/public/live.txt', 'third')
  await shop.answers('third', '/live')
  await shop.connection.request('DELETE', `/api/v1/namespaces/${shop.namespace}/pods/${web!.name}`)
  await waitFor(async () => (await shop.pods('web')).every(({ uid }) => uid !== web!.uid), { what: 'the pod to be replaced' })
  await watching.ready(90_000)
  await shop.answers('third', '/live')
  expect(builds(watching, `${shop.name}/base`)).toBe(1)
})

test('a base image that was lost is had from the registry, or else built again', async () => {
  // BuildKit would remember what it had read of it
  const shop = await project({ DOCKER_BUILDKIT: '0' })
  const watching = await shop.begin()
  const [base, web] = ['base', 'web'].map((one) => `${shop.name}/${one}`) as [string, string]
  const ref = imageOf(watching, base)?.ref as string
  const engine = await createEngineConnector(process.env)(new AbortController().signal)
  const forget = async (): Promise<void> => {
    const answer = await engine.stream({ method: 'DELETE', path: `/images/${ref}`, query: { force: '1' } })
    answer.resume()
  }
  const live = (): number =>
    watching.changes().filter(({ paths, outcome }) => paths[0]?.endsWith('extra.txt') && outcome === 'live').length
  const saved = async (word: string): Promise<void> => {
    const before = live()
    await shop.save('web/extra.txt', word)
    await waitFor(() => live() > before, { what: `the save of ${word} to be live`, timeoutMs: 120_000 })
  }
  await forget()
  await saved('one')
  expect([base, web].map((one) => builds(watching, one))).toEqual([1, 2])

  const [, host, repository, tag] = /^([^/]+)\/(.+):([^:]+)$/.exec(ref) ?? []
  const headers = { accept: 'application/vnd.docker.distribution.manifest.v2+json' }
  const manifests = `http://${host}/v2/${repository}/manifests`
  const digest = (await fetch(`${manifests}/${tag}`, { method: 'HEAD', headers })).headers.get('docker-content-digest')
  expect((await fetch(`${manifests}/${digest}`, { method: 'DELETE' })).status).toBe(202)
  await forget()
  await saved('two')
  await watching.ready(60_000)
  expect(builds(watching, base)).toBe(2)
  expect((await fetch(`${manifests}/${tag}`, { method: 'HEAD', headers })).ok).toBe(true)
})
