// The journal of made images, and which state folders belong to nobody any more.
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createMadeImages } from '../../../../src/adapters/disk/made-images.js'
import { createStateFolders, madeImagesOf, noteInstance } from '../../../../src/adapters/disk/state-folders.js'
import type { MadeImage } from '../../../../src/model/made-image.js'

const folder = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'devloop-made-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

const made = (tag: string, at = 1): MadeImage => ({
  image: 'shop/api',
  id: `sha256:${tag}`,
  repository: 'registry/shop/api',
  tag,
  pushed: true,
  engine: '/var/run/docker.sock',
  cluster: 'https://cluster',
  at,
})
const build = (from: number): { image: string; engine: string; from: number; to: number } => ({
  image: 'shop/api',
  engine: '/var/run/docker.sock',
  from,
  to: from + 1,
})

test('what was added is there for the next process; a torn line and nonsense spoil no other', async () => {
  const file = join(await folder(), 'deep', 'made.jsonl')
  const journal = createMadeImages(file)
  await journal.add(made('a'))
  await appendFile(file, '{"made":{"image":"shop/api","id"')
  await journal.add(made('b'))
  await appendFile(file, '\n{"made":{"image":1}}\n[]\nnull\n')
  await journal.ran(build(5))
  expect(await createMadeImages(file).load()).toEqual({ images: [made('a'), made('b')], builds: [build(5)] })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('an image that was built again counts as new', async () => {
  const journal = createMadeImages(join(await folder(), 'made.jsonl'))
  for (const one of [made('a', 1), made('b', 2), made('a', 3)]) await journal.add(one)
  expect((await journal.load()).images).toEqual([made('b', 2), made('a', 3)])
})

test('thinning out leaves what was added since it was read', async () => {
  const file = join(await folder(), 'made.jsonl')
  const journal = createMadeImages(file)
  for (const one of [made('a'), made('b')]) await journal.add(one)
  await journal.ran(build(1))
  const { images } = await journal.load()
  await Promise.all([journal.add(made('c')), journal.keep([images[1] as MadeImage], []), journal.add(made('d'))])
  const left = { images: [made('b'), made('c'), made('d')], builds: [] }
  expect(await journal.load()).toEqual(left)
  expect(await createMadeImages(file).load()).toEqual(left)
  expect((await readFile(file, 'utf8')).includes('sha256:a"')).toBe(false)
  await createMadeImages(join(await folder(), 'none', 'made.jsonl')).keep([], [])
})

test('a state folder is abandoned when its project is gone and nobody used it since; nothing else is', async () => {
  const root = await folder()
  const project = join(root, 'project')
  await mkdir(project)
  const name = (digit: number): string => `i${String(digit).repeat(10)}`
  const make = async (digit: number, devloopfile: string): Promise<string> => {
    const dir = join(root, name(digit))
    await noteInstance(dir, devloopfile)
    await madeImagesOf(dir).add(made(`tag-${digit}`))
    return dir
  }
  const gone = await make(1, join(root, 'gone', 'Devloopfile.ts'))
  await make(2, join(project, 'Devloopfile.ts'))
  await make(3, join(root, 'gone', 'Devloopfile.ts'))
  const noNote = await make(4, join(root, 'gone', 'Devloopfile.ts'))
  await rm(join(noNote, 'instance.json'))
  await mkdir(join(root, 'something-else'))
  const old = new Date(Date.now() - 3_600_000)
  for (const dir of [gone, join(root, name(2)), noNote])
    for (const file of ['instance.json', 'made.jsonl']) await utimes(join(dir, file), old, old).catch(() => {})
  const folders = createStateFolders(root, name(9))
  const unusedSince = Date.now() - 60_000
  const found = await folders.abandoned(unusedSince)
  expect(found.map((one) => one.instance)).toEqual([name(1)])
  expect((await found[0]?.made.load())?.images).toEqual([made('tag-1')])
  // not by the instance itself, and not while somebody uses it
  expect(await createStateFolders(root, name(1)).abandoned(unusedSince)).toEqual([])
  expect(await createStateFolders(root, name(9)).madeByOthers(name(1))).toEqual(
    new Set([2, 3, 4].map((digit) => `registry/shop/api:tag-${digit}`)),
  )
  await found[0]?.remove()
  await expect(stat(gone)).rejects.toMatchObject({ code: 'ENOENT' })
  await stat(join(root, name(3)))
})
