// The sending side of BuildKit's file transfer (fsutil over gRPC): tell what there is, send the content that is asked for.
import type { ContextEntry } from './context-files.js'
import { GrpcError, grpcStatus, type GrpcCall } from './grpc-server.js'
import { bytesOf, numberOf, readFields, writeMessage } from './protobuf.js'

/** How much of a transfer went over. */
export interface SyncedFiles {
  /** Files whose content was asked for. */
  readonly files: number
  /** Bytes of their content. */
  readonly bytes: number
}

const packet = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const
// type bits of Go's file modes
const goType = { file: 0, folder: 0x80000000, link: 0x08000000 } as const
const chunkSize = 256 * 1024
const batchSize = 64 * 1024
const parallelReads = 4

/**
 * Answer one DiffCopy call with these entries, which must be in walking order.
 * @param onSent told what was sent so far, after each piece
 * @throws GrpcError when the engine gives up; whatever reading the content throws
 */
export async function sendFiles(
  call: GrpcCall,
  entries: readonly ContextEntry[],
  signal: AbortSignal,
  onSent: (sent: SyncedFiles) => void = () => undefined,
): Promise<SyncedFiles> {
  const queue: number[] = []
  let wake: (() => void) | undefined
  let over = false
  let failure: unknown
  let [files, bytes] = [0, 0]
  const stop = (error?: unknown): void => {
    over = true
    failure ??= error
    wake?.()
  }
  const onAbort = (): void => stop(new GrpcError(grpcStatus.cancelled, 'the engine ended the transfer'))
  signal.addEventListener('abort', onAbort, { once: true })

  const sendStats = async (): Promise<void> => {
    let batch: Buffer[] = []
    let held = 0
    for (const entry of entries) {
      if (over) return
      const message = writeMessage().message(2, statOf(entry)).finish()
      batch.push(message)
      held += message.length
      if (held < batchSize) continue
      await call.send(...batch)
      batch = []
      held = 0
    }
    // a packet with no stat ends the list
    await call.send(...batch, Buffer.alloc(0))
  }
  const sendContent = async (id: number): Promise<void> => {
    const entry = entries[id]
    if (entry?.kind !== 'file') throw new GrpcError(grpcStatus.internal, `the engine asked for file ${id}, which there is not`)
    files++
    for await (const content of entry.content()) {
      for (let at = 0; at < content.length; at += chunkSize) {
        if (over) return
        const chunk = content.subarray(at, at + chunkSize)
        bytes += chunk.length
        await call.send(writeMessage().number(1, packet.data).number(3, id).bytes(4, chunk).finish())
        onSent({ files, bytes })
      }
    }
    await call.send(writeMessage().number(1, packet.data).number(3, id).finish())
  }
  const worker = async (): Promise<void> => {
    let active = 0
    await new Promise<void>((resolve) => {
      wake = () => {
        while (!over && active < parallelReads && queue.length > 0) {
          active++
          sendContent(queue.shift() as number)
            .catch(stop)
            .finally(() => {
              active--
              wake?.()
            })
        }
        if (over && active === 0) resolve()
      }
      wake()
    })
  }
  const receive = async (): Promise<void> => {
    for await (const message of call.messages) {
      const { type, id, data } = readPacket(message)
      if (type === packet.request) {
        queue.push(id)
        wake?.()
      } else if (type === packet.error) {
        throw new GrpcError(grpcStatus.unknown, data.toString('utf8'))
      } else if (type === packet.finish) {
        await call.send(writeMessage().number(1, packet.finish).finish())
        return
      }
    }
    throw new GrpcError(grpcStatus.cancelled, 'the engine ended the transfer')
  }

  const work = worker()
  sendStats().catch(stop)
  receive().then(() => stop(), stop)
  await work
  signal.removeEventListener('abort', onAbort)
  if (failure !== undefined) throw failure
  return { files, bytes }
}

const statOf = (entry: ContextEntry): ReturnType<typeof writeMessage> =>
  writeMessage()
    .bytes(1, entry.path)
    .number(2, entry.mode + goType[entry.kind])
    .number(5, entry.size)
    .number(6, entry.mtime)
    .bytes(7, entry.target)

function readPacket(message: Buffer): { type: number; id: number; data: Buffer } {
  let [type, id] = [0, 0]
  let data: Buffer = Buffer.alloc(0)
  for (const field of readFields(message)) {
    if (field.number === 1) type = numberOf(field)
    else if (field.number === 3) id = numberOf(field)
    else if (field.number === 4) data = bytesOf(field)
  }
  return { type, id, data }
}
