// Folders that are synced both ways: what a container changes comes back, local edits go there, and nobody's content is lost.
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { appFiles, loop, type Loop, type Names } from '../support/loop.js'
import type { Watching } from '../support/devloop.js'

const live = `[
  sync('src', '/app/src'),
  sync('public', '/app/public'),
  sync('shared', '/app/shared', { from: 'container', exclude: 'shared/*.log' }),
  sync('lock.json', '/app/lock.json', { from: 'container' }),
]`

const devloopfile =
  (over = '', settings = '') =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, image, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: ${live} })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  settings: { ${settings} },
  resources: [app('web', { image: web, ports: { http: 8080 }, forward: { http: ${port} }, ${over} })],
}))
`

const files = { ...appFiles, 'app/shared/one.txt': 'one', 'app/lock.json': '{}', 'app/.dockerignore': 'shared/generated\n' }

/** What a local file of the project holds; undefined = there is none. */
const local = (one: Loop, name: string): Promise<string | undefined> =>
  readFile(join(one.folder, 'app', name), 'utf8').catch(() => undefined)

const comesBack = (one: Loop, name: string, text: string | undefined): Promise<unknown> =>
  waitFor(async () => (await local(one, name)) === text, { what: `${name} to be ${text} locally`, timeoutMs: 30_000 })

const shell = async (one: Loop, pod: string, script: string): Promise<string> => {
  const { code, stdout } = await one.exec(pod, ['sh', '-c', script])
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${stdout}`)
  return stdout
}

const conflictsOf = (watching: Watching): readonly string[] =>
  watching
    .resource('web')
    ?.pods.flatMap(({ targets }) => targets.flatMap(({ returns }) => returns?.conflicts?.first.map(({ path }) => path) ?? [])) ??
  []

for (const [how, settings, found] of [
  ['the agent', '', /^watched$/],
  ['a shell loop', 'agent: false', /^looked at every 2 s$/],
] as const)
  test(`what a container changes comes back by ${how}, and conflicts are told`, async () => {
    const one = await loop({ devloopfile: devloopfile('', settings), files })
    const watching = await one.begin()
    const [pod] = (await one.pods()).map(({ name }) => name)
    if (pod === undefined) throw new Error('there is no pod')
    const { pods } = await watching.until('web', (view) => view.pods[0]?.targets[0]?.returns !== undefined)
    expect(pods[0]?.targets[0]?.returns?.how).toMatch(found)

    // created, changed, deleted; with folders, modes and links; also where .dockerignore names it, and a single file
    await shell(
      one,
      pod,
      'cd shared && mkdir -p generated/deep && echo made > generated/deep/a && printf two > one.txt && ln -s one.txt link && chmod 700 one.txt && echo no > x.log && printf 1 > ../lock.json',
    )
    await comesBack(one, 'shared/generated/deep/a', 'made\n')
    await comesBack(one, 'lock.json', '1')
    await one.same(pod, 'app/shared/generated', '/app/shared/generated')
    await waitFor(async () => (await one.tree('app/shared')).length === 3, { what: 'all to be there' })
    expect(await one.tree('app/shared')).toEqual((await one.treeOf(pod, '/app/shared')).filter(([path]) => path !== '/x.log'))
    await shell(one, pod, 'rm -r shared/generated')
    await waitFor(() => !existsSync(join(one.folder, 'app/shared/generated')), { what: 'its folder to be gone' })
    // and local edits go there
    await one.save('app/shared/generated/b', 'local')
    await one.save('app/shared/one.txt', 'three')
    await rm(join(one.folder, 'app/shared/link'))
    await waitFor(
      async () => (await shell(one, pod, 'cat shared/one.txt shared/generated/b 2>/dev/null || :')) === 'threelocal',
      { what: 'the edits to be in the container' },
    )
    await waitFor(async () => (await one.treeOf(pod, '/app/shared')).length === 3, {
      what: 'the link to be gone in the container',
    })

    // both change one path
    await waitFor(() => watching.session()?.ready === true && watching.changes().every(({ outcome }) => outcome !== 'pending'), {
      what: 'rest',
    })
    watching.child.kill('SIGKILL')
    await watching.ended
    await shell(one, pod, 'printf theirs > shared/one.txt; printf theirs > shared/new; rm shared/generated/b')
    await one.save('app/shared/one.txt', 'ours')
    await one.save('app/shared/new', 'ours')
    await one.save('app/shared/generated/b', 'changed')
    const again = await one.begin()
    await waitFor(() => conflictsOf(again).length === 2, { what: 'the conflicts to be told', timeoutMs: 30_000 })
    expect(conflictsOf(again)).toEqual(['/app/shared/new', '/app/shared/one.txt'])
    expect(await local(one, 'shared/one.txt')).toBe('ours')
    expect(await shell(one, pod, 'cat shared/one.txt shared/new')).toBe('theirstheirs')
    // a change counts more than a delete
    await waitFor(async () => (await shell(one, pod, 'cat shared/generated/b || :')) === 'changed', {
      what: 'the change to be there',
    })
    const why = await one.devloop('why', 'app/shared/one.txt')
    expect(why.stdout).toContain('what the container changes at /app/shared/one.txt comes back')
    expect(why.stdout).toContain('was changed in the container and locally')
    expect((await one.devloop('status')).stdout).toContain('2 paths are left alone')
    // each is resolved by deleting one of the two
    await rm(join(one.folder, 'app/shared/one.txt'))
    await comesBack(one, 'shared/one.txt', 'theirs')
    await shell(one, pod, 'rm shared/new')
    await waitFor(async () => (await shell(one, pod, 'cat shared/new || :')) === 'ours', { what: 'the local one to be there' })
    await waitFor(() => conflictsOf(again).length === 0, { what: 'no conflict' })
    await one.same(pod, 'app/shared/generated', '/app/shared/generated')

    // a folder that is emptied on one side empties the other never
    await shell(one, pod, 'rm -r shared')
    await waitFor(() => conflictsOf(again).length > 0, { what: 'the halt to be told', timeoutMs: 30_000 })
    expect((await one.tree('app/shared')).length).toBe(3)
    await shell(one, pod, 'mkdir shared && echo new > shared/c')
    await waitFor(async () => JSON.stringify((await one.tree('app/shared')).map(([path]) => path)) === '["/c"]', {
      what: 'the deletes to follow',
      timeoutMs: 30_000,
    })
    const status = await one.devloop('status', '--changes')
    expect(status.stdout).toContain(`from ${pod}`)
    await mkdir(join(one.folder, 'app/shared/x'), { recursive: true })
    await writeFile(join(one.folder, 'app/shared/x/y'), 'y')
    await one.same(pod, 'app/shared', '/app/shared')
  })

