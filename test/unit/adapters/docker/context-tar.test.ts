import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listContext } from '../../../../src/adapters/docker/context-files.js'
import { packContext, type ContextTar } from '../../../../src/adapters/docker/context-tar.js'
import { scanTree } from './scan-tree.js'

let folder: string
const never = new AbortController().signal
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'devloop-tar-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function unpack(tar: ContextTar): Promise<Record<string, string>> {
  const out: Record<string, string> = {}
  const reader = extract()
  tar.stream.on('error', (error) => reader.destroy(error))
  tar.stream.pipe(reader)
  for await (const entry of reader) {
    const content = (await buffer(entry)).toString()
    const { name, type, mode, linkname, uid, gid } = entry.header
    out[name.replace(/\/$/, '')] = `${type} ${(mode ?? 0).toString(8)} ${uid}:${gid} ${linkname ?? content}`
  }
  return out
}

test('the tar holds the context, with modes and links', async () => {
  await mkdir(path.join(folder, 'src'))
  await writeFile(path.join(folder, 'Dockerfile'), 'FROM a')
  await writeFile(path.join(folder, 'src', 'run'), '#!', { mode: 0o755 })
  await symlink('run', path.join(folder, 'src', 'go'))
  await mkdir(path.join(folder, 'public', 'empty'), { recursive: true })
  const entries = await listContext(folder, scanTree(folder), ['gone', 'public/empty'], never)
  const tar = packContext(entries, 'FROM a', 'Dockerfile', never)
  expect(tar.dockerfile).toBe('Dockerfile')
  expect(await unpack(tar)).toEqual({
    Dockerfile: 'file 644 0:0 FROM a',
    public: 'directory 755 0:0 ',
    'public/empty': 'directory 755 0:0 ',
    src: 'directory 755 0:0 ',
    'src/go': 'symlink 777 0:0 run',
    'src/run': 'file 755 0:0 #!',
  })
})

test('a Dockerfile from elsewhere is sent beside the context and hidden from COPY', async () => {
  await writeFile(path.join(folder, '.devloop.Dockerfile'), 'taken')
  await writeFile(path.join(folder, '.dockerignore'), 'x')
  const entries = await listContext(folder, scanTree(folder), [], never)
  const tar = packContext(entries, 'FROM b', undefined, never)
  expect(tar.dockerfile).toBe('.devloop.Dockerfile_')
  expect(await unpack(tar)).toEqual({
    '.dockerignore': 'file 644 0:0 x\n.devloop.Dockerfile_\n',
    '.devloop.Dockerfile': 'file 644 0:0 taken',
    '.devloop.Dockerfile_': 'file 644 0:0 FROM b',
  })
})

test.each([5, 3_000_000])('a file of %i bytes that changes on the way breaks the tar off by its name', async (size) => {
  await writeFile(path.join(folder, 'f'), Buffer.alloc(size))
  const entries = await listContext(folder, scanTree(folder), [], never)
  await writeFile(path.join(folder, 'f'), Buffer.alloc(size, 1))
  await expect(unpack(packContext(entries, '', 'f', never))).rejects.toMatchObject({ info: { code: 'build/context' } })
})

test('an abort breaks the tar off', async () => {
  await writeFile(path.join(folder, 'f'), 'x')
  const entries = await listContext(folder, scanTree(folder), [], never)
  await expect(unpack(packContext(entries, '', 'f', AbortSignal.abort()))).rejects.toMatchObject({ name: 'AbortError' })
})
