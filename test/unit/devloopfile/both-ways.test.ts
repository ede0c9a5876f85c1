// Syncs that bring back: what they become in the plan, and what is wrong with them.
import { expect, test } from 'vitest'
import { devloopfile, project } from './project.js'

const made = (body: string, resources: string) =>
  project({ 'api/Dockerfile': 'FROM scratch\n', 'Devloopfile.ts': devloopfile(body, resources) })

const errorsOf = (body: string, resources: string): Promise<string> => made(body, resources).errors()

test('what they become', async () => {
  const one = made(
    `  const a = image('a', {
    context: 'api',
    live: [
      sync('.', '/app'),
      sync('dist', '/app/dist', { from: 'container', exclude: 'dist/cache/**' }),
      sync('lock.json', '/app/lock.json', { from: 'container' }),
    ],
  })`,
    `app('a', { image: a })`,
  )
  const { images } = await one.plan()
  expect(images.a?.live.map((rule) => ({ ...rule, at: undefined }))).toEqual([
    { kind: 'sync', from: '', to: '/app', at: undefined },
    { kind: 'sync', from: 'dist', to: '/app/dist', exclude: ['dist/cache/**'], bothWays: true, at: undefined },
    { kind: 'sync', from: 'lock.json', to: '/app/lock.json', bothWays: true, at: undefined },
  ])
})

test('what is wrong with them', async () => {
  expect(
    await errorsOf(
      `  const a = image('a', {
    context: 'api',
    live: [
      sync('src', '/app/src', { from: 'pod' } as any),
      sync('dist', '/app/dist/', { from: 'container' }),
      sync('.', '/', { from: 'container' }),
    ],
  })
  const b = image('b', {
    context: 'api',
    live: [
      sync('.', '/other'),
      sync('out', '/other/dist', { from: 'container' }),
      sync('out', '/other/out', { from: 'container' }),
      sync('src', '/app', { from: 'container' }),
      sync('more', '/app/more'),
    ],
  })`,
      `app('a', { image: a }), app('b', { image: b })`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:6:7
    sync of image 'a': \`from\` must be 'container'.
    Received 'pod'.
    -> Leave it out for a sync that brings nothing back.

    devloopfile/invalid at Devloopfile.ts:7:7
    sync of image 'a': a path that comes back must be the whole one, without a slash at its end.
    Received '/app/dist/'.
    -> Write '/app/dist' for a folder, or '/app/dist/dist' for a file.

    devloopfile/invalid at Devloopfile.ts:8:7
    sync of image 'a': the root folder of a container cannot come back.
    -> Name the folders in it that shall.

    devloopfile/invalid at Devloopfile.ts:15:7
    sync of image 'b': '/other/dist' comes back, but '.' is synced into the same folder.
    So it cannot be told to which file of the context a file of the container belongs.
    -> Let one of the two lead to another folder.

    devloopfile/invalid at Devloopfile.ts:17:7
    sync of image 'b': '/app' comes back, but 'more' is synced into the same folder.
    So it cannot be told to which file of the context a file of the container belongs.
    -> Let one of the two lead to another folder."
  `)
})
