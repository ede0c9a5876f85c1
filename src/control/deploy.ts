// Deploys the resources that the next work names, and deletes those that left the plan.
import { isAbort, toErrorInfo } from '../errors/devloop-error.js'
import type { Runtime } from '../ports/runtime.js'
import { builtImages } from '../store/resource-images.js'
import type { ControlContext, Controller } from './context.js'
import { deployRequest } from './deploy-request.js'
import { createDrain } from './drain.js'
import { retryAt } from './retry.js'

export function createDeployController(context: ControlContext): Controller {
  const { store, work, large, runtime, log, onDefect } = context
  const stopping = new AbortController()
  const running = new Map<string, Promise<void>>()

  const deploy = async (name: string, open: Runtime): Promise<void> => {
    const generation = store.state().runtime.generation
    try {
      const { plan, images } = store.state()
      const request =
        plan &&
        deployRequest(plan, name, {
          recordOf: (image) => large.images.get(image)?.record,
          basesOf: (image) => images[image]?.bases?.names ?? [],
          rendered: large.rendered.get(name),
          read: large.read.get(name),
          sealed: large.sealed,
        })
      if (!request) return
      const onOutput = (text: string): void => log({ resource: name, source: 'deploy', level: 'info', text })
      const done = await open.deploy({ ...request, onOutput }, stopping.signal)
      store.dispatch({
        type: 'deploy/finished',
        resource: name,
        runtime: generation,
        templates: done.templates,
        ...(done.digest === undefined ? {} : { digest: done.digest }),
        warnings: done.warnings,
      })
      for (const warning of done.warnings) log({ resource: name, source: 'deploy', level: 'warn', text: warning.message })
      if (done.objects.length > 0)
        log({ resource: name, source: 'deploy', level: 'info', text: `applied ${done.objects.join(', ')}` })
      for (const image of builtImages(store.state(), name)) {
        const revision = store.state().images[image]?.build?.revision
        if (revision !== undefined) store.dispatch({ type: 'change/stage', image, revision, stage: 'applied' })
      }
    } catch (thrown) {
      if (isAbort(thrown)) return
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      log({ resource: name, source: 'deploy', level: 'error', text: error.message })
      const at = retryAt(error, store.state().resources[name]?.deploy?.attempts ?? 1, Date.now())
      store.dispatch({ type: 'deploy/failed', resource: name, error, ...(at === undefined ? {} : { retryAt: at }) })
    }
  }

  const remove = async (name: string, open: Runtime): Promise<void> => {
    try {
      const gone = await open.remove(name, stopping.signal, {
        onKept: ({ object, why }) => log({ resource: name, source: 'deploy', level: 'info', text: `kept ${object}: ${why}` }),
      })
      store.dispatch({ type: 'removal/finished', resource: name })
      if (gone.length > 0) log({ resource: name, source: 'deploy', level: 'info', text: `deleted ${gone.join(', ')}` })
    } catch (thrown) {
      if (isAbort(thrown)) return
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      log({ resource: name, source: 'deploy', level: 'error', text: error.message })
      const at = retryAt(error, store.state().removals[name]?.attempts ?? 1, Date.now())
      store.dispatch({ type: 'removal/failed', resource: name, error, ...(at === undefined ? {} : { retryAt: at }) })
    }
  }

  const drain = createDrain(async () => {
    const open = runtime.current
    if (!open || stopping.signal.aborted) return
    for (const one of work.current().work) {
      if (one.kind !== 'deploy' && one.kind !== 'remove') continue
      const { resource } = one
      if (running.has(resource)) continue
      if (one.kind === 'deploy') store.dispatch({ type: 'deploy/started', resource, key: one.key })
      else store.dispatch({ type: 'removal/started', resource })
      const done = (one.kind === 'deploy' ? deploy(resource, open) : remove(resource, open)).finally(() => {
        running.delete(resource)
        drain.poke()
      })
      running.set(resource, done)
    }
  }, onDefect)

  const unsubscribe = work.subscribe(drain.poke)
  return {
    async stop() {
      unsubscribe()
      stopping.abort()
      await drain.stop()
      await Promise.allSettled(running.values())
    },
  }
}
