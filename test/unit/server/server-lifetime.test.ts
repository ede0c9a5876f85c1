// How the status server starts and ends.
import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { ReplyMessage } from '../../../src/protocol/messages.js'
import type { LogLine } from '../../../src/store/log-ring.js'
import { connectRaw, hello, isReply, isType } from '../../support/raw-client.js'
import { resourceView, startTestServer } from '../../support/status-server.js'
import { request, useDaemons } from './fixtures/daemons.js'

const { open, start, client } = useDaemons()

const line = (text: string, resource = 'api'): LogLine => ({ at: 1, resource, source: 'build', level: 'info', text })

test('close says why to every client, answers what was asked, and removes the socket', async () => {
  const daemon = await start()
  const [a, b] = [await client(daemon), await client(daemon)]
  for (const each of [a, b]) {
    each.send(hello())
    await each.take(isType('welcome'))
  }
  const mute = await client(daemon)
  a.send(request(1, 'reload'))
  await a.take(isReply)
  daemon.views.set(resourceView('last'))
  daemon.logs.append(line('last'))
  await daemon.server.close('shut down by request')
  for (const each of [a, b]) {
    expect((await each.closed).code).toBe(1001)
    expect(each.received.at(-1)).toEqual({ type: 'goodbye', reason: 'shut down by request' })
    expect(each.received.filter(isType('delta')).at(-1)?.upserts).toEqual([resourceView('last')])
  }
  await mute.closed
  await expect(stat(daemon.socket)).rejects.toThrow('ENOENT')
  await expect(connectRaw(daemon.socket)).rejects.toThrow('ENOENT')
})

test('a handler may close the server and is still answered', async () => {
  const daemon = await start({
    handlers: {
      shutdown: () => {
        void daemon.server.close('shut down')
        return { accepted: true }
      },
    },
  })
  const raw = await client(daemon)
  raw.send(hello())
  raw.send(request(1, 'shutdown'))
  expect(await raw.take(isReply)).toMatchObject({ result: { accepted: true } } satisfies Partial<ReplyMessage>)
  expect(await raw.take(isType('goodbye'))).toEqual({ type: 'goodbye', reason: 'shut down' })
})

test('close does not wait for clients that do not answer', async () => {
  const daemon = await start({ limits: { closeMs: 50 } })
  const raw = await client(daemon)
  raw.send(hello())
  await raw.take(isType('welcome'))
  raw.ws.pause()
  await daemon.server.close('over')
  await expect(connectRaw(daemon.socket)).rejects.toThrow('ENOENT')
  raw.ws.resume()
  expect((await raw.closed).code).toBeGreaterThan(1000)
})

test('the socket is for its user alone, and an unsafe folder is refused', async () => {
  const daemon = await start()
  expect((await stat(daemon.socket)).mode & 0o777).toBe(0o600)
  expect((await stat(dirname(daemon.socket))).mode & 0o777).toBe(0o700)
  const shared = join(daemon.dir, 'shared')
  await mkdir(shared)
  await chmod(shared, 0o755)
  await expect(startTestServer({ dir: shared })).rejects.toMatchObject({
    info: { code: 'daemon/start', why: 'Other users have rights on it.' },
  })
  const linked = join(daemon.dir, 'linked')
  await symlink(daemon.dir, linked)
  await expect(startTestServer({ dir: linked })).rejects.toMatchObject({
    info: { code: 'daemon/start', why: 'It is not a folder.' },
  })
})

test('a socket that is in use is left alone; a stale one is replaced', async () => {
  const daemon = await start()
  await expect(startTestServer({ dir: daemon.dir })).rejects.toMatchObject({ info: { code: 'daemon/running' } })
  const raw = await client(daemon)
  raw.send(hello())
  await raw.take(isType('welcome'))

  const dir = join(daemon.dir, 'other')
  await mkdir(dir, { mode: 0o700 })
  await writeFile(join(dir, 'd.sock'), 'left over')
  const second = await start({ dir })
  await client(second)
})

test('a socket path that is too long, and a port that is taken, are clear errors that leave nothing behind', async () => {
  const daemon = await start()
  const long = join(daemon.dir, 'x'.repeat(100))
  await expect(startTestServer({ dir: long })).rejects.toMatchObject({
    info: { code: 'daemon/start', message: expect.stringContaining('too long') as string },
  })

  const taken = createServer().listen(0, '127.0.0.1')
  open.push(taken)
  await new Promise((resolve) => taken.once('listening', resolve))
  const { createStatusServer } = await import('../../../src/server/server.js')
  const socketPath = join(daemon.dir, 'e.sock')
  const { port } = taken.address() as { port: number }
  const server = createStatusServer({
    views: daemon.views,
    logs: daemon.logs,
    handlers: {} as never,
    epoch: 'e',
    version: '0',
    token: 't',
    readToken: 'r',
    socketPath,
    tcpPort: port,
    onDefect: () => undefined,
  })
  await expect(server.start()).rejects.toMatchObject({
    info: { code: 'daemon/start', message: `127.0.0.1:${port} is already in use.` },
  })
  await expect(stat(socketPath)).rejects.toThrow('ENOENT')
})

test('a port that is only preferred is taken when it is free, and another one when it is not', async () => {
  const first = await startTestServer()
  open.push(first)
  const taken = await startTestServer({ preferredPort: first.port })
  open.push(taken)
  expect(taken.port).not.toBe(first.port)
  await first.close()
  const again = await startTestServer({ preferredPort: first.port })
  open.push(again)
  expect(again.port).toBe(first.port)
})
