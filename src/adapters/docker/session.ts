// The session of a BuildKit build: a connection on which the engine asks us for files and credentials.
import { randomUUID } from 'node:crypto'
import type { RegistryAuth } from './auth.js'
import { registryHost } from './auth.js'
import type { ContextEntry } from './context-files.js'
import type { Engine } from './engine.js'
import { sendFiles, type SyncedFiles } from './file-sync.js'
import { selectFollowed } from './followed-paths.js'
import { GrpcError, grpcStatus, serveGrpc, type GrpcCall, type GrpcMethod } from './grpc-server.js'
import { readFields, textOf, writeMessage } from './protobuf.js'
import { sshMethods } from './ssh-forward.js'

export interface SessionOptions {
  /** The engine keeps one copy of the context for all sessions with this key, and is sent what differs from it. */
  readonly sharedKey: string
  readonly context: readonly ContextEntry[]
  /** The folder that holds the Dockerfile and nothing else. */
  readonly dockerfile: readonly ContextEntry[]
  readonly credentials: (host: string) => Promise<RegistryAuth | undefined>
  /** Bytes of secrets by id. */
  readonly secrets: ReadonlyMap<string, Buffer>
  /** Sockets of ssh agents by id. */
  readonly agents: ReadonlyMap<string, string>
  /** So much of the context has been sent by now. */
  readonly onContext: (sent: SyncedFiles) => void
  /** The context is complete in the engine. */
  readonly onContextSent: (sent: SyncedFiles) => void
  /** Reading the context failed; the build can only fail as well. */
  readonly onFailure: (error: unknown) => void
}

export interface BuildSession {
  readonly id: string
  /** Whether the connection ended before it was closed here. */
  lost(): boolean
  close(): void
}

const serving = writeMessage().number(1, 1).finish()

/** Open a session; it must be closed by the caller. Throws as Engine.hijack does. */
export async function openSession(engine: Engine, options: SessionOptions, signal: AbortSignal): Promise<BuildSession> {
  const methods: Record<string, GrpcMethod> = {
    // without it the engine takes the session for dead after some seconds
    '/grpc.health.v1.Health/Check': { unary: () => serving },
    '/moby.filesync.v1.Auth/Credentials': { unary: async (request) => credentials(request, options) },
    '/moby.filesync.v1.FileSync/DiffCopy': { stream: (call, gone) => diffCopy(call, options, gone) },
    ...(options.secrets.size > 0
      ? { '/moby.buildkit.secrets.v1.Secrets/GetSecret': { unary: (request: Buffer) => secret(request, options.secrets) } }
      : {}),
    ...(options.agents.size > 0 ? sshMethods(options.agents) : {}),
  }
  const id = randomUUID()
  const socket = await engine.hijack(
    {
      method: 'POST',
      path: '/session',
      headers: {
        'X-Docker-Expose-Session-Uuid': id,
        'X-Docker-Expose-Session-Name': 'devloop',
        'X-Docker-Expose-Session-Sharedkey': options.sharedKey,
        'X-Docker-Expose-Session-Grpc-Method': Object.keys(methods),
      },
      signal,
    },
    'h2c',
  )
  const server = serveGrpc(socket, methods)
  let ended = false
  let closing = false
  void server.closed.then(() => (ended = true))
  return {
    id,
    lost: () => ended && !closing,
    close() {
      closing = !ended
      server.close()
    },
  }
}

async function diffCopy(call: GrpcCall, options: SessionOptions, signal: AbortSignal): Promise<void> {
  const [folder = ''] = call.metadata('dir-name')
  if (folder !== 'context' && folder !== 'dockerfile')
    throw new GrpcError(grpcStatus.notFound, `no access allowed to dir "${folder}"`)
  if (folder === 'dockerfile') {
    await sendFiles(call, options.dockerfile, signal)
    return
  }
  const followed = decoded(call, 'followpaths')
  try {
    // the engine looks for ignore rules first; they have been applied already
    if (followed.length === 1 && followed[0] === '.dockerignore') await sendFiles(call, [], signal)
    else options.onContextSent(await sendFiles(call, selectFollowed(options.context, followed), signal, options.onContext))
  } catch (error) {
    if (!(error instanceof GrpcError)) options.onFailure(error)
    throw error
  }
}

async function credentials(request: Buffer, options: SessionOptions): Promise<Buffer> {
  let host = ''
  for (const field of readFields(request)) if (field.number === 1) host = textOf(field)
  const auth = await options.credentials(registryHost(`${host}/`))
  const secret = auth?.identitytoken ?? auth?.password ?? ''
  return writeMessage()
    .bytes(1, auth?.identitytoken ? '' : (auth?.username ?? ''))
    .bytes(2, secret)
    .finish()
}

function secret(request: Buffer, secrets: SessionOptions['secrets']): Buffer {
  let id = ''
  for (const field of readFields(request)) if (field.number === 1) id = textOf(field)
  const value = secrets.get(id)
  // the engine lets a mount that is not `required` go without
  if (value === undefined) throw new GrpcError(grpcStatus.notFound, `the image has no secret '${id}'`)
  return writeMessage().bytes(1, value).finish()
}

// newer engines write values that are not plain ASCII as in a URL, and say so
const decoded = (call: GrpcCall, name: string): readonly string[] => {
  const values = call.metadata(name)
  return call.metadata(`${name}-encoded`)[0] === '1'
    ? values.map((value) => decodeURIComponent(value.replaceAll('+', ' ')))
    : values
}
