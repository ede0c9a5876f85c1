// Opening a WebSocket to the API server, for exec and port-forward.
import type { IncomingMessage } from 'node:http'
import type { ClientOptions, WebSocket } from 'ws'
import type { CredentialSource } from './credentials.js'
import { KubeStatusError, parseStatus } from './errors.js'
import { abortReason } from './http.js'

/** Milliseconds until it must be open; a kubelet that has to start something may take a while. */
const openTimeoutMs = 20_000
/** Upper limit of what the server may send in one message; it sends 32 KiB at a time. */
const maxPayload = 16 * 1024 * 1024

/**
 * A mask of zeros, which ws leaves out: masking byte by byte costs more than all else that is done to send a file. It guards caches
 * between a browser and a server from bytes that a page chose (RFC 6455, 10.3); nothing here comes from a page.
 */
const generateMask = (mask: Buffer): void => void mask.fill(0)

export type WebSocketQuery = Readonly<Record<string, string | readonly string[]>>

/**
 * Resolves when open; the signal covers only that. The caller must listen for `error` and `close`, in the same turn.
 * Rejects with KubeStatusError when the server answered with something else than an upgrade.
 */
export async function openKubeWebSocket(
  server: string,
  credentials: CredentialSource,
  path: string,
  query: WebSocketQuery,
  protocols: readonly string[],
  signal: AbortSignal,
): Promise<WebSocket> {
  const { WebSocket: Socket } = await import('ws')
  const attempt = async (): Promise<WebSocket> => {
    const { headers, streamAgent } = await credentials.get()
    signal.throwIfAborted()
    // Header values may be lists (groups of an impersonation); ws hands them to Node as they are.
    const options: ClientOptions = {
      headers: headers as Record<string, string>,
      agent: streamAgent,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload,
      handshakeTimeout: openTimeoutMs,
      followRedirects: false,
      generateMask,
    }
    return opened(new Socket(addressOf(server, path, query), [...protocols], options), signal)
  }
  try {
    return await attempt()
  } catch (thrown) {
    if (signal.aborted) throw abortReason(signal)
    // A kept connection that the server had just closed, or a token that has run out: once more, afresh.
    const expired = thrown instanceof KubeStatusError && thrown.status.code === 401
    if (expired) credentials.renew()
    if (!expired && (thrown as NodeJS.ErrnoException).code !== 'ECONNRESET') throw thrown
    return attempt()
  }
}

function opened(socket: WebSocket, signal: AbortSignal): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      signal.removeEventListener('abort', onAbort)
      socket.off('open', onOpen).off('error', onError).off('unexpected-response', onRefused).off('close', onClose)
    }
    const fail = (error: Error): void => {
      done()
      // Ending a socket that is still connecting emits one more error, which is this one.
      socket.on('error', () => {})
      socket.terminate()
      reject(error)
    }
    const onOpen = (): void => {
      done()
      // Frames may have come in one packet with the upgrade, and would be emitted before the caller has a listener.
      socket.pause()
      setImmediate(() => socket.resume())
      resolve(socket)
    }
    const onAbort = (): void => fail(abortReason(signal))
    const onError = (error: Error): void => fail(error)
    const onClose = (): void => fail(Object.assign(new Error('The connection was cut.'), { code: 'ECONNRESET' }))
    const onRefused = (_request: unknown, response: IncomingMessage): void => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body = (body + chunk).slice(0, 64 * 1024)))
      response.once('close', () => fail(new KubeStatusError(parseStatus(response.statusCode ?? 0, body))))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('open', onOpen).on('error', onError).on('unexpected-response', onRefused).on('close', onClose)
    if (signal.aborted) onAbort()
  })
}

function addressOf(server: string, path: string, query: WebSocketQuery): string {
  const url = new URL(server)
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  url.pathname = url.pathname.replace(/\/+$/, '') + path
  for (const [name, value] of Object.entries(query))
    for (const one of typeof value === 'string' ? [value] : value) url.searchParams.append(name, one)
  return url.toString()
}
