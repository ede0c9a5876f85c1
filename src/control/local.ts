// Commands on this machine: one worker for each local of the plan.
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { createLocalWorker, type LocalWorker } from './local-worker.js'

export function createLocalController(context: ControlContext): Controller {
  const { store, work, onDefect } = context
  const workers = new Map<string, LocalWorker>()
  const drain = createDrain(async () => {
    const { plan, resources } = store.state()
    for (const [name, worker] of workers) {
      if (plan?.resources[name]?.kind === 'local' && !resources[name]?.disabled) continue
      workers.delete(name)
      await worker.stop()
    }
    for (const one of work.current().work) {
      if (one.kind !== 'run-local' && one.kind !== 'serve-local') continue
      let worker = workers.get(one.resource)
      if (!worker) workers.set(one.resource, (worker = createLocalWorker(context, one.resource)))
      worker.poke()
    }
    for (const worker of workers.values()) worker.look()
  }, onDefect)
  const unsubscribe = work.subscribe(drain.poke)
  return {
    async stop() {
      unsubscribe()
      await drain.stop()
      await Promise.allSettled([...workers.values()].map((one) => one.stop()))
    },
  }
}
