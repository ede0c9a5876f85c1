import { expect, it } from 'vitest'
import { followFailures } from '../../../../src/cli/notify/failures.js'
import type { ResourceView, SessionView, View } from '../../../../src/protocol/messages.js'
import { buildError, resource, session } from '../views.js'

const syntax = {
  code: 'devloopfile/syntax',
  message: 'Expected ";"',
  where: { file: '/p/D.ts', line: 3 },
  help: 'Correct it.',
} as const
const crash = { code: 'pod/crashed', message: 'main ended with exit code 5 (pod a-1).', help: 'Read its log.' } as const

/** What is told of each state after the other. */
function told(...states: readonly (readonly View[])[]): string[][] {
  const failures = followFailures()
  return states.map((views) =>
    failures
      .look(new Map(views.map((view) => [`${view.kind}/${view.name}`, view])))
      .map(({ event, subject }) => `${subject} ${event}`),
  )
}

const api = (over: Partial<ResourceView> = {}): View[] => [session(), resource('api', over)]
const failed = (error = buildError as ResourceView['error'], id?: string): View[] =>
  api({
    status: 'failed',
    ready: false,
    ...(error ? { error } : {}),
    ...(id === undefined ? {} : { lastChange: { id, at: 1, outcome: 'failed' } }),
  })
const updating = api({ status: 'updating', ready: false })
const loading: Partial<SessionView> = { devloopfile: { file: '/p/D.ts', state: 'loading', generation: 1 } }

it('tells a failure and the recovery, each once', () => {
  expect(told(api(), failed(), failed(), updating, api(), api())).toEqual([[], ['api failed'], [], [], ['api recovered'], []])
})

it('does not tell again what fails alike while it is tried again, though pods have other names', () => {
  const again = { ...crash, message: crash.message.replace('a-1', 'a-2') }
  expect(told(failed(crash), updating, failed(again), failed(crash))).toEqual([['api failed'], [], [], []])
})

it('tells again what fails in another way, or after another save', () => {
  expect(told(failed(crash), failed(buildError), failed(buildError, 'c1'), failed(buildError, 'c2'))).toEqual([
    ['api failed'],
    ['api failed'],
    ['api failed'],
    ['api failed'],
  ])
})

it('tells nothing new of what failed before the Devloopfile was loaded again', () => {
  const [, view] = failed()
  const reloading = session(loading)
  const reloaded = session({ devloopfile: { file: '/p/D.ts', state: 'ok', generation: 2 } })
  expect(told(failed(), [reloading, view!], [reloaded, updating[1]!], [reloaded, view!])).toEqual([['api failed'], [], [], []])
})

it('tells of the Devloopfile and the connection, and forgets what was disabled or left the plan', () => {
  const broken = session({ devloopfile: { file: '/p/D.ts', state: 'failed', generation: 1, error: syntax } })
  const lost = session({ runtime: { kind: 'kubernetes', state: 'lost' } })
  expect(told([broken], [session(loading)], [session()], [lost], [session()])).toEqual([
    ['Devloopfile failed'],
    [],
    ['Devloopfile recovered'],
    ['devloop failed'],
    ['devloop recovered'],
  ])
  expect(told(failed(), api({ status: 'disabled', ready: false }), api(), failed(), [session()], api())).toEqual([
    ['api failed'],
    [],
    [],
    ['api failed'],
    [],
    [],
  ])
})
