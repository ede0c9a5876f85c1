import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lookAt } from '../../../../src/adapters/disk/file-entry.js'
import { createSourceFiles } from '../../../../src/adapters/disk/source-files.js'
import type { SourceFiles } from '../../../../src/ports/source-files.js'

const all = (): boolean => false
const { signal } = new AbortController()
const sha = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')
const isRoot = process.getuid?.() === 0

let base: string
let files: SourceFiles

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'devloop-sources-')))
  files = createSourceFiles()
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const at = (path: string): string => join(base, path)
const write = (path: string, content: string | Buffer = path): void => {
  mkdirSync(dirname(at(path)), { recursive: true })
  writeFileSync(at(path), content)
}
const scan = async (root = base, ignored: (path: string, isDirectory: boolean) => boolean = all) =>
  (await files.scan(root, ignored, signal)).tree
const look = async (...paths: string[]) => Object.fromEntries(await files.look(base, paths, all, signal))
/** So long ago that a hash of it is believed. */
const age = (path: string): void => utimesSync(at(path), 1000, 1000)

test('empty folders: those in which nothing is that a scan would find', async () => {
  write('full/a.txt')
  write('skipped/deep/b.txt')
  write('only-ignored/c.log')
  mkdirSync(at('empty/below'), { recursive: true })
  mkdirSync(at('full/empty'))
  symlinkSync('nowhere', at('only-ignored/link'))
  mkdirSync(at('logs'))
  write('logs/d.log')
  const ignored = (path: string): boolean => path === 'skipped' || path.endsWith('.log')
  expect(await files.emptyFolders(base, ignored, signal)).toEqual(['empty', 'empty/below', 'full/empty', 'logs'])
  expect(await files.emptyFolders(at('nowhere'), ignored, signal)).toEqual([])
})

