// Asking the supervisor of a container to start its command again.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { FrameAnswer } from './frame-channel.js'

/** How long a process may take to end after it was asked, until it is killed; and the whole restart. */
const graceMs = 3_000
const limitMs = 15_000

/**
 * Makes the function behind SyncSession.restart. `exchange` sends code to the shell loop.
 * It asks again until a new child has become its program: each answer takes a round trip and no fork.
 */
export function createRestarter(
  exchange: (code: string) => Promise<FrameAnswer>,
  name: string,
): (signal: AbortSignal) => Promise<void> {
  /** A restart that was asked for and of which no new child was seen. */
  let asked: { readonly old: string; at: number } | undefined

  const say = async (code: string): Promise<string | undefined> => {
    const { output, status } = await exchange(code)
    return status === 0 ? (output.toString('utf8').trim().split('\n').at(-1) ?? '') : undefined
  }

  return async (signal) => {
    const current = await say(`supervisor && printf '%s\\n' "$C"`)
    if (current === undefined)
      throw new DevloopError(
        'restart/unsupported',
        `The main process of ${name} was not started by devloop's supervisor, so it cannot be restarted in place.`,
      )
    const startedAt = Date.now()
    // asking twice kills: a restart that is still under way is given its time
    if (asked?.old !== current) {
      asked = { old: current, at: startedAt }
      await signalSupervisor(say, name)
    }
    let killed = false
    for (let pause = 0; ; pause = Math.min(pause + 2, 50)) {
      signal.throwIfAborted()
      const now = await say('started')
      if (now === undefined) throw new DevloopError('restart/failed', `The supervisor of ${name} is gone.`)
      if (now !== '' && now !== current) {
        asked = undefined
        return
      }
      if (!killed && Date.now() - asked.at > graceMs) {
        killed = true
        await signalSupervisor(say, name)
      }
      if (Date.now() - startedAt > limitMs)
        throw new DevloopError(
          'restart/failed',
          `The process in ${name} did not end within ${limitMs / 1000} s, so no new one was started.`,
        )
      // the first few ask at once: a process that ends at once is replaced within a few round trips
      if (pause > 10) await new Promise((resolve) => setTimeout(resolve, pause - 10))
    }
  }
}

async function signalSupervisor(say: (code: string) => Promise<string | undefined>, name: string): Promise<void> {
  if ((await say('kill -s URG "$W"')) === undefined)
    throw new DevloopError('restart/failed', `The container's user may not signal the main process of ${name}.`)
}
