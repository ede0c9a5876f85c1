import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { onTestFinished, describe, expect, test } from 'vitest'
import { carry } from '../../../src/control/forward-connection.js'
import { DevloopError } from '../../../src/errors/devloop-error.js'

const refused = new DevloopError('forward/refused', 'Nothing listens there.')

/** A client and the daemon's end of its connection. */
async function pair(): Promise<{ client: Socket; near: Socket; answer: Promise<string> }> {
  const server = createServer({ allowHalfOpen: true })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const near = await accepted
  near.on('error', () => {})
  onTestFinished(() => (client.destroy(), near.destroy(), void server.close()))
  const chunks: Buffer[] = []
  client.on('data', (chunk: Buffer) => chunks.push(chunk))
  const answer = new Promise<string>((resolve) => client.once('close', () => resolve(Buffer.concat(chunks).toString())))
  return { client, near, answer }
}

/** Echoes; or fails as soon as it was written to. */
const echo = (): Duplex => {
  const stream: Duplex = new Duplex({
    read() {},
    write: (chunk, _encoding, done) => (stream.push(chunk), done()),
    final: (done) => (stream.push(null), done()),
  })
  return stream
}
const failing = (error: Error): Duplex => {
  const stream: Duplex = new Duplex({ read() {}, write: (_chunk, _encoding, done) => (stream.destroy(error), done()) })
  return stream
}

describe('a forwarded connection', () => {
  test('is made again while nothing listens, with all that the client has sent', async () => {
    const { client, near, answer } = await pair()
    client.write('one ')
    let tries = 0
    const carried = carry(
      near,
      async () => {
        tries++
        if (tries === 1) throw refused
        if (tries === 2) return failing(refused)
        client.end('two')
        return echo()
      },
      new AbortController().signal,
    )
    await carried
    expect(await answer).toBe('one two')
    expect(tries).toBe(3)
  })

  test('is not made again after any other problem, when something may have been delivered', async () => {
    const { client, near } = await pair()
    client.write('pay')
    let tries = 0
    const dial = async (): Promise<Duplex> => (tries++, failing(new DevloopError('forward/failed', 'reset')))
    await expect(carry(near, dial, new AbortController().signal)).rejects.toMatchObject({ code: 'forward/failed' })
    expect(tries).toBe(1)
  })

  test('is made again when it breaks before anything was sent: a server may be the one to speak first', async () => {
    const { client, near, answer } = await pair()
    let tries = 0
    const dial = (): Promise<Duplex> => {
      const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
      if (++tries < 3) setImmediate(() => stream.destroy(new DevloopError('forward/failed', 'silent')))
      else setImmediate(() => (stream.push('hello'), stream.push(null)))
      return Promise.resolve(stream)
    }
    await carry(near, dial, new AbortController().signal)
    client.end()
    expect([await answer, tries]).toEqual(['hello', 3])
  })

  test('that is reset is an operational error', async () => {
    const { client, near } = await pair()
    client.write('x')
    const dial = (): Promise<Duplex> => Promise.resolve(failing(new Error('read ECONNRESET')))
    await expect(carry(near, dial, new AbortController().signal)).rejects.toMatchObject({
      code: 'forward/failed',
      info: { why: 'read ECONNRESET' },
    })
  })

  test('ends with the reason of the last try when time is up', async () => {
    const { near } = await pair()
    const dial = (): Promise<Duplex> => Promise.reject(refused)
    await expect(carry(near, dial, AbortSignal.timeout(50))).rejects.toBe(refused)
  })

  test('is made again while no way leads to the pod, and not where a right is missing', async () => {
    const { client, near, answer } = await pair()
    client.end('one')
    let tries = 0
    const dial = (): Promise<Duplex> =>
      ++tries < 3 ? Promise.reject(new DevloopError('forward/failed', 'the pod is gone')) : Promise.resolve(echo())
    await carry(near, dial, new AbortController().signal)
    expect([await answer, tries]).toEqual(['one', 3])
    const denied = new DevloopError('cluster/forbidden', 'no')
    const other = await pair()
    await expect(carry(other.near, () => Promise.reject(denied), new AbortController().signal)).rejects.toBe(denied)
  })

  test('carries an upload that is answered only at its end, however much it is', async () => {
    const { client, near, answer } = await pair()
    let bytes = 0
    const remote: Duplex = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => ((bytes += chunk.length), done()),
      final: (done) => (remote.push(`got ${bytes}`), remote.push(null), done()),
    })
    client.end('x'.repeat(3_000_000))
    await carry(near, () => Promise.resolve(remote), new AbortController().signal)
    expect(await answer).toBe('got 3000000')
  })

  test('lets go of the pod when the client leaves before the answer', async () => {
    const { client, near } = await pair()
    const remote = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    const carried = carry(near, () => Promise.resolve(remote), new AbortController().signal)
    client.resetAndDestroy()
    await carried
    expect(remote.destroyed).toBe(true)
  })

  test('carries much in both directions, and half-closing', async () => {
    const { client, near, answer } = await pair()
    const carried = carry(near, () => Promise.resolve(echo()), new AbortController().signal)
    const text = 'x'.repeat(3_000_000)
    client.end(text)
    await carried
    expect((await answer).length).toBe(text.length)
  })
})
