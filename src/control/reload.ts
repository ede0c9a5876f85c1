// Loads the Devloopfile when something that it was made from has changed.
import { isAbort } from '../errors/devloop-error.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'

export function createReloadController({ store, work, large, ports, log, onDefect }: ControlContext): Controller {
  const stopping = new AbortController()
  const drain = createDrain(async () => {
    while (work.current().work.some((one) => one.kind === 'reload') && !stopping.signal.aborted) {
      const { wanted } = store.state().devloopfile
      store.dispatch({ type: 'devloopfile/loading' })
      const onLog = (text: string): void => log({ resource: '', source: 'devloopfile', level: 'info', text })
      const loaded = await ports.planLoader.load(ports.planContext, onLog, stopping.signal).catch((thrown: unknown) => {
        if (isAbort(thrown)) return undefined
        throw thrown
      })
      if (!loaded) return
      large.planInputs = loaded.inputs
      if (loaded.ok) {
        store.dispatch({ type: 'devloopfile/loaded', wanted, plan: loaded.plan, loadMs: loaded.loadMs })
      } else {
        store.dispatch({ type: 'devloopfile/failed', wanted, error: loaded.error })
      }
    }
  }, onDefect)
  const unsubscribe = work.subscribe(drain.poke)
  drain.poke()
  return {
    async stop() {
      unsubscribe()
      stopping.abort()
      await drain.stop()
    },
  }
}