test('what comes back from one pod goes to the others, and two pods that differ are in conflict', async () => {
  const one = await loop({ devloopfile: devloopfile('replicas: 2'), files })
  const watching = await one.begin()
  const [a, b] = (await one.pods()).map(({ name }) => name)
  if (a === undefined || b === undefined) throw new Error('there are fewer than two pods')
  await shell(one, a, 'printf made > shared/made')
  await comesBack(one, 'shared/made', 'made')
  await one.same(b, 'app/shared', '/app/shared')
  // what both make while nobody looks
  watching.child.kill('SIGKILL')
  await watching.ended
  await shell(one, a, 'printf a > shared/made; printf a > shared/both')
  await shell(one, b, 'printf b > shared/both; rm shared/one.txt')
  const again = await one.begin()
  await waitFor(() => conflictsOf(again).length > 0, { what: 'the conflict to be told', timeoutMs: 30_000 })
  expect(conflictsOf(again)).toEqual(['/app/shared/both'])
  await comesBack(one, 'shared/made', 'a')
  await comesBack(one, 'shared/one.txt', undefined)
  expect([await shell(one, a, 'cat shared/both'), await shell(one, b, 'cat shared/both')]).toEqual(['a', 'b'])
  await shell(one, b, 'rm shared/both')
  await waitFor(() => conflictsOf(again).length === 0, { what: 'no conflict' })
  for (const pod of [a, b]) await one.same(pod, 'app/shared', '/app/shared')
})

test('of an image that is only pulled nothing is known: what differs at first contact is a conflict', async () => {
  const one = await loop({
    devloopfile: ({ name, namespace, base }) => `
import { app, defineDevloop, image, sync } from 'devloop'
const web = image('${name}/web', { from: '${base}', context: 'app', initialSync: false, live: [sync('shared', '/srv/shared', { from: 'container' })] })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [app('web', {
    image: web,
    command: ['sh', '-c', 'mkdir -p /srv/shared; cd /srv/shared; printf theirs > one.txt; printf theirs > two.txt; exec sleep 1000'],
    readiness: 'ignore',
  })],
}))
`,
    files: { 'app/shared/one.txt': 'ours', 'app/shared/three.txt': 'ours' },
  })
  const watching = await one.watch()
  await waitFor(() => conflictsOf(watching).length > 0, { what: 'the conflict to be told', timeoutMs: 60_000 })
  expect(conflictsOf(watching)).toEqual(['/srv/shared/one.txt'])
  await comesBack(one, 'shared/two.txt', 'theirs')
  expect(await local(one, 'shared/one.txt')).toBe('ours')
  const [pod] = (await one.pods()).map(({ name }) => name)
  await waitFor(
    async () => (await shell(one, pod ?? '', 'cd /srv/shared; cat one.txt two.txt three.txt || :')) === 'theirstheirsours',
    {
      what: 'each side to have what it lacked',
    },
  )
})
