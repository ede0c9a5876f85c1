// This machine's clock against those of the cluster and of the engine.
import { DevloopError } from '../../errors/devloop-error.js'
import { inWords, ok, skipped, type Check, type Said } from './finding.js'

/** Beyond the first, times of logs and changes mislead; beyond the second, certificates and tokens are refused. Milliseconds. */
const apart = { warning: 5000, failed: 300_000 } as const

export interface Clock {
  /** Such as `the cluster`. */
  readonly whose: string
  /** How far it is ahead of this machine's, and how exactly that is known. Milliseconds. */
  readonly aheadMs: number
  readonly withinMs: number
}

export const clockCheck: Check = {
  name: 'clock',
  after: ['cluster', 'engine'],
  async run({ kube, engine }, signal) {
    const cluster = await kube?.clock(signal)
    const clocks = [
      ...(cluster ? [{ whose: 'the cluster', ...cluster }] : []),
      ...(engine?.clock ? [{ whose: 'the engine', ...engine.clock }] : []),
    ]
    return clocks.length === 0 ? skipped('there is nothing to compare it with') : judgeClocks(clocks)
  },
}

/** @throws DevloopError machine/clock */
export function judgeClocks(clocks: readonly Clock[]): Said {
  const off = ({ aheadMs, withinMs }: Clock): number => Math.max(0, Math.abs(aheadMs) - withinMs)
  const saying = (clock: Clock): string => {
    if (off(clock) === 0) return `agrees with ${clock.whose}`
    return `is ${inWords(Math.abs(clock.aheadMs))} ${clock.aheadMs > 0 ? 'behind' : 'ahead of'} ${clock.whose}`
  }
  const text = clocks.map(saying).join(', ')
  const worst = clocks.toSorted((a, b) => off(b) - off(a))[0]
  if (!worst || off(worst) < apart.warning) return ok(text)
  const error = new DevloopError('machine/clock', `This machine's clock ${saying(worst)}.`, {
    why: clocks.length > 1 ? `It ${text}.` : undefined,
  })
  if (off(worst) >= apart.failed) throw error
  return { status: 'warning', text, error: error.info }
}
