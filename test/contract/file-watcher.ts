// What every file watcher must do, on real files. Nothing here waits for a time: conditions are waited for, and what must not
// come is shown by something later that did.
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import type { FileWatcher } from '../../src/ports/file-watcher.js'
import { rootsContract } from './file-watcher-roots.js'
import { createWatchHarness, nothingIgnored } from './watch-harness.js'

export function fileWatcherContract(name: string, create: () => FileWatcher): void {
  describe(`file watcher: ${name}`, () => {
    const harness = createWatchHarness(create)
    const { at, write, watch, until, covered, untilCovered, settled, forget, seen, state } = harness

    rootsContract(harness)

    describe('the ways editors save', () => {
      beforeEach(async () => {
        write('src/a.ts', 'old')
        write('src/b.ts', 'old')
        await watch('src')
      })

      test('in place', async () => {
        writeFileSync(at('src/a.ts'), 'new')
        await until(() => seen.has(at('src/a.ts')))
        expect([...seen]).toEqual([at('src/a.ts')])
      })

      test('a temporary file renamed over it', async () => {
        writeFileSync(at('src/a.ts.tmp'), 'new')
        renameSync(at('src/a.ts.tmp'), at('src/a.ts'))
        await until(() => seen.has(at('src/a.ts')))
        expect(seen).not.toContain(at('src/b.ts'))
      })

      test('the old one renamed to a backup, and written anew', async () => {
        renameSync(at('src/a.ts'), at('src/a.ts~'))
        writeFileSync(at('src/a.ts'), 'new')
        unlinkSync(at('src/a.ts~'))
        expect(await until(() => seen.has(at('src/a.ts')))).toBe(true)
      })

      test('deleted and created', async () => {
        unlinkSync(at('src/a.ts'))
        await until(() => seen.has(at('src/a.ts')))
        seen.clear()
        writeFileSync(at('src/a.ts'), 'new')
        expect(await until(() => seen.has(at('src/a.ts')))).toBe(true)
      })

      test('truncated, and written in two parts', async () => {
        const file = openSync(at('src/a.ts'), 'w')
        await until(() => seen.has(at('src/a.ts')))
        seen.clear()
        writeSync(file, 'one')
        await until(() => seen.has(at('src/a.ts')))
        seen.clear()
        writeSync(file, 'two')
        closeSync(file)
        expect(await until(() => seen.has(at('src/a.ts')))).toBe(true)
      })

      test('again and again, after every style', async () => {
        for (let round = 0; round < 20; round++) {
          seen.clear()
          writeFileSync(at('src/tmp'), `${round}`)
          renameSync(at('src/tmp'), at('src/a.ts'))
          await until(() => seen.has(at('src/a.ts')))
          seen.clear()
          appendFileSync(at('src/a.ts'), 'more')
          expect(await until(() => seen.has(at('src/a.ts')))).toBe(true)
        }
      })
    })

    describe('many at once', () => {
      test('1,000 files in one burst, none missed', async () => {
        for (let i = 0; i < 1000; i++) write(`src/d${i % 50}/f${i}.ts`)
        await watch('src')
        const paths = Array.from({ length: 1000 }, (_, i) => `src/d${i % 50}/f${i}.ts`)
        for (const path of paths) writeFileSync(at(path), 'new')
        await until(() => paths.every((path) => seen.has(at(path))))
        expect(state.rescans).toBe(0)
      })

      test('git checkout of 1,000 files, without a word of .git', async () => {
        const git = (...args: string[]): void => {
          execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'gc.auto=0', ...args], {
            cwd: at('repo'),
            stdio: 'pipe',
          })
        }
        mkdirSync(at('repo'))
        git('init', '-q', '-b', 'one')
        const paths = Array.from({ length: 1000 }, (_, i) => `repo/p${i % 40}/f${i}.ts`)
        for (const path of paths) write(path, 'one')
        git('add', '-A')
        git('commit', '-q', '-m', 'one')
        git('checkout', '-q', '-b', 'two')
        for (const path of paths) write(path, 'two')
        write('repo/only-two/new.ts')
        git('add', '-A')
        git('commit', '-q', '-m', 'two')
        await watch({ path: at('repo'), ignored: (path) => path === '.git' })
        git('checkout', '-q', 'one')
        await untilCovered(...paths, 'repo/only-two/new.ts')
        await forget('repo')
        git('checkout', '-q', 'two')
        await untilCovered(...paths, 'repo/only-two/new.ts')
        expect([...seen].filter((path) => path.includes('.git'))).toEqual([])
      })

      test('more events than the system keeps: a rescan is asked for', async () => {
        mkdirSync(at('src'))
        await watch('src')
        // while this runs, nothing is read from the system's queue; it holds 16,384 events unless set higher
        const queue = existsSync('/proc/sys/fs/inotify/max_queued_events')
          ? Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))
          : 16_384
        for (let i = 0; i < queue; i++) {
          writeFileSync(at(`src/${i % 2}`), 'x')
          unlinkSync(at(`src/${i % 2}`))
        }
        mkdirSync(at('src/late'))
        await until(() => state.rescans > 0)
        // the folder whose event was lost is watched after it all the same
        await forget('src')
        write('src/late/file')
        expect(await until(() => seen.has(at('src/late/file')))).toBe(true)
      })
    })

    describe('folders', () => {
      test('a new nested folder with a file in it, made at once', async () => {
        mkdirSync(at('src'))
        await watch('src')
        for (let round = 0; round < 20; round++) {
          write(`src/n${round}/a/b/c/file.ts`)
          await untilCovered(`src/n${round}/a/b/c/file.ts`)
        }
        await forget('src')
        writeFileSync(at('src/n3/a/b/c/file.ts'), 'again')
        expect(await until(() => seen.has(at('src/n3/a/b/c/file.ts')))).toBe(true)
      })

      test('an empty folder, then a file in it', async () => {
        mkdirSync(at('src'))
        await watch('src')
        mkdirSync(at('src/empty'))
        await until(() => seen.has(at('src/empty')))
        await forget('src')
        write('src/empty/file')
        expect(await until(() => seen.has(at('src/empty/file')))).toBe(true)
      })

      test('a tree that is renamed, and written to under its new name', async () => {
        write('src/old/sub/file')
        await watch('src')
        renameSync(at('src/old'), at('src/new'))
        await until(() => seen.has(at('src/old')) && covered('src/new/sub/file'))
        await forget('src')
        write('src/new/sub/file', 'changed')
        await until(() => seen.has(at('src/new/sub/file')))
        expect([...seen].filter((path) => path.includes('/old'))).toEqual([])
      })

      test('a tree that is moved in from outside, and out again', async () => {
        write('outside/sub/file')
        mkdirSync(at('src'))
        await watch('src')
        renameSync(at('outside'), at('src/inside'))
        await untilCovered('src/inside/sub/file')
        renameSync(at('src/inside'), at('outside'))
        await until(() => seen.has(at('src/inside')))
        await forget('src')
        write('outside/sub/file', 'changed')
        await settled('src')
        expect([...seen].filter((path) => !path.includes('mark-'))).toEqual([])
      })

      test('a folder that is removed and made again at once', async () => {
        write('src/a/file')
        await watch('src')
        for (let round = 0; round < 20; round++) {
          rmSync(at('src/a'), { recursive: true })
          mkdirSync(at('src/a'))
          await forget('src')
          write('src/a/file', `${round}`)
          expect(await untilCovered('src/a/file')).toBe(true)
        }
      })

      test('two folders that swap their names', async () => {
        write('src/a/one')
        write('src/b/two')
        await watch('src')
        renameSync(at('src/a'), at('src/c'))
        renameSync(at('src/b'), at('src/a'))
        renameSync(at('src/c'), at('src/b'))
        await until(() => covered('src/a/two') && covered('src/b/one'))
        await forget('src')
        write('src/a/new')
        write('src/b/new')
        expect(await until(() => seen.has(at('src/a/new')) && seen.has(at('src/b/new')))).toBe(true)
      })

      test('a folder that has the same name as the one it is in', async () => {
        mkdirSync(at('src/src'), { recursive: true })
        await watch('src')
        write('src/src/src')
        await until(() => seen.has(at('src/src/src')))
        rmSync(at('src/src'), { recursive: true })
        await forget('src')
        write('src/src/src/file')
        expect(await untilCovered('src/src/src/file')).toBe(true)
      })

      test('a file that becomes a folder, and a folder that becomes a file', async () => {
        write('src/x')
        await watch('src')
        unlinkSync(at('src/x'))
        write('src/x/file')
        await untilCovered('src/x/file')
        rmSync(at('src/x'), { recursive: true })
        write('src/x')
        await forget('src')
        appendFileSync(at('src/x'), 'more')
        expect(await until(() => seen.has(at('src/x')))).toBe(true)
      })
    })

    describe('what is ignored', () => {
      test('is never reported, whatever happens in it', async () => {
        write('src/node_modules/lib/file')
        write('src/file.log')
        const asked: string[] = []
        await watch({
          path: at('src'),
          ignored: (path) => {
            asked.push(path)
            return path === 'node_modules' || path.endsWith('.log')
          },
        })
        write('src/node_modules/lib/file', 'changed')
        write('src/node_modules/new/file')
        rmSync(at('src/node_modules'), { recursive: true })
        write('src/node_modules/file')
        write('src/file.log', 'changed')
        await settled('src')
        expect([...seen].filter((path) => /node_modules|\.log/.test(path))).toEqual([])
        expect(asked.filter((path) => path.includes('node_modules/'))).toEqual([])
      })
    })

    test('names with spaces, quotes, newlines and Unicode', async () => {
      const names = [
        'a b',
        "it's",
        '"q"',
        'new\nline',
        'tab\t',
        'ä漢字🙂',
        '-dash',
        '[x]{y}*',
        '\\back',
        '%20',
        '.hidden',
        '..two',
      ]
      mkdirSync(at('src'))
      await watch('src')
      for (const one of names) {
        write(`src/${one}`)
        write(`src/dir ${one}/${one}`)
      }
      await untilCovered(...names.flatMap((one) => [`src/${one}`, `src/dir ${one}/${one}`]))
      await forget('src')
      for (const one of names) write(`src/dir ${one}/${one}`, 'changed')
      expect(await until(() => names.every((one) => seen.has(at(`src/dir ${one}/${one}`))))).toBe(true)
    })

    test.runIf(process.platform === 'linux')(
      'one watch of the system per directory, none for what is ignored or no longer wanted',
      async () => {
        const before = inotifyWatches()
        for (let i = 0; i < 30; i++) for (let f = 0; f < 5; f++) write(`src/d${i}/f${f}`)
        for (let i = 0; i < 50; i++) write(`src/node_modules/m${i}/f`)
        const ignored = (path: string): boolean => path === 'node_modules'
        await watch({ path: at('src'), ignored })
        // the 30, their folder, and the folders above it
        const watches = inotifyWatches() - before
        const above = at('src').split('/').length - 1
        expect(watches).toBeGreaterThanOrEqual(31)
        expect(watches).toBeLessThanOrEqual(31 + above)
        await watch({ path: at('src'), ignored }, { path: at('src'), ignored: nothingIgnored })
        expect(inotifyWatches() - before).toBe(watches + 51)
        rmSync(at('src/node_modules'), { recursive: true })
        await settled('src')
        expect(inotifyWatches() - before).toBe(watches)
        await watch()
        expect(inotifyWatches() - before).toBe(0)
      },
    )

    test('nothing is told after it is closed, and closing twice is fine', async () => {
      mkdirSync(at('src'))
      await watch('src')
      write('src/file')
      await state.watcher.close()
      await state.watcher.close()
      const other = create()
      try {
        const told = new Promise<void>((resolve) => other.onEvent(() => resolve()))
        await other.setRoots([{ path: at('src'), ignored: nothingIgnored }])
        seen.clear()
        write('src/file', 'changed')
        await told
        expect([...seen]).toEqual([])
      } finally {
        await other.close()
      }
    })
  })
}

function inotifyWatches(): number {
  let count = 0
  for (const file of readdirSync('/proc/self/fdinfo')) {
    try {
      count += readFileSync(`/proc/self/fdinfo/${file}`, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('inotify wd:')).length
    } catch {
      // closed since
    }
  }
  return count
}
