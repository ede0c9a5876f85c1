// One HTTP request into a container, over the same way as forwarded connections: nothing is needed of the image.
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { DevloopError, isDevloopError, toErrorInfo, type SourcePosition } from '../errors/devloop-error.js'
import { describeNotice } from '../model/live-rules.js'
import type { NoticeSpec } from '../model/plan.js'

export interface HttpNotice {
  readonly how: Extract<NoticeSpec, { kind: 'http' }>
  /** Connects to the port. @throws DevloopError forward/refused while nothing listens there, other codes */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>
  /** For all of it, tries included. */
  readonly timeoutMs: number
  /** Of the pod, for messages. */
  readonly name: string
  readonly at: SourcePosition
}

/** Pauses between tries while nothing listens. Milliseconds. */
const pauses = { first: 20, most: 500 }
/** What of an answer is shown at most. Characters. */
const shown = 2_000

/**
 * Send the request, again while nothing listens on the port; once it may have reached somebody it is not repeated.
 * @returns the status of the answer, from 200 to 399
 * @throws DevloopError notify/failed; AbortError
 */
export async function notifyByHttp(notice: HttpNotice, signal: AbortSignal): Promise<number> {
  const { how, dial, timeoutMs, name, at } = notice
  const limit = AbortSignal.timeout(timeoutMs)
  const either = AbortSignal.any([limit, signal])
  const failed = (what: string, why: string | undefined): DevloopError =>
    new DevloopError('notify/failed', `${describeNotice(how)} in ${name} ${what}.`, { where: at, why })
  let last: string | undefined
  for (let pause = pauses.first; ; pause = Math.min(pause * 2, pauses.most)) {
    let stream: Duplex | undefined
    try {
      stream = await dial(either)
      const { status, text } = await ask(how, stream, either)
      if (status >= 200 && status < 400) return status
      throw failed(`answered with status ${status}`, text)
    } catch (thrown) {
      signal.throwIfAborted()
      if (isDevloopError(thrown) && thrown.code === 'notify/failed') throw thrown
      const refused = isDevloopError(thrown) && thrown.code === 'forward/refused'
      if (refused) last = thrown.message
      if (limit.aborted) throw failed(`was not answered within ${timeoutMs / 1_000} s`, last)
      if (!refused) throw isDevloopError(thrown) ? thrown : failed('was not answered', toErrorInfo(thrown).message)
    } finally {
      stream?.destroy()
    }
    // what ends the pause ends the next try as well, with its reason
    await sleep(pause, undefined, { signal: either }).catch(() => {})
  }
}

const ask = (
  { method, path, port, body }: HttpNotice['how'],
  stream: Duplex,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const sent = request({
      method,
      path,
      // development servers refuse names that they do not know
      headers: {
        host: `localhost:${port}`,
        connection: 'close',
        'user-agent': 'devloop',
        ...(body ? { 'content-type': body.type } : {}),
        'content-length': Buffer.byteLength(body?.text ?? ''),
      },
      createConnection: () => stream,
      signal,
    })
    // http has its own name for a stream that was destroyed; the stream's is the one that says why
    stream.once('error', reject)
    sent.once('error', reject)
    sent.once('response', (response) => {
      let text = ''
      const end = (): void => resolve({ status: response.statusCode ?? 0, text: text.slice(0, shown).trim() })
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        // an answer may have no end
        if (text.length >= shown) end()
      })
      response.once('end', end).once('error', end)
    })
    sent.end(body?.text)
  })
