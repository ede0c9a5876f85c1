import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { notifyByHttp, type HttpNotice } from '../../../src/control/notify-by-http.js'
import { DevloopError, isDevloopError } from '../../../src/errors/devloop-error.js'

const never = new AbortController().signal
const at = { file: 'Devloopfile.ts', line: 1, column: 1 }

async function serve(handle: RequestListener): Promise<number> {
  const server: Server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const dialTo = (port: number) => async (): Promise<Duplex> => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

const notice = (dial: HttpNotice['dial'], over: Partial<HttpNotice['how']> = {}, timeoutMs = 20_000): HttpNotice => ({
  how: { kind: 'http', port: 3000, path: '/reload?all=1', method: 'POST', ...over },
  dial,
  timeoutMs,
  name: 'web-1',
  at,
})

test('the request arrives as it was said, and the status of the answer is told', async () => {
  let got: unknown
  const port = await serve(
    (request, response) =>
      void answer(request).then((body) => {
        got = [request.method, request.url, request.headers.host, request.headers['content-type'], body]
        response.writeHead(204).end()
      }),
  )
  const body = { text: '{"ä":1}', type: 'application/json' }
  expect(await notifyByHttp(notice(dialTo(port), { body }), never)).toBe(204)
  expect(got).toEqual(['POST', '/reload?all=1', 'localhost:3000', 'application/json', '{"ä":1}'])
})

test('while nothing listens it is tried again; nobody is asked twice', async () => {
  let asked = 0
  const port = await serve((_, response) => {
    asked++
    response.end('ok')
  })
  let dials = 0
  const dial = async (): Promise<Duplex> => {
    dials++
    if (dials === 1) throw new DevloopError('forward/refused', 'Nothing listens.')
    const stream = await dialTo(port)()
    // a way into a pod may tell later that nothing listens there
    if (dials === 2) setImmediate(() => stream.destroy(new DevloopError('forward/refused', 'Nothing listens.')))
    if (dials === 2) stream.write = (() => true) as never
    return stream
  }
  expect(await notifyByHttp(notice(dial), never)).toBe(200)
  expect([dials, asked]).toEqual([3, 1])
})

test('what is no success is told with the reason', async () => {
  const port = await serve((request, response) => {
    if (request.url === '/cut') request.socket.destroy()
    else if (request.url === '/endless') response.writeHead(500).write('x'.repeat(5_000))
    else if (request.url !== '/never') response.writeHead(422).end('no such template\n')
  })
  const failure = async (path: string, timeoutMs?: number): Promise<string> =>
    errorText(notifyByHttp(notice(dialTo(port), { path }, timeoutMs), never))
  expect(await failure('/bad')).toBe('notify/failed: POST :3000/bad in web-1 answered with status 422. no such template')
  expect(await failure('/endless')).toMatch(/answered with status 500\. x{2000}$/)
  expect(await failure('/cut')).toBe('notify/failed: POST :3000/cut in web-1 was not answered. socket hang up')
  expect(await failure('/never', 50)).toBe('notify/failed: POST :3000/never in web-1 was not answered within 0.05 s. undefined')
  const refusing = (): Promise<never> => Promise.reject(new DevloopError('forward/refused', 'Nothing listens on 3000.'))
  expect(await errorText(notifyByHttp(notice(refusing, {}, 50), never))).toMatch(
    /not answered within 0.05 s\. Nothing listens on 3000\.$/,
  )
  const forbidden = (): Promise<never> => Promise.reject(new DevloopError('cluster/forbidden', 'You may not.'))
  expect(await errorText(notifyByHttp(notice(forbidden), never))).toBe('cluster/forbidden: You may not. undefined')
})

test('an abort ends it at once', async () => {
  const port = await serve(() => {})
  const stop = new AbortController()
  const running = notifyByHttp(notice(dialTo(port)), stop.signal)
  setImmediate(() => stop.abort())
  await expect(running).rejects.toMatchObject({ name: 'AbortError' })
})

async function answer(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
  return text
}

const errorText = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (thrown: unknown) => (isDevloopError(thrown) ? `${thrown.code}: ${thrown.message} ${thrown.info.why}` : String(thrown)),
  )
