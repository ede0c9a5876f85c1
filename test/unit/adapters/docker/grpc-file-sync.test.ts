// The session's server and the file transfer, driven by an HTTP/2 client that receives as BuildKit does.
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import http2 from 'node:http2'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listContext, sortPaths, textFile, type ContextEntry } from '../../../../src/adapters/docker/context-files.js'
import { sendFiles } from '../../../../src/adapters/docker/file-sync.js'
import { GrpcError, readMessages, serveGrpc, type GrpcMethod } from '../../../../src/adapters/docker/grpc-server.js'
import { bytesOf, numberOf, readFields, textOf, writeMessage } from '../../../../src/adapters/docker/protobuf.js'
import { scanTree } from './scan-tree.js'

let folder: string
const cleanups: (() => unknown)[] = []
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'devloop-sync-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  await rm(folder, { recursive: true })
})

/** A client connected to these methods over a socket. */
async function connect(methods: Record<string, GrpcMethod>): Promise<http2.ClientHttp2Session> {
  const listener = net.createServer((socket) => {
    const server = serveGrpc(socket, methods)
    cleanups.push(() => server.close())
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as net.AddressInfo
  const client = http2.connect(`http://127.0.0.1:${port}`)
  cleanups.push(() => new Promise((resolve) => listener.close(resolve)))
  cleanups.push(() => client.destroy())
  client.on('error', () => undefined)
  return client
}

const framed = (message: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

interface Answer {
  readonly status: string
  readonly message: string
  readonly replies: Buffer[]
}

/** A call with one message; what came back. */
async function call(client: http2.ClientHttp2Session, name: string, message: Buffer, extra = {}): Promise<Answer> {
  const stream = client.request({
    ':method': 'POST',
    ':path': name,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...extra,
  })
  let status = ''
  let said = ''
  const note = (headers: http2.IncomingHttpHeaders): void => {
    status = String(headers['grpc-status'] ?? status)
    said = String(headers['grpc-message'] ?? said)
  }
  stream.on('response', note)
  stream.on('trailers', note)
  stream.end(framed(message))
  const replies: Buffer[] = []
  for await (const reply of readMessages(stream)) replies.push(reply)
  return { status, message: decodeURIComponent(said), replies }
}

interface Received {
  readonly stats: { path: string; mode: number; size: number; link: string; mtime: bigint }[]
  readonly files: Map<string, string>
  readonly status: string
}

/** Receive as fsutil does: ask for what `wants` says, finish when all of it has come. */
async function receive(client: http2.ClientHttp2Session, wants: (path: string) => boolean): Promise<Received> {
  const stream = client.request({ ':method': 'POST', ':path': '/sync', 'content-type': 'application/grpc', te: 'trailers' })
  let status = ''
  const note = (headers: http2.IncomingHttpHeaders): void => void (status = String(headers['grpc-status'] ?? status))
  stream.on('response', note)
  stream.on('trailers', note)
  const send = (type: number, id = 0): void => void stream.write(framed(writeMessage().number(1, type).number(3, id).finish()))
  const stats: Received['stats'] = []
  const open = new Map<number, Buffer[]>()
  const files = new Map<string, string>()
  let complete = false
  const finishWhenDone = (): void => {
    if (complete && open.size === 0) send(3)
  }
  for await (const message of readMessages(stream)) {
    const fields = new Map([...readFields(message)].map((field) => [field.number, field]))
    const type = fields.has(1) ? numberOf(fields.get(1)!) : 0
    const id = fields.has(3) ? numberOf(fields.get(3)!) : 0
    if (type === 0 && fields.has(2)) {
      const stat = new Map([...readFields(bytesOf(fields.get(2)!))].map((field) => [field.number, field]))
      const number = (at: number): number => (stat.has(at) ? numberOf(stat.get(at)!) : 0)
      const text = (at: number): string => (stat.has(at) ? textOf(stat.get(at)!) : '')
      const mtime = (stat.get(6)?.value as bigint | undefined) ?? 0n
      stats.push({ path: text(1), mode: number(2), size: number(5), link: text(7), mtime })
      if (number(2) <= 0o777 && wants(text(1))) {
        open.set(stats.length - 1, [])
        send(1, stats.length - 1)
      }
    } else if (type === 0) {
      complete = true
      finishWhenDone()
    } else if (type === 2) {
      const chunks = open.get(id)!
      if (fields.has(4)) chunks.push(Buffer.from(bytesOf(fields.get(4)!)))
      else {
        open.delete(id)
        files.set(stats[id]!.path, createHash('sha256').update(Buffer.concat(chunks)).digest('hex'))
        finishWhenDone()
      }
    } else if (type === 3) stream.end()
  }
  return { stats, files, status }
}

const syncing = (entries: readonly ContextEntry[]): Record<string, GrpcMethod> => ({
  '/sync': { stream: async (one, signal) => void (await sendFiles(one, entries, signal)) },
})

test('a unary method answers, an unknown one is said to be so', async () => {
  const client = await connect({ '/a/Echo': { unary: (request) => request } })
  const echoed = await call(client, '/a/Echo', Buffer.from('hi'))
  expect(echoed).toMatchObject({ status: '0', replies: [Buffer.from('hi')] })
  expect(await call(client, '/a/Other', Buffer.from('hi'))).toMatchObject({ status: '12', replies: [] })
})

test('an error of a method becomes its status and message', async () => {
  const client = await connect({
    '/a/Own': {
      unary: () => {
        throw new GrpcError(5, 'no “such” thing')
      },
    },
    '/a/Other': {
      stream: async () => {
        throw new Error('broke')
      },
    },
  })
  expect(await call(client, '/a/Own', Buffer.alloc(0))).toMatchObject({ status: '5', message: 'no “such” thing' })
  expect(await call(client, '/a/Other', Buffer.alloc(0))).toMatchObject({ status: '2', message: 'broke' })
})

test('repeated metadata stays apart, commas and all', async () => {
  const seen: (readonly string[])[] = []
  const client = await connect({ '/a/Meta': { stream: async (one) => void seen.push(one.metadata('followpaths')) } })
  await call(client, '/a/Meta', Buffer.alloc(0), { followpaths: ['a, b', 'c'] })
  expect(seen).toEqual([['a, b', 'c']])
})

test('a context goes over whole: every kind of file, in walking order', async () => {
  const big = randomBytes(3_000_000)
  await mkdir(path.join(folder, 'a', 'b'), { recursive: true })
  await writeFile(path.join(folder, 'a.txt'), 'dot sorts after the folder')
  await writeFile(path.join(folder, 'a', 'b', 'empty'), '')
  await writeFile(path.join(folder, 'a', 'big'), big)
  await writeFile(path.join(folder, 'a', 'é 日本 \u{1F600}'), 'x', { mode: 0o755 })
  await symlink('../a.txt', path.join(folder, 'a', 'link'))
  const tree = scanTree(folder)
  const entries = await listContext(folder, tree, [], new AbortController().signal)
  const { stats, files, status } = await receive(await connect(syncing(entries)), () => true)
  expect(status).toBe('0')
  expect(stats.map((stat) => stat.path)).toEqual(['a', 'a/b', 'a/b/empty', 'a/big', 'a/link', 'a/é 日本 \u{1F600}', 'a.txt'])
  expect(stats.map(({ mode }) => mode)).toEqual([
    0x800001ed,
    0x800001ed,
    tree.get('a/b/empty') && 0o644,
    0o644,
    0x080001ff,
    0o755,
    0o644,
  ])
  expect(stats[4]).toMatchObject({ link: '../a.txt', size: 8 })
  for (const [name, hash] of files) expect(tree.get(name)).toMatchObject({ hash })
  expect([...files.keys()].toSorted()).toEqual(['a.txt', 'a/b/empty', 'a/big', 'a/é 日本 \u{1F600}'])
})

test('only what is asked for goes over, and is counted', async () => {
  for (let index = 0; index < 2000; index++) await writeFile(path.join(folder, `f${index}`), `content ${index}`)
  const entries = await listContext(folder, scanTree(folder), [], new AbortController().signal)
  let sent: unknown
  const client = await connect({
    '/sync': { stream: async (one, signal) => void (sent = await sendFiles(one, entries, signal)) },
  })
  const { stats, files } = await receive(client, (name) => name === 'f7' || name === 'f1999')
  expect(stats).toHaveLength(2000)
  expect([...files.keys()].toSorted()).toEqual(['f1999', 'f7'])
  expect(sent).toEqual({ files: 2, bytes: 'content 7content 1999'.length })
})

test('other content of the same size and time is told apart by the time that is sent', async () => {
  const times = new Set<bigint>()
  for (const content of ['one', 'two', 'six', 'ten']) {
    await writeFile(path.join(folder, 'f'), content)
    const { utimes } = await import('node:fs/promises')
    await utimes(path.join(folder, 'f'), 1000, 1000)
    const [entry] = await listContext(folder, scanTree(folder), [], new AbortController().signal)
    times.add(entry!.mtime)
  }
  expect(times.size).toBe(4)
})

test.each([10, 2_000_000])('a file of %i bytes that changed since the scan fails the transfer by its name', async (size) => {
  const file = path.join(folder, 'f')
  await writeFile(file, randomBytes(size))
  const entries = await listContext(folder, scanTree(folder), [], new AbortController().signal)
  await writeFile(file, randomBytes(size))
  let failure: unknown
  const client = await connect({
    '/sync': {
      stream: async (one, signal) => {
        await sendFiles(one, entries, signal).catch((error: unknown) => {
          failure = error
          throw error
        })
      },
    },
  })
  const { status } = await receive(client, () => true)
  expect(status).toBe('2')
  expect(failure).toMatchObject({ info: { code: 'build/context', message: 'f changed while the context was being sent.' } })
})

test('a file that has gone fails before anything is sent', async () => {
  await writeFile(path.join(folder, 'f'), 'x')
  const tree = scanTree(folder)
  await rm(path.join(folder, 'f'))
  await expect(listContext(folder, tree, [], new AbortController().signal)).rejects.toMatchObject({
    info: { code: 'build/context' },
  })
})

test('a caller that goes away ends the transfer', async () => {
  let ended: ((error: unknown) => void) | undefined
  const settled = new Promise((resolve) => (ended = resolve))
  const endless: ContextEntry = {
    ...textFile('f', 'x'),
    content: async function* () {
      for (;;) yield randomBytes(1 << 20)
    },
  }
  const client = await connect({
    '/sync': {
      stream: async (one, signal) => void (await sendFiles(one, [endless], signal).catch((error: unknown) => ended?.(error))),
    },
  })
  const stream = client.request({ ':method': 'POST', ':path': '/sync', 'content-type': 'application/grpc', te: 'trailers' })
  stream.on('error', () => undefined)
  stream.write(framed(writeMessage().number(1, 1).finish()))
  await once(stream, 'data')
  client.destroy()
  expect(await settled).toBeInstanceOf(GrpcError)
})

test('paths sort as bytes, folder by folder', () => {
  expect(sortPaths(['a.b', 'a', 'a/c', 'a-b', 'B', '\u{1F600}', '\uFFFD', 'a/b/c'])).toEqual([
    'B',
    'a',
    'a/b/c',
    'a/c',
    'a-b',
    'a.b',
    '\uFFFD',
    '\u{1F600}',
  ])
})
