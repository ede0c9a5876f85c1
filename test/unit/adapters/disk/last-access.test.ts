// By which port and tokens a page finds the next daemon.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { readLastAccess, writeLastAccess } from '../../../../src/adapters/disk/last-access.js'

const access = { port: 41_000, token: 'a'.repeat(43), readToken: 'b'.repeat(43) }

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'devloop-access-'))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  return made
}

test('what was written is read again, by this user alone, and tokens no longer after 12 hours', async () => {
  const dir = await folder()
  expect(await readLastAccess(dir)).toEqual({})
  await writeLastAccess(dir, access)
  expect((await stat(join(dir, 'access.json'))).mode & 0o777).toBe(0o600)
  expect(await readLastAccess(dir)).toEqual(access)
  vi.useFakeTimers({ now: Date.now() + 13 * 60 * 60 * 1000, toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  expect(await readLastAccess(dir)).toEqual({ port: 41_000 })
  // a clock that was set back is no reason to trust a file of the future
  vi.setSystemTime(Date.now() - 48 * 60 * 60 * 1000)
  expect(await readLastAccess(dir)).toEqual({ port: 41_000 })
})

test('what is none of ours is not used, and a folder that is gone is no failure', async () => {
  const dir = await folder()
  const of = async (text: string): Promise<unknown> => {
    await writeFile(join(dir, 'access.json'), text)
    return readLastAccess(dir)
  }
  expect(await of('{')).toEqual({})
  expect(await of('null')).toEqual({})
  const good = { at: Date.now(), ...access }
  for (const port of [0, -1, 65_536, 1.5, '80', undefined])
    expect(await of(JSON.stringify({ ...good, port }))).toEqual({ token: access.token, readToken: access.readToken })
  for (const token of ['', 'short', `${'a'.repeat(42)}\n`, 7])
    expect(await of(JSON.stringify({ ...good, token }))).toEqual({ port: access.port })
  await writeLastAccess(join(dir, 'gone'), access)
  expect(await readFile(join(dir, 'access.json'), 'utf8')).not.toContain('gone')
})
