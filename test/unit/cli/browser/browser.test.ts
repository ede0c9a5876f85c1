import { request } from 'node:http'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserFor, otherWays } from '../../../../src/cli/browser/browsers.js'
import { leadOnce } from '../../../../src/cli/browser/once.js'

describe('browserFor', () => {
  let bin: string
  beforeAll(async () => {
    bin = await mkdtemp(join(tmpdir(), 'browsers-'))
    for (const name of ['xdg-open', 'open', 'mine']) {
      await writeFile(join(bin, name), '')
      await chmod(join(bin, name), 0o755)
    }
    await writeFile(join(bin, 'plain'), '')
  })
  afterAll(() => rm(bin, { recursive: true, force: true }))
  const of = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform = 'linux') =>
    browserFor('http://a/#t', { PATH: bin, ...env }, platform)?.command

  it('is the first of $BROWSER that is there, with the address where it wants it', () => {
    expect(of({ BROWSER: 'none:plain:mine' })).toEqual(['mine', 'http://a/#t'])
    expect(of({ BROWSER: 'mine --new %s --quiet' })).toEqual(['mine', '--new', 'http://a/#t', '--quiet'])
    expect(of({ BROWSER: join(bin, 'mine'), SSH_TTY: '/dev/pts/1' })).toEqual([join(bin, 'mine'), 'http://a/#t'])
  })

  it('else what the desktop has, where there is a screen', () => {
    expect(of({ BROWSER: 'none', DISPLAY: ':0' })).toEqual(['xdg-open', 'http://a/#t'])
    expect(of({ WAYLAND_DISPLAY: 'wayland-0' })).toEqual(['xdg-open', 'http://a/#t'])
    expect(of({})).toBeUndefined()
    expect(of({ DISPLAY: ':0', PATH: '/nowhere' })).toBeUndefined()
    expect(of({}, 'darwin')).toEqual(['open', 'http://a/#t'])
    expect(of({ SSH_CONNECTION: '1 2 3 4' }, 'darwin')).toBeUndefined()
  })

  it('elsewhere, how to get there is told', () => {
    expect(otherWays('http://127.0.0.1:4711', { SSH_CONNECTION: '10.0.0.1 5000 10.0.0.2 22', USER: 'ann' })).toEqual([
      expect.any(String),
      '  ssh -N -L 4711:127.0.0.1:4711 ann@10.0.0.2',
    ])
    expect(otherWays('http://127.0.0.1:4711', {})).toHaveLength(1)
  })
})

describe('leadOnce', () => {
  const get = (address: string, headers: Record<string, string> = {}): Promise<[number | undefined, string | undefined]> =>
    new Promise((resolve, reject) => {
      request(address, { headers }, (response) => {
        response.resume()
        resolve([response.statusCode, response.headers.location])
      })
        .on('error', reject)
        .end()
    })

  it('leads to its target once, by its path and under its own name alone', async () => {
    const { address, used } = await leadOnce('http://127.0.0.1:1/#token=t', 60_000)
    expect(address).not.toContain('token')
    expect(await get(new URL('/', address).href)).toEqual([404, undefined])
    expect(await get(address, { host: 'evil.example' })).toEqual([404, undefined])
    expect(await get(address)).toEqual([302, 'http://127.0.0.1:1/#token=t'])
    expect(await used).toBe(true)
    await expect(get(address)).rejects.toThrow('ECONNREFUSED')
  })

  it('gives up in the end', async () => {
    const { address, used } = await leadOnce('http://127.0.0.1:1/', 1)
    expect(await used).toBe(false)
    await expect(get(address)).rejects.toThrow('ECONNREFUSED')
  })
})
