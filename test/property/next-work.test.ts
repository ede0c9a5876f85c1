// Whatever happens, in whatever order: the next work keeps to its limits, starts nothing that is held, and is never at a loss for why.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { GraphSettings, LocalSpec, Plan, ResourceSpec } from '../../src/model/plan.js'
import type { ResourceState, State } from '../../src/model/state.js'
import { isActive, isAtRest, isTargetDue } from '../../src/store/graph-status.js'
import { nextWork, type NextWork } from '../../src/store/next-work.js'
import { resourceImages } from '../../src/store/resource-images.js'
import type { NewAction } from '../../src/store/store.js'
import { plainGraph } from '../support/plain-graph.js'
import { appSpec, connected, freshState, imageSpec, loaded, plan, play, record, scanned } from '../support/states.js'

const at = { file: '/p/Devloopfile.ts', line: 1 }
const error = { code: 'build/failed', message: 'm', help: 'h' } as const
const images = ['i0', 'i1', 'i2']

/** Resources r0, r1, ...: each may need, or come after, those before it only. */
const planOf = fc
  .record({
    resources: fc.array(
      fc.record({
        kind: fc.constantFrom('app', 'app', 'plain', 'local', 'config'),
        image: fc.constantFrom(...images),
        needs: fc.array(fc.nat(), { maxLength: 2 }),
        after: fc.array(fc.nat(), { maxLength: 2 }),
        auto: fc.boolean(),
        trigger: fc.constantFrom('auto', 'auto', 'manual'),
        enabled: fc.constantFrom(true, true, true, false),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    builds: fc.integer({ min: 1, max: 3 }),
    deploys: fc.integer({ min: 1, max: 3 }),
    locals: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ resources, builds, deploys, locals }): Plan => {
    const specs = resources.map(({ kind, image, needs, after, auto, trigger, enabled }, index): ResourceSpec => {
      const earlier = (numbers: readonly number[]): string[] =>
        index === 0 ? [] : [...new Set(numbers.map((number) => `r${number % index}`))]
      const graph: GraphSettings = {
        ...plainGraph,
        needs: earlier(needs),
        rebuildAfter: earlier(after),
        auto,
        trigger: trigger as 'auto',
        enabled,
      }
      const local: LocalSpec = {
        kind: 'local',
        name: `r${index}`,
        run: 'x',
        restart: 'never',
        cwd: '/p',
        watch: [],
        env: {},
        ...graph,
        forward: [],
        at,
      }
      if (kind === 'local') return local
      if (kind === 'config') return { kind, name: `r${index}`, secret: false, sources: [], ...graph, forward: [], at }
      return appSpec(`r${index}`, { image: kind === 'app' ? { built: image } : { ref: 'x' }, ...graph })
    })
    const whole = plan(
      specs,
      images.map((name) => imageSpec(name)),
    )
    return { ...whole, settings: { ...whole.settings, parallel: { builds, deploys, locals } } }
  })

type Step =
  | { readonly do: 'start' | 'finish' | 'fail' | 'sync' | 'pods'; readonly which: number }
  | { readonly do: 'save' | 'edit' | 'touch' | 'trigger' | 'enable' | 'disable'; readonly which: number }
  | { readonly do: 'plan'; readonly plan: Plan }
  | { readonly do: 'reconnect' }

const stepOf: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('start', 'start', 'finish', 'finish', 'fail', 'sync', 'pods'),
      which: fc.nat(20),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('save', 'edit', 'touch', 'trigger', 'enable', 'disable'),
      which: fc.nat(20),
    }) as fc.Arbitrary<Step>,
  },
  { weight: 1, arbitrary: planOf.map((value): Step => ({ do: 'plan', plan: value })) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'reconnect' }) },
)

let digests = 0

/** Start what the next work names. */
function start(state: State, work: NextWork['work'][number]): State {
  switch (work.kind) {
    case 'build':
      return play(state, { type: 'build/started', image: work.image, reason: work.reason })
    case 'deploy':
      return play(state, { type: 'deploy/started', resource: work.resource, key: work.key })
    case 'remove':
      return play(state, { type: 'removal/started', resource: work.resource })
    case 'run-local':
      return play(state, { type: 'local/running', resource: work.resource })
    case 'render':
      return play(state, { type: 'render/started', resource: work.resource, key: work.key })
    default:
      return state
  }
}

