import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { KubeConnection } from '../../../../../src/adapters/kube/connection.js'
import { keepToken } from '../../../../../src/adapters/kube/scoped/keep-token.js'
import { rereadUser, scopedKubeconfig } from '../../../../../src/adapters/kube/scoped/kubeconfig-file.js'
import type { ScopedUser } from '../../../../../src/adapters/kube/scoped/scoped-user.js'
import { DevloopError } from '../../../../../src/errors/devloop-error.js'
import { facts } from './facts.js'

const day = 86_400_000
const start = Date.parse(facts.issued)
let folder: string
let user: ScopedUser
let life: AbortController
let log: string[]
let asked: { path: string; body: { spec: { expirationSeconds: number } } }[]
let fails: boolean

const connection = {
  request(_method: string, path: string, { body }: { body: { spec: { expirationSeconds: number } } }) {
    asked.push({ path, body })
    if (fails) return Promise.reject(new DevloopError('cluster/forbidden', 'You may not create serviceaccounts/token.'))
    const expires = new Date(Date.now() + body.spec.expirationSeconds * 1000).toISOString()
    return Promise.resolve({ status: { token: `token-${asked.length}`, expirationTimestamp: expires } })
  },
} as unknown as KubeConnection

const now = (): ScopedUser => rereadUser(user) as ScopedUser
const begin = (): void => keepToken({ connection, user, log: (text) => log.push(text), life: life.signal })
/** Let the clock go on, and what it starts come to its end: files are written in real time. */
const pass = async (ms: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms)
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devloop-keep-'))
  const file = join(folder, 'config')
  const base = JSON.stringify({
    contexts: [{ name: 'c', context: {} }],
    clusters: [{ name: 'c', cluster: { server: 'https://c' } }],
  })
  await writeFile(file, scopedKubeconfig(base, { token: 'first', facts }))
  user = rereadUser({ file, name: 'devloop-shop-ann' }) as ScopedUser
  life = new AbortController()
  log = []
  asked = []
  fails = false
  vi.useFakeTimers({ now: start, toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(async () => {
  life.abort()
  vi.useRealTimers()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('a token is renewed at four fifths of its life, with the same life, again and again', async () => {
  begin()
  await pass(5.5 * day)
  expect(asked).toEqual([])
  await pass(0.2 * day)
  await vi.waitFor(() => expect(now().token).toBe('token-1'))
  expect(asked).toMatchObject([
    {
      path: '/api/v1/namespaces/shop-ann/serviceaccounts/devloop-user-ann/token',
      body: { spec: { expirationSeconds: 604_800 } },
    },
  ])
  expect(now().facts).toMatchObject({ user: facts.user, account: facts.account })
  expect(Date.parse(now().facts.expires) - Date.now()).toBeGreaterThan(6.8 * day)
  expect(log).toEqual([expect.stringMatching(/^renewed the token in .*config: it lasts until 2026-12-0/)])
  await pass(5.7 * day)
  await vi.waitFor(() => expect(now().token).toBe('token-2'))
})

test('at the start it is renewed sooner: devloop may not run again for days', async () => {
  vi.setSystemTime(start + 1.3 * day)
  begin()
  await pass(0)
  expect(asked).toEqual([])
  life.abort()
  life = new AbortController()
  vi.setSystemTime(start + 1.5 * day)
  begin()
  await pass(0)
  await vi.waitFor(() => expect(now().token).toBe('token-1'))
})

test('what somebody else renewed is not renewed again', async () => {
  begin()
  await pass(3 * day)
  const later = { ...facts, issued: new Date(Date.now()).toISOString(), expires: new Date(Date.now() + 7 * day).toISOString() }
  await writeFile(
    user.file,
    (await readFile(user.file, 'utf8')).replace(facts.issued, later.issued).replace(facts.expires, later.expires),
  )
  await pass(5 * day)
  expect(asked).toEqual([])
  await pass(day)
  await vi.waitFor(() => expect(asked).toHaveLength(1))
})

test('what fails is told once, tried again each minute, and heals; nothing goes on after the end', async () => {
  fails = true
  begin()
  await pass(5.7 * day)
  await pass(60_000)
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1))
  expect(log).toEqual([
    expect.stringMatching(
      /which lasts until 2026-11-30T00:00:00Z, could not be renewed: You may not create serviceaccounts\/token\.$/,
    ),
  ])
  fails = false
  await pass(60_000)
  await vi.waitFor(() => expect(now().token).toMatch(/^token-/))
  life.abort()
  const before = asked.length
  await pass(30 * day)
  expect(asked).toHaveLength(before)
})
