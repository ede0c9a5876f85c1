import { appendFileSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCommonStates } from '../../../../src/adapters/disk/common-states.js'
import { absent, type Entry, type Wanted } from '../../../../src/model/tree.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devloop-common-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const file = (hash: string): Entry => ({ kind: 'file', hash, mode: 0o644, size: 1 })

test('what was noted is there again, for each place, with its changes in order', async () => {
  const states = createCommonStates(folder)
  expect(await states.load('ns/a/web')).toBe(undefined)
  await states.set('ns/a/web', {
    containerId: 'one',
    tree: new Map([
      ['/a', file('1')],
      ['/odd\n"name', file('1')],
    ]),
  })
  await states.set('ns/b/web', { containerId: 'two', tree: new Map() })
  states.note(
    'ns/a/web',
    new Map<string, Wanted>([
      ['/a', file('2')],
      ['/l', { kind: 'link', target: 'x' }],
    ]),
  )
  states.note(
    'ns/a/web',
    new Map<string, Wanted>([
      ['/odd\n"name', absent],
      ['/a', file('3')],
    ]),
  )
  const again = createCommonStates(folder)
  expect(await again.load('ns/a/web')).toEqual({
    containerId: 'one',
    tree: new Map<string, Entry>([
      ['/a', file('3')],
      ['/l', { kind: 'link', target: 'x' }],
    ]),
  })
  expect(await again.load('ns/b/web')).toEqual({ containerId: 'two', tree: new Map() })
})

test('a torn line spoils no other', async () => {
  const states = createCommonStates(folder)
  await states.set('p', { containerId: 'one', tree: new Map([['/a', file('1')]]) })
  appendFileSync(join(folder, readdirSync(folder)[0] ?? ''), '\n["/b",{"kind":"fi')
  states.note('p', new Map([['/c', file('2')]]))
  expect(await states.load('p')).toEqual({
    containerId: 'one',
    tree: new Map([
      ['/a', file('1')],
      ['/c', file('2')],
    ]),
  })
})

test('what is not kept is forgotten when it has been away for long', async () => {
  const states = createCommonStates(folder)
  for (const place of ['kept', 'away', 'long away']) await states.set(place, { containerId: place, tree: new Map() })
  const [before] = [new Set(readdirSync(folder))]
  await states.keep(new Set(['kept', 'away', 'long away']))
  expect(new Set(readdirSync(folder))).toEqual(before)
  const long = Date.now() / 1000 - 30 * 24 * 3600
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), long, long)
  await states.set('away', { containerId: 'away', tree: new Map() })
  await states.keep(new Set(['kept']))
  expect(
    [await states.load('kept'), await states.load('away'), await states.load('long away')].map((one) => one?.containerId),
  ).toEqual(['kept', 'away', undefined])
})
