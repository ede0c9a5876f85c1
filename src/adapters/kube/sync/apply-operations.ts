// Carrying out sync operations over a shell loop: which step each becomes, and which steps share a frame.
import type { Readable } from 'node:stream'
import { DevloopError } from '../../../errors/devloop-error.js'
import type { SyncOp } from '../../../ports/sync-transport.js'
import {
  checks,
  deleteStep,
  inlineStep,
  lineBytes,
  linkStep,
  payloadStep,
  rmdirStep,
  singleLineBytes,
  stagedStep,
  tarBounds,
  tarStep,
  type Step,
  type StepContext,
} from './apply-steps.js'
import {
  checkedPieces,
  loadedInOrder,
  noPart,
  resumableBytes,
  sourceUnreadable,
  type FileOp,
  type LoadedFile,
  type Part,
} from './load-files.js'
import { partPrefix, temporaryPrefix } from './loop-script.js'
import { quote, quoteBytes } from './shell-quote.js'
import type { SyncPath } from './sync-paths.js'

/** Thrown by SendSteps; `output` is what the container said. */
export class StepFailure extends Error {
  readonly output: string
  readonly status: number
  /** What the frame was about. */
  readonly paths: readonly string[]
  constructor(output: string, status: number, paths: readonly string[]) {
    super(output)
    this.output = output
    this.status = status
    this.paths = paths
  }
}

/** Sends steps as one frame, in order. @returns what was printed @throws StepFailure, DevloopError sync/disconnected */
export type SendSteps = (steps: readonly Step[]) => Promise<string>

export interface ApplyContext extends StepContext {
  readonly read: (path: string) => SyncPath
  readonly send: SendSteps
}

/** Paths whose removal is one step. */
const removeAtOnce = 1000
/** How much of a large file is one frame, in bytes. */
const pieceBytes = 8 * 1024 * 1024
/** Bytes of a frame's code where files stand in the code because the container has no tar. */
const blockBytes = 256 * 1024
/** A larger file is sent in pieces even when it is in memory. */
const wholeFileBytes = 4 * 1024 * 1024

/** Carry out operations, deletes first. Looks at the signal between frames. @throws as SyncSession.apply, and StepFailure */
export async function applyOperations(ops: readonly SyncOp[], context: ApplyContext, signal: AbortSignal): Promise<void> {
  const deletes: SyncPath[] = []
  const rmdirs: SyncPath[] = []
  const links: Step[] = []
  const files: { at: SyncPath; op: FileOp }[] = []
  for (const op of ops) {
    const at = context.read(op.path)
    if (op.op === 'delete') deletes.push(at)
    else if (op.op === 'rmdir') rmdirs.push(at)
    else if (op.op === 'link') links.push(linkStep(at, op.target, context))
    else files.push({ at, op })
  }
  const sender = batches(context.send, signal)
  for (let from = 0; from < deletes.length; from += removeAtOnce)
    await sender.add(deleteStep(deletes.slice(from, from + removeAtOnce)))
  for (let from = 0; from < rmdirs.length; from += removeAtOnce)
    await sender.add(rmdirStep(rmdirs.slice(from, from + removeAtOnce)))
  for (const link of links) await sender.add(link)
  await sendFiles(files, context, sender, signal)
  await sender.flush()
}

interface Batches {
  /** Put a step into the frame being gathered; sends it first when the step does not fit. */
  add(step: Step): Promise<void>
  flush(): Promise<void>
}

function batches(send: SendSteps, signal: AbortSignal): Batches {
  let gathered: Step[] = []
  let size = 0
  const flush = async (): Promise<void> => {
    if (gathered.length === 0) return
    signal.throwIfAborted()
    let steps = gathered
    gathered = []
    size = 0
    for (;;) {
      try {
        await send(steps)
        return
      } catch (thrown) {
        if (!(thrown instanceof StepFailure)) throw thrown
        const again = steps.map((step) => step.narrowed?.(thrown.output) ?? step)
        if (again.every((step, index) => step === steps[index])) throw thrown
        steps = again
      }
    }
  }
  return {
    flush,
    async add(step) {
      const clash = step.alone && gathered.some((one) => one.temporaries.length > 0)
      if (clash || (gathered.length > 0 && size + step.code.length > lineBytes)) await flush()
      gathered.push(step)
      size += step.code.length
      if (step.payload || step.alone) await flush()
    },
  }
}

async function sendFiles(
  files: readonly { at: SyncPath; op: FileOp }[],
  context: ApplyContext,
  sender: Batches,
  signal: AbortSignal,
): Promise<void> {
  let bundle: LoadedFile[] = []
  let bytes = 0
  const flushBundle = async (): Promise<void> => {
    const loaded = bundle
    bundle = []
    bytes = 0
    await sendBundle(loaded, context, sender, signal)
  }
  for await (const file of loadedInOrder(files, signal)) {
    if (!Buffer.isBuffer(file.content)) {
      await flushBundle()
      await sender.flush()
      await sendInPieces(file.at, file.op, file.content, context, signal)
    } else if (file.content.length > wholeFileBytes) {
      await flushBundle()
      await sender.flush()
      await sendInPieces(file.at, file.op, file.content, context, signal)
    } else {
      if (bundle.length >= tarBounds.files || bytes + file.content.length > tarBounds.bytes) await flushBundle()
      bundle.push(file as LoadedFile)
      bytes += file.content.length
    }
  }
  await flushBundle()
}

