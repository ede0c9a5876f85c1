// The part of the file watchers' contract that is about symbolic links and roots.
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { WatchRoot } from '../../src/ports/file-watcher.js'
import { nothingIgnored, type WatchHarness } from './watch-harness.js'

export function rootsContract(harness: WatchHarness): void {
  const { at, write, watch, until, covered, settled, forget, seen, state } = harness

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
      await until(() => state.rescans > 0)
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
      await until(() => state.rescans > 0)
      state.rescans = 0
      write('src/sub/file')
      await until(() => state.rescans > 0)
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
      await until(() => state.rescans > 0)
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
      await until(() => state.rescans > 0)
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
      await until(() => state.rescans > 0)
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
      await until(() => state.rescans > 0 && covered('p/x/file'))
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
}
