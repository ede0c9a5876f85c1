import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createStateFiles } from '../../../../src/adapters/disk/state-files.js'
import type { DevloopError } from '../../../../src/errors/devloop-error.js'
import type { BuildRecord } from '../../../../src/model/build-record.js'
import type { Tree } from '../../../../src/model/tree.js'
import type { StateFiles } from '../../../../src/ports/state-files.js'
import { bundleModule, forkModule } from '../../../support/fork-module.js'

let dir: string
let problems: DevloopError[]
let state: StateFiles

const open = (instance = 'i1'): StateFiles =>
  createStateFiles({ dir, project: 'shop', instance, onProblem: (error) => problems.push(error) })

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'devloop-state-'))
  problems = []
  state = open()
})
afterEach(async () => {
  await state.close()
  rmSync(dir, { recursive: true, force: true })
})

const tree: Tree = new Map([
  ['a b', { kind: 'file', hash: 'f'.repeat(64), mode: 0o755, size: 3 }],
  ['new\nline/"x"', { kind: 'link', target: '../\n' }],
  ['ä漢🙂', { kind: 'file', hash: '0'.repeat(64), mode: 0, size: 0 }],
])
const record = (changes: Partial<BuildRecord> = {}): BuildRecord => ({
  image: 'shop/api',
  runtime: 'kubernetes',
  digest: 'sha256:1',
  ref: 'registry/shop/api:1',
  inputs: 'inputs',
  tree,
  config: { entrypoint: ['node'], cmd: ['x', ''], workingDir: '/app', user: '', shell: true },
  builtAt: 1,
  ...changes,
})
const recordFiles = (): string[] => readdirSync(join(dir, 'records')).map((name) => join(dir, 'records', name))
const journals = (): string[] => readdirSync(join(dir, 'touched')).map((name) => join(dir, 'touched', name))