async function sendBundle(
  files: readonly LoadedFile[],
  context: ApplyContext,
  sender: Batches,
  signal: AbortSignal,
): Promise<void> {
  const { tools } = context
  const inline = few(files, context)
  if (inline) {
    for (const step of inline) await sender.add(step)
    return
  }
  // a root that is a file is not moved with others: what stands in its place must be looked at
  const roots = files.length === 1 ? files : files.filter(({ at }) => at.path === at.root)
  let rest = files.length === 1 ? [] : files.filter(({ at }) => at.path !== at.root)
  if (rest.length > 0 && tools.has('head') && tools.has('tar')) {
    await sender.add(tarStep(rest, context))
    rest = []
  }
  while (rest.length > 0) {
    const { step, count } = stagedStep(rest, blockBytes, context)
    if (count > 0) await sender.add(step)
    else await sendAlone(rest[0] as LoadedFile, context, sender, signal)
    rest = rest.slice(count || 1)
  }
  for (const file of roots) await sendAlone(file, context, sender, signal)
}

async function sendAlone(file: LoadedFile, context: ApplyContext, sender: Batches, signal: AbortSignal): Promise<void> {
  if (context.tools.has('head') && context.tools.has('wc')) {
    await sender.add(payloadStep(file, context))
    return
  }
  await sender.flush()
  await sendInPieces(file.at, file.op, file.content, context, signal)
}

/** Files that are so few and small that they stand in one line. */
function few(files: readonly LoadedFile[], context: StepContext): Step[] | undefined {
  if (files.length > 16) return undefined
  const steps: Step[] = []
  let left = files.length === 1 && context.tools.has('head') ? singleLineBytes : lineBytes
  for (const file of files) {
    const step = inlineStep(file, left, context)
    if (!step) return undefined
    steps.push(step)
    left -= step.code.length + 4
  }
  return steps
}

/** A large file: piece by piece into the temporary, and renamed only when all of it is there and is what was hashed. */
async function sendInPieces(
  at: SyncPath,
  op: FileOp,
  content: Readable | Buffer,
  context: ApplyContext,
  signal: AbortSignal,
): Promise<void> {
  const stage = `${at.folder}/${temporaryPrefix}${context.session}`
  const step = (code: string | Buffer, payload?: Buffer): Step => ({
    code: Buffer.isBuffer(code) ? code : Buffer.from(code),
    ...(payload ? { payload } : {}),
    temporaries: [],
    paths: [at.path],
  })
  const discard = (): Promise<unknown> => context.send([step(`rm -f ${quote(stage)}; S=`)])
  const resumable = op.size >= resumableBytes && (['head', 'wc', 'sha256sum'] as const).every((tool) => context.tools.has(tool))
  const words = [quote(at.folder), (0o666 & ~op.mode).toString(8), resumable ? `${partPrefix}${op.hash}` : "''"]
  const part = readPart(await context.send([step(`${checks([at])} && begin ${words.join(' ')}`)]))
  let begun = true
  try {
    for await (const piece of checkedPieces({ at, op, content }, pieceBytes, part)) {
      signal.throwIfAborted()
      if (context.tools.has('head')) await context.send([step(`more ${piece.length}`, piece)])
      else
        for (let from = 0; from < piece.length; from += 16 * 1024)
          await context.send([
            step(
              Buffer.concat([
                Buffer.from('more_inline '),
                quoteBytes(piece.subarray(from, from + 16 * 1024), Infinity) ?? Buffer.alloc(0),
              ]),
            ),
          ])
    }
    // what an earlier loop made may have another mode
    const mode = (op.mode & ~0o666) === 0 && part.bytes === 0 ? "''" : op.mode.toString(8)
    await context.send([step(`finish ${quote(at.folder)} ${quote(at.name)} ${mode}`)])
    begun = false
  } catch (thrown) {
    // a failed step has removed it already
    if (begun && !(thrown instanceof StepFailure)) await discard().catch(() => {})
    if (thrown instanceof StepFailure || thrown instanceof DevloopError || signal.aborted) throw thrown
    throw sourceUnreadable(at.path, thrown)
  } finally {
    if (!Buffer.isBuffer(content)) content.destroy()
  }
}

/** What the container said of an earlier loop's work. */
function readPart(output: string): Part {
  const [, bytes, hash] = /^devloop: part +(\d+) ([0-9a-f]{64})/m.exec(output) ?? []
  return bytes === undefined || hash === undefined ? noPart : { bytes: Number(bytes), hash }
}
