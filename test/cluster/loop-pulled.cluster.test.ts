// An image that is only pulled: the whole tree is brought into each container on first contact.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { appFiles, loop, type Names } from '../support/loop.js'

const command = 'until [ -e src/word.txt ]; do sleep 0.1; done; exec node src/server.js'
const devloopfile =
  (initialSync: boolean, over = '') =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, ignore, image, restart, sync } from 'devloop'
const web = image('${name}/web', {
  from: '${base}',
  context: 'app',
  initialSync: ${initialSync},
  live: [ignore('public/*.md'), sync('.', '/srv/app', { exclude: 'Dockerfile' }), restart({ on: 'src/**' })],
})
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [app('web', { image: web, port: 8080, forward: ${port}, workdir: '/srv/app', command: '${command}', ${over} })],
}))
`
const files = { ...appFiles, 'app/public/notes.md': 'notes', 'app/.dockerignore': 'secret.txt\n', 'app/secret.txt': 'x' }

test('nothing is built: each container gets the whole tree, then every save; so does the one that takes its place', async () => {
  const one = await loop({ files, devloopfile: devloopfile(true) })
  const watching = await one.begin()
  await one.answers('one')
  expect(watching.output()).not.toContain('building')
  const [pod] = await one.pods()
  expect(pod?.image).toBe(one.base)
  const { stdout } = await one.exec(pod?.name ?? '', ['find', '/srv/app', '-type', 'f'])
  expect(stdout.trim().split('\n').sort()).toEqual(
    ['.dockerignore', 'package.json', 'public/live.txt', 'src/server.js', 'src/word.txt'].map((path) => `/srv/app/${path}`),
  )

  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  await one.save('app/public/more/new.txt', 'new')
  await rm(join(one.folder, 'app/public/live.txt'))
  await one.same(pod?.name ?? '', 'app/public/more', '/srv/app/public/more')
  // what no sync covers leads to nothing
  await one.save('app/Dockerfile', 'FROM nothing')
  await watching.ready()

  await one.connection.request('DELETE', `/api/v1/namespaces/${one.namespace}/pods/${pod?.name}`)
  const next = await waitFor(async () => (await one.pods()).find(({ name }) => name !== pod?.name), { what: 'the next pod' })
  await one.answers('two')
  await watching.ready()
  await one.same(next.name, 'app/src', '/srv/app/src')
  const verified = await one.devloop('verify')
  expect([verified.code, watching.output().includes('building')]).toEqual([0, false])
})

test('a folder that cannot be written is told as the error; nothing is tried again and again', async () => {
  const one = await loop({ files, devloopfile: devloopfile(true, 'user: 12345') })
  const watching = await one.watch()
  const error = await waitFor(() => watching.client.get('resource', 'web')?.error, { what: 'the error', timeoutMs: 60_000 })
  expect(error.code).toMatch(/^sync\/(?:permission|read-only)$/)
  expect(watching.output()).not.toContain('building')
})
