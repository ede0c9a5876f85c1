// Whatever part of the state is selected, whatever changes and whenever connections break: in the end the client has that part, whole.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectDevloop } from '../../src/client/connect.js'
import type { ChangeView, ImageView, StateSelection, View } from '../../src/protocol/messages.js'
import { changeView, imageView, resourceView, sessionView, startTestServer } from '../support/status-server.js'
import { tappedSocket, type TappedSocket } from '../support/tapped-socket.js'

const resources = ['a', 'b', 'c/d', 'image/a']
const images = ['x', 'y', 'z']
const some = (of: readonly string[]): fc.Arbitrary<string[]> => fc.subarray([...of])
const name = fc.constantFrom(...resources)

const selection: fc.Arbitrary<StateSelection | null> = fc.oneof(
  fc.constant(null),
  fc.record(
    { kinds: fc.subarray<View['kind']>(['resource', 'image', 'change']), resources: some(resources) },
    { requiredKeys: [] },
  ),
  fc.record({ resources: some(resources) }),
)
const view: fc.Arbitrary<View> = fc.oneof(
  fc
    .record({ name, images: some(images), text: fc.string({ maxLength: 3 }) })
    .map((one): View => ({ ...resourceView(one.name, one.text), images: one.images })),
  fc
    .record({ name: fc.constantFrom(...images), bases: some(images), files: fc.nat(3) })
    .map(({ name: image, ...more }): View => ({ ...imageView(image), ...more })),
  fc
    .record({ name: fc.constantFrom('c1', 'c2'), at: fc.nat(3), resources: some(resources), image: fc.constantFrom(...images) })
    .map((one): View => ({
      ...changeView(one.name),
      at: one.at,
      resources: one.resources,
      images: [{ image: one.image, action: one.at === 0 ? 'none' : 'sync', why: '' }],
    })),
)
const key = fc.oneof(
  name.map((one) => `resource/${one}`),
  fc.constantFrom(...images).map((one) => `image/${one}`),
  fc.constantFrom('change/c1', 'change/c2'),
)
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), view }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('select' as const), selection }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('catch up' as const) }) },
)

/** The part that a selection means, said another way than the server does. */
function part(views: ReadonlyMap<string, View>, wish: StateSelection | null): Map<string, View> {
  const all = [...views.values()]
  const mine = all.filter((one) => one.kind === 'resource' && wish?.resources?.includes(one.name))
  const used = new Set(mine.flatMap((one) => (one.kind === 'resource' ? one.images : [])))
  const based = all.filter((one): one is ImageView => one.kind === 'image' && used.has(one.name))
  const wanted = new Set([...used, ...based.flatMap((one) => one.bases ?? [])])
  const concerns = (one: ChangeView): boolean =>
    one.resources.some((each) => wish?.resources?.includes(each)) ||
    one.images.some((each) => each.action !== 'none' && wanted.has(each.image))
  const isWanted = (one: View): boolean => {
    if (one.kind === 'session') return true
    if (wish?.kinds && !wish.kinds.includes(one.kind)) return false
    if (!wish?.resources) return true
    if (one.kind === 'resource') return mine.includes(one)
    return one.kind === 'image' ? wanted.has(one.name) : concerns(one)
  }
  return new Map(all.filter(isWanted).map((one) => [`${one.kind}/${one.name}`, one]))
}

test('the client has the selected part after any sequence of changes, selections and cuts', async () => {
  let resumed = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 50 }), selection, async (steps, first) => {
      const daemon = await startTestServer({ limits: { paceMs: 1 } })
      daemon.views.set(sessionView())
      let socket: TappedSocket | undefined
      let wish = first
      const client = connectDevloop({
        endpoint: { socket: daemon.socket },
        backoff: { minMs: 1, maxMs: 2 },
        ...(first && { state: first }),
        createSocket: (endpoint) =>
          (socket = tappedSocket(endpoint, (text) => {
            if (/^{"type":"welcome".*"deltas"/.test(text)) resumed++
          })),
      })
      const told = new Map<string, unknown>()
      client.onViews(({ upserts, removes }) => {
        for (const gone of removes) told.delete(`${gone.kind}/${gone.name}`)
        for (const one of upserts) told.set(`${one.kind}/${one.name}`, one)
      })
      let marks = 0
      const catchUp = async (): Promise<void> => {
        const mark = String(++marks)
        daemon.views.set({ ...sessionView(), args: [mark] })
        const wanted = part(daemon.views.views(), wish)
        const sorted = (map: ReadonlyMap<string, unknown>): string =>
          JSON.stringify([...map].toSorted(([one], [other]) => (one < other ? -1 : 1)))
        await client.waitFor(() => sorted(client.views()) === sorted(wanted), { timeoutMs: 5_000 }).catch(() => undefined)
        expect(new Map(client.views())).toEqual(wanted)
        expect(told).toEqual(wanted)
      }
      try {
        await client.whenOpen()
        for (const each of steps) {
          if (each.do === 'set') daemon.views.set(each.view)
          else if (each.do === 'remove') daemon.views.remove(each.key)
          else if (each.do === 'select') client.select((wish = each.selection))
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
    }),
    { numRuns: 60 },
  )
  expect(resumed).toBeGreaterThan(0)
}, 60_000)
