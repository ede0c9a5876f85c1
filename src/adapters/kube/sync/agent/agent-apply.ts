// Sync operations as frames of the agent: small files share a frame, large ones come in pieces, and the next frames are read and sent
// while the agent writes the first.
import type { Readable } from 'node:stream'
import { isDevloopError } from '../../../../errors/devloop-error.js'
import type { Wanted } from '../../../../model/tree.js'
import type { SyncOp } from '../../../../ports/sync-transport.js'
import { checkedPieces, loadedInOrder, noPart, resumableBytes, sourceUnreadable, type FileOp, type Part } from '../load-files.js'
import type { SyncPath } from '../sync-paths.js'
import { AgentFailure, type AgentChannel } from './agent-channel.js'
import {
  byteField,
  factKinds,
  kinds,
  longField,
  numberField,
  operations,
  readFields,
  sizedFields,
  type FieldReader,
} from './frames.js'

export interface AgentApplyContext {
  readonly channel: AgentChannel
  readonly read: (path: string) => SyncPath
  /** The fields that name a path. @see pathFields */
  readonly place: (at: SyncPath) => Buffer[]
  /** The path of a place that the agent names. */
  readonly pathOf: (fields: FieldReader) => string
  /** Marks the frames of this call: after one that failed, the agent skips the others. Greater than 0. */
  readonly group: number
}

/** Most bytes of operations in one frame. */
const frameLimit = 256 * 1024
/** A file that is larger comes in pieces of this size, which is what is read at once: then none is put together anew. */
const pieceBytes = 256 * 1024

/** Carry out operations, deletes first. @returns the paths that were left alone. @throws as SyncSession.apply, and AgentFailure */
export async function applyByAgent(
  ops: readonly SyncOp[],
  context: AgentApplyContext,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const expectations: Buffer[][] = []
  const deletes: Buffer[][] = []
  const rmdirs: SyncPath[] = []
  const links: Buffer[][] = []
  const files: { at: SyncPath; op: FileOp }[] = []
  for (const op of ops) {
    const at = context.read(op.path)
    if (op.op !== 'rmdir' && op.expected)
      expectations.push([byteField(operations.expect), ...context.place(at), ...sizedFields(factBytes(op.expected))])
    if (op.op === 'delete') deletes.push([byteField(operations.delete), ...context.place(at)])
    else if (op.op === 'rmdir') rmdirs.push(at)
    else if (op.op === 'link') links.push([byteField(operations.link), ...context.place(at), ...sizedFields(op.target)])
    else files.push({ at, op })
  }
  rmdirs.sort((a, b) => b.above.length - a.above.length)

  const kept = new Set<string>()
  const sender = createSender(context, kept, signal)
  try {
    for (const fields of expectations) await sender.add(fields)
    for (const fields of deletes) await sender.add(fields)
    for (const at of rmdirs) await sender.add([byteField(operations.rmdir), ...context.place(at)])
    for (const fields of links) await sender.add(fields)
    for await (const file of loadedInOrder(files, signal)) {
      const { at, op, content } = file
      if (Buffer.isBuffer(content) && content.length <= pieceBytes)
        await sender.add([
          byteField(operations.file),
          ...context.place(at),
          numberField(op.mode),
          Buffer.from(op.hash, 'hex'),
          ...sizedFields(content),
        ])
      else await sendInPieces(at, op, content, context, sender, signal)
    }
    await sender.flush()
  } finally {
    // what is under way ends before anything else is begun
    await sender.settled()
  }
  sender.check()
  return kept
}

/** An entry as the agent tells one. */
function factBytes(held: Wanted): Buffer {
  if (held.kind === 'absent') return byteField(factKinds.absent)
  if (held.kind === 'link') return Buffer.concat([byteField(factKinds.link), ...sizedFields(held.target)])
  return Buffer.concat([byteField(factKinds.file), numberField(held.mode), longField(held.size), Buffer.from(held.hash, 'hex')])
}

