// Turns of readiness, out of answers.
import { onTestFinished, expect, test } from 'vitest'
import { awaitLine, followReadiness, type ReadinessTurn } from '../../../src/control/local-readiness.js'
import { isAbort } from '../../../src/errors/devloop-error.js'
import type { ReadinessProbe } from '../../../src/model/plan.js'
import { waitFor } from '../../support/wait-for.js'

const probe = (over: Partial<ReadinessProbe> = {}): ReadinessProbe => ({
  check: { kind: 'tcp', port: 1 },
  delayMs: 0,
  periodMs: 1,
  timeoutMs: 1,
  successes: 1,
  failures: 1,
  withinMs: 60_000,
  ...over,
})

/** Answers `+` and `-` one after the other, the last one for ever; a turn is told as `+`, `-` (lost) or `!` (late). */
async function turns(answers: string, over: Partial<ReadinessProbe>, expected: string): Promise<readonly ReadinessTurn[]> {
  const abort = new AbortController()
  const told: ReadinessTurn[] = []
  let asked = 0
  const ended = followReadiness(
    {
      probe: probe(over),
      surroundings: { cwd: '/', env: {} },
      onTurn: (turn) => told.push(turn),
      ask: (_, options) => {
        expect(options.timeoutMs).toBe(1)
        const answer = answers[Math.min(asked++, answers.length - 1)]
        return Promise.resolve({ ready: answer === '+', text: `answer ${asked}` })
      },
    },
    abort.signal,
  ).catch((thrown: unknown) => thrown)
  onTestFinished(() => abort.abort())
  const shown = (): string => told.map((turn) => (turn.ready ? '+' : turn.late ? '!' : '-')).join('')
  // a turn too many would come with the next answers
  await waitFor(() => shown().length >= expected.length && asked > answers.length + 5, { what: `turns ${expected}` })
  expect(shown()).toBe(expected)
  abort.abort()
  expect(isAbort(await ended)).toBe(true)
  return told
}

test('ready at the first good answer, and told once', async () => {
  expect(await turns('--+', {}, '+')).toEqual([{ ready: true }])
})
test('as many good answers in a row as asked for', async () => {
  expect(await turns('+-++-+++', { successes: 3 }, '+')).toEqual([{ ready: true }])
})
test('lost after as many bad ones in a row as asked for, with the last answer; and found again', async () => {
  const told = await turns('+--+--- +'.replace(' ', ''), { failures: 3 }, '+-+')
  expect(told[1]).toEqual({ ready: false, late: false, answer: 'answer 7' })
})
test('late, with the last answer, told once; and found all the same', async () => {
  expect(await turns('-', { withinMs: 1 }, '!')).toMatchObject([{ answer: expect.stringMatching(/^answer \d/) }])
  await turns('------+', { withinMs: 1 }, '!+')
})

test('a line of output', async () => {
  const abort = new AbortController()
  const told: ReadinessTurn[] = []
  const options = {
    probe: probe({ check: { kind: 'log', pattern: 'listening on \\d+$' }, withinMs: 1 }),
    onTurn: (turn: ReadinessTurn) => void told.push(turn),
  }
  const wait = awaitLine(options, abort.signal)
  await wait.done
  expect(told).toEqual([
    { ready: false, late: true, answer: 'It has printed no line that /listening on \\d+$/ matches. It has printed nothing.' },
  ])
  wait.line('listening on a port')
  expect(told).toHaveLength(1)
  wait.line('now listening on 80')
  wait.line('now listening on 80')
  expect(told.slice(1)).toEqual([{ ready: true }])
  abort.abort()
  const aborted = awaitLine({ ...options, probe: { ...options.probe, withinMs: 60_000 } }, AbortSignal.abort())
  expect(isAbort(await aborted.done.catch((thrown: unknown) => thrown))).toBe(true)
  aborted.line('listening on 80')
  expect(told).toHaveLength(2)
})
