// The agent's streams as frames: many may be under way, each is answered, within bounds of memory and time.
import { DevloopError } from '../../../../errors/devloop-error.js'
import type { ExecStream } from '../exec-stream.js'
import { abortError } from '../remote-command.js'
import type { ChannelEnd } from '../session-end.js'
import {
  createFrameReader,
  frameParts,
  kinds,
  numberField,
  protocol,
  readFields,
  sizedFields,
  type AgentFrame,
} from './frames.js'

export interface AgentChannelOptions {
  /** For messages, such as `container web of pod shop/web-1`. */
  readonly name: string
  /** The version of the agent that is expected, as in dist/agent/version. */
  readonly version: string
  /** Milliseconds without any progress (bytes taken or given) until the container counts as lost. */
  readonly deadlineMs: number
  /** Milliseconds of rest after which the agent sweeps left-overs, once. */
  readonly sweepAfterMs: number
}

/** What the agent said when it could not do what a frame asked for. */
export class AgentFailure extends Error {
  /** An errno name such as ENOSPC, or one of those that docs/agent.md lists. */
  readonly code: string
  /** The path that it is about; may be empty. */
  readonly path: string
  constructor(code: string, path: string, text: string) {
    super(text)
    this.code = code
    this.path = path
  }
}

/** Reads the body of a `failed` frame. */
export function readFailure(body: Buffer): AgentFailure {
  const fields = readFields(body)
  return new AgentFailure(fields.text(), fields.text(), fields.text())
}

export interface AgentChannel {
  /** Whom the agent writes as, such as `1000 (node)`. */
  readonly user: string
  /** Resolves when another frame may be sent; looks at what is unanswered. Never rejects. */
  room(): Promise<void>
  /**
   * Send a frame; resolves when it is carried out. Frames are carried out in the order in which they are sent.
   * @param onPart bodies of partial answers
   * @throws AgentFailure, DevloopError sync/disconnected
   */
  request(kind: number, body: readonly Buffer[], onPart?: (body: Buffer) => void): Promise<void>
  /** Send a frame whose answers, however many, come at any time; the last is `done`, `exited` or `failed`. */
  begin(kind: number, body: readonly Buffer[], listener: AgentListener): { cancel(): void }
  readonly closed: Promise<ChannelEnd>
  close(): void
}

export interface AgentListener {
  onFrame(frame: AgentFrame): void
  /** The stream ended before the last answer; nothing comes any more. */
  onLost(error: DevloopError): void
}

/** What comes before the last answer. */
const partial: ReadonlySet<number> = new Set([kinds.facts, kinds.resumed, kinds.kept, kinds.content])

/** Bytes that may be unanswered: enough to keep a slow connection busy, few enough that calling off is quick. */
const windowBytes = 4 * 1024 * 1024

interface Waiting {
  readonly size: number
  readonly onPart: ((body: Buffer) => void) | undefined
  resolve(): void
  reject(error: Error): void
}

/**
 * Greet the agent on these streams. The channel closes them when it ends.
 * @throws DevloopError sync/no-agent when it is another version; what the stream ended with
 */
