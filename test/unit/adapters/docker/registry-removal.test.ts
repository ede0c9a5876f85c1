// Deleting from a registry: an HTTP server plays it, with the refusals that real ones have.
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { RegistryAuth } from '../../../../src/adapters/docker/auth.js'
import { createRegistryClient } from '../../../../src/adapters/docker/registry-client.js'
import { createRegistryHttp } from '../../../../src/adapters/docker/registry-http.js'
import { removeFromRegistry } from '../../../../src/adapters/docker/registry-removal.js'
import type { MadeImage } from '../../../../src/model/made-image.js'

const never = new AbortController().signal
const id = `sha256:${'ab'.repeat(32)}`
const ownTag = `devloop-${'ab'.repeat(8)}`

interface Played {
  /** Digest by tag. */
  readonly tags: Map<string, string>
  readonly asked: string[]
  readonly host: string
  /** Image id by digest. */
  readonly ids: Map<string, string>
}

interface Habits {
  readonly deletes?: 'digest' | 'tag' | 'nothing' | 'forbidden'
  /** Answers 401 with this until it returns true. */
  readonly challenge?: {
    readonly header: (host: string) => string
    readonly accepts: (authorization: string | undefined) => boolean
  }
  readonly extra?: (request: http.IncomingMessage, response: http.ServerResponse, body: string) => boolean
}

