// The build cache of an engine's BuildKit.
import { setTimeout as pause } from 'node:timers/promises'
import type { CacheEntry } from '../../ports/image-pruner.js'
import { EngineAnswerError, type Engine } from './engine.js'

interface Usage {
  readonly BuildCache?:
    | readonly { ID: string; InUse: boolean; Size: number; CreatedAt: string; LastUsedAt?: string | null }[]
    | null
}

/** How many entries one request names. */
const atOnce = 100
/** How often an engine is asked again that is busy with the same for somebody else, and how long it is left alone. Milliseconds. */
const tries = 30
const betweenMs = 2000

/** All that is in it and in use by no build. Engines without BuildKit have none. @throws what Engine.stream throws */
export async function readCache(engine: Engine, signal: AbortSignal): Promise<readonly CacheEntry[]> {
  const [, minor = 0] = engine.info.apiVersion.split('.').map(Number)
  const asked = Date.now()
  const answer = await inTurn(
    () =>
      engine.stream({
        method: 'GET',
        path: '/system/df',
        // older engines do not know it and reckon everything
        query: minor >= 42 ? { type: 'build-cache' } : {},
        signal,
      }),
    signal,
  )
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  const usage = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Usage
  // an engine on another machine has another clock; one second is how exactly it says so
  const theirs = Date.parse(String(answer.headers.date ?? ''))
  const ahead = Number.isNaN(theirs) || Math.abs(theirs - asked) < 2000 + (Date.now() - asked) ? 0 : theirs - asked
  const here = (time: string): number => Date.parse(time) - ahead
  return (usage.BuildCache ?? [])
    .filter((one) => !one.InUse)
    .map(({ ID: id, Size: size, CreatedAt: created, LastUsedAt: used }) => ({
      id,
      size,
      createdAt: here(created),
      usedAt: used ? here(used) : here(created),
    }))
}

/** @returns the bytes that it freed. @throws what Engine.json throws */
export async function removeFromCache(engine: Engine, ids: readonly string[], signal: AbortSignal): Promise<number> {
  let freed = 0
  const known = ids.filter((id) => /^[a-z0-9]+$/.test(id))
  for (let at = 0; at < known.length; at += atOnce) {
    const some = known.slice(at, at + atOnce)
    const { SpaceReclaimed: bytes = 0 } = await inTurn(
      () =>
        engine.json<{ SpaceReclaimed?: number }>({
          method: 'POST',
          path: '/build/prune',
          // a pattern, as the engine takes one value only
          query: { all: '1', filters: { id: [`^(${some.join('|')})$`] } },
          body: {},
          signal,
        }),
      signal,
    )
    freed += bytes
  }
  return freed
}

/** Engines do such things for one client at a time, and refuse the others meanwhile. */
async function inTurn<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let left = tries; ; left--) {
    try {
      return await ask()
    } catch (error) {
      if (left === 0 || !(error instanceof EngineAnswerError) || !/already running/.test(error.message)) throw error
    }
    await pause(betweenMs * (0.5 + Math.random()), undefined, { signal })
  }
}
