// A part of the state, on real sockets: what is sent of it, and that nothing is sent of the rest.
import { expect, test } from 'vitest'
import { hello, isReply, isType } from '../../support/raw-client.js'
import { changeView, imageView, resourceView, sessionView } from '../../support/status-server.js'
import { request, useDaemons } from './fixtures/daemons.js'

const { start, client } = useDaemons()
const keysOf = (views: readonly { kind: string; name: string }[] = []): string[] =>
  views.map((view) => `${view.kind}/${view.name}`).toSorted()

test('a client of one resource of a hundred gets no delta of the others', async () => {
  const daemon = await start({ limits: { paceMs: 1, pingMs: 20 } })
  daemon.views.set(sessionView(), ...Array.from({ length: 100 }, (_, i) => resourceView(`r${i}`)))
  const raw = await client(daemon)
  raw.send(hello({ state: { resources: ['r7'] } }))
  expect(keysOf((await raw.take(isType('welcome'))).snapshot)).toEqual(['resource/r7', 'session/session'])
  for (let i = 0; i < 100; i++) if (i !== 7) daemon.views.set(resourceView(`r${i}`, 'building'))
  daemon.views.remove('resource/r8')
  // its number goes on all the same
  const seq = daemon.views.seq()
  await raw.take((message) => isType('ping')(message) && message.seq === seq)
  expect(raw.received.filter(isType('delta'))).toEqual([])
  daemon.views.set(resourceView('r7', 'building'))
  expect(await raw.take(isType('delta'))).toEqual({
    type: 'delta',
    seq: seq + 1,
    upserts: [resourceView('r7', 'building')],
    removes: [],
  })
})

test('images and changes that concern a resource belong to it, and come and go', async () => {
  const daemon = await start({ limits: { paceMs: 1 } })
  const based = { ...imageView('api'), bases: ['base'] }
  daemon.views.set(sessionView(), resourceView('api'), resourceView('web'), based, imageView('base'), imageView('web'))
  daemon.views.set({ ...changeView('c1'), resources: ['web'] }, { ...changeView('c2'), resources: ['web', 'api'] })
  const raw = await client(daemon)
  raw.send(hello({ state: { resources: ['api'] } }))
  expect(keysOf((await raw.take(isType('welcome'))).snapshot)).toEqual(['change/c2', 'resource/api', 'session/session'])

  daemon.views.set({ ...resourceView('api'), images: ['api'] })
  expect(keysOf((await raw.take(isType('delta'))).upserts)).toEqual(['image/api', 'image/base', 'resource/api'])

  daemon.views.set({ ...changeView('c3'), images: [{ image: 'base', action: 'sync', why: '' }] })
  expect(keysOf((await raw.take(isType('delta'))).upserts)).toEqual(['change/c3'])

  daemon.views.set(imageView('api'))
  expect(await raw.take(isType('delta'))).toMatchObject({
    upserts: [{ kind: 'image', name: 'api' }],
    removes: [
      { kind: 'image', name: 'base' },
      { kind: 'change', name: 'c3' },
    ],
  })
})

test('another selection is answered by the whole of it, and null by everything', async () => {
  const daemon = await start({ limits: { paceMs: 1 } })
  daemon.views.set(sessionView(), resourceView('api'), imageView('api'), changeView('c1'))
  const raw = await client(daemon)
  raw.send(hello({ topics: [] }))
  expect(await raw.take(isType('welcome'))).not.toHaveProperty('snapshot')
  raw.send({ type: 'state', state: { kinds: ['change', 'later'] } })
  const snapshot = await raw.take(isType('snapshot'))
  expect([snapshot.seq, keysOf(snapshot.views)]).toEqual([daemon.views.seq(), ['change/c1', 'session/session']])
  daemon.views.set(resourceView('api', 'x'))
  daemon.views.set({ ...changeView('c1'), at: 5 })
  expect(keysOf((await raw.take(isType('delta'))).upserts)).toEqual(['change/c1'])
  raw.send({ type: 'state', state: null })
  expect(keysOf((await raw.take(isType('snapshot'))).views)).toHaveLength(4)
  daemon.views.set(resourceView('api', 'y'))
  expect(keysOf((await raw.take(isType('delta'))).upserts)).toEqual(['resource/api'])
})

test('a resume with a selection sends what changed of it, and takes back what left it', async () => {
  const daemon = await start()
  daemon.views.set(sessionView(), { ...resourceView('api'), images: ['x'] }, resourceView('web'), imageView('x'), imageView('y'))
  const before = await client(daemon)
  before.send(hello())
  const { seq } = await before.take(isType('welcome'))
  daemon.views.set(resourceView('web', 'building'))
  const resume = { epoch: daemon.epoch, seq }
  const state = { resources: ['api'] }
  const quiet = await client(daemon)
  quiet.send(hello({ state, resume }))
  expect((await quiet.take(isType('welcome'))).deltas).toEqual({ upserts: [], removes: [] })

  daemon.views.set({ ...resourceView('api'), images: ['y'] })
  const raw = await client(daemon)
  raw.send(hello({ state, resume }))
  const { deltas } = await raw.take(isType('welcome'))
  // `y` has not changed, but did not belong to it before
  expect(keysOf(deltas?.upserts)).toEqual(expect.arrayContaining(['image/y', 'resource/api']))
  expect(keysOf(deltas?.removes)).toEqual(['image/x'])

  const fresh = await client(daemon)
  fresh.send(hello({ state, resume: { epoch: daemon.epoch } }))
  expect(keysOf((await fresh.take(isType('welcome'))).snapshot)).toEqual(['image/y', 'resource/api', 'session/session'])
})

test.each([
  ['a selection that is none', { type: 'state' }, 'state must be an object, not left out'],
  ['kinds that are no list', { type: 'state', state: { kinds: 'image' } }, 'state.kinds must be a list'],
  ['resources that are no names', { type: 'state', state: { resources: [1] } }, 'state.resources[0] must be a string'],
])('%s is one clear error', async (_name, message, expected) => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(hello())
  raw.send(message)
  raw.send(request(1, 'reload'))
  expect((await raw.take(isType('error'))).error.message).toContain(expected)
  await raw.take(isReply)
  expect(raw.received.filter(isType('snapshot'))).toEqual([])
})