describe('a whole tree', () => {
  test('files with hash, mode and size, links as links; no folders', async () => {
    write('a.txt', 'hello')
    write('sub/run.sh', '')
    chmodSync(at('a.txt'), 0o640)
    chmodSync(at('sub/run.sh'), 0o4755)
    mkdirSync(at('empty'))
    symlinkSync('a.txt', at('link'))
    symlinkSync('nowhere', at('sub/dangling'))
    symlinkSync('sub', at('folder'))
    expect(Object.fromEntries(await scan())).toEqual({
      'a.txt': { kind: 'file', hash: sha('hello'), mode: 0o640, size: 5 },
      folder: { kind: 'link', target: 'sub' },
      link: { kind: 'link', target: 'a.txt' },
      'sub/dangling': { kind: 'link', target: 'nowhere' },
      'sub/run.sh': { kind: 'file', hash: sha(''), mode: 0o755, size: 0 },
    })
  })

  test('paths in the order of their code units, folders or not', async () => {
    for (const path of ['b', 'a/x', 'a-b', 'a0', 'a/b/c', 'B', 'ä', 'a.x', 'a/b-c']) write(path)
    const paths = [...(await scan()).keys()]
    expect(paths).toEqual([...paths].sort())
    expect(paths).toHaveLength(9)
  })

  test('pipes and sockets are left out, and nothing waits for them', async () => {
    write('a')
    execFileSync('mkfifo', [at('pipe')])
    const server = createServer().listen(at('socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    expect([...(await scan()).keys()]).toEqual(['a'])
    expect(await look('pipe', 'socket')).toEqual({ pipe: undefined, socket: undefined })
    await new Promise((resolve) => server.close(resolve))
  })

  test('ignored folders are not entered', async () => {
    write('keep/a')
    write('skip/a')
    const asked: string[] = []
    const tree = await scan(base, (path, isDirectory) => {
      asked.push(`${path}${isDirectory ? '/' : ''}`)
      return path === 'skip'
    })
    expect([...tree.keys()]).toEqual(['keep/a'])
    expect(asked.sort()).toEqual(['keep/', 'keep/a', 'skip/'])
  })

  test('large files by stream', async () => {
    const content = Buffer.alloc(3_000_001, 'devloop')
    write('large', content)
    write('z', 'z')
    write('a', 'a')
    const tree = await scan()
    expect([...tree.keys()]).toEqual(['a', 'large', 'z'])
    expect(tree.get('large')).toMatchObject({ hash: sha(content), size: 3_000_001 })
  })

  test('a root that is a file, a link to one, a link to a folder, nothing', async () => {
    write('dir/file', 'x')
    symlinkSync('dir/file', at('to-file'))
    symlinkSync('dir', at('to-dir'))
    const entry = { kind: 'file', hash: sha('x'), mode: statSync(at('dir/file')).mode & 0o777, size: 1 }
    expect([...(await scan(at('dir/file')))]).toEqual([['', entry]])
    expect([...(await scan(at('to-file')))]).toEqual([['', entry]])
    expect([...(await scan(at('to-dir')))]).toEqual([['file', entry]])
    expect(await files.scan(at('none/at/all'), all, signal)).toEqual({ tree: new Map(), missing: true })
    expect(await files.scan(at('dir/file/below'), all, signal)).toEqual({ tree: new Map(), missing: true })
  })

  test('names with spaces, newlines, quotes and Unicode', async () => {
    const names = ['a b', 'new\nline', `"'`, 'ä漢🙂', '\\', '%41', ' ']
    for (const name of names) write(`d ${name}/${name}`)
    expect([...(await scan()).keys()].sort()).toEqual(names.map((name) => `d ${name}/${name}`).sort())
  })

  test('a name that is no UTF-8 is an error that says so, not a missing file', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${base}/bad`), Buffer.from([0xff])]), 'x')
    await expect(scan()).rejects.toMatchObject({ info: { code: 'sync/source', why: expect.stringContaining('UTF-8') as string } })
  })

  test('what may not be read is an error with its path', async () => {
    write('secret')
    write('dir/a')
    chmodSync(base, 0o755)
    chmodSync(at('secret'), 0)
    const refused = { info: { code: 'sync/source', message: expect.stringContaining(at('secret')) as string } }
    // root may read everything, so be somebody else meanwhile
    if (isRoot) process.seteuid?.(65_534)
    try {
      await expect(scan()).rejects.toMatchObject(refused)
      await expect(look('secret')).rejects.toMatchObject(refused)
      await expect(files.read(at('secret'))).rejects.toMatchObject(refused)
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })

  test('aborting ends it', async () => {
    for (let i = 0; i < 3000; i++) write(`d${i % 10}/f${i}`)
    const abort = new AbortController()
    const running = files.scan(base, all, abort.signal)
    abort.abort()
    await expect(running).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('what is hashed again', () => {
  test('a change that leaves size and mtime as they were', async () => {
    write('a', 'one')
    age('a')
    await scan()
    write('a', 'two')
    age('a')
    expect((await scan()).get('a')).toMatchObject({ hash: sha('two') })
  })

  test('a change right after the hashing, of the same size', async () => {
    for (let i = 0; i < 200; i++) {
      write('a', `x${i % 10}`)
      expect((await look('a')).a).toMatchObject({ hash: sha(`x${i % 10}`) })
    }
  })

  test('another file with the same size and mtime in its place', async () => {
    write('a', 'one')
    write('b', 'two')
    age('a')
    age('b')
    await scan()
    renameSync(at('b'), at('a'))
    expect((await scan()).get('a')).toMatchObject({ hash: sha('two') })
  })

  test('a new mode', async () => {
    write('a')
    await scan()
    chmodSync(at('a'), 0o700)
    expect((await look('a')).a).toMatchObject({ mode: 0o700 })
  })

  test('what is the same is the same object, so that two trees share it', async () => {
    write('a')
    const first = await scan()
    expect((await scan()).get('a')).toBe(first.get('a'))
    expect((await look('a')).a).toBe(first.get('a'))
  })
})

describe('single paths', () => {
  test('files, links, nothing', async () => {
    write('a', 'x')
    symlinkSync('a', at('l'))
    expect(await look('a', 'l', 'none', 'none/below', 'a/below')).toEqual({
      a: expect.objectContaining({ hash: sha('x') }) as unknown,
      l: { kind: 'link', target: 'a' },
      none: undefined,
      'none/below': undefined,
      'a/below': undefined,
    })
  })

  test('a folder gives all below it, once', async () => {
    write('d/a')
    write('d/e/b')
    expect(Object.keys(await look('d/e', 'd', 'd/a'))).toEqual(['d', 'd/a', 'd/e/b'])
    expect(Object.keys(await look('', 'd'))).toEqual(['d/a', 'd/e/b'])
  })

  test('nothing is found through a link to a folder', async () => {
    write('d/a')
    symlinkSync('d', at('l'))
    expect(await look('l/a')).toEqual({ 'l/a': undefined })
  })

  test('what is ignored is nothing, itself or by a folder above it', async () => {
    write('d/e/a')
    const found = await files.look(base, ['d/e/a', 'd/e', 'b'], (path) => path === 'd', signal)
    expect([...found.values()]).toEqual([undefined, undefined, undefined])
  })

  test('the root itself, when it is a file and when it is gone', async () => {
    write('f', 'x')
    const root = at('f')
    expect((await files.look(root, [''], all, signal)).get('')).toMatchObject({ hash: sha('x') })
    unlinkSync(root)
    expect([...(await files.look(root, [''], all, signal))]).toEqual([['', undefined]])
  })
})

describe('files that do not stand still', () => {
  test('one that is written while it is read never gets a hash of something it never was', async () => {
    // each state is one letter throughout, written in place in one call; a torn read would mix two
    const size = 2_000_000
    const states = ['a', 'b', 'c', 'd'].map((letter) => Buffer.alloc(size, letter))
    const hashes = new Set(states.map((state) => sha(state)))
    write('large', states[0])
    const file = openSync(at('large'), 'r+')
    let writing = true
    const writer = (async () => {
      for (let i = 0; writing; i++) {
        writeSync(file, states[i % 4] ?? Buffer.alloc(0), 0, size, 0)
        await new Promise((resolve) => setTimeout(resolve, 3 + (i % 5) * 10))
      }
    })()
    for (let i = 0; i < 20; i++) {
      // where reading takes longer than any rest of the writer, what was read last counts, but is not taken for known
      const { entry, known } = await lookAt(at('large'), undefined, signal)
      expect(entry).toMatchObject({ kind: 'file', size })
      expect(known === undefined || hashes.has(known.entry.hash)).toBe(true)
    }
    writing = false
    await writer
    closeSync(file)
    const { known } = await lookAt(at('large'), undefined, signal)
    expect(hashes.has(known?.entry.hash ?? '')).toBe(true)
  })

  test('one that grows without end is read all the same, and right once it stands still', async () => {
    write('log', 'x'.repeat(300_000))
    let writing = true
    const writer = (async () => {
      while (writing) {
        appendFileSync(at('log'), 'more')
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    expect((await look('log')).log).toMatchObject({ kind: 'file' })
    writing = false
    await writer
    const { size } = statSync(at('log'))
    expect((await look('log')).log).toMatchObject({ size })
  })

  test('ones that come and go while the tree is read', async () => {
    for (let i = 0; i < 500; i++) write(`d${i % 20}/f${i}`)
    let churning = true
    const churn = (async () => {
      for (let i = 0; churning; i++) {
        rmSync(at(`d${i % 20}`), { recursive: true, force: true })
        write(`d${i % 20}/new/f${i}`)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (let i = 0; i < 10; i++) expect((await files.scan(base, all, signal)).missing).toBe(false)
    churning = false
    await churn
    expect([...(await scan()).keys()].filter((path) => path.includes('/new/')).length).toBeGreaterThan(0)
  })
})

describe('the bytes of a file', () => {
  test('a buffer when it is small, else a stream', async () => {
    const large = Buffer.alloc(1024 * 1024 + 1, 'x')
    write('empty', '')
    write('small', 'small')
    write('large', large)
    expect(await files.read(at('empty'))).toEqual(Buffer.alloc(0))
    expect(await files.read(at('small'))).toEqual(Buffer.from('small'))
    const stream = await files.read(at('large'))
    expect(Buffer.isBuffer(stream)).toBe(false)
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    expect(sha(Buffer.concat(chunks))).toBe(sha(large))
  })

  test('what was just looked at is there without reading it again, for its hash alone', async () => {
    write('a', 'first')
    await look('a')
    write('a', 'second')
    expect(await files.read(at('a'), sha('first'))).toEqual(Buffer.from('first'))
    expect(await files.read(at('a'), sha('second'))).toEqual(Buffer.from('second'))
    expect(await files.read(at('a'))).toEqual(Buffer.from('second'))
  })

  test('what was looked at is held in bounded memory: the oldest is read again', async () => {
    const size = 200 * 1024
    for (let i = 0; i < 60; i++) write(`f${i}`, Buffer.alloc(size, i))
    await look('')
    for (const name of ['f0', 'f59']) rmSync(at(name))
    const paths = [...(await scan()).keys()]
    expect(paths).toHaveLength(58)
    await expect(files.read(at('f0'), sha(Buffer.alloc(size, 0)))).rejects.toMatchObject({ info: { code: 'sync/source' } })
    expect(await files.read(at('f9'), sha(Buffer.alloc(size, 9)))).toEqual(Buffer.alloc(size, 9))
  })

  test('what is no file, or not there, is an error with its path', async () => {
    await expect(files.read(at('none'))).rejects.toMatchObject({
      info: { code: 'sync/source', message: expect.stringContaining(at('none')) as string },
    })
    await expect(files.read(base)).rejects.toMatchObject({ info: { code: 'sync/source' } })
    write('large', Buffer.alloc(1024 * 1024 + 1))
    const stream = await files.read(at('large'))
    unlinkSync(at('large'))
    const drain = async (): Promise<void> => {
      for await (const chunk of stream) void chunk
    }
    await expect(drain()).rejects.toMatchObject({ info: { code: 'sync/source' } })
  })
})