/** Everything that runs, each with how it ends well and how it fails. */
function runningOf(state: State): { readonly good: NewAction[]; readonly bad: NewAction[] }[] {
  const ends: { good: NewAction[]; bad: NewAction[] }[] = []
  for (const { name, build } of Object.values(state.images)) {
    if (build?.status !== 'running') continue
    const good: NewAction = {
      type: 'build/finished',
      image: name,
      record: record(`d${digests++}`),
      drift: { rebuild: 0, overlay: 0 },
    }
    ends.push({ good: [good], bad: [{ type: 'build/failed', image: name, error }] })
  }
  for (const { name, deploy, local, rendered } of Object.values(state.resources)) {
    if (rendered?.status === 'running') {
      const { key } = rendered
      const good: NewAction = { type: 'render/finished', resource: name, key, output: `o${digests++ % 3}` }
      ends.push({ good: [good], bad: [{ type: 'render/failed', resource: name, key, error, retryAt: 1 }] })
    }
    if (deploy?.status === 'running') {
      const good: NewAction = {
        type: 'deploy/finished',
        resource: name,
        runtime: state.runtime.generation,
        templates: state.plan?.resources[name]?.kind === 'config' ? [] : [deploy.key],
        digest: `e${digests++ % 3}`,
        warnings: [],
      }
      ends.push({ good: [good], bad: [{ type: 'deploy/failed', resource: name, error }] })
    }
    if (local?.run === 'running') {
      const good: NewAction = { type: 'local/ran', resource: name, wanted: local.wanted }
      ends.push({ good: [good], bad: [{ ...good, error } as NewAction] })
    }
  }
  for (const { name, status } of Object.values(state.removals))
    if (status === 'running')
      ends.push({
        good: [{ type: 'removal/finished', resource: name }],
        bad: [{ type: 'removal/failed', resource: name, error, retryAt: 1 }],
      })
  return ends
}

/** A pod of what was applied last, with a container of its image. */
function podsOf(state: State, resource: ResourceState): NewAction | undefined {
  const template = resource.templates[0]
  const image = resourceImages(state, resource.name)[0]
  if (template === undefined) return undefined
  const containerId = `${resource.name} ${template}`
  const known = image === undefined ? undefined : state.images[image]?.record?.ref
  return {
    type: 'resource/observed',
    resource: resource.name,
    observed: {
      rolledOut: true,
      pods: [
        {
          name: resource.name,
          namespace: 'n',
          uid: containerId,
          template,
          phase: 'running',
          ready: true,
          createdAt: 1,
          containers: [
            {
              name: 'main',
              kind: 'main',
              containerId,
              ...(image === undefined || !template.endsWith(known ?? '?') ? {} : { image }),
              ref: known ?? 'x',
              running: true,
              restartable: false,
              restarts: 0,
              startedAt: 1,
            } as never,
          ],
        },
      ],
    },
  }
}

/** Bring the targets that are due to what they must hold. */
const synced = (state: State): NewAction[] =>
  Object.values(state.targets).flatMap((target): NewAction[] => {
    const image = state.images[target.image]
    if (!image?.record || !image.sources || !isTargetDue(state, target, image, 0)) return []
    const acked = { digest: image.record.digest, revision: image.sources.revision }
    return [{ type: 'target/patch', target: target.id, patch: { acked, status: 'synced' } }]
  })

const pick = <T>(list: readonly T[], which: number): T | undefined => list[which % Math.max(1, list.length)]

function take(state: State, step: Step): State {
  const names = Object.keys(state.resources)
  switch (step.do) {
    case 'start': {
      const work = pick(nextWork(state, 0).work, step.which)
      return work ? start(state, work) : state
    }
    case 'finish':
      return play(state, ...(pick(runningOf(state), step.which)?.good ?? []))
    case 'fail':
      return play(state, ...(pick(runningOf(state), step.which)?.bad ?? []))
    case 'sync':
      return play(state, ...synced(state))
    case 'pods': {
      const resource = pick(Object.values(state.resources), step.which)
      const seen = resource && podsOf(state, resource)
      return seen ? play(state, seen) : state
    }
    case 'save':
    case 'edit': {
      const image = pick(images, step.which) ?? ''
      const rebuild = step.do === 'edit'
      const revision = (state.images[image]?.sources?.revision ?? 0) + 1
      return play(state, scanned(image, rebuild ? { rebuild: 1, needsRebuild: true } : { overlay: 1 }), {
        type: 'change/seen',
        id: `c${revision}-${image}`,
        first: 1,
        gathered: 1,
        paths: ['/p/a'],
        pathCount: 1,
        images: [{ image, action: rebuild ? 'rebuild' : 'sync', why: 'w', revision }],
        resources: [],
      })
    }
    case 'touch': {
      const name = pick(
        names.filter((one) => state.resources[one]?.local || state.resources[one]?.sources),
        step.which,
      )
      if (name === undefined) return state
      if (state.resources[name]?.local) return play(state, { type: 'local/changed', resource: name })
      return play(state, { type: 'resource/sources', resource: name, hash: `h${step.which}` })
    }
    case 'trigger': {
      const name = pick(names, step.which)
      return name === undefined ? state : play(state, { type: 'request/trigger', resource: name })
    }
    case 'enable':
    case 'disable': {
      const name = pick(names, step.which)
      return name === undefined ? state : play(state, { type: `request/${step.do}`, names: [name] } as NewAction)
    }
    case 'plan':
      return checked(play(state, { ...loaded(step.plan), wanted: state.devloopfile.wanted } as NewAction))
    case 'reconnect':
      return checked(play(state, { type: 'runtime/connecting' }, connected))
  }
}

