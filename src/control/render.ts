// Prepares what the next work names, several at once: renders kustomizations and Helm charts, and reads what configs take values from.
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { isAbort, toErrorInfo } from '../errors/devloop-error.js'
import { configsNamedBy } from '../model/config-uses.js'
import type { ConfigRead } from '../model/config-values.js'
import { isPrepared, isRendered, type ConfigSpec, type ManifestObject, type RenderedSpec } from '../model/plan.js'
import { renderKey } from '../store/resource-status.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { retryAt } from './retry.js'

/** How many tools run at once. */
const slots = 4

/** What the state is told of what was made. */
interface Prepared {
  readonly output: string
  readonly configs?: readonly string[]
}

export function createRenderController(context: ControlContext): Controller {
  const { store, work, large, ports, log, onDefect } = context
  const stopping = new AbortController()
  const running = new Map<string, { readonly key: string; readonly abort: AbortController; readonly done: Promise<void> }>()

  const render = async (spec: RenderedSpec, signal: AbortSignal): Promise<Prepared> => {
    const { namespace = 'default', version } = store.state().runtime
    const objects = await ports.renderer.render(spec, { namespace, version }, signal)
    large.rendered.set(spec.name, objects)
    // a release rolls out by Helm's own means
    if (spec.kind === 'helm' && spec.release) return { output: outputHash(objects) }
    const configs = Object.values(store.state().plan?.resources ?? {}).filter((one) => one.kind === 'config')
    return { output: outputHash(objects), configs: configsNamedBy(objects, configs) }
  }

  const read = async (spec: ConfigSpec, signal: AbortSignal): Promise<Prepared> => {
    const onOutput = (text: string): void => log({ resource: spec.name, source: 'command', level: 'info', text })
    const values = await ports.configReader.read(spec, onOutput, signal)
    signal.throwIfAborted()
    large.read.set(spec.name, values)
    return { output: readDigest(values) }
  }

  const prepare = async (resource: string, key: string, signal: AbortSignal): Promise<void> => {
    const spec = store.state().plan?.resources[resource]
    if (!isPrepared(spec)) return
    try {
      const made = await (spec.kind === 'config' ? read(spec, signal) : render(spec, signal))
      store.dispatch({ type: 'render/finished', resource, key, ...made })
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
    for (const name of large.read.keys()) if (state.plan?.resources[name]?.kind !== 'config') large.read.delete(name)
    if (stopping.signal.aborted) return
    for (const one of work.current().work) {
      if (one.kind !== 'render' || running.has(one.resource) || running.size >= slots) continue
      const { resource, key } = one
      const abort = new AbortController()
      store.dispatch({ type: 'render/started', resource, key })
      const done = prepare(resource, key, AbortSignal.any([abort.signal, stopping.signal]))
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

/** Without it nobody can try out which short values a digest in the state stands for. */
const digestKey = randomBytes(32)

function readDigest(read: ConfigRead): string {
  const digest = createHmac('sha256', digestKey)
  for (const [source, values] of read.entries())
    for (const [key, value] of values) digest.update(JSON.stringify([source, key, value.length])).update(value)
  return digest.digest('hex').slice(0, 16)
}
