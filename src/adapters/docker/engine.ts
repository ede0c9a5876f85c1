// Requests to a Docker engine. The one file that knows dockerode: everything else speaks to an Engine.
import http from 'node:http'
import https from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import { DevloopError, isAbort, isDevloopError } from '../../errors/devloop-error.js'
import type { EngineWish } from '../../ports/image-builder.js'
import { byteStreamAgent } from './byte-stream-agent.js'
import type { Environment } from './docker-config.js'
import { findEndpoint, type Endpoint } from './endpoint.js'

/** A request that the engine answered with a status other than 2xx. Never leaves the adapter: see `refused`. */
export class EngineAnswerError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface EngineRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** Without query, such as `/images/ID/json`; parts encoded by the caller. */
  readonly path: string
  /** Undefined values are left out, arrays repeat, objects become JSON. */
  readonly query?: Readonly<Record<string, unknown>>
  readonly headers?: http.OutgoingHttpHeaders
  /** Sent as JSON, or, when a stream, as a tar. */
  readonly body?: Readable | Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal
}

/** What an engine is and can do. */
export interface EngineInfo {
  /** Such as `1.41`. */
  readonly apiVersion: string
  /** `os/arch` that it builds for when not told otherwise. */
  readonly platform: string
  readonly buildkit: boolean
  /** Podman's Docker-compatible socket lacks parts of the API. */
  readonly podman: boolean
}

export interface Engine {
  readonly endpoint: Endpoint
  readonly info: EngineInfo
  /** The answer's JSON. @throws EngineAnswerError, DevloopError engine/unreachable, AbortError */
  json<T>(request: EngineRequest): Promise<T>
  /** The answer as it streams; the caller reads or destroys it. Throws as json does. */
  stream(request: EngineRequest): Promise<IncomingMessage>
  /** Upgrade the connection to `protocol` and hand over its socket. Throws as json does. */
  hijack(request: EngineRequest, protocol: string): Promise<Duplex>
  /** Whether the engine answers a ping within the time, in milliseconds. */
  alive(timeoutMs: number): Promise<boolean>
  /** Turn an answer that means no more than "no" into an error for people. Everything else is given back as it is. */
  refused(error: unknown, what: string): unknown
}

/** Gives the engine to talk to now. Nothing about a failure is kept, so an engine that comes back is found. */
export type ConnectEngine = (signal: AbortSignal) => Promise<Engine>

export function createEngineConnector(env: Environment, wish: EngineWish = {}): ConnectEngine {
  let current: { readonly key: string; readonly engine: Engine } | undefined
  return async (signal) => {
    signal.throwIfAborted()
    const endpoint = await findEndpoint(env, wish)
    const key = JSON.stringify(endpoint)
    if (current?.key === key) return current.engine
    const dial = await createDial(endpoint, () => (current = undefined))
    const engine = createEngine(endpoint, dial, await readInfo(endpoint, dial, env, signal))
    current = { key, engine }
    return engine
  }
}

/** One request by dockerode's modem, answered by whatever status, or by the socket of an upgraded connection. */
type Dial = (request: EngineRequest, upgrade?: string) => Promise<IncomingMessage | Duplex>

async function createDial(endpoint: Endpoint, onUnreachable: () => void): Promise<Dial> {
  // loaded when first needed: it costs 200 ms and 25 MB
  const { default: Docker } = (await import('dockerode')) as { default: typeof Dockerode }
  const { tls } = endpoint
  const agent = endpoint.connect
    ? byteStreamAgent(endpoint.connect)
    : tls
      ? new https.Agent({ keepAlive: true, rejectUnauthorized: !tls.skipVerify })
      : new http.Agent({ keepAlive: true })
  // every option that dockerode would else take from the environment is named, so that the endpoint alone decides
  const options: Record<string, unknown> = {
    socketPath: endpoint.socketPath,
    // the agent alone knows where a byte stream leads
    host: endpoint.connect ? 'engine' : endpoint.host,
    port: endpoint.connect ? 80 : endpoint.port,
    protocol: tls ? 'https' : 'http',
    ca: tls?.ca,
    cert: tls?.cert,
    key: tls?.key,
    pathPrefix: '/',
    timeout: undefined,
    agent,
  }
  const docker = new Docker(options as Dockerode.DockerOptions)
  const modem = docker.modem as { dial(options: object, callback: (error: unknown, answer: unknown) => void): void }
  return (request, upgrade) =>
    new Promise((resolve, reject) => {
      const query = Object.fromEntries(Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined))
      const hasQuery = Object.keys(query).length > 0
      const { body } = request
      const isTar = body !== undefined && typeof (body as Readable).pipe === 'function'
      modem.dial(
        {
          method: request.method,
          path: hasQuery ? `${request.path}?` : request.path,
          headers: { ...request.headers },
          ...(hasQuery || body !== undefined
            ? { options: { _query: query, _body: isTar || body === undefined ? {} : body } }
            : {}),
          ...(isTar ? { file: body } : {}),
          ...(upgrade ? { hijack: true } : {}),
          abortSignal: request.signal,
          isStream: true,
          statusCodes: anyStatus,
        },
        (error, answer) => {
          if (!error) return resolve(answer as IncomingMessage | Duplex)
          if (request.signal?.aborted) return reject(abortReason(request.signal))
          // a forward into a pod that broke is an engine out of reach
          const known = isDevloopError(error) && !error.code.startsWith('forward/')
          if (known || isAbort(error)) return reject(error)
          onUnreachable()
          reject(unreachable(endpoint, error))
        },
      )
    })
}

