// A saved file in running pods: what is written, where, and that pods and containers stay what they are.
import { execFile } from 'node:child_process'
import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { ChangeView } from '../../src/protocol/messages.js'
import { waitFor } from '../support/cluster.js'
import { appFiles, devloopfile, loop, server, type Loop, type Names } from '../support/loop.js'

const firstPod = async (one: Loop): Promise<string> => {
  const [pod] = await one.pods()
  if (!pod) throw new Error('no pod')
  return pod.name
}

test('a synced file changes the answer, the restart rule the process; pod, container and restart count stay [tilt-3]', async () => {
  const one = await loop()
  const watching = await one.begin()
  const before = await one.pods()
  const pid = await one.answers(/^\d+$/, '/pid')
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live')
  expect(await one.answers(/^\d+$/, '/pid')).toBe(pid)
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  expect(await one.answers(/^\d+$/, '/pid')).not.toBe(pid)
  expect(await one.pods()).toEqual(before)
  await waitFor(() => watching.changes().every((change) => change.outcome === 'live'), { what: 'all changes to be live' })
  // a save empties the file before it writes it, and may be seen as two changes
  const [first, last] = [watching.changes()[0], watching.changes().at(-1)]
  const stages = ({ stages: all }: ChangeView): string[] => all.map(({ stage }) => stage)
  expect(first).toMatchObject({ paths: ['app/public/live.txt'], images: [{ action: 'sync' }] })
  expect(first && stages(first)).toEqual(['gathered', 'seen', 'sent', 'written', 'ran', 'live'])
  expect(last).toMatchObject({ paths: ['app/src/word.txt'], images: [{ action: 'sync' }] })
  expect(last && stages(last)).toEqual(['gathered', 'seen', 'sent', 'written', 'restarted', 'answered', 'live'])
  expect(watching.output().match(/building/g)).toHaveLength(1)
  const why = await one.devloop('why', 'app/src/word.txt')
  expect(why.stdout).toContain('sync, by sync("src", "/app/src")')
})

test('a save that restarts the app is live when the new process listens', async () => {
  const slow = server.replace('const server', 'await new Promise((resolve) => setTimeout(resolve, 1_500))\nconst server')
  const one = await loop({ files: { ...appFiles, 'app/src/server.js': slow } })
  const watching = await one.begin()
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  await waitFor(() => watching.changes().every((change) => change.outcome === 'live'), { what: 'all changes to be live' })
  const { liveMs = 0, stages = [] } = watching.changes().at(-1) ?? {}
  const at = Object.fromEntries(stages.map(({ stage, ms }) => [stage, ms]))
  expect((at.answered ?? 0) - (at.restarted ?? 0)).toBeGreaterThan(1_400)
  expect(liveMs).toBeGreaterThanOrEqual(at.answered ?? Infinity)
})

test('folders that are gone here are gone in the container, and a file takes the place of a link', async () => {
  const one = await loop()
  const watching = await one.begin()
  const pod = await firstPod(one)
  const at = (name: string): string => join(one.folder, 'app/public', name)
  const save = (name: string, content: string): Promise<void> => one.save(`app/public/${name}`, content)
  const same = (): Promise<void> => one.same(pod, 'app/public', '/app/public')

  await save('folder/a.txt', 'a')
  await save('folder/b/c.txt', 'c')
  await save('new/nested/deep/file.txt', 'deep')
  await save("odd 'one'/file", 'odd')
  await symlink('live.txt', at('link'))
  await same()
  await rename(at('folder'), at('renamed'))
  await rm(at('new'), { recursive: true })
  await rm(at("odd 'one'"), { recursive: true })
  await rm(at('link'))
  await save('link', 'now a file')
  await same()
  const left = ['link', 'live.txt', 'renamed']
  await waitFor(async () => (await one.exec(pod, ['ls', '/app/public'])).stdout === `${left.join('\n')}\n`, {
    what: 'the folders to go',
  })
  expect(watching.output().match(/building/g)).toHaveLength(1)
  expect(await firstPod(one)).toBe(pod)
})

test('every container of every pod gets it', async () => {
  const one = await loop({
    devloopfile: ({ name, namespace, base, port }: Names) => `
import { app, defineDevloop, image, manifests, restart, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('src', '/app/src'), sync('public', '/app/public'), restart({ on: 'src/**' })] })
const container = (name: string, port: string) => ({ name, image: '${name}/web', env: [{ name: 'PORT', value: port }] })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    app('web', { image: web, ports: { http: 8080 }, forward: { http: ${port} }, replicas: 2 }),
    manifests('pair', {
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'pair' },
      spec: { selector: { matchLabels: { app: 'pair' } }, template: { metadata: { labels: { app: 'pair' } }, spec: {
        terminationGracePeriodSeconds: 2, containers: [container('left', '8081'), container('right', '8082')] } } },
    }, { images: [web] }),
  ],
}))
`,
  })
  const watching = await one.begin()
  const [webs, pairs] = [await one.pods('web'), await one.pods('pair')]
  expect([webs.length, pairs.length, pairs[0]?.containers.length]).toEqual([2, 1, 2])
  await one.save('app/src/word.txt', 'two')
  await one.save('app/public/more/live.txt', 'more')
  await waitFor(() => watching.changes().length > 0 && watching.changes().every((change) => change.outcome === 'live'), {
    what: 'the changes to be live',
  })
  for (const folder of ['src', 'public']) {
    for (const pod of webs) await one.same(pod.name, `app/${folder}`, `/app/${folder}`)
    for (const name of ['left', 'right']) await one.same(pairs[0]?.name ?? '', `app/${folder}`, `/app/${folder}`, name)
  }
  expect([await one.pods('web'), await one.pods('pair')]).toEqual([webs, pairs])
  await watching.ready()
})

test('a git checkout of 1,000 files', async () => {
  const one = await loop({ devloopfile: devloopfile('', "[sync('src', '/app/src'), sync('public', '/app/public')]") })
  const folder = join(one.folder, 'app')
  const git = (...args: string[]) =>
    promisify(execFile)('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'commit.gpgsign=false', ...args], {
      cwd: folder,
    })
  await git('init', '-q', '-b', 'main')
  await git('add', '.')
  await git('commit', '-q', '-m', 'one')
  await git('checkout', '-q', '-b', 'other')
  for (let n = 0; n < 1000; n++) await one.save(`app/public/many/${n % 20}/${n}.txt`, `file ${n} ${'x'.repeat(n)}\n`)
  await one.save('app/public/live.txt', 'other')
  await git('add', '.')
  await git('commit', '-q', '-m', 'two')
  await git('checkout', '-q', 'main')

  const watching = await one.begin()
  const pod = await firstPod(one)
  await git('checkout', '-q', 'other')
  await one.answers('other', '/live')
  await one.same(pod, 'app/public', '/app/public')
  await git('checkout', '-q', 'main')
  await one.answers('first', '/live')
  await one.same(pod, 'app/public', '/app/public')
  expect((await one.exec(pod, ['ls', '/app/public'])).stdout).toBe('live.txt\n')
  await git('checkout', '-q', 'other')
  await mkdir(join(folder, 'public/many/more'))
  await git('checkout', '-q', 'main')
  await git('checkout', '-q', 'other')
  await one.same(pod, 'app/public', '/app/public')
  await watching.ready()
  expect(watching.output().match(/building/g)).toHaveLength(1)
  expect(await firstPod(one)).toBe(pod)
})
