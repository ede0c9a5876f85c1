// What a save of a file leads to, in the states in which the rules alone do not say that.
import { expect, test } from 'vitest'
import type { ControlContext } from '../../../src/control/context.js'
import { explainPath } from '../../../src/daemon/why.js'
import { DevloopError } from '../../../src/errors/devloop-error.js'
import { compileLiveRules } from '../../../src/model/live-rules.js'
import type { State } from '../../../src/model/state.js'
import type { WhyAnswer } from '../../../src/protocol/messages.js'
import type { TargetPatch } from '../../../src/store/actions.js'
import { createLarge } from '../../../src/store/large.js'
import type { NewAction } from '../../../src/store/store.js'
import { appSpec, connected, freshState, imageSpec, loaded, plan, play, pod, record, scanned } from '../../support/states.js'

const spec = imageSpec('web')
const drift = { rebuild: 0, overlay: 0 }
const running = play(
  freshState(),
  loaded(plan([appSpec('web')], [spec])),
  connected,
  scanned('web'),
  { type: 'image/record', image: 'web', record: record('d1'), drift },
  pod('web'),
)
const patched = (patch: TargetPatch): NewAction => ({ type: 'target/patch', target: 'c1', patch })
const denied = new DevloopError('sync/permission', 'User 1000 may not write /app/src/a.js in container main.').info

function why(state: State): WhyAnswer | undefined {
  const large = createLarge()
  large.images.set('web', {
    tree: new Map(),
    record: null,
    drift: { rebuild: new Map(), overlay: new Map() },
    rules: compileLiveRules(spec),
    held: new Set(),
    keep: () => undefined,
    ignored: () => false,
  })
  const context = { store: { state: () => state }, large } as unknown as ControlContext
  return explainPath(context, '/p/web/src/a.js').answers[0]
}

test('what carries the file into the containers is told', () => {
  expect(why(play(running, patched({ transport: 'shell loop (tar)' })))).toMatchObject({
    action: 'sync',
    effects: ['written to /app/src/a.js', 'carried by: shell loop (tar)'],
  })
})

test('a container that it cannot be written into now is told', () => {
  const full = new DevloopError('sync/disk-full', 'There is no space left in container main.').info
  expect(why(play(running, patched({ status: 'failed', error: full })))).toMatchObject({
    action: 'sync',
    effects: [
      'written to /app/src/a.js',
      'fails now in web-1/main (sync/disk-full): There is no space left in container main. Free space in the container, or raise its storage limit.',
    ],
  })
})

test('where live sync cannot be used, a save is built, and the reason is told', () => {
  expect(why(play(running, { type: 'image/sync-blocked', image: 'web', error: denied, drift }))).toMatchObject({
    action: 'rebuild',
    rule: expect.stringMatching(/^sync\("src", "\/app\/src"\)/) as string,
    effects: [
      "live sync cannot be used (sync/permission): User 1000 may not write /app/src/a.js in container main. Give the folder to the container's user in the Dockerfile; until then, saves rebuild the image.",
      'the image is built again and rolled out',
    ],
  })
})
