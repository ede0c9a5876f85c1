// Finding out what changes where nothing tells: everything is listed again and again.
import { setTimeout as pause } from 'node:timers/promises'
import { DevloopError, isAbort, isDevloopError } from '../../../errors/devloop-error.js'
import { sameEntries, type Entry } from '../../../model/tree.js'
import type { SyncWatch, WatchOptions } from '../../../ports/sync-transport.js'

/** How long nothing is done between two lists: this long, in milliseconds, and so many times what the last one took. */
const restMs = 2_000
const restFactor = 10

/** @param list everything at the places; a path that cannot be told is undefined. @throws as `list` does, the first time */
export async function watchByPolling(
  list: (signal: AbortSignal) => Promise<Map<string, Entry | undefined>>,
  { onList }: Pick<WatchOptions, 'onList'>,
  signal: AbortSignal,
): Promise<SyncWatch> {
  const stopping = new AbortController()
  const both = AbortSignal.any([signal, stopping.signal])
  let took = 0
  const look = async (): Promise<Map<string, Entry | undefined>> => {
    const started = performance.now()
    const found = await list(both)
    took = performance.now() - started
    return found
  }
  let last = await look()
  onList(last)
  const follow = async (): Promise<DevloopError | undefined> => {
    try {
      for (;;) {
        await pause(Math.max(restMs, restFactor * took), undefined, { signal: both, ref: false })
        const now = await look()
        both.throwIfAborted()
        if (!sameEntries(last, now)) onList(now)
        last = now
      }
    } catch (thrown) {
      if (both.aborted || isAbort(thrown)) return undefined
      if (isDevloopError(thrown)) return thrown
      return new DevloopError('sync/failed', 'What the container holds could not be listed.', { cause: thrown })
    }
  }
  return { how: `looked at every ${restMs / 1000} s`, ended: follow(), stop: () => stopping.abort() }
}
