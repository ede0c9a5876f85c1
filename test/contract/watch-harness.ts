// Watches folders of a temporary folder and keeps what is told, for the contract of file watchers.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { FileWatcher, WatchRoot } from '../../src/ports/file-watcher.js'

export const nothingIgnored = (): boolean => false

export type WatchHarness = ReturnType<typeof createWatchHarness>

/** To be called within a `describe`: every test gets a folder and a watcher of its own. */
export function createWatchHarness(create: () => FileWatcher) {
  let base = ''
  let heard = (): void => {}
  const seen = new Set<string>()
  const state = { watcher: undefined as unknown as FileWatcher, rescans: 0 }

  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'devloop-watch-')))
    state.watcher = create()
    state.rescans = 0
    seen.clear()
    heard = () => {}
    state.watcher.onEvent((event) => {
      for (const path of event.paths) seen.add(path)
      if (event.rescan) state.rescans++
      heard()
    })
  })

  afterEach(async () => {
    await state.watcher.close()
    rmSync(base, { recursive: true, force: true })
  })

  /** A path below the test's folder. */
  const at = (path: string): string => join(base, path)
  const write = (path: string, content = 'x'): void => {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), content)
  }
  const watch = (...roots: (string | WatchRoot)[]): Promise<void> =>
    state.watcher.setRoots(roots.map((root) => (typeof root === 'string' ? { path: at(root), ignored: nothingIgnored } : root)))
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
    state.rescans = 0
  }

  return { at, write, watch, until, covered, untilCovered, settled, forget, seen, state }
}