/** Every image is scanned and looked for on disk, and what configs read is read. */
const checked = (state: State): State =>
  play(
    state,
    ...Object.values(state.images).flatMap((image): NewAction[] => [
      ...(image.sources ? [] : [scanned(image.name)]),
      ...(image.recordChecked ? [] : [{ type: 'image/checked', image: image.name, exists: image.record !== null } as const]),
    ]),
    ...Object.values(state.resources).flatMap(({ name, sources }): NewAction[] =>
      state.plan?.resources[name]?.kind === 'config' && !sources ? [{ type: 'resource/sources', resource: name, hash: 'h' }] : [],
    ),
  )

const isWorkedOn = (state: State, { name, deploy, local }: ResourceState): boolean =>
  // what is removed of an app that is a local now is no hindrance
  deploy?.status === 'running' || local?.run === 'running' || (!local && state.removals[name]?.status === 'running')

function check(state: State): void {
  const next = nextWork(state, 0)
  const of = (kind: string): NextWork['work'] => next.work.filter((one) => one.kind === kind)
  const { builds, deploys, locals } = state.plan?.settings.parallel ?? { builds: 0, deploys: 0, locals: 0 }
  const running = {
    builds: Object.values(state.images).filter((image) => image.build?.status === 'running').length,
    deploys: Object.values(state.resources).filter((one) => one.deploy?.status === 'running').length,
    locals: Object.values(state.resources).filter((one) => one.local?.run === 'running').length,
  }
  // never more than the slots: lowered while more run, nothing starts
  for (const [kind, slots, now] of [
    ['build', builds, running.builds],
    ['deploy', deploys, running.deploys],
    ['run-local', locals, running.locals],
  ] as const)
    expect(of(kind).length).toBeLessThanOrEqual(Math.max(0, slots - now))
  // each once, and nothing that runs
  expect(new Set(next.work.map((one) => JSON.stringify(one))).size).toBe(next.work.length)
  for (const one of next.work) {
    if (one.kind === 'build') {
      const users = Object.values(state.resources).filter((resource) => resourceImages(state, resource.name).includes(one.image))
      expect(users.some((user) => isActive(user) && next.holds[user.name]?.code === 'image')).toBe(true)
      expect(state.images[one.image]?.build?.status).not.toBe('running')
    } else if (one.kind === 'deploy' || one.kind === 'run-local') {
      // never what is held, disabled or not started
      expect(next.holds[one.resource]).toBeUndefined()
      const resource = state.resources[one.resource] as ResourceState
      expect(isActive(resource)).toBe(true)
      expect(isWorkedOn(state, resource)).toBe(false)
      for (const need of state.plan?.resources[one.resource]?.needs ?? [])
        expect(resource.everReady || state.resources[need]?.everReady).toBe(true)
    }
  }
  // work, or a hold that says why
  for (const resource of Object.values(state.resources)) {
    if (resource.ready || isWorkedOn(state, resource)) continue
    const named = next.work.some((one) => 'resource' in one && one.resource === resource.name)
    expect(named || (next.holds[resource.name]?.message ?? '') !== '', `${resource.name}: neither work nor a hold`).toBe(true)
  }
}

/** Let everything end well until nothing is left to do. */
function settle(state: State): State {
  let now = state
  for (let round = 0; round < 200; round++) {
    const before = now
    for (const work of nextWork(now, 10).work) now = start(now, work)
    for (const { good } of runningOf(now)) now = play(now, ...good)
    for (const name of Object.keys(now.resources)) {
      const seen = podsOf(now, now.resources[name] as ResourceState)
      if (seen && !now.resources[name]?.ready) now = play(now, seen)
    }
    now = play(now, ...synced(now))
    check(now)
    if (now === before || JSON.stringify({ ...now, changes: 0 }) === JSON.stringify({ ...before, changes: 0 })) return now
  }
  throw new Error(`it never comes to rest: ${JSON.stringify(nextWork(now, 10))}`)
}

test('slots, holds and reasons, whatever happens', () => {
  fc.assert(
    fc.property(planOf, fc.array(stepOf, { maxLength: 40 }), (value, steps) => {
      let state = checked(play(freshState(), loaded(value), connected))
      check(state)
      for (const step of steps) {
        state = take(state, step)
        check(state)
      }
    }),
    { numRuns: 300 },
  )
})

test('left alone, everything comes to rest: ready, or held for somebody to ask', () => {
  fc.assert(
    fc.property(planOf, fc.array(stepOf, { maxLength: 25 }), (value, steps) => {
      let state = checked(play(freshState(), loaded(value), connected))
      for (const step of steps) state = take(state, step)
      const rest = settle(state)
      const { work, holds } = nextWork(rest, 10)
      expect(work).toEqual([])
      for (const resource of Object.values(rest.resources)) {
        if (resource.ready || isAtRest(rest, resource)) continue
        // a failure that a change or a trigger mends, and whoever waits for one
        expect(['failed', 'needs', 'after', 'pending']).toContain(holds[resource.name]?.code)
      }
    }),
    { numRuns: 200 },
  )
})
