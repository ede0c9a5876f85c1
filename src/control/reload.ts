// Loads the Devloopfile when something that it was made from has changed. A load that a newer save made useless is aborted: it may
// be one that never ends, and the newer save its mending.
import { DevloopError, isAbort, type ErrorInfo } from '../errors/devloop-error.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import type { Plan } from '../model/plan.js'
import { noChoice, select, selectable } from '../store/selectors.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'

export function createReloadController({ store, work, large, ports, log, onDefect }: ControlContext): Controller {
  const stopping = new AbortController()
  let running: { readonly wanted: number; readonly abort: AbortController } | undefined
  const drain = createDrain(async () => {
    while (store.state().devloopfile.loaded < store.state().devloopfile.wanted && !stopping.signal.aborted) {
      const { devloopfile, session } = store.state()
      const { wanted } = devloopfile
      store.dispatch({ type: 'devloopfile/loading' })
      const onLog = (text: string): void => log({ resource: '', source: 'devloopfile', level: 'info', text })
      const abort = new AbortController()
      running = { wanted, abort }
      const signal = AbortSignal.any([abort.signal, stopping.signal])
      const loaded = await ports.planLoader
        .load(
          { ...ports.planContext, args: session.args, ...(session.choices ? { choices: session.choices } : {}) },
          onLog,
          signal,
        )
        .catch((thrown: unknown) => {
          if (isAbort(thrown)) return undefined
          throw thrown
        })
      running = undefined
      if (!loaded) continue
      large.planInputs = loaded.inputs
      const missing = loaded.ok ? (notThere(loaded.plan, session.only) ?? noChoice(loaded.plan, session.choices)) : undefined
      if (missing) {
        store.dispatch({ type: 'devloopfile/failed', wanted, error: missing })
      } else if (loaded.ok) {
        large.sealed = loaded.sealed
        store.dispatch({ type: 'devloopfile/loaded', wanted, plan: loaded.plan, loadMs: loaded.loadMs })
      } else {
        store.dispatch({ type: 'devloopfile/failed', wanted, error: loaded.error })
      }
    }
  }, onDefect)
  const look = (): void => {
    if (running && store.state().devloopfile.wanted > running.wanted) running.abort.abort()
    drain.poke()
  }
  const unsubscribe = work.subscribe(look)
  drain.poke()
  return {
    async stop() {
      unsubscribe()
      stopping.abort()
      await drain.stop()
    },
  }
}

/**
 * Of the resources that `devloop watch` was asked for, one that the plan does not have. Such a plan must not come into force: all that
 * was not asked for is disabled, and so deleted.
 */
function notThere(plan: Plan, only: readonly string[]): ErrorInfo | undefined {
  const [selector] = select(plan, only).unknown
  if (selector === undefined) return undefined
  const known = selectable(plan)
  return new DevloopError('request/unknown-resource', `there is no resource ${JSON.stringify(selector)} to run`, {
    why: didYouMean(selector, known) ?? `There are ${listed(known)}.`,
  }).info
}
