import { describe, expect, it } from 'vitest'
import { changeEnd, changeTitle, stageSpans, stagesText } from '../../../../src/client/status/change-words.js'
import { resourceGroups } from '../../../../src/client/status/groups.js'
import { stepMark, stepTime } from '../../../../src/client/status/image-words.js'
import { isBroken, podWords } from '../../../../src/client/status/resource-words.js'
import { overall } from '../../../../src/client/status/session-words.js'
import { changesFor, imagesUsed } from '../../../../src/client/status/views.js'
import type { ImageView, PodView, View } from '../../../../src/protocol/messages.js'
import { asMap, buildError, change, endpoint, resource, session, shop } from '../../cli/views.js'

const image = (name: string, over: Partial<ImageView> = {}): ImageView => ({
  kind: 'image',
  name,
  state: 'built',
  steps: [],
  files: 0,
  overlay: 0,
  ...over,
})

describe('resourceGroups', () => {
  const names = (...views: readonly View[]): string[] =>
    resourceGroups(asMap(...views)).map(({ label, resources }) => `${label}: ${resources.map((one) => one.name).join(' ')}`)

  it('shows each resource once, under its first label, in the order of the Devloopfile', () => {
    expect(
      names(
        session(),
        resource('web', { labels: ['front', 'all'] }),
        resource('db'),
        resource('api', { labels: ['back'] }),
        resource('docs', { labels: ['front'] }),
      ),
    ).toEqual(['front: web docs', 'undefined: db', 'back: api'])
  })

  it('puts what is broken first, and moves nothing that is merely at work', () => {
    expect(
      names(
        resource('db'),
        resource('busy', { status: 'updating', activity: 'building' }),
        resource('a', { labels: ['jobs'] }),
        resource('b', { labels: ['jobs'], status: 'failed', error: buildError }),
      ),
    ).toEqual(['jobs: b a', 'undefined: db busy'])
  })

  it('takes an address that does not work as broken', () => {
    expect(isBroken(resource('a'))).toBe(false)
    expect(isBroken(resource('a', { endpoints: [{ ...endpoint(80), state: 'failed', error: buildError }] }))).toBe(true)
  })
})

describe('overall', () => {
  const ready = session({ ready: true })
  it.each([
    ['nothing known', [], 'busy: connecting'],
    ['a failed resource', shop(), 'bad: failed: web'],
    [
      'many failed resources',
      [ready, ...['a', 'b', 'c', 'd', 'e'].map((name) => resource(name, { status: 'failed' }))],
      'bad: failed: a, b, c and 2 more',
    ],
    [
      'a bad edit before all else',
      [...shop().slice(1), session({ devloopfile: { file: '/p/D.ts', state: 'failed', generation: 2, error: buildError } })],
      'bad: the Devloopfile has an error; the last good plan runs',
    ],
    ['a problem of no resource', [session({ ready: true, problems: [buildError] })], `bad: ${buildError.message}`],
    ['a lost connection', [session({ runtime: { kind: 'kubernetes', state: 'lost' } }), resource('a')], 'warn: connection lost'],
    [
      'a build',
      [session(), resource('a'), resource('b', { status: 'updating', activity: 'building shop/b [2/4] RUN npm ci' })],
      'busy: building shop/b [2/4] RUN npm ci',
    ],
    ['waiting', [session(), resource('a'), resource('b', { status: 'pending' })], 'busy: 1 of 2 ready'],
    ['a save under way', [ready, resource('a'), change('c1')], 'busy: syncing'],
    ['a save that is live', [ready, resource('a'), change('c1', { outcome: 'live', liveMs: 24 })], 'good: live in 24 ms'],
    [
      'a save that changed nothing does not hide the one before',
      [ready, change('c1', { outcome: 'live', liveMs: 24 }), change('c2', { at: 2000, outcome: 'nothing' })],
      'good: live in 24 ms',
    ],
    ['all well', [ready, resource('a')], 'good: ready'],
  ])('%s', (_, views, expected) => {
    const { text, tone } = overall(asMap(...views))
    expect(`${tone}: ${text}`).toBe(expected)
  })
})

describe('changes', () => {
  const stages = [
    { stage: 'seen', ms: 3 },
    { stage: 'ran', ms: 1503, detail: 'npm ci' },
  ]
  it('have stages that begin where the one before ended', () => {
    expect(stageSpans({ stages })).toEqual([
      { stage: 'seen', fromMs: 0, toMs: 3 },
      { stage: 'ran', detail: 'npm ci', fromMs: 3, toMs: 1503 },
    ])
    expect(stagesText({ stages })).toBe('seen +3 ms, ran npm ci +1.5 s')
  })
  it('have a title and an end', () => {
    expect(changeTitle(change('c', { paths: ['a', 'b'], pathCount: 5, cameFrom: ['api-1'] }))).toBe('a and 4 more from api-1')
    expect(changeEnd(change('c', { outcome: 'live', liveMs: 1800 }))).toEqual({ text: 'live in 1.8 s', tone: 'good' })
    expect(changeEnd(change('c', { outcome: 'superseded' }))).toEqual({ text: 'superseded', tone: 'quiet' })
  })
  it('are found by resource, and by an image that one of its images is built on', () => {
    const api = resource('api', { images: ['shop/api'] })
    const views = asMap(
      api,
      image('shop/api', { bases: ['base'] }),
      image('base'),
      image('other'),
      change('c1', { resources: ['api'], images: [] }),
      change('c2', { at: 2, images: [{ image: 'base', action: 'rebuild', why: 'x' }] }),
      change('c3', { images: [{ image: 'other', action: 'rebuild', why: 'x' }] }),
    )
    expect(imagesUsed(views, [api]).map(({ name }) => name)).toEqual(['base', 'shop/api'])
    expect(changesFor(views, api).map(({ name }) => name)).toEqual(['c2', 'c1'])
  })
})

describe('pods and build steps', () => {
  const pod: PodView = { name: 'p', phase: 'running', current: true, ready: true, restarts: 0, containers: [], targets: [] }
  it.each([
    [pod, 'good: running, ready'],
    [{ ...pod, ready: false, restarts: 1 }, 'busy: running, not ready, 1 restart'],
    [{ ...pod, phase: 'failed' as const, ready: false, restarts: 4 }, 'bad: failed, 4 restarts'],
    [{ ...pod, phase: 'terminating' as const, ready: false }, 'quiet: terminating'],
    [{ ...pod, phase: 'succeeded' as const, ready: false }, 'good: succeeded'],
  ])('%o', (one, expected) => {
    const { text, tone } = podWords(one)
    expect(`${tone}: ${text}`).toBe(expected)
  })
  it('say how long a step took or runs', () => {
    expect(stepTime({ name: 'RUN', state: 'running', startedAt: 1000 }, 3500)).toBe('2 s')
    expect(stepTime({ name: 'RUN', state: 'done', ms: 120 }, 3500)).toBe('120 ms')
    expect(stepTime({ name: 'RUN', state: 'cached', ms: 0 }, 3500)).toBe('cached')
    expect(stepTime({ name: 'RUN', state: 'done' }, 3500)).toBe('')
    expect(stepMark({ name: 'RUN', state: 'failed' }).tone).toBe('bad')
  })
})