// the modem would else read an answer's text into an error of its own form
const anyStatus = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [index + 100, true]))

function createEngine(endpoint: Endpoint, dial: Dial, info: EngineInfo): Engine {
  const stream = async (request: EngineRequest): Promise<IncomingMessage> => {
    const answer = (await dial(request)) as IncomingMessage
    const status = answer.statusCode ?? 0
    if (status >= 200 && status < 300) return answer
    throw new EngineAnswerError(status, messageOf(await readAll(answer, endpoint, request.signal)) || `status ${status}`)
  }
  return {
    endpoint,
    info,
    stream,
    async json<T>(request: EngineRequest) {
      const text = await readAll(await stream(request), endpoint, request.signal)
      return (text.trim() === '' ? undefined : JSON.parse(text)) as T
    },
    async hijack(request, protocol) {
      const answer = await dial({ ...request, headers: { ...request.headers, Upgrade: protocol } }, protocol)
      if (!('statusCode' in answer)) return answer as Duplex
      const refusal = answer as IncomingMessage
      throw new EngineAnswerError(refusal.statusCode ?? 0, messageOf(await readAll(refusal, endpoint, request.signal)))
    },
    async alive(timeoutMs) {
      try {
        const answer = (await dial({ method: 'GET', path: '/_ping', signal: AbortSignal.timeout(timeoutMs) })) as IncomingMessage
        answer.resume()
        return answer.statusCode === 200
      } catch {
        return false
      }
    },
    refused: (error, what) =>
      error instanceof EngineAnswerError
        ? new DevloopError('engine/refused', `The Docker engine refused to ${what}.`, { why: error.message })
        : error,
  }
}

async function readInfo(endpoint: Endpoint, dial: Dial, env: Environment, signal: AbortSignal): Promise<EngineInfo> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(10_000)])
  let ping: IncomingMessage
  let about: { ApiVersion?: string; Os?: string; Arch?: string; Components?: readonly { Name?: string }[] }
  try {
    const answers = await Promise.all([
      dial({ method: 'GET', path: '/_ping', signal: deadline }),
      dial({ method: 'GET', path: '/version', signal: deadline }),
    ])
    ping = answers[0] as IncomingMessage
    ping.resume()
    about = JSON.parse(await readAll(answers[1] as IncomingMessage, endpoint, deadline)) as typeof about
  } catch (error) {
    if (signal.aborted) throw abortReason(signal)
    if (isAbort(error)) throw unreachable(endpoint, new Error('it did not answer within 10 s'))
    throw isDevloopError(error) ? error : unreachable(endpoint, new Error('what answers there is no Docker engine'))
  }
  const apiVersion = about.ApiVersion ?? '1.24'
  const podman = about.Components?.some(({ Name }) => /podman/i.test(Name ?? '')) ?? false
  return {
    apiVersion,
    platform: `${about.Os ?? 'linux'}/${about.Arch ?? 'amd64'}`,
    buildkit: !podman && hasBuildkit(apiVersion, about.Os ?? 'linux', ping.headers['builder-version'], env['DOCKER_BUILDKIT']),
    podman,
  }
}

/**
 * Whether to build with BuildKit. An engine that says which builder it prefers is believed; one that says nothing has
 * BuildKit from API 1.39 on, on Linux. The user's DOCKER_BUILDKIT=0 or 1 outweighs what the engine prefers.
 */
export function hasBuildkit(
  apiVersion: string,
  os: string,
  header: string | string[] | undefined,
  wish: string | undefined,
): boolean {
  const [major = 0, minor = 0] = apiVersion.split('.').map(Number)
  const able = os === 'linux' && (major > 1 || minor >= 39)
  if (wish === '0' || wish === 'false') return false
  if (wish === '1' || wish === 'true') return able
  return able && header !== '1'
}

async function readAll(answer: IncomingMessage, endpoint: Endpoint, signal: AbortSignal | undefined): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of answer) chunks.push(chunk as Buffer)
  } catch (error) {
    if (signal?.aborted) throw abortReason(signal)
    throw unreachable(endpoint, error)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const messageOf = (text: string): string => {
  try {
    const parsed = JSON.parse(text) as { message?: unknown }
    if (typeof parsed.message === 'string') return parsed.message
  } catch {
    // plain text, as proxies in front of an engine send it
  }
  return text.trim().slice(0, 2000)
}

/** What an aborted signal rejects with: its reason when that says so itself, else an AbortError. */
export const abortReason = (signal: AbortSignal): Error =>
  isAbort(signal.reason) ? (signal.reason as Error) : new DOMException('The operation was aborted.', 'AbortError')

/** The error for a connection that could not be made, or broke. */
export function unreachable(endpoint: Endpoint, error: unknown): DevloopError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  const why = error instanceof Error ? error.message.trim() || code : String(error)
  const help = helpFor[code ?? ''] ?? (endpoint.tls ? 'Check that the engine runs and that its certificates fit.' : undefined)
  return new DevloopError(
    'engine/unreachable',
    `The Docker engine at ${endpoint.address} (from ${endpoint.origin}) does not answer.`,
    {
      why,
      help,
      cause: error,
    },
  )
}

const helpFor: Readonly<Record<string, string>> = {
  EACCES: 'Your user may not use this socket: join the group that owns it (usually `docker`), or use a rootless engine.',
  ENOTFOUND: 'The host name cannot be resolved: correct DOCKER_HOST or the Docker context.',
}
