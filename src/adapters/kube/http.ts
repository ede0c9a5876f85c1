// One HTTP exchange with the API server, over connections that stay open; no Kubernetes meaning but the Status of a refusal.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { CredentialSource } from './credentials.js'
import { KubeStatusError, parseStatus } from './errors.js'
import type { KubeMethod, KubeRequest } from './connection.js'

/** Milliseconds until a connection must stand, or the headers of an answer be there. */
const answerTimeoutMs = 30_000
const connectTimeoutMs = 10_000

export interface KubeHttp {
  /** The answer once its headers are there, status 2xx. Aborting ends the body too. */
  open(method: KubeMethod, path: string, options: KubeRequest & { readonly long?: boolean }): Promise<IncomingMessage>
  /** The whole body. */
  exchange(method: KubeMethod, path: string, options: KubeRequest): Promise<string>
  /** Milliseconds a request took lately (moving mean of headers' arrival); undefined before the first. */
  latencyMs(): number | undefined
  /**
   * Long answers that began before that time end as if their connections were cut, and no connection that was kept is used again.
   * @param at milliseconds since 1970
   */
  suspect(at: number): void
}

/** @param server URL, may have a path */
export function createKubeHttp(server: string, credentials: CredentialSource): KubeHttp {
  const base = new URL(server)
  const basePath = base.pathname.replace(/\/+$/, '')
  let latency: number | undefined
  /** Answers that go on, and since when. */
  const going = new Map<IncomingMessage, number>()

  const suspect: KubeHttp['suspect'] = (at) => {
    for (const [response, since] of going) {
      if (since >= at) continue
      response.destroy(Object.assign(new Error('The connection seems to lead nowhere any more.'), { code: 'ECONNRESET' }))
    }
    credentials.closeIdle()
  }

  const once = async (
    method: KubeMethod,
    path: string,
    options: KubeRequest & { readonly long?: boolean },
  ): Promise<IncomingMessage> => {
    const { headers, agent, streamAgent } = await credentials.get()
    options.signal?.throwIfAborted()
    const body = encode(options.body)
    return new Promise((resolve, reject) => {
      const started = performance.now()
      const asked = Date.now()
      const request = (base.protocol === 'http:' ? httpRequest : httpsRequest)({
        host: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port || (base.protocol === 'http:' ? 80 : 443),
        method,
        path: basePath + path + queryOf(options.query),
        agent: options.long ? streamAgent : agent,
        headers: {
          ...headers,
          Accept: options.accept ?? 'application/json',
          ...(body === undefined
            ? {}
            : { 'Content-Type': options.contentType ?? 'application/json', 'Content-Length': body.length }),
        },
      })
      const onAbort = (): void => void request.destroy(abortReason(options.signal))
      const late = (what: string): void => void request.destroy(Object.assign(new Error(what), { code: 'ETIMEDOUT' }))
      let timer = setTimeout(() => late('The connection took too long.'), connectTimeoutMs)
      const connected = (): void => {
        clearTimeout(timer)
        const limit = options.timeoutMs ?? answerTimeoutMs
        // a kept connection may lead nowhere without a word, and what is only read may be asked for again by a new one
        const patience = request.reusedSocket && method === 'GET' ? limit / 3 : limit
        timer = setTimeout(() => {
          if (request.reusedSocket) suspect(asked)
          late('The answer took too long.')
        }, patience)
      }
      request.on('socket', (socket) => {
        // Having waited for a free socket of the agent is no fault of the network: the clock starts here.
        timer.refresh()
        if (request.reusedSocket) connected()
        else socket.once(base.protocol === 'http:' ? 'connect' : 'secureConnect', connected)
      })
      request.once('response', (response) => {
        clearTimeout(timer)
        const took = performance.now() - started
        latency = latency === undefined ? took : latency * 0.8 + took * 0.2
        if (options.long) going.set(response, Date.now())
        response.once('close', () => {
          going.delete(response)
          options.signal?.removeEventListener('abort', onAbort)
        })
        resolve(response)
      })
      request.once('error', (error) => {
        clearTimeout(timer)
        options.signal?.removeEventListener('abort', onAbort)
        reject(Object.assign(error, { unanswered: request.reusedSocket }))
      })
      options.signal?.addEventListener('abort', onAbort, { once: true })
      request.end(body)
    })
  }

  const open: KubeHttp['open'] = async (method, path, options) => {
    let response: IncomingMessage
    try {
      response = await once(method, path, options)
    } catch (thrown) {
      // The server closed a kept connection just when it was used again, or it leads nowhere: a fresh one tells the truth.
      const stale =
        (thrown as { unanswered?: boolean }).unanswered === true && (isCut(thrown) || (method === 'GET' && isLate(thrown)))
      if (!stale || method === 'POST' || options.signal?.aborted) throw thrown
      response = await once(method, path, options)
    }
    if (response.statusCode === 401) {
      credentials.renew()
      response.resume()
      response = await once(method, path, options)
    }
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    throw new KubeStatusError(parseStatus(status, await readAll(response, options)))
  }

  return {
    open,
    async exchange(method, path, options) {
      return readAll(await open(method, path, options), options)
    },
    latencyMs: () => latency,
    suspect,
  }
}

const isLate = (thrown: unknown): boolean => (thrown as NodeJS.ErrnoException).code === 'ETIMEDOUT'

const isCut = (thrown: unknown): boolean => ['ECONNRESET', 'EPIPE'].includes((thrown as NodeJS.ErrnoException).code ?? '')

function readAll(response: IncomingMessage, options: KubeRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const timer = setTimeout(
      () => void response.destroy(Object.assign(new Error('The answer took too long.'), { code: 'ETIMEDOUT' })),
      options.timeoutMs ?? answerTimeoutMs,
    )
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    response.once('error', reject)
    response.once('close', () => {
      clearTimeout(timer)
      // After `end` or `error` this changes nothing.
      reject(
        options.signal?.aborted
          ? abortReason(options.signal)
          : Object.assign(new Error('The connection was cut.'), { code: 'ECONNRESET' }),
      )
    })
  })
}

/** What a cancelled request rejects with: always an AbortError, whatever reason the signal was given. */
export function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  return reason instanceof Error && reason.name === 'AbortError'
    ? reason
    : new DOMException('This operation was aborted', 'AbortError')
}

function encode(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function queryOf(query: KubeRequest['query']): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  )
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`
}
