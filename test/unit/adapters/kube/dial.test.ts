// A connection to a pod that leads nowhere any more is noticed, and one that is only slow is left alone.
import { EventEmitter } from 'node:events'
import type { WebSocket } from 'ws'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { duplexOver } from '../../../../src/adapters/kube/dial.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** As much of a WebSocket as a connection to a pod uses. `isAlive`: pings are answered. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1
  readonly CLOSED = 3
  readyState = 1
  bufferedAmount = 0
  isPaused = false
  isAlive = true
  pings = 0
  binaryType = ''
  ping(): void {
    this.pings++
    if (this.isAlive) setTimeout(() => this.emit('pong'), 1)
  }
  send(_data: Buffer, sent: () => void): void {
    sent()
  }
  pause(): void {
    this.isPaused = true
  }
  resume(): void {
    this.isPaused = false
  }
  close(): void {
    this.terminate()
  }
  terminate(): void {
    this.readyState = this.CLOSED
    this.emit('close')
  }
  receive(text: string): void {
    this.emit('message', Buffer.concat([Buffer.from([0]), Buffer.from(text)]))
  }
}

function connected() {
  const socket = new FakeSocket()
  const stream = duplexOver(socket as unknown as WebSocket, 'port 80 of pod p', () => {})
  const failure: { error?: Error & { code?: string } } = {}
  stream.on('error', (error) => (failure.error = error))
  // each channel begins with its port number
  socket.receive('\0P')
  return { socket, stream, failure }
}

test('an idle connection is pinged, and stays', async () => {
  const { socket, stream } = connected()
  await vi.advanceTimersByTimeAsync(300_000)
  expect(socket.pings).toBe(60)
  expect(stream.destroyed).toBe(false)
})

test('one that answers nothing ends within half a minute, with the reason', async () => {
  const { socket, stream, failure } = connected()
  stream.write('GET / HTTP/1.1')
  socket.isAlive = false
  await vi.advanceTimersByTimeAsync(10_000)
  expect(stream.destroyed).toBe(false)
  await vi.advanceTimersByTimeAsync(15_000)
  expect(failure.error).toMatchObject({
    code: 'forward/failed',
    info: { why: expect.stringMatching(/has been silent for (?:1|2)\d s/) as string },
  })
  expect(vi.getTimerCount()).toBe(0)
})

test('an app that takes nothing, such as one in a debugger, has two minutes for much, as pings wait behind it', async () => {
  const { socket, stream, failure } = connected()
  stream.write(Buffer.alloc(100_000))
  socket.isAlive = false
  await vi.advanceTimersByTimeAsync(110_000)
  expect(stream.destroyed).toBe(false)
  socket.isAlive = true
  await vi.advanceTimersByTimeAsync(60_000)
  socket.receive('ok')
  socket.isAlive = false
  await vi.advanceTimersByTimeAsync(25_000)
  expect(failure.error).toMatchObject({ code: 'forward/failed' })
})

test('silence proves nothing while nobody reads here, or while this machine slept', async () => {
  const { socket, stream } = connected()
  socket.isAlive = false
  while (!socket.isPaused) socket.receive('x'.repeat(50_000))
  await vi.advanceTimersByTimeAsync(300_000)
  expect(stream.destroyed).toBe(false)
  socket.isAlive = true
  stream.resume()
  await vi.advanceTimersByTimeAsync(10_000)
  // the clock jumps, and no timer ran
  vi.setSystemTime(Date.now() + 3_600_000)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(stream.destroyed).toBe(false)
})
