// Whatever is done to a folder, looking at what the watcher hints at leads to the same tree as reading everything anew.
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFileWatcher } from '../../src/adapters/chokidar/file-watcher.js'
import { createSourceFiles } from '../../src/adapters/disk/source-files.js'
import type { Entry } from '../../src/model/tree.js'

const name = fc.constantFrom('a', 'b', 'src', 'ignored')
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), path, text: fc.string({ maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), path, to: path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('link' as const), path, to: path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mkdir' as const), path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('chmod' as const), path, mode: fc.constantFrom(0o700, 0o755) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** Does it where it can be done: what stands in the way makes it impossible, as it would for a person. */
function perform(root: string, one: Operation): void {
  if (one.do === 'wait') return
  const target = join(root, one.path)
  try {
    if (one.do === 'remove') rmSync(target, { recursive: true, force: true })
    else if (one.do === 'chmod') chmodSync(target, one.mode)
    else if (one.do === 'mkdir') mkdirSync(target, { recursive: true })
    else if (one.do === 'move') renameSync(target, join(root, one.to))
    else {
      mkdirSync(dirname(target), { recursive: true })
      if (one.do === 'write') writeFileSync(target, one.text)
      else symlinkSync(join(root, one.to), target)
    }
  } catch {
    // impossible
  }
}

const { signal } = new AbortController()
const ignored = (one: string): boolean => one.split('/').includes('ignored')
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a tree that is kept up from hints is right in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const base = realpathSync(mkdtempSync(join(tmpdir(), 'devloop-property-')))
      const root = join(base, 'root')
      mkdirSync(root)
      const watcher = createFileWatcher()
      const files = createSourceFiles()
      let tree = new Map<string, Entry>()
      let hints = new Set<string>()
      let everything = false
      let heard = (): void => {}
      watcher.onEvent((event) => {
        for (const hint of event.paths) hints.add(hint)
        everything ||= event.rescan
        heard()
      })
      const catchUp = async (): Promise<void> => {
        const paths = [...hints].filter((hint) => hint.startsWith(`${root}/`)).map((hint) => hint.slice(root.length + 1))
        const all = everything || hints.has(root)
        hints = new Set()
        everything = false
        const found = all ? (await files.scan(root, ignored, signal)).tree : await files.look(root, paths, ignored, signal)
        if (all) tree = new Map()
        else
          for (const known of tree.keys())
            if (paths.some((one) => known === one || known.startsWith(`${one}/`))) tree.delete(known)
        for (const [one, entry] of found) if (entry) tree.set(one, entry)
      }
      try {
        await watcher.setRoots([{ path: root, ignored }])
        for (const one of operations) {
          perform(root, one)
          if (one.do !== 'wait') continue
          await turn()
          if (hints.size > 0) await catchUp()
        }
        // once a last file is told of, everything before it is
        const mark = join(root, 'mark')
        const marked = new Promise<void>((resolve) => {
          heard = () => {
            if (hints.has(mark) || everything) resolve()
          }
        })
        writeFileSync(mark, '')
        await marked
        // what was found while reading new folders follows in the next turns
        do {
          await catchUp()
          await turn()
          await turn()
        } while (hints.size > 0)
        const fresh = await createSourceFiles().scan(root, ignored, signal)
        expect(Object.fromEntries(tree)).toEqual(Object.fromEntries(fresh.tree))
      } finally {
        await watcher.close()
        rmSync(base, { recursive: true, force: true })
      }
    }),
    { numRuns: 150 },
  )
})
