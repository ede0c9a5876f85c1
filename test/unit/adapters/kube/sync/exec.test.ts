import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { KubeConnection } from '../../../../../src/adapters/kube/connection.js'
import { openExec } from '../../../../../src/adapters/kube/sync/exec.js'
import { translateExecRefusal, translateExecStatus } from '../../../../../src/adapters/kube/sync/exec-errors.js'
import { KubeStatusError } from '../../../../../src/adapters/kube/errors.js'
import { DevloopError } from '../../../../../src/errors/devloop-error.js'
import { waitFor } from '../../../../support/wait-for.js'

const target = { containerId: 'id', namespace: 'shop', pod: 'web-1', container: 'web' }
const never = new AbortController().signal
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** An API server's end of one exec. */
async function serve(
  protocol = 'v5.channel.k8s.io',
): Promise<{ connection: KubeConnection; socket: Promise<WebSocket>; asked: () => URL }> {
  const http = createServer()
  const server = new WebSocketServer({ server: http, handleProtocols: (offered) => (offered.has(protocol) ? protocol : false) })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  let url = ''
  const socket = new Promise<WebSocket>((resolve) =>
    server.on('connection', (one, request) => {
      url = request.url ?? ''
      resolve(one)
    }),
  )
  closers.push(() => {
    for (const one of server.clients) one.terminate()
    server.close()
    http.close()
  })
  const openWebSocket: KubeConnection['openWebSocket'] = async (path, query, protocols) => {
    const address = new URL(`ws://127.0.0.1:${(http.address() as AddressInfo).port}${path}`)
    for (const [name, value] of Object.entries(query))
      for (const one of [value].flat()) address.searchParams.append(name, one as string)
    const opened = new WebSocket(address, [...protocols], { perMessageDeflate: false })
    await new Promise((resolve, reject) => opened.once('open', resolve).once('error', reject))
    return opened
  }
  return { connection: { openWebSocket } as unknown as KubeConnection, socket, asked: () => new URL(url, 'ws://x') }
}

const message = (channel: number, body: string | Buffer): Buffer => Buffer.concat([Buffer.from([channel]), Buffer.from(body)])

