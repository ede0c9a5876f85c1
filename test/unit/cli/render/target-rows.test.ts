// How `devloop status` shows the containers that files are synced into.
import { expect, test } from 'vitest'
import { plainStyle } from '../../../../src/cli/render/style.js'
import { targetRows } from '../../../../src/cli/render/target-rows.js'
import type { PodView, ResourceView, TargetView } from '../../../../src/protocol/messages.js'
import { resource } from '../views.js'

const target = (over: Partial<TargetView>): TargetView => ({
  container: 'main',
  image: 'shop/web',
  state: 'in-sync',
  behind: 0,
  transport: 'agent',
  ...over,
})

const rowsOf = (resources: readonly ResourceView[]): string[] =>
  targetRows(new Map(resources.map((one) => [`resource/${one.name}`, one])), { style: plainStyle, columns: Infinity })

const pods = (...targets: readonly (readonly TargetView[])[]): PodView[] =>
  targets.map((own, index) => ({
    name: `web-${index + 1}`,
    phase: 'running',
    current: true,
    ready: true,
    restarts: 0,
    containers: [],
    targets: own,
  }))

test('each container has its word: in sync, so many paths behind, or unknown', () => {
  const web = pods(
    [target({}), target({ container: 'side', state: 'behind', behind: 3, transport: 'shell loop (no tar)' })],
    [target({ state: 'unknown' }), target({ state: 'syncing', behind: 1000 })],
    [target({ state: 'failed', behind: 2 }), target({ state: 'connecting', transport: '' })],
  )
  expect(rowsOf([resource('web', { pods: web }), resource('other', {})])).toEqual([
    '  web-1/main  in sync               agent',
    '  web-1/side  3 behind              shell loop (no tar)',
    '  web-2/main  unknown               agent',
    '  web-2/main  syncing, 1000 behind  agent',
    '  web-3/main  failed, 2 behind      agent',
    '  web-3/main  connecting',
  ])
})

test('more than three of a resource that are alike are one line', () => {
  const all = [[target({})], [target({})], [target({ state: 'unknown' })], [target({})], [target({})]]
  expect(rowsOf([resource('web', { pods: pods(...all) })])).toEqual([
    '  web: 4 containers  in sync  agent',
    '  web-3/main         unknown  agent',
  ])
})
