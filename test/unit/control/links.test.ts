// When links are tried, and what becomes of it, on a store with nothing but pods.
import { expect, onTestFinished, test } from 'vitest'
import { createLinksController } from '../../../src/control/links.js'
import type { ControlContext } from '../../../src/control/context.js'
import type { LinkOutcome } from '../../../src/model/link.js'
import type { TextValue } from '../../../src/model/plan.js'
import { createStore } from '../../../src/store/store.js'
import { appSpec, connected, freshState, loaded, plan, pod } from '../../support/states.js'
import { waitFor } from '../../support/wait-for.js'

const addressOf = (resource: string, port?: string): TextValue => [
  { kind: 'literal', text: 'http://' },
  { kind: 'address', resource, part: 'address', ...(port === undefined ? {} : { port }) },
]
const outside = { image: { ref: 'x' } } as const
const api = appSpec('api', { ...outside, env: { DB: addressOf('db'), AGAIN: addressOf('db', 'http'), OWN: addressOf('api') } })
const db = appSpec('db', { ...outside, ports: { http: 5432 } })
const deployed = (resource: string) =>
  [
    { type: 'deploy/started', resource, key: `key of ${resource}` },
    { type: 'deploy/finished', resource, runtime: 1, templates: ['t1'], warnings: [] },
  ] as const

/** A controller on a state in which both run. `answer` says what a try comes to. */
function started(answer: (host: string, how: 'stream' | 'runtime') => LinkOutcome | Promise<LinkOutcome>, withStream = true) {
  const store = createStore({
    initial: freshState(),
    onDefect: (thrown) => {
      throw thrown
    },
  })
  const tries: string[] = []
  const lines: string[] = []
  const reach = (how: 'stream' | 'runtime', host: string, port: number): Promise<LinkOutcome> => {
    tries.push(`${how} ${host}:${port}`)
    return Promise.resolve(answer(host, how))
  }
  const context = {
    store,
    runtime: { current: { reach: (_from: unknown, to: { host: string; port: number }) => reach('runtime', to.host, to.port) } },
    dialers: new Map(
      withStream ? [['of api', (to: { host: string; port: number }) => reach('stream', to.host, to.port)] as const] : [],
    ),
    log: ({ text }: { text: string }) => lines.push(text),
    onDefect: (thrown: unknown) => {
      throw thrown
    },
  } as unknown as ControlContext
  const controller = createLinksController(context)
  onTestFinished(() => controller.stop())
  store.dispatch(connected)
  store.dispatch(loaded(plan([api, db])))
  for (const action of [...deployed('api'), ...deployed('db')]) store.dispatch(action)
  store.dispatch(pod('api', { image: 'x', uid: 'api', containerId: 'of api' }))
  store.dispatch(pod('db', { image: 'x', uid: 'db', containerId: 'of db' }))
  const links = () => store.state().links.api
  const told = (what: string, check: (outcome: LinkOutcome | undefined) => boolean): Promise<unknown> =>
    waitFor(() => check(links()?.[0]?.outcome), { what })
  return { store, tries, lines, links, told }
}

test('each link once, by the stream that is open; again when the pods of what it uses change', async () => {
  let answer: LinkOutcome = { state: 'ok' }
  const { store, tries, lines, links, told } = started(() => answer)
  await told('the link to be tried', (outcome) => outcome?.state === 'ok')
  expect(links()).toEqual([{ to: 'db', address: 'db:5432', outcome: { state: 'ok' } }])
  expect(tries).toEqual(['stream db:5432'])

  answer = { state: 'failed', step: 'tcp', why: 'refused' }
  store.dispatch(pod('db', { image: 'x', uid: 'db', containerId: 'of db', ready: false, rolledOut: false }))
  await told('it to fail', (outcome) => outcome?.state === 'failed')
  answer = { state: 'ok' }
  store.dispatch(pod('db', { image: 'x', uid: 'another', containerId: 'of another' }))
  await told('it to work again', (outcome) => outcome?.state === 'ok')
  expect(lines).toEqual(['the link to db (db:5432) fails: no connection: refused', 'the link to db (db:5432) works again'])
  expect(tries).toHaveLength(3)
})

test('one that fails is tried again by itself', async () => {
  const outcomes: LinkOutcome[] = [{ state: 'failed', step: 'dns', why: 'no such host' }]
  const { lines, told } = started(() => outcomes.shift() ?? { state: 'ok' })
  await told('it to fail', (outcome) => outcome?.state === 'failed')
  await told('it to work, with nothing changed', (outcome) => outcome?.state === 'ok')
  expect(lines[0]).toBe('the link to db (db:5432) fails: its name is not known: no such host')
})

test('without a stream by the runtime; what is lost is unknown, and what has left is forgotten', async () => {
  const { store, tries, links, told } = started((_host, how) => ({ state: 'unknown', why: `by ${how}` }), false)
  await told('it to be tried', (outcome) => outcome?.state === 'unknown' && outcome.why === 'by runtime')
  expect(tries).toEqual(['runtime db:5432'])
  // no container to try it from
  store.dispatch({ type: 'resource/observed', resource: 'api', observed: { rolledOut: false, pods: [] } })
  await waitFor(() => links() === undefined, { what: 'the outcome to be forgotten' })
  store.dispatch(pod('api', { image: 'x', uid: 'api', containerId: 'of api' }))
  await waitFor(() => links() !== undefined, { what: 'it to be tried again' })
  store.dispatch({ type: 'devloopfile/loaded', wanted: 2, plan: plan([appSpec('api', { ...outside }), db]), loadMs: 1 })
  await waitFor(() => links() === undefined, { what: 'the link to be forgotten' })
})

test('what changes while a try goes on is tried again at once, whatever comes of that', async () => {
  let end: (outcome: LinkOutcome) => void = () => {}
  const outcomes: (LinkOutcome | Promise<LinkOutcome>)[] = [new Promise<LinkOutcome>((resolve) => (end = resolve))]
  const { store, tries, told } = started(() => outcomes.shift() ?? { state: 'ok' })
  await waitFor(() => tries.length === 1, { what: 'a try to begin' })
  store.dispatch(pod('db', { image: 'x', uid: 'another', containerId: 'of another' }))
  // the change is looked at before the try ends
  await new Promise((resolve) => setTimeout(resolve, 0))
  end({ state: 'unknown', why: 'there was no stream yet' })
  await told('the link to be tried again, and not in two minutes', (outcome) => outcome?.state === 'ok')
  expect(tries).toHaveLength(2)
})
