// What every file watcher must do, on real files. Nothing here waits for a time: conditions are waited for, and what must not
// come is shown by something later that did.
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FileWatcher, WatchRoot } from '../../src/ports/file-watcher.js'

const nothingIgnored = (): boolean => false

export function fileWatcherContract(name: string, create: () => FileWatcher): void {
  describe(name, () => {
    let base: string
    let watcher: FileWatcher
    let seen: Set<string>
    let rescans: number
    let heard: () => void

    beforeEach(() => {
      base = realpathSync(mkdtempSync(join(tmpdir(), 'devloop-watch-')))
      watcher = create()
      seen = new Set()
      rescans = 0
      heard = () => {}
      watcher.onEvent((event) => {
        for (const path of event.paths) seen.add(path)
        if (event.rescan) rescans++
        heard()
      })
    })

    afterEach(async () => {
      await watcher.close()
      rmSync(base, { recursive: true, force: true })
    })

    /** A path below the test's folder. */
    const at = (path: string): string => join(base, path)
    const write = (path: string, content = 'x'): void => {
      mkdirSync(dirname(at(path)), { recursive: true })
      writeFileSync(at(path), content)
    }
    const watch = (...roots: (string | WatchRoot)[]): Promise<void> =>
      watcher.setRoots(roots.map((root) => (typeof root === 'string' ? { path: at(root), ignored: nothingIgnored } : root)))
    /** Resolves when it holds; else the test runs into its time limit. */
    const until = (condition: () => boolean): Promise<true> =>
      new Promise((resolve) => {
        heard = () => {
          if (condition()) resolve(true)
        }
        heard()
      })
    /** Whether the path was reported, or the folder that stands for it. */
    const covered = (path: string): boolean => seen.has(at(path)) || seen.has(dirname(at(path)))
    const untilCovered = (...paths: string[]): Promise<true> => until(() => paths.every(covered))
    /** Resolves when everything done so far was reported. */
    const settled = async (folder: string): Promise<void> => {
      const mark = `${folder}/mark-${Math.random()}`
      write(mark)
      await until(() => seen.has(at(mark)))
    }
    /** From here on. */
    const forget = async (folder: string): Promise<void> => {
      await settled(folder)
      seen.clear()
      rescans = 0
    }

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
        expect(rescans).toBe(0)
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
        await until(() => rescans > 0)
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

    describe('symbolic links', () => {
      test('a link to a file that is pointed elsewhere', async () => {
        write('src/one')
        write('src/two')
        symlinkSync('one', at('src/link'))
        await watch('src')
        symlinkSync('two', at('src/link.tmp'))
        renameSync(at('src/link.tmp'), at('src/link'))
        expect(await until(() => seen.has(at('src/link')))).toBe(true)
      })

      test('a link to a folder is an entry: reported when it changes, not followed', async () => {
        write('out/one/file')
        write('out/two/file')
        mkdirSync(at('src'))
        symlinkSync(at('out/one'), at('src/link'))
        await watch('src')
        write('out/one/file', 'changed')
        await settled('src')
        expect([...seen].filter((path) => !path.includes('mark-'))).toEqual([])
        unlinkSync(at('src/link'))
        symlinkSync(at('out/two'), at('src/link'))
        expect(await until(() => seen.has(at('src/link')))).toBe(true)
      })

      test('a link that leads back up is no trap', async () => {
        write('src/a/file')
        symlinkSync('..', at('src/a/up'))
        await watch('src')
        write('src/a/file', 'changed')
        expect(await until(() => seen.has(at('src/a/file')))).toBe(true)
      })
    })

    describe('roots', () => {
      test('a single file, whatever else is beside it', async () => {
        write('conf/Dockerfile')
        write('conf/other')
        await watch('conf/Dockerfile')
        write('conf/other', 'changed')
        write('conf/Dockerfile', 'changed')
        await until(() => seen.has(at('conf/Dockerfile')))
        expect([...seen]).toEqual([at('conf/Dockerfile')])
        for (let round = 0; round < 3; round++) {
          seen.clear()
          write('conf/tmp', `${round}`)
          renameSync(at('conf/tmp'), at('conf/Dockerfile'))
          await until(() => seen.has(at('conf/Dockerfile')))
        }
        seen.clear()
        unlinkSync(at('conf/Dockerfile'))
        await until(() => seen.has(at('conf/Dockerfile')))
        seen.clear()
        write('conf/Dockerfile')
        expect(await until(() => seen.has(at('conf/Dockerfile')))).toBe(true)
      })

      test('a single file that is a link, whose target changes', async () => {
        write('real/file')
        mkdirSync(at('conf'))
        symlinkSync('../real/file', at('conf/link'))
        await watch('conf/link')
        write('real/file', 'changed')
        expect(await until(() => seen.has(at('conf/link')))).toBe(true)
      })

      test('a folder that appears later, several levels down', async () => {
        await watch('later/still/src')
        write('later/still/src/sub/file')
        await until(() => rescans > 0)
        await forget('later/still/src')
        write('later/still/src/sub/file', 'changed')
        expect(await until(() => seen.has(at('later/still/src/sub/file')))).toBe(true)
      })

      test('a file that appears later', async () => {
        await watch('later/Dockerfile')
        write('later/Dockerfile')
        expect(await until(() => seen.has(at('later/Dockerfile')))).toBe(true)
      })

      test('a folder that is removed and comes back', async () => {
        write('src/sub/file')
        await watch('src')
        rmSync(at('src'), { recursive: true })
        await until(() => rescans > 0)
        rescans = 0
        write('src/sub/file')
        await until(() => rescans > 0)
        await forget('src')
        write('src/sub/file', 'changed')
        expect(await until(() => seen.has(at('src/sub/file')))).toBe(true)
      })

      test('a folder that is moved away, and another put in its place', async () => {
        write('src/file')
        write('next/file')
        await watch('src')
        renameSync(at('src'), at('before'))
        renameSync(at('next'), at('src'))
        await until(() => rescans > 0)
        await forget('src')
        write('before/file', 'changed')
        write('src/file', 'changed')
        await until(() => seen.has(at('src/file')))
        expect([...seen].filter((path) => path.includes('before'))).toEqual([])
      })

      test('the folder above it is moved away, and another put in its place', async () => {
        write('project/a/src/file')
        write('clone/a/src/file')
        await watch('project/a/src')
        renameSync(at('project'), at('project.old'))
        renameSync(at('clone'), at('project'))
        await until(() => rescans > 0)
        await forget('project/a/src')
        write('project/a/src/file', 'changed')
        expect(await until(() => seen.has(at('project/a/src/file')))).toBe(true)
      })

      test('a symbolic link that is swapped, events under the name that was asked for', async () => {
        write('releases/1/sub/file')
        write('releases/2/sub/file')
        symlinkSync('releases/1', at('current'))
        await watch('current')
        write('releases/1/sub/file', 'changed')
        await until(() => seen.has(at('current/sub/file')))
        symlinkSync('releases/2', at('tmp'))
        renameSync(at('tmp'), at('current'))
        await until(() => rescans > 0)
        await forget('current')
        write('releases/1/sub/file', 'again')
        write('releases/2/sub/file', 'changed')
        await until(() => seen.has(at('current/sub/file')))
        await settled('current')
        expect([...seen].filter((path) => path.includes('releases'))).toEqual([])
      })

      test('overlapping ones: told once for each that wants it, by its own name', async () => {
        write('p/sub/file')
        write('p/node_modules/lib/file')
        symlinkSync('p/sub', at('alias'))
        await watch({ path: at('p'), ignored: (path) => path === 'node_modules' }, 'p/sub', 'p/node_modules/lib', 'alias')
        write('p/sub/file', 'changed')
        await until(() => seen.has(at('p/sub/file')) && seen.has(at('alias/file')))
        write('p/node_modules/lib/file', 'changed')
        expect(await until(() => seen.has(at('p/node_modules/lib/file')))).toBe(true)
      })

      test('inside of another one, replaced: both go on', async () => {
        write('p/x/file')
        write('next/file')
        await watch('p', 'p/x')
        renameSync(at('p/x'), at('gone'))
        renameSync(at('next'), at('p/x'))
        await until(() => rescans > 0 && covered('p/x/file'))
        await forget('p')
        await watch('p')
        write('p/x/file', 'changed')
        expect(await until(() => seen.has(at('p/x/file')))).toBe(true)
      })

      test('added and removed, with nothing lost on those that stay', async () => {
        write('kept/file')
        for (let i = 0; i < 200; i++) write(`other/d${i}/file`)
        const kept: WatchRoot = { path: at('kept'), ignored: nothingIgnored }
        await watch(kept)
        for (let round = 0; round < 5; round++) {
          await settled('kept')
          seen.clear()
          const change = watch(kept, ...(round % 2 === 0 ? ['other'] : []))
          write('kept/file', `${round}`)
          await change
          await until(() => seen.has(at('kept/file')))
        }
        write('other/d7/file', 'changed')
        await until(() => seen.has(at('other/d7/file')))
        await watch(kept)
        await forget('kept')
        write('other/d7/file', 'again')
        await settled('kept')
        expect([...seen].filter((path) => path.includes('other'))).toEqual([])
      })

      test('the same folder with other rules', async () => {
        write('src/a/file')
        write('src/b/file')
        await watch({ path: at('src'), ignored: (path) => path === 'a' })
        await watch({ path: at('src'), ignored: (path) => path === 'b' })
        write('src/b/file', 'changed')
        write('src/a/file', 'changed')
        await until(() => seen.has(at('src/a/file')))
        await settled('src')
        expect([...seen].filter((path) => path.includes('/b'))).toEqual([])
      })

      test('none', async () => {
        write('src/file')
        await watch('src')
        await watch()
        write('src/file', 'changed')
        await watch('src')
        await settled('src')
        expect([...seen].filter((path) => !path.includes('mark-'))).toEqual([])
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
      await watcher.close()
      await watcher.close()
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
