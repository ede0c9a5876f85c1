// One list kept current: list, then watch from there, for as long as the signal lets it; through cuts, expiry and silence.
import { setTimeout as sleep } from 'node:timers/promises'
import type { IncomingMessage } from 'node:http'
import type { DevloopError } from '../../errors/devloop-error.js'
import type { KubeConnection } from './connection.js'
import { KubeStatusError, statusOf } from './errors.js'
import { splitLines } from './lines.js'

export interface WatchOptions<T> {
  /** Of the collection, such as `/api/v1/namespaces/x/pods`. */
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** For messages, such as `watch pods in dev-ann`. */
  readonly what: string
  /** Everything there is; replaces all that was told before. */
  readonly onList: (items: readonly T[]) => void
  readonly onChange: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T) => void
  /** What was told may be stale, and why; null: it is current again. Only when it changes. */
  readonly onLost: (error: DevloopError | null) => void
  /** A line that is not what a watch sends; the list is fetched anew after it. */
  readonly onBadLine?: (line: string) => void
  /** Changes the times, for tests. */
  readonly timing?: Partial<WatchTiming>
}

export interface WatchTiming {
  /** First pause before another try, doubled up to `maxBackoffMs`. */
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
  /** A watch that lasted this long was sound: the next try is at once. */
  readonly soundMs: number
  /** How long a gap may last before `onLost` tells of it. */
  readonly graceMs: number
  /** Silence after which a connection counts as dead, on a server that sends bookmarks (about one a minute). */
  readonly silenceMs: number
}

const usual: WatchTiming = { minBackoffMs: 500, maxBackoffMs: 30_000, soundMs: 5_000, graceMs: 1_000, silenceMs: 150_000 }
/** A server that ends a watch sooner than this is in trouble, and the pauses grow. */
const briefMs = 200
const pageSize = 500
/** A watch line is one object; etcd holds none of more than 1.5 MiB or so. */
const maxLineBytes = 16 * 1024 * 1024

interface KubeListPage<T> {
  metadata?: { resourceVersion?: string; continue?: string }
  items?: T[]
}

interface WatchLine<T> {
  type: string
  object: T & { metadata?: { resourceVersion?: string }; code?: number; reason?: string; message?: string }
}

/** Resolves when the signal aborts, and never rejects. */
export async function watchList<T>(connection: KubeConnection, options: WatchOptions<T>, signal: AbortSignal): Promise<void> {
  const timing = { ...usual, ...options.timing }
  /** Undefined: what is there must be listed (again). */
  let version: string | undefined
  let failures = 0
  let lost = false
  let grace: NodeJS.Timeout | undefined
  let everCurrent = false

  const broken = (error: DevloopError): void => {
    if (lost) return
    const tell = (): void => {
      lost = true
      options.onLost(error)
    }
    if (!everCurrent) tell()
    else grace ??= setTimeout(tell, timing.graceMs)
  }
  const current = (): void => {
    clearTimeout(grace)
    grace = undefined
    everCurrent = true
    if (!lost) return
    lost = false
    options.onLost(null)
  }

  while (!signal.aborted) {
    let since = Date.now()
    let opened = false
    let problem: unknown
    try {
      if (version === undefined) {
        version = await list(connection, options, signal)
      }
      const seconds = 240 + Math.floor(Math.random() * 60)
      const response = await connection.stream(options.path, {
        query: {
          watch: 'true',
          resourceVersion: version,
          allowWatchBookmarks: 'true',
          timeoutSeconds: seconds,
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
        },
        what: options.what,
        signal,
      })
      current()
      opened = true
      since = Date.now()
      await read(response, seconds * 1000 + 15_000)
    } catch (thrown) {
      problem = thrown
      if (isExpired(thrown)) version = undefined
    }
    if (signal.aborted) break
    const lasted = opened ? Date.now() - since : 0
    failures = lasted >= timing.soundMs ? 0 : lasted >= briefMs ? 1 : failures + 1
    if (problem !== undefined && !isExpired(problem)) broken(connection.translate(problem, options.what))
    // At once after the server ended a watch at its time; else with a pause, of which each client draws its own.
    if (failures > 0) {
      const pause = Math.min(timing.maxBackoffMs, timing.minBackoffMs * 2 ** Math.min(failures - 1, 16))
      await sleep(pause * (0.5 + Math.random() * 0.5), undefined, { signal }).catch(() => undefined)
    }
  }
  clearTimeout(grace)

  async function read(response: IncomingMessage, quietMs: number): Promise<void> {
    let limit = quietMs
    const silent = (): void =>
      void response.destroy(Object.assign(new Error('Nothing was heard for too long.'), { code: 'ETIMEDOUT' }))
    let timer = setTimeout(silent, limit)
    try {
      for await (const line of splitLines(response, maxLineBytes)) {
        const bookmark = take(line)
        if (bookmark) limit = Math.min(limit, timing.silenceMs)
        clearTimeout(timer)
        timer = setTimeout(silent, limit)
      }
    } finally {
      clearTimeout(timer)
      response.destroy()
    }
  }

  /** Hand on one line; true for a bookmark. */
  function take(line: string): boolean {
    let event: WatchLine<T>
    try {
      event = JSON.parse(line) as WatchLine<T>
      if (typeof event.type !== 'string' || typeof event.object !== 'object' || event.object === null)
        throw new TypeError('not a watch event')
    } catch {
      options.onBadLine?.(line.slice(0, 1_000))
      // What it said is not known, so neither is what is there.
      version = undefined
      throw Object.assign(new Error('The API server sent a line that is not a watch event.'), { code: 'ECONNRESET' })
    }
    const { type, object } = event
    if (type === 'ERROR') {
      version = undefined
      throw new KubeStatusError({
        code: object.code ?? 500,
        reason: object.reason ?? '',
        message: object.message ?? 'The watch ended with an error.',
      })
    }
    version = object.metadata?.resourceVersion ?? version
    if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') options.onChange(type, object)
    return type === 'BOOKMARK'
  }
}

async function list<T>(connection: KubeConnection, options: WatchOptions<T>, signal: AbortSignal): Promise<string> {
  const items: T[] = []
  let next: string | undefined
  for (;;) {
    const page = (await connection.request('GET', options.path, {
      query: { limit: pageSize, continue: next, labelSelector: options.labelSelector, fieldSelector: options.fieldSelector },
      what: options.what,
      signal,
    })) as KubeListPage<T>
    for (const item of page.items ?? []) items.push(item)
    next = page.metadata?.continue || undefined
    if (next !== undefined) continue
    options.onList(items)
    return page.metadata?.resourceVersion ?? '0'
  }
}

/** The version to go on from (or the page to go on with) is no longer kept by the server. */
const isExpired = (thrown: unknown): boolean => {
  const status = statusOf(thrown)
  return status?.code === 410 || status?.reason === 'Expired' || status?.reason === 'Gone'
}