export async function openAgentChannel(stream: ExecStream, options: AgentChannelOptions): Promise<AgentChannel> {
  const { name, version, deadlineMs } = options
  const waiting = new Map<number, Waiting>()
  const begun = new Map<number, AgentListener>()
  let unanswered = 0
  let number = 0
  let end: ChannelEnd | undefined
  let settleClosed: (end: ChannelEnd) => void = () => {}
  const closed = new Promise<ChannelEnd>((resolve) => (settleClosed = resolve))
  let roomy: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  const errors: Buffer[] = []

  const finish = (reason: ChannelEnd['reason'], error: DevloopError): void => {
    if (end) return
    end = { reason, error }
    clearTimeout(timer)
    for (const one of waiting.values()) one.reject(error)
    waiting.clear()
    for (const listener of begun.values()) listener.onLost(error)
    begun.clear()
    for (const go of roomy.splice(0)) go()
    stream.close()
    settleClosed(end)
  }
  let greeted = false
  const lost = (message: string, why?: string): void =>
    finish('lost', new DevloopError('sync/disconnected', message, why ? { why } : {}))
  /** What does not greet as the agent does is none. */
  const broken = (message: string, why?: string): void =>
    greeted ? lost(message, why) : finish('lost', new DevloopError('sync/no-agent', message, why ? { why } : {}))

  /** The deadline runs only while something is unanswered. */
  const watch = (): void => {
    if (waiting.size === 0) {
      clearTimeout(timer)
      timer = undefined
    } else if (timer) timer.refresh()
    else timer = setTimeout(() => lost(`The agent in ${name} did not answer for ${Math.round(deadlineMs / 1000)} s.`), deadlineMs)
  }

  const answered = (of: number): Waiting | undefined => {
    const one = waiting.get(of)
    if (!one) return undefined
    waiting.delete(of)
    unanswered -= one.size
    if (unanswered < windowBytes) for (const go of roomy.splice(0)) go()
    return one
  }

  const take = (frame: AgentFrame): void => {
    const { kind, number: of, body } = frame
    const listener = begun.get(of)
    if (!greeted && kind !== kinds.welcome) throw new RangeError(`a frame of kind ${kind} before the greeting`)
    if (kind === kinds.welcome) {
      greeted = true
      answered(0)?.onPart?.(body)
    }
    if (kind === kinds.refused) lost(`The agent in ${name} gave up.`, body.toString('utf8'))
    else if (listener) {
      if (kind === kinds.done || kind === kinds.exited || kind === kinds.failed) begun.delete(of)
      listener.onFrame(frame)
    } else if (partial.has(kind)) waiting.get(of)?.onPart?.(body)
    else if (kind === kinds.done) answered(of)?.resolve()
    else if (kind === kinds.failed) answered(of)?.reject(readFailure(body))
  }

  const reader = createFrameReader(take)
  stream.stdout.on('data', (chunk: Buffer) => {
    if (end) return
    try {
      reader.push(chunk)
    } catch (thrown) {
      broken(`What came from the agent in ${name} is not understood.`, thrown instanceof Error ? thrown.message : String(thrown))
    }
    watch()
  })
  stream.stderr.on('data', (chunk: Buffer) => {
    if (errors.length < 20) errors.push(chunk)
  })
  stream.stdin.on('error', () => {})
  void stream.ended.then((ended) => {
    if (ended.kind === 'failed') finish('lost', ended.error)
    else
      broken(
        `The agent in ${name} ended with status ${ended.exitCode}.`,
        Buffer.concat(errors).toString('utf8').trim().slice(0, 1000) || undefined,
      )
  })

  const write = (parts: readonly Buffer[]): void => {
    stream.stdin.cork()
    for (const part of parts.slice(0, -1)) stream.stdin.write(part)
    stream.stdin.write(parts.at(-1) ?? '', () => {
      if (!end) watch()
    })
    stream.stdin.uncork()
  }
  const expect = (of: number, size: number, onPart?: (body: Buffer) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.set(of, { size, onPart, resolve, reject })
      unanswered += size
      watch()
    })

  const user = await new Promise<string>((resolve, reject) => {
    expect(0, 0, (body) => {
      try {
        resolve(welcomed(body, options))
      } catch (thrown) {
        reject(thrown as Error)
      }
    }).catch(reject)
    write(
      frameParts(kinds.hello, 0, [numberField(protocol), ...sizedFields(version), numberField(Math.round(options.sweepAfterMs))]),
    )
  }).catch((thrown: unknown) => {
    stream.close()
    throw thrown
  })

  return {
    user,
    closed,
    room: () => (end || unanswered < windowBytes ? Promise.resolve() : new Promise((resolve) => roomy.push(resolve))),
    request(kind, body, onPart) {
      if (end) return Promise.reject(end.error)
      const of = (number = (number % 0xffff_ffff) + 1)
      const parts = frameParts(kind, of, body)
      const answer = expect(
        of,
        parts.reduce((sum, { length }) => sum + length, 0),
        onPart,
      )
      write(parts)
      return answer
    },
    begin(kind, body, listener) {
      const of = (number = (number % 0xffff_ffff) + 1)
      const { error } = end ?? {}
      // never before the caller has what this returns
      if (error) queueMicrotask(() => listener.onLost(error))
      else {
        begun.set(of, listener)
        write(frameParts(kind, of, body))
      }
      return {
        cancel() {
          if (!end && begun.has(of)) write(frameParts(kinds.cancel, of, []))
        },
      }
    },
    close: () => finish('asked', new DevloopError('sync/disconnected', `The stream to ${name} was closed.`)),
  }
}

/**
 * Have something done beside all other work.
 * @param onFrame what comes before the last answer, until the signal is aborted
 * @throws AgentFailure, DevloopError sync/disconnected
 */
export function untilDone(
  channel: AgentChannel,
  kind: number,
  body: readonly Buffer[],
  signal: AbortSignal,
  onFrame: (frame: AgentFrame) => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortError(signal))
      return
    }
    const over = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort)
      settle()
    }
    const begun = channel.begin(kind, body, {
      onFrame(frame) {
        if (frame.kind === kinds.done) over(resolve)
        else if (frame.kind === kinds.failed) over(() => reject(readFailure(frame.body)))
        else if (!signal.aborted) onFrame(frame)
      },
      onLost: (error) => over(() => reject(error)),
    })
    const onAbort = (): void => {
      begun.cancel()
      over(() => reject(abortError(signal)))
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Reads the agent's first frame: whom it writes as. @throws DevloopError sync/no-agent when it is not the agent that is expected */
function welcomed(body: Buffer, { name, version }: AgentChannelOptions): string {
  const fields = readFields(body)
  const spoken = fields.number()
  const other = spoken === protocol ? fields.text() : `protocol ${spoken}`
  if (other !== version)
    throw new DevloopError(
      'sync/no-agent',
      `The agent in ${name} is of another version (${other}) than devloop's (${version}).`,
      {
        help: 'Nothing: the next deployment brings the right one.',
      },
    )
  const uid = fields.number()
  const named = fields.text()
  return `${uid}${named && named !== String(uid) ? ` (${named})` : ''}`
}
