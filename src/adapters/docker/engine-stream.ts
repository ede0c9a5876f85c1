// Reads the line-by-line answers of the engine's long requests (build, push), and notices when the engine has died.
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import { abortReason, unreachable, type Engine, type EngineRequest } from './engine.js'
import { createJsonLines } from './json-lines.js'

/** How long nothing may come before the engine is asked whether it lives, in milliseconds. */
const usualQuietMs = 60_000
const pingMs = 10_000

/** One line of an answer, as far as builds and pushes use it. */
export interface EngineLine {
  readonly id?: string
  readonly stream?: string
  readonly status?: string
  readonly error?: string
  readonly errorDetail?: { readonly message?: string; readonly code?: number }
  readonly aux?: unknown
}

/**
 * Carry out a request and hand over each line as it comes. Resolves when the answer is complete, error lines included: they
 * are the caller's to judge. The signal ends the engine's work by closing the connection.
 * @throws what Engine.stream throws; DevloopError engine/unreachable when the answer breaks off or the engine falls silent
 */
export async function followRequest(
  engine: Engine,
  request: EngineRequest & { readonly signal: AbortSignal },
  onLine: (line: EngineLine) => void,
  quietMs = usualQuietMs,
): Promise<void> {
  const { signal } = request
  const died = new AbortController()
  const either = AbortSignal.any([signal, died.signal])
  let heard = Date.now()
  let asking = false
  const timer = setInterval(() => {
    if (asking || Date.now() - heard < quietMs) return
    asking = true
    void engine.alive(pingMs).then((alive) => {
      asking = false
      if (alive) heard = Date.now()
      else died.abort()
    })
  }, quietMs / 6)
  timer.unref()
  try {
    const answer = await engine.stream({ ...request, signal: either })
    const lines = createJsonLines()
    for await (const chunk of answer) {
      heard = Date.now()
      for (const line of lines.push(chunk as Buffer)) onLine(line as EngineLine)
    }
    for (const line of lines.end()) onLine(line as EngineLine)
  } catch (error) {
    if (signal.aborted) throw abortReason(signal)
    if (died.signal.aborted) {
      throw new DevloopError('engine/unreachable', `The Docker engine at ${engine.endpoint.address} has stopped answering.`, {
        why: `Nothing came for ${quietMs / 1000} s, and it does not answer a ping.`,
        help: 'Restart the Docker engine; devloop then tries again.',
      })
    }
    if (isDevloopError(error) || !isBroken(error)) throw error
    throw unreachable(engine.endpoint, error)
  } finally {
    clearInterval(timer)
  }
}

// the connection ended within the answer
const isBroken = (error: unknown): boolean => {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

/** The engine's words of an error line; undefined for any other. */
export const errorOf = (line: EngineLine): string | undefined =>
  line.errorDetail?.message?.trim() || (typeof line.error === 'string' ? line.error.trim() : undefined) || undefined