describe('openExec', () => {
  it('asks for the container, the command and the streams', async () => {
    const { connection, socket, asked } = await serve()
    const stream = await openExec(connection, target, ['sh', '-c', 'a b'], { stdin: true, signal: never })
    await socket
    expect(asked().pathname).toBe('/api/v1/namespaces/shop/pods/web-1/exec')
    expect(asked().searchParams.getAll('command')).toEqual(['sh', '-c', 'a b'])
    expect(Object.fromEntries(asked().searchParams)).toMatchObject({
      container: 'web',
      stdin: 'true',
      stdout: 'true',
      stderr: 'true',
      tty: 'false',
    })
    stream.close()
  })

  it('gives output, errors and the exit code', async () => {
    const { connection, socket } = await serve()
    const stream = await openExec(connection, target, ['x'], { stdin: false, signal: never })
    const output: Record<string, string> = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      stream[name].on('data', (chunk: Buffer) => (output[name] += chunk.toString()))
    const server = await socket
    for (const part of [message(1, ''), message(1, 'one '), message(2, 'bad'), message(1, 'two')]) server.send(part)
    server.send(
      message(
        3,
        JSON.stringify({
          status: 'Failure',
          reason: 'NonZeroExitCode',
          details: { causes: [{ reason: 'ExitCode', message: '42' }] },
        }),
      ),
    )
    expect(await stream.ended).toEqual({ kind: 'exited', exitCode: 42 })
    expect(output).toEqual({ stdout: 'one two', stderr: 'bad' })
  })

  it('settles when the connection ends without a status', async () => {
    const { connection, socket } = await serve()
    const stream = await openExec(connection, target, ['x'], { stdin: true, signal: never })
    ;(await socket).terminate()
    expect(await stream.ended).toMatchObject({ kind: 'failed', error: { code: 'sync/disconnected' } })
    // a write after the end is told by its callback, not by a crash
    await new Promise((resolve) => stream.stdin.write('late', resolve))
  })

  it('closes by itself', async () => {
    const { connection, socket } = await serve()
    const stream = await openExec(connection, target, ['x'], { stdin: true, signal: never })
    const gone = socket.then((server) => new Promise((resolve) => server.once('close', resolve)))
    await socket
    stream.close()
    await gone
    expect((await stream.ended).kind).toBe('failed')
  })

  it('holds back what the container does not read', async () => {
    const { connection, socket } = await serve()
    const stream = await openExec(connection, target, ['x'], { stdin: true, signal: never })
    const server = await socket
    let received = 0
    server.on('message', (data: Buffer) => (received += data.length - 1))
    server.pause()
    const chunk = Buffer.alloc(1024 * 1024, 1)
    const total = 64
    let accepted = 0
    const writing = (async () => {
      for (let count = 0; count < total; count++) {
        await new Promise<void>((resolve, reject) => stream.stdin.write(chunk, (error) => (error ? reject(error) : resolve())))
        accepted++
      }
    })()
    // the kernel's buffers take some of it, then nothing moves
    let before = -1
    await waitFor(
      () => {
        const still = accepted === before
        before = accepted
        return still && accepted > 0
      },
      { what: 'the writer to be held back', everyMs: 300 },
    )
    expect(accepted).toBeLessThan(total / 2)
    server.resume()
    await writing
    await waitFor(() => received === total * chunk.length, { what: 'all bytes' })
    stream.close()
  })

  it('holds back a container whose output is not read', async () => {
    const { connection, socket } = await serve()
    const stream = await openExec(connection, target, ['x'], { stdin: false, signal: never })
    const server = await socket
    const total = 1000
    for (let count = 0; count < total; count++) server.send(message(1, Buffer.alloc(64 * 1024, 2)))
    await waitFor(() => stream.stdout.readableLength > 100_000, { what: 'some output' })
    await waitFor(() => server.bufferedAmount > 10_000_000, { what: 'the server to be held back' })
    expect(stream.stdout.readableLength).toBeLessThan(4_000_000)
    let read = 0
    for await (const chunk of stream.stdout) {
      read += (chunk as Buffer).length
      if (read === total * 64 * 1024) break
    }
    expect(read).toBe(total * 64 * 1024)
    stream.close()
  })

  it.each([
    ['v5.channel.k8s.io', ['ff00']],
    ['v4.channel.k8s.io', []],
  ] as const)('ends the input where %s can', async (protocol, expected) => {
    const { connection, socket } = await serve(protocol)
    const stream = await openExec(connection, target, ['x'], { stdin: true, signal: never })
    const server = await socket
    const got: string[] = []
    server.on('message', (data: Buffer) => got.push(data.toString('hex')))
    await new Promise<void>((resolve) => stream.stdin.end(() => resolve()))
    server.send(message(3, '{"status":"Success"}'))
    expect(await stream.ended).toEqual({ kind: 'exited', exitCode: 0 })
    expect(got).toEqual(expected)
  })
})

describe('the words of an exec that failed', () => {
  const failure = (text: string): string => JSON.stringify({ status: 'Failure', reason: 'InternalError', message: text })

  it.each([
    [
      'error executing command in container: failed to exec in container: failed to start exec "1": OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": executable file not found in $PATH',
      'sync/no-shell',
    ],
    [
      'Internal error occurred: OCI runtime exec failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory',
      'sync/no-shell',
    ],
    ['Internal error occurred: unable to upgrade connection: container not found ("web")', 'sync/disconnected'],
    ['something else', 'sync/disconnected'],
  ])('%s', (text, code) => {
    expect(translateExecStatus(failure(text), target, ['/bin/sh', '-c', ''])).toMatchObject({
      kind: 'failed',
      error: { code, info: { why: text } },
    })
  })

  it('keeps what is about rights, and tells a missing pod from them', () => {
    const denied = new DevloopError('cluster/forbidden', 'You may not.', {
      cause: new KubeStatusError({ code: 403, reason: 'Forbidden', message: 'no' }),
    })
    expect(translateExecRefusal(denied, target)).toBe(denied)
    const gone = new DevloopError('cluster/error', 'x', {
      cause: new KubeStatusError({ code: 404, reason: 'NotFound', message: 'pods "web-1" not found' }),
    })
    expect(translateExecRefusal(gone, target)).toMatchObject({ code: 'sync/disconnected' })
    const abort = new DOMException('stop', 'AbortError')
    expect(translateExecRefusal(abort, target)).toBe(abort)
  })
})
