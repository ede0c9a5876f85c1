// What plain HTTP requests get: the page (its files, which hold no state), a hint, a health check, or a refusal. None of them
// changes or tells any state.
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { streamPath } from '../protocol/discovery.js'
import type { PageFile, PageFiles } from './page-files.js'
import { refuseRequest, type Refusal, type Transport } from './upgrade-guard.js'

/** On every answer: nothing here may be read, framed, guessed at or kept by a page of another origin. */
const headers: Readonly<Record<string, string>> = {
  'Content-Type': 'text/plain; charset=utf-8',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
}

/** Answers a request that asks for no upgrade. @param page on TCP alone: no browser comes by the Unix socket */
export function answerRequest(request: IncomingMessage, response: ServerResponse, transport: Transport, page: PageFiles): void {
  const refused = refuseRequest(request, transport)
  const file = refused || transport.kind !== 'tcp' ? undefined : page(request.url ?? '')
  if (file) return answerFile(request, response, file)
  const refusal = refused ?? refusePath(request)
  const body =
    refusal?.reason ??
    (request.url === '/healthz'
      ? 'ok'
      : `This is devloop. Its status protocol is a WebSocket at ${streamPath}; see docs/protocol.md.`)
  response.writeHead(refusal?.status ?? 200, {
    ...headers,
    ...(refusal?.status === 405 && { Allow: 'GET, HEAD' }),
    ...(refusal?.status === 426 && { Upgrade: 'websocket' }),
    // A body that nobody reads must not hold the connection.
    ...(refusal && { Connection: 'close' }),
  })
  response.end(request.method === 'HEAD' ? undefined : `${body}\n`)
}

function answerFile(request: IncomingMessage, response: ServerResponse, { type, body, etag }: PageFile): void {
  // the guard has seen that it is one of our own
  const host = request.headers.host ?? ''
  const same = request.headers['if-none-match'] === etag
  response.writeHead(same ? 304 : 200, {
    ...headers,
    'Content-Type': type,
    // only what came from here, no script or style in the page itself, no address but this one
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      'img-src data:',
      `connect-src 'self' ws://${host}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ].join('; '),
    // another daemon, perhaps of another version, may listen here next time
    'Cache-Control': 'no-cache',
    ETag: etag,
    ...(same ? {} : { 'Content-Length': body.length }),
  })
  response.end(same || request.method === 'HEAD' ? undefined : body)
}

function refusePath(request: IncomingMessage): Refusal | undefined {
  if (request.url === '/' || request.url === '/healthz') return undefined
  if (request.url === streamPath) return { status: 426, reason: 'This is a WebSocket.' }
  return { status: 404, reason: 'There is nothing here.' }
}

/** Answers on a bare socket and ends it. */
export function refuseSocket(socket: Duplex, refusal: Refusal): void {
  const body = `${refusal.reason}\n`
  const extra = refusal.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : refusal.status === 405 ? { Allow: 'GET, HEAD' } : {}
  const lines = Object.entries({ ...headers, ...extra, 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close' })
  socket.on('error', () => socket.destroy())
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  )
}
