// Watches one run of `devloop ci` until it is over, and tells once how it ended.
import type { CiLimits, CiReport } from '../model/ci-report.js'
import { interruptedReport, lookAtCi, newCiMemory } from '../store/ci-verdict.js'
import type { ControlContext, Controller } from './context.js'

/** @param onEnd called once: with the verdict, or that the run was interrupted when the daemon is stopped before there is one */
export function createCiController(
  { store, work }: ControlContext,
  limits: CiLimits,
  onEnd: (report: CiReport) => void,
): Controller {
  let memory = newCiMemory(Date.now())
  let timer: NodeJS.Timeout | undefined
  let over = false
  const end = (report: CiReport): void => {
    over = true
    clearTimeout(timer)
    unsubscribe()
    onEnd(report)
  }
  /** What was to be done before the daemon began to stop. */
  let last = { state: store.state(), next: work.current() }
  const interrupted = (): void => end(interruptedReport(last.state, last.next, memory, Date.now()))
  const look = (): void => {
    if (over) return
    if (store.state().session.phase === 'stopping') return interrupted()
    last = { state: store.state(), next: work.current() }
    const seen = lookAtCi(last.state, last.next, memory, limits, Date.now())
    memory = seen.memory
    if (seen.report) return end(seen.report)
    clearTimeout(timer)
    if (seen.wakeAt !== undefined) timer = setTimeout(look, Math.min(Math.max(1, seen.wakeAt - Date.now() + 1), longestTimer))
  }
  const unsubscribe = work.subscribe(look)
  return {
    stop() {
      if (!over) interrupted()
      return Promise.resolve()
    },
  }
}

/** Of a timer of Node.js, about. Milliseconds. */
const longestTimer = 2_000_000_000