/** Two tags a page, as a registry may. */
async function registry({ deletes = 'digest', challenge, extra }: Habits = {}): Promise<Played> {
  const tags = new Map<string, string>()
  const ids = new Map<string, string>()
  const asked: string[] = []
  const answer = (request: http.IncomingMessage, response: http.ServerResponse, body: string): void => {
    if (extra?.(request, response, body)) return
    response.setHeader('docker-distribution-api-version', 'registry/2.0')
    asked.push(`${request.method} ${request.url}`)
    if (challenge && !challenge.accepts(request.headers.authorization)) {
      response.writeHead(401, { 'www-authenticate': challenge.header(request.headers.host ?? '') })
      return void response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')
    }
    const url = new URL(request.url ?? '', 'http://x')
    if (url.pathname === '/v2/') return void response.end('{}')
    if (url.pathname.endsWith('/tags/list')) {
      const all = [...tags.keys()].toSorted()
      const from = all.findIndex((tag) => tag > (url.searchParams.get('last') ?? ''))
      const page = from < 0 ? [] : all.slice(from, from + 2)
      if (from >= 0 && from + 2 < all.length)
        response.setHeader('link', `</v2/shop/api/tags/list?last=${page.at(-1)}>; rel="next"`)
      return void response.end(JSON.stringify({ name: 'shop/api', tags: page }))
    }
    const reference = decodeURIComponent(url.pathname.split('/').at(-1) ?? '')
    const digest = tags.get(reference) ?? ([...tags.values()].includes(reference) ? reference : undefined)
    if (digest === undefined) return void response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
    if (request.method !== 'DELETE') {
      response.setHeader('docker-content-digest', digest)
      return void response.end(JSON.stringify({ config: { digest: ids.get(digest) } }))
    }
    if (deletes === 'forbidden') return void response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"denied"}]}')
    const byTag = tags.has(reference)
    if (deletes === 'nothing' || (byTag && deletes !== 'tag'))
      return void response.writeHead(405).end('{"errors":[{"code":"UNSUPPORTED"}]}')
    for (const [tag, of] of tags) if (byTag ? tag === reference : of === reference) tags.delete(tag)
    response.writeHead(202).end()
  }
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => answer(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  tags.set(ownTag, 'sha256:manifest')
  ids.set('sha256:manifest', id)
  return { tags, ids, asked, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const remove = (
  { host }: Played,
  auth?: RegistryAuth,
  over: Partial<MadeImage> = {},
  going: readonly string[] = [],
): Promise<'removed' | 'gone' | 'shared' | 'refused'> => {
  const image: MadeImage = {
    image: 'shop/api',
    id,
    repository: `${host}/shop/api`,
    tag: ownTag,
    pushed: true,
    engine: '',
    cluster: '',
    at: 0,
    ...over,
  }
  const http = createRegistryHttp(host, {})
  onTestFinished(() => http.close())
  const client = createRegistryClient({ http, repository: image.repository, auth, doing: 'remove images' })
  return removeFromRegistry(client, image, new Set(going), never)
}

test('our image goes, and every other tag stays', async () => {
  const played = await registry()
  for (const tag of ['1.0', 'latest', 'zzz', `devloop-${'cd'.repeat(8)}`]) played.tags.set(tag, `sha256:of ${tag}`)
  expect(await remove(played)).toBe('removed')
  expect([...played.tags.keys()]).toEqual(['1.0', 'latest', 'zzz', `devloop-${'cd'.repeat(8)}`])
  // what another devloop pushed need not be looked at: its tag tells that it is another image
  expect(played.asked.filter((line) => line.startsWith('HEAD'))).toHaveLength(3)
  expect(await remove(played)).toBe('gone')
})

test('a tag that leads to another image by now is not touched', async () => {
  const played = await registry()
  played.ids.set('sha256:manifest', 'sha256:another')
  expect(await remove(played)).toBe('gone')
  expect(played.asked.some((line) => line.startsWith('DELETE'))).toBe(false)
  expect(played.tags.has(ownTag)).toBe(true)
})

test('an image that somebody tagged keeps that tag: ours goes alone where the registry can, and else stays', async () => {
  const able = await registry({ deletes: 'tag' })
  able.tags.set('release', 'sha256:manifest')
  expect(await remove(able)).toBe('removed')
  expect([...able.tags.keys()]).toEqual(['release'])
  const unable = await registry()
  for (const tag of ['a', 'b', 'c', 'release']) unable.tags.set(tag, tag === 'release' ? 'sha256:manifest' : 'sha256:x')
  expect(await remove(unable)).toBe('shared')
  expect(unable.tags.size).toBe(5)
})

test('the name that a build command was given goes without the image that the build made of it', async () => {
  const name = 'devloop-build-0123456789ab'
  const both = async (): Promise<Played> => {
    const played = await registry()
    played.tags.set(name, 'sha256:manifest')
    return played
  }
  const command = { tag: name, name: 'command' } as const
  const kept = await both()
  expect(await remove(kept, undefined, command)).toBe('shared')
  expect([...kept.tags.keys()]).toEqual([ownTag, name])
  // the builder's own manifest of the same image
  const apart = await both()
  apart.tags.set(name, 'sha256:apart')
  apart.ids.set('sha256:apart', id)
  expect(await remove(apart, undefined, command)).toBe('removed')
  expect([...apart.tags.keys()]).toEqual([ownTag])
  // both go: neither holds the other
  const none = await both()
  expect(await remove(none, undefined, {}, [name, ownTag])).toBe('removed')
  expect(none.tags.size).toBe(0)
})

test('a registry that lets nobody delete, or not these credentials, is told apart from one that fails', async () => {
  expect(await remove(await registry({ deletes: 'nothing' }))).toBe('refused')
  expect(await remove(await registry({ deletes: 'forbidden' }))).toBe('refused')
  const broken = await registry({
    extra: (asked, response) => asked.url !== '/v2/' && Boolean(response.writeHead(500).end('disk on fire')),
  })
  await expect(remove(broken)).rejects.toMatchObject({ info: { code: 'registry/refused', why: '500: disk on fire' } })
  await expect(remove({ ...broken, host: '127.0.0.1:1' })).rejects.toMatchObject({ info: { code: 'registry/unreachable' } })
})

test('it logs in as the registry asks: by name and password, or with a token that it gets for them', async () => {
  const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`
  const ann = { username: 'ann', password: 'secret', serveraddress: 'x' }
  const plain = await registry({
    challenge: { header: () => 'Basic realm="x"', accepts: (given) => given === basic },
  })
  expect(await remove(plain, ann)).toBe('removed')

  const tokens: string[] = []
  const withToken = await registry({
    challenge: {
      header: (host) => `Bearer realm="http://${host}/token",service="shop",scope="repository:shop/api:pull"`,
      accepts: (given) => given === 'Bearer t0ken',
    },
    extra(request, response, body) {
      if (!request.url?.startsWith('/token')) return false
      tokens.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''} ${body}`)
      response.end('{"access_token":"t0ken"}')
      return true
    },
  })
  expect(await remove(withToken, ann)).toBe('removed')
  expect(tokens).toEqual([expect.stringMatching(/^GET \/token\?.*scope=repository%3Ashop%2Fapi%3Apull%2Cdelete/)])
  expect(tokens[0]).toContain(basic)

  withToken.tags.set(ownTag, 'sha256:manifest')
  expect(await remove(withToken, { identitytoken: 'refresh', serveraddress: 'x' })).toBe('removed')
  expect(tokens[1]).toMatch(/^POST \/token .*grant_type=refresh_token.*refresh_token=refresh/)

  const refused = await registry({ challenge: { header: () => 'Basic realm="x"', accepts: () => false } })
  const error = await remove(refused, ann).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ info: { code: 'registry/auth' } })
  expect(JSON.stringify(error)).not.toContain('secret')
})
