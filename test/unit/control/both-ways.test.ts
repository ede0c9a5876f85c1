// What comes back from a container, down to a real folder.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createSourceWriter } from '../../../src/adapters/disk/source-writer.js'
import { createBothWays } from '../../../src/control/both-ways.js'
import type { ControlContext } from '../../../src/control/context.js'
import type { Layers } from '../../../src/control/sync-layers.js'
import { DevloopError } from '../../../src/errors/devloop-error.js'
import { compileLiveRules } from '../../../src/model/live-rules.js'
import type { TargetState } from '../../../src/model/state.js'
import { absent, type Entry } from '../../../src/model/tree.js'
import type { StateFiles } from '../../../src/ports/state-files.js'
import type { SyncSession } from '../../../src/ports/sync-transport.js'
import { createLarge } from '../../../src/store/large.js'
import { imageSpec } from '../../support/states.js'

const at = { file: '/p/Devloopfile.ts', line: 1 }
const { signal } = new AbortController()
const entryOf = (text: string): Entry => ({
  kind: 'file',
  hash: createHash('sha256').update(text).digest('hex'),
  mode: 0o644,
  size: text.length,
})

/** A container that has made some files, and a local folder, of which nothing is known yet. @param read what is read of a file */
async function container(files: Record<string, string>, read: (path: string) => string) {
  const context = await mkdtemp(join(tmpdir(), 'devloop-both-ways-'))
  onTestFinished(() => rm(context, { recursive: true, force: true }))
  await mkdir(join(context, 'dist'))
  const spec = imageSpec('web', { context, live: [{ kind: 'sync', from: 'dist', to: '/app/dist', bothWays: true, at }] })
  const [rules, large] = [compileLiveRules(spec), createLarge()]
  const drift = { rebuild: new Map(), overlay: new Map() }
  const own = {
    tree: new Map(),
    record: null,
    drift,
    rules,
    held: new Set<string>(),
    keep: () => undefined,
    ignored: () => false,
  }
  const layers: Layers = [{ spec, files: own }]
  const held = new Map(Object.entries(files).map(([path, text]) => [`/app/dist/${path}`, entryOf(text)]))
  const session = {
    description: 'agent',
    inspect: (paths: readonly string[]) => Promise.resolve(new Map(paths.map((path) => [path, held.get(path) ?? absent]))),
    watch(options) {
      options.onList(held)
      return Promise.resolve({ how: 'watched', ended: new Promise(() => {}), stop() {} })
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    async *read(path) {
      yield Buffer.from(read(path))
    },
  } as Partial<SyncSession> as SyncSession
  const stateFiles: Partial<StateFiles> = {
    common: () => Promise.resolve(undefined),
    setCommon: () => Promise.resolve(),
    noteCommon: () => Promise.resolve(),
  }
  /** What was known to be coming back when the local side was looked at. */
  const known: string[] = []
  const lookAt = (paths: readonly string[]): Promise<void> => {
    // as the watch controller does it with what it sees
    for (const path of paths) if (large.returns.delete(path)) known.push(path.slice(context.length + 1))
    return Promise.resolve()
  }
  const target = { resource: 'web', pod: 'web-1', container: 'main' } as TargetState
  const store = { state: () => ({ targets: { c1: target } }) }
  const all = { store, large, ports: { stateFiles, sourceWriter: createSourceWriter() }, lookAt: { current: lookAt } }
  const options = { id: 'c1', patch() {}, tell() {}, poke() {}, signal }
  const bothWays = createBothWays({ context: all as unknown as ControlContext, ...options })
  onTestFinished(() => bothWays.stop())
  const bringBack = async (): Promise<void> => {
    await bothWays.start(session, target, layers)
    bothWays.plan(layers)
    await bothWays.bringBack(session, layers)
  }
  return { folder: join(context, 'dist'), large, known, bringBack }
}

test('what comes back is known as such to who looks at the folder then', async () => {
  const { folder, large, known, bringBack } = await container(
    { 'new/a': 'A', b: 'B' },
    (path) => path.at(-1)?.toUpperCase() ?? '',
  )
  await bringBack()
  expect([await readFile(join(folder, 'new/a'), 'utf8'), await readFile(join(folder, 'b'), 'utf8')]).toEqual(['A', 'B'])
  expect(known.toSorted()).toEqual(['dist/b', 'dist/new/a'])
  expect([...large.returns.keys()]).toEqual([])
})

test('what does not come back is not taken for it when it is saved here later', async () => {
  const { folder, large, known, bringBack } = await container(
    { there: 'theirs', torn: 'whole', 'no\uFFFDname': 'x' },
    () => 'other',
  )
  await writeFile(join(folder, 'there'), 'saved meanwhile')
  await bringBack()
  expect(known).toEqual([])
  expect([...large.returns.keys()]).toEqual([])
  expect(await readFile(join(folder, 'there'), 'utf8')).toBe('saved meanwhile')
})

test('nor is what could not be read', async () => {
  const { large, bringBack } = await container({ a: 'A' }, () => {
    throw new DevloopError('sync/disconnected', 'The stream ended.')
  })
  await expect(bringBack()).rejects.toMatchObject({ code: 'sync/disconnected' })
  expect([...large.returns.keys()]).toEqual([])
})
