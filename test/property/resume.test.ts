// Whatever changes and whenever connections break: in the end the client's state is the daemon's.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectDevloop } from '../../src/client/connect.js'
import { resourceView, startTestServer } from '../support/status-server.js'
import { tappedSocket, type TappedSocket } from '../support/tapped-socket.js'

const name = fc.constantFrom('a', 'b', 'c', 'd/e', 'f')
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), name, text: fc.string({ maxLength: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove' as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('bump' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('catch up' as const) }) },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
const missedRemovals: Step[] = [
  { do: 'set', name: 'a', text: '' },
  { do: 'set', name: 'b', text: '' },
  { do: 'catch up' },
  { do: 'cut' },
  { do: 'remove', name: 'a' },
  { do: 'remove', name: 'b' },
  { do: 'catch up' },
]

test('client state equals server state after any sequence of changes and cuts', async () => {
  let resumed = 0
  let whole = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 0, max: 4 }),
      async (steps, tombstones) => {
        const daemon = await startTestServer({ limits: { tombstones, paceMs: 1 } })
        let socket: TappedSocket | undefined
        const client = connectDevloop({
          endpoint: { socket: daemon.socket },
          backoff: { minMs: 1, maxMs: 2 },
          createSocket: (endpoint) =>
            (socket = tappedSocket(endpoint, (text) => {
              if (!text.startsWith('{"type":"welcome"')) return
              if (text.includes('"deltas"')) resumed++
              else whole++
            })),
        })
        // A second copy, made of the changes that listeners are told: it must come out the same.
        const told = new Map<string, unknown>()
        client.onViews(({ upserts, removes }) => {
          for (const key of removes) told.delete(`${key.kind}/${key.name}`)
          for (const view of upserts) told.set(`${view.kind}/${view.name}`, view)
        })
        const catchUp = async (): Promise<void> => {
          daemon.views.set(resourceView('mark', String(daemon.views.seq())))
          const mark = daemon.views.views().get('resource/mark')
          await client.waitFor((views) => JSON.stringify(views.get('resource/mark')) === JSON.stringify(mark))
          expect(new Map(client.views())).toEqual(new Map(daemon.views.views()))
          expect(told).toEqual(new Map(daemon.views.views()))
        }
        try {
          await client.whenOpen()
          for (const each of steps) {
            if (each.do === 'set') daemon.views.set(resourceView(each.name, each.text))
            else if (each.do === 'remove') daemon.views.remove(`resource/${each.name}`)
            else if (each.do === 'bump') daemon.views.bump()
            else if (each.do === 'cut') socket?.terminate()
            else if (each.do === 'tick') await new Promise((resolve) => setImmediate(resolve))
            else await catchUp()
          }
          await catchUp()
          expect(daemon.defects).toEqual([])
        } finally {
          client.close()
          await daemon.close()
        }
      },
    ),
    // The first two make sure that both ways are taken: too little is remembered, and enough.
    { numRuns: 60, examples: [0, 4].map((tombstones) => [missedRemovals, tombstones]) },
  )
  expect(resumed).toBeGreaterThan(0)
  // each run begins with one
  expect(whole).toBeGreaterThan(60)
}, 60_000)
