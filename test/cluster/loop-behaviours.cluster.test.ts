// Behaviours of the inner loop that docs/comparison.md names, where no other test shows them.
import { createServer } from 'node:net'
import { mkdir, open, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { appFiles, devloopfile, loop } from '../support/loop.js'

test('sockets are passed over, links stay links, and files that are cut short while they are sent end up whole [tilt-13]', async () => {
  const one = await loop()
  const watching = await one.begin()
  const [pod] = await one.pods()
  const at = (name: string): string => join(one.folder, 'app/public', name)
  const socket = createServer().listen(at('a.socket'))
  onTestFinished(() => void socket.close())
  await symlink('nowhere', at('dangling'))
  await symlink('../src', at('folder link'))
  // written, cut and written again as fast as it goes, while the first of it is under way
  const file = await open(at('log.bin'), 'w')
  for (let n = 1; n <= 40; n++) {
    await file.writeFile(Buffer.alloc(2_000_000, n))
    await file.truncate(n * 1000)
    await file.write('end', 0)
  }
  await file.close()
  await one.save('app/public/live.txt', 'after all of it')
  await one.answers('after all of it', '/live')
  await watching.ready()
  // the list of both sides leaves the socket out, which only one of them has
  await rm(at('a.socket'), { force: true })
  await one.same(pod?.name ?? '', 'app/public', '/app/public')
  expect((await one.pods()).map(({ uid }) => uid)).toEqual([pod?.uid])
  expect(watching.output().match(/building/g)).toHaveLength(1)
})

test('a new container gets all that differs from its image, in one go and before it is ready; ignored files and its own stay as they are [tilt-15]', async () => {
  const rules = `[
    ignore('public/private/**'),
    sync('src', '/app/src'),
    sync('public', '/app/public'),
    restart({ on: 'src/**' }),
  ]`
  const one = await loop({
    devloopfile: (names) => devloopfile('', rules)(names).replace('import { app', 'import { ignore, app'),
    files: { ...appFiles, 'app/public/private/key': 'in the image', 'app/public/kept.txt': 'in the image' },
  })
  const watching = await one.begin()
  const [first] = await one.pods()
  // a large tree, in two folders that are synced, of which the image knows nothing
  for (const folder of ['src/many', 'public/many'])
    for (let n = 0; n < 600; n++) await one.save(`app/${folder}/${n % 20}/file-${n}.txt`, `${folder} ${n}`)
  await one.save('app/public/large.bin', Buffer.alloc(5_000_000, 'x'))
  await one.save('app/public/private/key', 'changed here, and ignored')
  await one.save('app/public/live.txt', 'all is saved')
  await one.answers('all is saved', '/live')
  await watching.ready()
  await one.connection.request('DELETE', `/api/v1/namespaces/${one.namespace}/pods/${first?.name}`, {
    query: { gracePeriodSeconds: 1 },
  })
  await watching.until('web', (view) => view.ready && view.pods.some((pod) => pod.current && pod.name !== first?.name), 90_000)
  const [second] = await one.pods()
  const pod = second?.name ?? ''
  // ready means: it is all there
  for (const folder of ['src', 'public/many']) await one.same(pod, `app/${folder}`, `/app/${folder}`)
  const read = async (file: string): Promise<string> => (await one.exec(pod, ['cat', file])).stdout
  expect(await read('/app/public/private/key')).toBe('in the image')
  expect(await read('/app/public/kept.txt')).toBe('in the image')
  expect((await read('/app/public/large.bin')).length).toBe(5_000_000)
  // what the container makes itself is not devloop's to remove, whatever else is written beside it
  await one.exec(pod, ['sh', '-c', 'echo own > /app/public/many/own.txt'])
  await one.save('app/public/many/0/file-0.txt', 'again')
  await waitFor(async () => (await read('/app/public/many/0/file-0.txt')) === 'again', { what: 'the next save' })
  expect(await read('/app/public/many/own.txt')).toBe('own\n')
  expect(watching.output().match(/building/g)).toHaveLength(1)
})

test('a bad edit of the Devloopfile is shown and changes nothing that runs; its mending, and an edit of no meaning, build nothing [tilt-16]', async () => {
  const one = await loop()
  const watching = await one.begin()
  const before = await one.pods()
  const good = devloopfile()(one)
  const generation = (): number => watching.session()?.devloopfile.generation ?? 0
  await one.save('Devloopfile.ts', good.replace('image: web', 'image: nothing'))
  await waitFor(() => watching.session()?.devloopfile.state === 'failed', { what: 'the error' })
  expect(watching.session()?.devloopfile.error).toMatchObject({
    code: expect.stringMatching(/^devloopfile\//) as string,
    where: { file: join(one.folder, 'Devloopfile.ts') },
  })
  // the last good plan is in force, and the loop goes on
  await one.save('app/public/live.txt', 'under the old plan')
  await one.answers('under the old plan', '/live')
  await one.save('Devloopfile.ts', good)
  await waitFor(() => watching.session()?.devloopfile.state === 'ok', { what: 'the mended Devloopfile' })
  await watching.ready()
  const mended = generation()
  await one.save('Devloopfile.ts', `${good}\n// nothing but a comment\n`)
  await waitFor(() => generation() > mended, { what: 'the edit of no meaning' })
  await watching.ready()
  expect(await one.pods()).toEqual(before)
  expect(watching.output().match(/building/g)).toHaveLength(1)
  expect(watching.output().match(/web deploy │ applied/g)).toHaveLength(1)
})

test('new files in new folders, and a path that does not exist yet, are noticed; what editors leave for a moment is not [tilt-32]', async () => {
  const rules = `[sync('src', '/app/src'), sync('public', '/app/public'), sync('later/deep', '/app/later'), restart({ on: 'src/**' })]`
  const one = await loop({ devloopfile: devloopfile('', rules) })
  const watching = await one.begin()
  const [pod] = await one.pods()
  const held = async (file: string): Promise<string> => (await one.exec(pod?.name ?? '', ['cat', file])).stdout
  const holds = (file: string, text: string): Promise<unknown> =>
    waitFor(async () => (await held(file)) === text, { what: `${file} to hold ${text}` })

  await one.save('app/public/new/folder/a.txt', 'a')
  await holds('/app/public/new/folder/a.txt', 'a')
  await mkdir(join(one.folder, 'app/later/deep'), { recursive: true })
  await one.save('app/later/deep/first.txt', 'first')
  await holds('/app/later/first.txt', 'first')
  await waitFor(() => watching.changes().every((change) => change.outcome === 'live'), { what: 'all to be live' })

  const known = watching.changes().length
  const public_ = join(one.folder, 'app/public')
  const passing = ['.live.txt.swp', '.live.txt.swx', '4913', 'live.txt~', '.#live.txt', '#live.txt#', 'live.txt___jb_tmp___']
  for (const name of passing) await writeFile(join(public_, name), 'of an editor')
  for (const name of passing.slice(0, 3)) await rm(join(public_, name))
  // seen after them, so that they have been passed over
  await one.save('app/public/live.txt', 'saved by the editor')
  await one.answers('saved by the editor', '/live')
  await waitFor(() => watching.changes().every((change) => change.outcome === 'live'), { what: 'the save to be live' })
  expect(
    watching
      .changes()
      .slice(known)
      .flatMap((change) => change.paths),
  ).toEqual(['app/public/live.txt'])
  expect((await one.exec(pod?.name ?? '', ['ls', '-A', '/app/public'])).stdout.trim().split('\n')).toEqual(['live.txt', 'new'])
  expect(watching.output().match(/building/g)).toHaveLength(1)
})
