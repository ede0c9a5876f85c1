// Decides about a request before anything is done with it. Pure: headers in, a refusal or nothing out.
// Two attackers are meant: a web page in the developer's browser, and another user of the machine.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { streamPath, subprotocol, tokenSubprotocol } from '../protocol/discovery.js'
import type { Access } from '../protocol/messages.js'

/** How a request came in. On the Unix socket the file's permissions are the authentication. */
export type Transport = { readonly kind: 'unix' } | ({ readonly kind: 'tcp'; readonly port: number } & Tokens)

export interface Tokens {
  /** Allows everything. */
  readonly token: string
  /** Allows to read. */
  readonly readToken: string
}

export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 426 | 503
  /** One line for people. */
  readonly reason: string
}

/** What any request, with or without upgrade, must have: on TCP, a Host and an Origin of our own. */
export function refuseRequest(request: IncomingMessage, transport: Transport): Refusal | undefined {
  if (transport.kind === 'tcp') {
    const hosts = [`127.0.0.1:${transport.port}`, `localhost:${transport.port}`]
    const given = valuesOf(request, 'host')
    // A name that some DNS server points to 127.0.0.1 (rebinding) must not pass, so this is an exact comparison.
    if (given.length !== 1 || !hosts.includes(given[0]!)) return { status: 403, reason: `Host must be ${hosts.join(' or ')}.` }
    const origins = valuesOf(request, 'origin')
    const own = hosts.map((host) => `http://${host}`)
    if (origins.length > 1 || origins.some((origin) => !own.includes(origin)))
      return { status: 403, reason: 'Requests of other origins are refused.' }
  }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, reason: 'Only GET is served here, and it changes nothing. Requests go over the WebSocket.' }
  return undefined
}

/** Why this request may not become a WebSocket; undefined = it may. */
export function refuseUpgrade(request: IncomingMessage, transport: Transport): Refusal | undefined {
  const refusal = refuseRequest(request, transport)
  if (refusal) return refusal
  if (accessOf(request, transport) === undefined) return { status: 401, reason: 'The token of the discovery file is required.' }
  if (request.url !== streamPath) return { status: 404, reason: `The WebSocket is at ${streamPath}.` }
  if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: 400, reason: 'Only an upgrade to websocket is served here.' }
  const offered = subprotocols(request)
  if (offered.length > 0 && !offered.includes(subprotocol))
    return { status: 400, reason: `A client that asks for subprotocols must ask for ${subprotocol} too.` }
  return undefined
}

/** What the client may do at most; undefined = it has no token of ours. */
export function accessOf(request: IncomingMessage, transport: Transport): Access | undefined {
  if (transport.kind === 'unix') return 'control'
  const authorization = valuesOf(request, 'authorization')
  const bearer = authorization.map((value) => /^Bearer (.*)$/i.exec(value)?.[1] ?? '')
  const offered = subprotocols(request).filter((name) => name.startsWith(tokenSubprotocol))
  const given = [...bearer, ...offered.map((name) => name.slice(tokenSubprotocol.length))]
  // Who sends two does not know which is right.
  if (given.length !== 1) return undefined
  const [isControl, isRead] = [transport.token, transport.readToken].map((token) => equalInConstantTime(given[0]!, token))
  return isControl ? 'control' : isRead ? 'read' : undefined
}

/** Through digests, so that not even the length shows in the time it takes. */
function equalInConstantTime(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected)) && expected !== ''
}

const subprotocols = (request: IncomingMessage): string[] =>
  valuesOf(request, 'sec-websocket-protocol').flatMap((value) => value.split(',').map((name) => name.trim()))

/** All values of a header: Node silently drops repeated ones from `headers`. */
function valuesOf(request: IncomingMessage, name: string): string[] {
  const values: string[] = []
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]?.toLowerCase() === name) values.push(request.rawHeaders[i + 1] ?? '')
  }
  return values
}
