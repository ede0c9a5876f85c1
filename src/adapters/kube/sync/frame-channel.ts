// Frames on a shell loop's streams: one at a time, each with its answer, with a deadline.
import { randomBytes } from 'node:crypto'
import { DevloopError } from '../../../errors/devloop-error.js'
import type { ExecStream } from './exec-stream.js'
import type { ChannelEnd } from './session-end.js'

/** A frame as it is sent. */
export interface Frame {
  /** One line of code without its line end. */
  readonly code: Buffer
  /** Bytes that the code takes from its input. */
  readonly payload?: Buffer
}

export interface FrameAnswer {
  /** What was printed, errors included. */
  readonly output: Buffer
  readonly status: number
}

export interface FrameChannel {
  /** Send one frame; the caller waits for the answer before the next. @throws DevloopError sync/disconnected */
  exchange(frame: Frame): Promise<FrameAnswer>
  /** Settles once when nothing can be exchanged any more; never rejects. */
  readonly closed: Promise<ChannelEnd>
  /** Let go of the loop; it ends when its input does. */
  close(): void
}

export interface FrameOptions {
  /** For messages, such as `container web of pod shop/web-1`. */
  readonly name: string
  /** Marks the loop's answers; must be what the script was started with. */
  readonly key: string
  /** Milliseconds without any progress (bytes taken or given) until a frame counts as lost. */
  readonly deadlineMs: number
}

/** A key for FrameOptions. */
export const frameKey = (): string => randomBytes(12).toString('hex')

const payloadStep = 512 * 1024

/**
 * Speak to a shell loop. Resolves with its first answer, which lists the tools that it found.
 * @throws DevloopError what the stream ended with
 */
export async function openFrames(
  stream: ExecStream,
  options: FrameOptions,
): Promise<{ channel: FrameChannel; hello: FrameAnswer }> {
  const { name, key, deadlineMs } = options
  const marker = Buffer.from(`\x1e${key} `)
  let end: ChannelEnd | undefined
  let settleClosed: (end: ChannelEnd) => void = () => {}
  const closed = new Promise<ChannelEnd>((resolve) => (settleClosed = resolve))
  let waiting: { resolve: (answer: FrameAnswer) => void; reject: (error: Error) => void; timer: NodeJS.Timeout } | undefined
  let received: Buffer[] = []
  let size = 0

  const finish = (reason: ChannelEnd['reason'], error: DevloopError): void => {
    if (end) return
    end = { reason, error }
    if (waiting) {
      clearTimeout(waiting.timer)
      waiting.reject(error)
      waiting = undefined
    }
    stream.close()
    settleClosed(end)
  }

  stream.stdout.on('data', (chunk: Buffer) => {
    received.push(chunk)
    size += chunk.length
    waiting?.timer.refresh()
    // the marker ends the answer, so it can only be in the last bytes
    if (chunk[chunk.length - 1] !== 0x0a) return
    const all = received.length === 1 ? chunk : Buffer.concat(received, size)
    received = [all]
    const at = all.lastIndexOf(marker)
    if (at < 0 || !waiting) return
    received = []
    size = 0
    const [status, ...rest] = all
      .subarray(at + marker.length)
      .toString('utf8')
      .trimEnd()
      .split(' ')
    const { resolve, timer } = waiting
    waiting = undefined
    clearTimeout(timer)
    resolve({ status: Number(status), output: rest.length > 0 ? Buffer.from(rest.join(' ')) : all.subarray(0, at) })
  })
  stream.stderr.resume()
  stream.stdin.on('error', () => {})
  void stream.ended.then((ended) => {
    const said = Buffer.concat(received).toString('utf8').trim().slice(0, 1000)
    finish(
      'lost',
      ended.kind === 'failed'
        ? ended.error
        : new DevloopError('sync/disconnected', `The shell in ${name} ended with status ${ended.exitCode}.`, { why: said }),
    )
  })

  const answer = (): Promise<FrameAnswer> =>
    new Promise((resolve, reject) => {
      if (end) {
        reject(end.error)
        return
      }
      const timer = setTimeout(() => {
        const seconds = Math.round(deadlineMs / 1000)
        finish('lost', new DevloopError('sync/disconnected', `The shell in ${name} did not answer for ${seconds} s.`))
      }, deadlineMs)
      waiting = { resolve, reject, timer }
    })

  const write = (bytes: Buffer): Promise<void> =>
    new Promise((resolve) => {
      // a failing write ends the stream, and that ends the wait for the answer
      stream.stdin.write(bytes, () => resolve())
    })

  const exchange = async ({ code, payload }: Frame): Promise<FrameAnswer> => {
    const answered = answer()
    let pending = true
    const over = answered.then(
      () => (pending = false),
      () => (pending = false),
    )
    const first = payload?.subarray(0, payloadStep)
    await Promise.race([write(first ? Buffer.concat([code, lineEnd, first]) : Buffer.concat([code, lineEnd])), over])
    for (let from = payloadStep; payload && from < payload.length && pending; from += payloadStep) {
      await Promise.race([write(payload.subarray(from, from + payloadStep)), over])
      waiting?.timer.refresh()
    }
    const result = await answered
    // what the loop did not take of the payload, it now skips
    if (result.status !== 0) await Promise.race([write(Buffer.from(`\n${key} resync\n`)), closed])
    return result
  }

  const hello = await answer()
  return {
    hello,
    channel: {
      exchange,
      closed,
      close: () => finish('asked', new DevloopError('sync/disconnected', `The stream to ${name} was closed.`)),
    },
  }
}

const lineEnd = Buffer.from('\n')
