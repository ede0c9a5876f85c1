import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { DevloopError } from '../../../../src/errors/devloop-error.js'
import { watchList, type WatchTiming } from '../../../../src/adapters/kube/watch.js'
import { waitFor } from '../../../support/wait-for.js'
import { fakeApiServer, json, type FakeApiServer } from './fake-api-server.js'

interface Item {
  metadata: { name: string; resourceVersion: string }
}

const item = (name: string, version: number): Item => ({ metadata: { name, resourceVersion: String(version) } })
const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`
const bookmark = (version: number): string => line('BOOKMARK', { metadata: { resourceVersion: String(version) } })

let server: FakeApiServer | undefined
let controller: AbortController
let ended: Promise<void>
/** Watches are cut before they are answered. */
let down = false

afterEach(async () => {
  down = false
  controller.abort()
  await ended
  await server?.close()
})

interface Seen {
  readonly log: string[]
  readonly lost: (DevloopError | null)[]
  readonly bad: string[]
}

/** @param watches called for each watch request in turn, the last again and again */
async function start(
  lists: ((response: ServerResponse, url: URL) => void)[],
  watches: ((response: ServerResponse, version: string) => void)[],
  timing: Partial<WatchTiming> = {},
): Promise<Seen> {
  let listed = 0
  let watched = 0
  server = await fakeApiServer((_request, response, url) => {
    if (url.searchParams.get('watch') !== 'true') return lists[Math.min(listed++, lists.length - 1)]?.(response, url)
    if (down) return void response.destroy()
    response.writeHead(200)
    response.flushHeaders()
    return watches[Math.min(watched++, watches.length - 1)]?.(response, url.searchParams.get('resourceVersion') ?? '')
  })
  const seen: Seen = { log: [], lost: [], bad: [] }
  controller = new AbortController()
  ended = watchList<Item>(
    server.connection,
    {
      path: '/api/v1/namespaces/dev/pods',
      labelSelector: 'a=b',
      what: 'watch pods in dev',
      onList: (items) => seen.log.push(`list ${items.map((one) => one.metadata.name).join(' ')}`),
      onChange: (type, object) => seen.log.push(`${type} ${object.metadata.name}`),
      onLost: (error) => seen.lost.push(error),
      onBadLine: (text) => seen.bad.push(text),
      timing: { minBackoffMs: 5, maxBackoffMs: 20, graceMs: 300, ...timing },
    },
    controller.signal,
  )
  return seen
}

const listOf =
  (version: number, ...names: string[]) =>
  (response: ServerResponse): void =>
    json(response, { metadata: { resourceVersion: String(version) }, items: names.map((name) => item(name, 1)) })
const stay = (): void => undefined

describe('watchList', () => {
  it('lists page by page, then tells each change', async () => {
    const pages = (response: ServerResponse, url: URL): void =>
      url.searchParams.get('continue') === 'next'
        ? json(response, { metadata: { resourceVersion: '10' }, items: [item('b', 2)] })
        : json(response, { metadata: { resourceVersion: '10', continue: 'next' }, items: [item('a', 1)] })
    const seen = await start(
      [pages],
      [
        (response) => {
          const text = line('ADDED', item('ü', 11)) + line('MODIFIED', item('a', 12)) + line('DELETED', item('b', 13))
          const bytes = Buffer.from(text)
          // Cut in the middle of a letter.
          const middle = bytes.indexOf('ü') + 1
          response.write(bytes.subarray(0, middle))
          setImmediate(() => response.write(bytes.subarray(middle)))
        },
      ],
    )
    await waitFor(() => seen.log.length === 4, { what: 'all changes' })
    expect(seen.log).toEqual(['list a b', 'ADDED ü', 'MODIFIED a', 'DELETED b'])
    expect(server?.requests[0]).toContain('labelSelector=a%3Db')
    const watch = new URL(server?.requests[2]?.split(' ')[1] ?? '', 'http://x').searchParams
    expect(watch.get('resourceVersion')).toBe('10')
    expect(watch.get('allowWatchBookmarks')).toBe('true')
    expect(Number(watch.get('timeoutSeconds'))).toBeGreaterThanOrEqual(240)
    expect(Number(watch.get('timeoutSeconds'))).toBeLessThan(300)
    expect(seen.lost).toEqual([])
  })

  it('goes on from the newest version, bookmarks counted, without a new list', async () => {
    const versions: string[] = []
    const seen = await start(
      [listOf(10, 'a')],
      [
        (response, version) => {
          versions.push(version)
          response.end(line('ADDED', item('b', 11)) + bookmark(50))
        },
        (response, version) => {
          versions.push(version)
          response.write(line('ADDED', item('c', 51)))
          setImmediate(() => response.destroy())
        },
        (_response, version) => void versions.push(version),
      ],
    )
    await waitFor(() => versions.length === 3, { what: 'three watches' })
    expect(versions).toEqual(['10', '50', '51'])
    expect(seen.log).toEqual(['list a', 'ADDED b', 'ADDED c'])
    expect(seen.lost).toEqual([])
  })

  it.each([
    [
      'an event',
      (response: ServerResponse) => void response.end(line('ERROR', { code: 410, reason: 'Expired', message: 'too old' })),
    ],
    ['a bad line', (response: ServerResponse) => void response.write('{"type":"ADDED","obj\n')],
    ['an event of another shape', (response: ServerResponse) => void response.write('"hello"\n')],
  ])('lists anew after %s', async (_name, answer) => {
    const seen = await start([listOf(10, 'a'), listOf(20, 'b')], [answer, stay])
    await waitFor(() => seen.log.length === 2, { what: 'the second list' })
    expect(seen.log).toEqual(['list a', 'list b'])
    expect(seen.lost).toEqual([])
  })

  it('tells of lines that are no events', async () => {
    const seen = await start([listOf(10)], [(response) => void response.write('nonsense\n'), stay])
    await waitFor(() => seen.bad.length === 1, { what: 'the bad line' })
    expect(seen.bad).toEqual(['nonsense'])
  })

  it('lists anew when the version is refused by status, for a watch and for a further page', async () => {
    let watched = 0
    const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }
    let pages = 0
    server = await fakeApiServer((_request, response, url) => {
      if (url.searchParams.get('watch') === 'true') {
        if (watched++ === 0) return json(response, expired, 410)
        response.writeHead(200).flushHeaders()
        return undefined
      }
      if (url.searchParams.has('continue')) return json(response, expired, 410)
      const more = pages++ === 0 ? { continue: 'next' } : {}
      return json(response, { metadata: { resourceVersion: '1', ...more }, items: [] })
    })
    controller = new AbortController()
    const lists: number[] = []
    const lost: unknown[] = []
    ended = watchList<Item>(
      server.connection,
      {
        path: '/x',
        what: 'watch x',
        onList: () => lists.push(1),
        onChange: () => undefined,
        onLost: (error) => lost.push(error),
        timing: { minBackoffMs: 1, maxBackoffMs: 2 },
      },
      controller.signal,
    )
    await waitFor(() => watched === 2, { what: 'the second watch' })
    expect(lists).toHaveLength(2)
    expect(lost).toEqual([])
  })

  it('takes silence for a dead connection', async () => {
    const versions: string[] = []
    const seen = await start(
      [listOf(10)],
      [
        (response, version) => {
          versions.push(version)
          response.write(bookmark(30))
        },
        (_response, version) => void versions.push(version),
      ],
      { silenceMs: 50 },
    )
    await waitFor(() => versions.length === 2, { what: 'another watch' })
    expect(versions).toEqual(['10', '30'])
    expect(seen.log).toEqual(['list '])
  })

  it('says at once that it never was current, and when it is', async () => {
    const refused = {
      kind: 'Status',
      code: 403,
      reason: 'Forbidden',
      message: 'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "dev"',
    }
    let tries = 0
    const seen = await start([(response) => (tries++ < 3 ? json(response, refused, 403) : listOf(10, 'a')(response))], [stay])
    await waitFor(() => seen.lost.length === 2, { what: 'the end of the loss' })
    expect(seen.lost[0]?.info).toMatchObject({ code: 'cluster/forbidden', message: 'You may not list pods in namespace "dev".' })
    expect(seen.lost[1]).toBeNull()
    expect(tries).toBe(4)
    expect(seen.log).toEqual(['list a'])
  })

  it('tells of a gap only when it lasts', async () => {
    const seen = await start(
      [listOf(10, 'a')],
      [
        (response) => {
          down = true
          setImmediate(() => response.destroy())
        },
        stay,
      ],
      { graceMs: 0 },
    )
    await waitFor(() => seen.lost.length > 0, { what: 'the loss' })
    down = false
    await waitFor(() => seen.lost.at(-1) === null, { what: 'the return' })
    expect(seen.lost.map((error) => error?.code ?? 'current')).toEqual(['cluster/unreachable', 'current'])
  })

  it('pauses longer and longer while the server ends every watch at once', async () => {
    let watches = 0
    const times: number[] = []
    const seen = await start(
      [listOf(10)],
      [
        (response) => {
          times.push(performance.now())
          watches++
          response.end()
        },
      ],
      { minBackoffMs: 8, maxBackoffMs: 64 },
    )
    await waitFor(() => watches >= 6, { what: 'six watches' })
    // At least half of 8, 16, 32, 64, 64.
    expect((times[5] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(90)
    expect(seen.lost).toEqual([])
  })

  it('ends with the signal and leaves nothing open', async () => {
    const seen = await start([listOf(10)], [stay])
    await waitFor(() => seen.log.length === 1, { what: 'the list' })
    controller.abort()
    await expect(ended).resolves.toBeUndefined()
    expect(server?.requests).toHaveLength(2)
  })
})
