// What the contract cannot provoke on every machine: a system that allows no further watches.
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDirectoryWatches } from '../../../../src/adapters/chokidar/directory-watches.js'
import { createFileWatcher } from '../../../../src/adapters/chokidar/file-watcher.js'
import { locateRoot } from '../../../../src/adapters/chokidar/locate-root.js'
import { watchError } from '../../../../src/adapters/chokidar/watch-limits.js'
import type { DevloopError } from '../../../../src/errors/devloop-error.js'
import type { FileWatcher } from '../../../../src/ports/file-watcher.js'

let base: string
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'devloop-limit-')))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const at = (path: string): string => join(base, path)
const write = (path: string, content = 'x'): void => {
  mkdirSync(dirname(at(path)), { recursive: true })
  writeFileSync(at(path), content)
}

describe('when the system allows no further watches', () => {
  let allowed: number
  let code: string
  let told: (DevloopError | null)[]
  let rescans: number
  let seen: Set<string>
  let heard: () => void
  let watcher: FileWatcher

  beforeEach(() => {
    allowed = Infinity
    code = 'ENOSPC'
    told = []
    rescans = 0
    seen = new Set()
    heard = () => {}
    let used = 0
    watcher = createFileWatcher({
      rescanMs: 20,
      watchDirectories(listener) {
        const watches = createDirectoryWatches(listener)
        return {
          close: () => watches.close(),
          open(directory) {
            if (used >= allowed) return { error: Object.assign(new Error(`${code}: no more`), { code }) }
            const opened = watches.open(directory)
            if ('error' in opened) return opened
            used++
            return {
              close() {
                used--
                opened.close()
              },
            }
          },
        }
      },
    })
    watcher.onDegraded((error) => {
      told.push(error)
      heard()
    })
    watcher.onEvent((event) => {
      if (event.rescan) rescans++
      for (const path of event.paths) seen.add(path)
      heard()
    })
  })
  afterEach(() => watcher.close())

  const until = (condition: () => boolean): Promise<true> =>
    new Promise((resolve) => {
      heard = () => {
        if (condition()) resolve(true)
      }
      heard()
    })
  const watch = () => watcher.setRoots([{ path: at('src'), ignored: () => false }])

  test('it is told once, everything is looked at again and again, and it recovers by itself', async () => {
    for (let i = 0; i < 40; i++) write(`src/d${i}/file`)
    allowed = 20
    await watch()
    await until(() => rescans >= 3)
    expect(told.map((error) => error?.code)).toEqual(['watch/limit'])
    expect(told[0]?.message).toMatch(/^\d+ of \d+ folders cannot be watched/)
    expect(told[0]?.info.why).toContain('fs.inotify.max_user_watches')
    expect(told[0]?.info.help).toContain('sysctl')
    allowed = Infinity
    await until(() => told.length === 2)
    expect(told[1]).toBeNull()
    // from now on by events again
    const before = rescans
    for (let i = 0; i < 40; i++) write(`src/d${i}/file`, 'changed')
    await until(() => Array.from({ length: 40 }, (_, i) => at(`src/d${i}/file`)).every((path) => seen.has(path)))
    expect(rescans).toBe(before)
  })

  test('a folder that is made when the limit is reached, too', async () => {
    write('src/file')
    await watch()
    allowed = 0
    write('src/new/file')
    await until(() => told.length === 1)
    expect(await until(() => rescans > 0)).toBe(true)
  })

  test('no further instance or descriptor', async () => {
    write('src/file')
    code = 'EMFILE'
    allowed = 0
    await watch()
    expect(told.map((error) => error?.code)).toEqual(['watch/limit'])
    expect(told[0]?.info.why).toContain('max_user_instances')
  })

  test('roots that need less end it', async () => {
    write('src/a/file')
    write('src/b/file')
    allowed = 1
    await watch()
    allowed = Infinity
    await watcher.setRoots([])
    expect(told.map((error) => error?.code ?? null)).toEqual(['watch/limit', null])
  })

  test('another error is told as what it is', () => {
    const error = watchError(Object.assign(new Error('EIO: bad disk'), { code: 'EIO' }), 1, 2, 10_000)
    expect(error.info).toMatchObject({ code: 'watch/failed', why: 'EIO: bad disk' })
  })

  test('a root in a folder that may not be read tells itself that it is gone', async () => {
    const isRoot = process.getuid?.() === 0
    write('src/file')
    chmodSync(base, 0o311)
    if (isRoot) process.seteuid?.(65_534)
    await watch()
    if (isRoot) process.seteuid?.(0)
    const before = rescans
    rmSync(at('src'), { recursive: true })
    expect(await until(() => rescans > before)).toBe(true)
    expect(told).toEqual([])
    chmodSync(base, 0o755)
  })

  test('a folder that may not be read is passed over, until it may', async () => {
    const isRoot = process.getuid?.() === 0
    write('src/secret/file')
    chmodSync(base, 0o755)
    chmodSync(at('src/secret'), 0)
    // root may read everything, so be somebody else until it is watched
    if (isRoot) process.seteuid?.(65_534)
    await watch()
    if (isRoot) process.seteuid?.(0)
    expect(told).toEqual([])
    chmodSync(at('src/secret'), 0o755)
    await until(() => seen.has(at('src/secret')))
    write('src/secret/file', 'changed')
    expect(await until(() => seen.has(at('src/secret/file')))).toBe(true)
  })
})

describe('where a root is', () => {
  test('a circle of links, and a path through a file, are missing', () => {
    write('file')
    expect(locateRoot(at('file/below'))).toMatchObject({ kind: 'missing', real: at('file/below') })
    expect(locateRoot(at('none/below/that'))).toMatchObject({ kind: 'missing', real: at('none/below/that') })
    expect(locateRoot('/')).toMatchObject({ kind: 'directory', real: '/' })
  })
})
