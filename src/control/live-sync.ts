// One worker for each target: starts them when targets appear, stops them when they are gone.
import type { ControlContext, Controller } from './context.js'
import { createTargetSync, type TargetSync } from './live-sync-target.js'

export function createLiveSyncController(context: ControlContext): Controller {
  const { store, verifiers, dialers, onDefect } = context
  const workers = new Map<string, TargetSync>()
  const ending = new Set<Promise<void>>()
  let stopped = false

  const end = (id: string, worker: TargetSync): void => {
    workers.delete(id)
    verifiers.delete(id)
    dialers.delete(id)
    const done = worker
      .stop()
      .catch(onDefect)
      .finally(() => ending.delete(done))
    ending.add(done)
  }
  const look = (): void => {
    if (stopped) return
    const { targets } = store.state()
    for (const [id, worker] of workers) {
      if (targets[id]) worker.poke()
      else end(id, worker)
    }
    for (const id of Object.keys(targets)) {
      if (workers.has(id)) continue
      const worker = createTargetSync(context, id)
      workers.set(id, worker)
      verifiers.set(id, worker.verify)
      dialers.set(id, worker.dial)
    }
  }
  const unsubscribe = store.subscribe(look)
  return {
    async stop() {
      stopped = true
      unsubscribe()
      for (const [id, worker] of workers) end(id, worker)
      await Promise.allSettled(ending)
    },
  }
}