interface Sender {
  /** Put an operation into the frame being gathered; sends it first when it is full. @throws what the agent said to an earlier frame */
  add(fields: readonly Buffer[]): Promise<void>
  flush(): Promise<void>
  /** Send a frame of another kind, when there is room. */
  send(kind: number, fields: readonly Buffer[]): Promise<void>
  /** The same, and wait until it is carried out. @param onPart what is told before that */
  ask(kind: number, fields: readonly Buffer[], onPart: (body: Buffer) => void): Promise<void>
  /** @throws what the agent said to an earlier frame */
  check(): void
  /** Resolves when everything that was sent is answered. */
  settled(): Promise<void>
}

function createSender({ channel, group, pathOf }: AgentApplyContext, kept: Set<string>, signal: AbortSignal): Sender {
  let gathered: Buffer[] = []
  let size = 0
  let failure: unknown
  let under = 0
  let settle: () => void = () => {}
  const mark = numberField(group)

  const check = (): void => {
    if (failure !== undefined) throw failure
  }
  const send = async (kind: number, fields: readonly Buffer[]): Promise<void> => {
    await channel.room()
    signal.throwIfAborted()
    check()
    under++
    const note = (body: Buffer): void => {
      for (const places = readFields(body); !places.done;) kept.add(pathOf(places))
    }
    channel.request(kind, [mark, ...fields], note).then(
      () => over(),
      (thrown: unknown) => {
        failure ??= thrown
        over()
      },
    )
  }
  const ask = async (kind: number, fields: readonly Buffer[], onPart: (body: Buffer) => void): Promise<void> => {
    await channel.room()
    signal.throwIfAborted()
    try {
      await channel.request(kind, [mark, ...fields], onPart)
    } finally {
      check()
    }
  }
  const over = (): void => {
    if (--under === 0) settle()
  }
  const flush = async (): Promise<void> => {
    if (gathered.length === 0) return
    const fields = gathered
    gathered = []
    size = 0
    await send(kinds.write, fields)
  }
  return {
    check,
    send,
    ask,
    flush,
    async add(fields) {
      const bytes = fields.reduce((sum, field) => sum + field.length, 0)
      if (size > 0 && size + bytes > frameLimit) await flush()
      gathered.push(...fields)
      size += bytes
    },
    settled: () => (under === 0 ? Promise.resolve() : new Promise((resolve) => (settle = resolve))),
  }
}

/** A large file: the agent renames it only when all of it is there and is what was hashed. */
async function sendInPieces(
  at: SyncPath,
  op: FileOp,
  content: Buffer | Readable,
  context: AgentApplyContext,
  sender: Sender,
  signal: AbortSignal,
): Promise<void> {
  await sender.flush()
  const resumable = op.size >= resumableBytes
  const begin = [
    ...context.place(at),
    numberField(op.mode),
    longField(op.size),
    Buffer.from(op.hash, 'hex'),
    byteField(resumable ? 1 : 0),
  ]
  let part: Part = noPart
  // only a large file is worth waiting for the answer
  if (!resumable) await sender.send(kinds.begin, begin)
  else
    await sender.ask(kinds.begin, begin, (body) => {
      const fields = readFields(body)
      part = { bytes: fields.long(), hash: fields.bytes(32).toString('hex') }
    })
  try {
    for await (const piece of checkedPieces({ at, op, content }, pieceBytes, part, true)) {
      signal.throwIfAborted()
      await sender.send(kinds.chunk, [piece])
    }
    await sender.send(kinds.end, [])
  } catch (thrown) {
    if (!(thrown instanceof AgentFailure)) await discard(context)
    if (thrown instanceof AgentFailure || isDevloopError(thrown) || signal.aborted) throw thrown
    throw sourceUnreadable(at.path, thrown)
  } finally {
    if (!Buffer.isBuffer(content)) content.destroy()
  }
}

const discard = ({ channel, group }: AgentApplyContext): Promise<void> =>
  channel.request(kinds.discard, [numberField(group)]).catch(() => {})

/** What the agent says about a path as the text that a tool in a container would have printed. */
export function failureText(thrown: AgentFailure): string {
  if (thrown.code === 'link-out') return `devloop: link out: ${thrown.message}`
  if (thrown.code === 'root-is-folder') return `devloop: root is a folder: ${thrown.path}`
  return `${thrown.path}: ${thrown.code}${thrown.code ? ': ' : ''}${thrown.message}`
}
