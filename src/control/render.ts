// Renders the kustomizations and Helm charts that the next work names, several at once, and keeps their objects.
import { createHash } from 'node:crypto'
import { isAbort, toErrorInfo } from '../errors/devloop-error.js'
import { isRendered, type ManifestObject } from '../model/plan.js'
import { renderKey } from '../store/resource-status.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { retryAt } from './retry.js'

/** How many tools run at once. */
const slots = 4

export function createRenderController(context: ControlContext): Controller {
  const { store, work, large, ports, log, onDefect } = context
  const stopping = new AbortController()
  const running = new Map<string, { readonly key: string; readonly abort: AbortController; readonly done: Promise<void> }>()

  const render = async (resource: string, key: string, signal: AbortSignal): Promise<void> => {
    const state = store.state()
    const spec = state.plan?.resources[resource]
    if (!isRendered(spec)) return
    const { namespace = 'default', version } = state.runtime
    try {
      const objects = await ports.renderer.render(spec, { namespace, version }, signal)
      large.rendered.set(resource, objects)
      store.dispatch({ type: 'render/finished', resource, key, output: outputHash(objects) })
    } catch (thrown) {
      if (isAbort(thrown) || signal.aborted) return store.dispatch({ type: 'render/cancelled', resource, key })
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      log({ resource, source: 'render', level: 'error', text: [error.message, error.why].filter(Boolean).join('\n') })
      const at = retryAt(error, store.state().resources[resource]?.rendered?.attempts ?? 1, Date.now())
      store.dispatch({ type: 'render/failed', resource, key, error, ...(at === undefined ? {} : { retryAt: at }) })
    }
  }

  const drain = createDrain(async () => {
    const state = store.state()
    for (const [name, one] of running) {
      const resource = state.resources[name]
      // a newer save made it useless
      if (!resource || renderKey(state, resource) !== one.key) one.abort.abort()
    }
    for (const name of large.rendered.keys()) if (!isRendered(state.plan?.resources[name])) large.rendered.delete(name)
    if (stopping.signal.aborted) return
    for (const one of work.current().work) {
      if (one.kind !== 'render' || running.has(one.resource) || running.size >= slots) continue
      const { resource, key } = one
      const abort = new AbortController()
      store.dispatch({ type: 'render/started', resource, key })
      const done = render(resource, key, AbortSignal.any([abort.signal, stopping.signal]))
        .catch(onDefect)
        .finally(() => {
          running.delete(resource)
          drain.poke()
        })
      running.set(resource, { key, abort, done })
    }
  }, onDefect)

  const unsubscribe = work.subscribe(drain.poke)
  return {
    async stop() {
      unsubscribe()
      stopping.abort()
      await drain.stop()
      await Promise.allSettled([...running.values()].map(({ done }) => done))
    },
  }
}

const outputHash = (objects: readonly ManifestObject[]): string =>
  createHash('sha256')
    .update(JSON.stringify(objects.map(({ object }) => object)))
    .digest('hex')
    .slice(0, 16)
