// Follows whether one start of a `serve` is ready: asks it again and again, or waits for its line, and tells each turn.
import { setTimeout } from 'node:timers/promises'
import type { ReadinessProbe } from '../model/plan.js'
import type { AskOptions, Readiness } from '../ports/readiness.js'

export type ReadinessTurn =
  | { readonly ready: true }
  /** `late`: it was never ready in its time. Else it was, and is not any more. */
  | { readonly ready: false; readonly late: boolean; readonly answer: string }

export interface ReadinessOptions {
  readonly probe: ReadinessProbe
  readonly ask: Readiness['ask']
  /** Where a command runs, and its environment. */
  readonly surroundings: Omit<AskOptions, 'timeoutMs'>
  readonly onTurn: (turn: ReadinessTurn) => void
}

/** Pauses between two questions to one that is not ready yet: short at first, when somebody waits for it. Milliseconds. */
const shortest = { tcp: 50, http: 50, exec: 200 }
const longest = 1000

/** Ends with an AbortError when the signal says so, and never before. */
export async function followReadiness(options: ReadinessOptions, signal: AbortSignal): Promise<never> {
  const { probe, ask, surroundings, onTurn } = options
  const { check } = probe
  if (check.kind === 'log') throw new Error('a line of output is not asked for')
  const startedAt = Date.now()
  let is: 'starting' | 'ready' | 'unready' = 'starting'
  let [good, bad] = [0, 0]
  await sleep(probe.delayMs, signal)
  for (;;) {
    const { ready, text } = await ask(check, { ...surroundings, timeoutMs: probe.timeoutMs }, signal)
    ;[good, bad] = ready ? [good + 1, 0] : [0, bad + 1]
    if (is !== 'ready' && good >= probe.successes) {
      is = 'ready'
      onTurn({ ready: true })
    } else if (is === 'ready' && bad >= probe.failures) {
      is = 'unready'
      onTurn({ ready: false, late: false, answer: text })
    } else if (is === 'starting' && Date.now() - startedAt >= probe.withinMs) {
      is = 'unready'
      onTurn({ ready: false, late: true, answer: text })
    }
    const short = Math.min(Math.max((Date.now() - startedAt) / 20, shortest[check.kind]), longest)
    await sleep(is === 'ready' ? probe.periodMs : Math.min(short, probe.periodMs), signal)
  }
}

/** The same for `log`. @returns what takes each line; it matches as long as the signal lets it */
export function awaitLine(
  { probe, onTurn }: Pick<ReadinessOptions, 'probe' | 'onTurn'>,
  signal: AbortSignal,
): { line(text: string): void; readonly done: Promise<void> } {
  const { check } = probe
  if (check.kind !== 'log') throw new Error('only a line of output is waited for')
  const pattern = new RegExp(check.pattern, 'u')
  let found = false
  let last: string | undefined
  const late = async (): Promise<void> => {
    await sleep(probe.withinMs, signal)
    if (found) return
    const said = last === undefined ? 'It has printed nothing.' : `Its last line was: ${last}`
    onTurn({ ready: false, late: true, answer: `It has printed no line that /${check.pattern}/ matches. ${said}` })
  }
  return {
    line(text) {
      last = text
      if (found || signal.aborted || !pattern.test(text)) return
      found = true
      onTurn({ ready: true })
    },
    done: late(),
  }
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> => setTimeout(ms, undefined, { signal })
