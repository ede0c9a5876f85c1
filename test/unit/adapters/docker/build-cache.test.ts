// The build cache of an engine that is busy with somebody else, and one whose clock is another.
import http from 'node:http'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readCache, removeFromCache } from '../../../../src/adapters/docker/build-cache.js'
import { createEngineConnector, type Engine } from '../../../../src/adapters/docker/engine.js'

const never = new AbortController().signal

async function engineThat(answer: (url: URL, response: http.ServerResponse) => void): Promise<Engine> {
  const folder = await mkdtemp(path.join(tmpdir(), 'devloop-cache-'))
  const server = http.createServer((request, response) => {
    if (request.url === '/_ping') return void response.end('OK')
    if (request.url === '/version') return void response.end(JSON.stringify({ ApiVersion: '1.41', Os: 'linux', Arch: 'amd64' }))
    answer(new URL(request.url ?? '', 'http://engine'), response)
  })
  server.listen(`${folder}/engine.sock`)
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })
  return createEngineConnector({ DOCKER_HOST: `unix://${folder}/engine.sock`, HOME: folder, DOCKER_CONFIG: folder })(never)
}

test('while the engine reckons for somebody else, it is asked again', async () => {
  let refusals = 2
  const pruned: string[] = []
  const engine = await engineThat((url, response) => {
    if (refusals-- > 0)
      return void response.writeHead(409).end(JSON.stringify({ message: 'a disk usage operation is already running' }))
    if (url.pathname !== '/build/prune') return void response.end('{"BuildCache":null}')
    pruned.push(url.searchParams.get('filters') ?? '')
    response.end('{"SpaceReclaimed":5}')
  })
  expect(await readCache(engine, never)).toEqual([])
  refusals = 1
  expect(await removeFromCache(engine, ['abc', 'def', 'no.id*'], never)).toBe(5)
  expect(pruned).toEqual([JSON.stringify({ id: ['^(abc|def)$'] })])
}, 60_000)

test('times are told by the clock of this machine, whatever that of the engine', async () => {
  const ahead = 7_200_000
  const made = Date.now() - 60_000
  const theirs = (time: number): string => new Date(time + ahead).toISOString()
  const engine = await engineThat((_, response) => {
    response.setHeader('Date', new Date(Date.now() + ahead).toUTCString())
    const entry = { InUse: false, Size: 7, CreatedAt: theirs(made) }
    response.end(
      JSON.stringify({
        BuildCache: [
          { ...entry, ID: 'used', LastUsedAt: theirs(made + 30_000) },
          { ...entry, ID: 'new', LastUsedAt: null },
          { ...entry, ID: 'in use', InUse: true },
        ],
      }),
    )
  })
  const found = await readCache(engine, never)
  expect(found.map((one) => [one.id, one.size])).toEqual([
    ['used', 7],
    ['new', 7],
  ])
  for (const [index, used] of [made + 30_000, made].entries()) {
    expect(Math.abs((found[index]?.createdAt ?? 0) - made)).toBeLessThan(2000)
    expect(Math.abs((found[index]?.usedAt ?? 0) - used)).toBeLessThan(2000)
  }
})