describe('build records', () => {
  test('come back as they were, each runtime its own, the newest of each image', async () => {
    await state.saveRecord(record({ digest: 'sha256:0' }))
    await state.saveRecord(record())
    await state.saveRecord(record({ image: 'shop/web', tree: new Map() }))
    const whole = record({
      image: 'shop/whole',
      engineRef: 'localhost:5000/w:1',
      bases: 'shop/base@sha256:1',
      baseRefs: ['registry/shop/base:1'],
      platform: 'linux/amd64',
    })
    await state.saveRecord(whole)
    await state.saveRecord(record({ image: 'shop-api', ref: 'other' }))
    await state.saveRecord(record({ runtime: 'process' }))
    const again = open()
    const byImage = (records: BuildRecord[]) => Object.fromEntries(records.map((one) => [one.image, one]))
    expect(byImage(await again.loadRecords('kubernetes'))).toEqual({
      'shop/whole': whole,
      'shop/api': record(),
      'shop/web': record({ image: 'shop/web', tree: new Map() }),
      'shop-api': record({ image: 'shop-api', ref: 'other' }),
    })
    expect(await again.loadRecords('process')).toEqual([record({ runtime: 'process' })])
    expect(problems).toEqual([])
  })

  test('none before the first', async () => {
    expect(await state.loadRecords('kubernetes')).toEqual([])
    expect(problems).toEqual([])
  })

  test('those of another instance are passed over', async () => {
    await state.saveRecord(record())
    expect(await open('i2').loadRecords('kubernetes')).toEqual([])
    expect(problems).toEqual([])
  })

  test('only this user can read them, and nothing temporary is left', async () => {
    await state.saveRecord(record())
    expect(statSync(join(dir, 'records')).mode & 0o777).toBe(0o700)
    expect(recordFiles().map((file) => statSync(file).mode & 0o777)).toEqual([0o600])
  })

  test('cut off anywhere, one is left out with a problem that names it, and the others are not', async () => {
    await state.saveRecord(record())
    const [file = ''] = recordFiles()
    const whole = readFileSync(file)
    await state.saveRecord(record({ image: 'other' }))
    for (let length = 0; length < whole.length; length += 7) {
      problems = []
      truncateSync(file, 0)
      writeFileSync(file, whole.subarray(0, length))
      expect((await state.loadRecords('kubernetes')).map((one) => one.image)).toEqual(['other'])
      expect(problems.map((error) => [error.code, error.message.includes(file)])).toEqual([['state/unreadable', true]])
    }
  })

  test.each([
    ['no JSON', () => 'x'],
    ['another format', (text: string) => text.replace('"format":1', '"format":99')],
    ['a field missing', (text: string) => text.replace('"digest"', '"digestion"')],
    ['a field of the wrong kind', (text: string) => text.replace('"cmd":["x",""]', '"cmd":[1]')],
    ['a path missing', (text: string) => text.replace(/\n\["a b".*\n/, '\n')],
    ['a path of the wrong kind', (text: string) => text.replace('["a b"', '[5')],
  ])('damaged: %s', async (_title, damage) => {
    await state.saveRecord(record())
    const [file = ''] = recordFiles()
    writeFileSync(file, damage(readFileSync(file, 'utf8')))
    expect(await state.loadRecords('kubernetes')).toEqual([])
    expect(problems.map((error) => error.code)).toEqual(['state/unreadable'])
  })

  test('50,000 paths', async () => {
    const large = new Map(
      Array.from({ length: 50_000 }, (_, i) => [
        `src/f${i}`,
        { kind: 'file' as const, hash: `${i}`.padStart(64, '0'), mode: 0o644, size: i },
      ]),
    )
    await state.saveRecord(record({ tree: large }))
    const [loaded] = await state.loadRecords('kubernetes')
    expect(loaded?.tree).toEqual(large)
  })

  test('a folder that cannot be written is an operational error', async () => {
    writeFileSync(join(dir, 'records'), '')
    await expect(state.saveRecord(record())).rejects.toMatchObject({ info: { code: 'state/unwritable' } })
  })
})

describe('what was touched in a container', () => {
  test('never, nothing, something; each container its own', async () => {
    expect(await state.touched('c1')).toBeUndefined()
    await state.touch('c1', [])
    await state.touch('containerd://c2', ['/a'])
    expect(await state.touched('c1')).toEqual(new Set())
    expect(await state.touched('containerd://c2')).toEqual(new Set(['/a']))
  })

  test('grows, over restarts too, and does not repeat itself', async () => {
    await state.touch('c', ['/a', '/b'])
    await state.touch('c', ['/a'])
    await state.touch('c', ['/b', '/c'])
    expect(readFileSync(journals()[0] ?? '', 'utf8').split('\n')).toHaveLength(4)
    await state.close()
    state = open()
    await state.touch('c', ['/d'])
    expect([...((await state.touched('c')) ?? [])]).toEqual(['/a', '/b', '/c', '/d'])
  })

  test('any string comes back', async () => {
    let count = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a\nb', '"', '\\', '\0owes 1', '', '\ud800'))),
        async (paths) => {
          const id = `c${count++}`
          await state.touch(id, paths)
          expect(await state.touched(id)).toEqual(new Set(paths))
        },
      ),
    )
  })

  test('a torn last line is left out, and spoils nothing that follows', async () => {
    await state.touch('c', ['/whole'])
    await state.close()
    const [file = ''] = journals()
    const torn = readFileSync(file).length
    appendFileSync(file, '"/to\\u00')
    state = open()
    expect(await state.touched('c')).toEqual(new Set(['/whole']))
    await state.touch('c', ['/next'])
    expect(await state.touched('c')).toEqual(new Set(['/whole', '/next']))
    expect(statSync(file).size).toBeGreaterThan(torn)
  })

  test('only containers that are kept are remembered', async () => {
    for (const id of ['a', 'containerd://b', 'x'.repeat(300)]) await state.touch(id, ['/p'])
    await state.keepContainers(new Set(['containerd://b', 'x'.repeat(300), 'never-touched']))
    expect(await state.touched('a')).toBeUndefined()
    expect(await state.touched('containerd://b')).toEqual(new Set(['/p']))
    expect(await state.touched('x'.repeat(300))).toEqual(new Set(['/p']))
    expect(await state.touched('never-touched')).toBeUndefined()
    await state.touch('a', ['/q'])
    expect(await state.touched('a')).toEqual(new Set(['/q']))
  })

  test('more containers than files are kept open', async () => {
    for (let round = 0; round < 2; round++) for (let i = 0; i < 200; i++) await state.touch(`c${i}`, [`/${round}`])
    expect(await state.touched('c0')).toEqual(new Set(['/0', '/1']))
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(150)
  })

  test('only this user can read it', async () => {
    await state.touch('c', ['/a'])
    expect(statSync(join(dir, 'touched')).mode & 0o777).toBe(0o700)
    expect(journals().map((file) => statSync(file).mode & 0o777)).toEqual([0o600])
  })

  test('a container id cannot lead out of the folder', async () => {
    await state.touch('../../x', ['/a'])
    await state.touch('..', ['/b'])
    expect(readdirSync(dir)).toEqual(['touched'])
    expect(await state.touched('..')).toEqual(new Set(['/b']))
  })

  test('a folder that cannot be written is an operational error, and the next try may succeed', async () => {
    writeFileSync(join(dir, 'touched'), '')
    await expect(state.touch('c', ['/a'])).rejects.toMatchObject({ info: { code: 'state/unwritable' } })
    rmSync(join(dir, 'touched'))
    await state.touch('c', ['/a'])
    expect(await state.touched('c')).toEqual(new Set(['/a']))
  })

  test('survives a SIGKILL right after', async () => {
    const module = await bundleModule(fileURLToPath(new URL('./touch-and-die.ts', import.meta.url)))
    const { ended } = forkModule(module, [dir])
    expect((await ended).signal).toBe('SIGKILL')
    const touched = await state.touched('c')
    expect(touched).toHaveLength(1001)
    expect(touched).toContain('/last\n')
    expect(await state.loadRecords('kubernetes')).toEqual([record({ tree: new Map() })])
  })
})
