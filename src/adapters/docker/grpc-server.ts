// A gRPC server on one connection that is already there, over Node's own HTTP/2: the engine calls us on the socket of
// its /session request. Written by hand rather than taken from grpc-js because file transfers send ten thousands of small
// messages, which here go out batched in few writes.
import http2 from 'node:http2'
import type { Duplex } from 'node:stream'

/** Status codes of gRPC that we answer with. */
export const grpcStatus = { ok: 0, cancelled: 1, unknown: 2, notFound: 5, unimplemented: 12, internal: 13 } as const

/** Thrown by a method to answer with this status. */
export class GrpcError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** One call of a streaming method. */
export interface GrpcCall {
  /** Metadata of the call; names in lower case, every value of a name. */
  metadata(name: string): readonly string[]
  /** Messages of the caller, until it has sent its last. */
  readonly messages: AsyncIterable<Buffer>
  /** Send messages, in one write; resolves when more may be sent. */
  send(...messages: readonly Buffer[]): Promise<void>
}

export type GrpcMethod =
  | { readonly unary: (request: Buffer) => Promise<Buffer> | Buffer }
  | { readonly stream: (call: GrpcCall, signal: AbortSignal) => Promise<void> }

export interface GrpcServer {
  /** Settles when the connection has ended. */
  readonly closed: Promise<void>
  close(): void
}

const frame = (message: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** Cuts a stream of bytes into gRPC messages. */
export async function* readMessages(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    while (held.length >= 5) {
      const end = 5 + held.readUInt32BE(1)
      if (held.length < end) break
      if (held[0] !== 0) throw new GrpcError(grpcStatus.unimplemented, 'compressed messages are not understood')
      yield held.subarray(5, end)
      held = held.subarray(end)
    }
  }
  if (held.length > 0) throw new GrpcError(grpcStatus.internal, 'the stream ended within a message')
}

/** Serve methods, named like `/grpc.health.v1.Health/Check`, on a connected socket. Never throws; a lost socket ends it. */
export function serveGrpc(socket: Duplex, methods: Readonly<Record<string, GrpcMethod>>): GrpcServer {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => socket.destroy())
  // not a server that is given the socket: that one refuses a TLS connection on which HTTP/2 was not agreed beforehand
  const session = http2.performServerHandshake(socket, { settings: { initialWindowSize: 1 << 20, maxConcurrentStreams: 1000 } })
  session.on('error', () => socket.destroy())
  session.on(
    'stream',
    (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
      void answer(stream, headers[':path'] ?? '', rawHeaders, methods)
    },
  )
  return {
    closed,
    close() {
      session.destroy()
      socket.destroy()
    },
  }
}

async function answer(
  stream: http2.ServerHttp2Stream,
  path: string,
  rawHeaders: readonly string[],
  methods: Readonly<Record<string, GrpcMethod>>,
): Promise<void> {
  const gone = new AbortController()
  stream.on('error', () => gone.abort())
  stream.on('close', () => gone.abort())
  const finish = (status: number, message: string): void => {
    if (stream.destroyed) return
    const trailers = { 'grpc-status': String(status), ...(message ? { 'grpc-message': encodeURIComponent(message) } : {}) }
    if (stream.headersSent) {
      stream.once('wantTrailers', () => stream.sendTrailers(trailers))
      stream.end()
    } else {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true })
    }
    // a caller that is still sending must not keep the stream open
    stream.resume()
  }
  const open = (): void => {
    if (!stream.headersSent) stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  }
  const method = methods[path]
  if (!method) return finish(grpcStatus.unimplemented, `unknown method ${path}`)
  // leaving the loop early must not destroy the stream that the answer still goes out on
  const messages = readMessages(stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
  try {
    if ('unary' in method) {
      for await (const request of messages) {
        const reply = await method.unary(request)
        if (stream.destroyed) return
        open()
        stream.write(frame(reply))
        break
      }
    } else {
      open()
      await method.stream(
        {
          metadata: (name) => valuesOf(rawHeaders, name),
          messages,
          async send(...messages) {
            if (stream.destroyed) throw new GrpcError(grpcStatus.cancelled, 'the engine ended the call')
            if (!stream.write(Buffer.concat(messages.map(frame)))) await drained(stream)
          },
        },
        gone.signal,
      )
    }
    finish(grpcStatus.ok, '')
  } catch (error) {
    finish(error instanceof GrpcError ? error.status : grpcStatus.unknown, error instanceof Error ? error.message : String(error))
  }
}

// Node joins repeated headers by commas, which paths may hold; the raw list keeps them apart
const valuesOf = (rawHeaders: readonly string[], name: string): readonly string[] =>
  rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1] === name)

const drained = (stream: http2.ServerHttp2Stream): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (): void => {
      stream.off('drain', settle)
      stream.off('close', settle)
      if (stream.destroyed) reject(new GrpcError(grpcStatus.cancelled, 'the engine ended the call'))
      else resolve()
    }
    stream.on('drain', settle)
    stream.on('close', settle)
  })
