// Opens the runtime once there is a plan, again when the plan names another cluster, and keeps trying while that fails.
import { isDeepStrictEqual } from 'node:util'
import { isAbort, toErrorInfo, type ErrorInfo } from '../errors/devloop-error.js'
import { debuggerMissing } from '../model/debugger-missing.js'
import type { ClusterSettings } from '../model/plan.js'
import type { Observed, Runtime } from '../ports/runtime.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { retryAt } from './retry.js'

export function createConnectController(context: ControlContext): Controller {
  const { store, ports, runtime, onDefect } = context
  const stopping = new AbortController()
  let settings: { project: string; cluster: ClusterSettings } | undefined
  /** Plan generation and number of tries at which opening failed last. */
  let failed: { generation: number; attempts: number; retryAt: number | undefined } | undefined
  let timer: NodeJS.Timeout | undefined

  const drain = createDrain(async () => {
    const { plan, devloopfile } = store.state()
    if (!plan || stopping.signal.aborted) return
    const wanted = { project: plan.name, cluster: plan.cluster }
    if (runtime.current && isDeepStrictEqual(settings, wanted)) return
    if (failed && failed.generation === devloopfile.generation && (failed.retryAt ?? Infinity) > Date.now()) return
    const old = runtime.current
    if (old) {
      runtime.current = null
      store.dispatch({ type: 'runtime/connecting' })
      await old.close()
    }
    try {
      const opened = await ports.openRuntime({ ...ports.runtimeOptions, ...wanted }, stopping.signal)
      await use(opened, wanted)
      failed = undefined
    } catch (thrown) {
      if (isAbort(thrown)) return
      const error = toErrorInfo(thrown)
      if (error.code === 'defect') onDefect(thrown)
      const attempts = failed?.generation === devloopfile.generation ? failed.attempts + 1 : 1
      failed = { generation: devloopfile.generation, attempts, retryAt: retryAt(error, attempts, Date.now()) }
      store.dispatch({ type: 'runtime/connecting', error })
      clearTimeout(timer)
      if (failed.retryAt !== undefined) timer = setTimeout(drain.poke, failed.retryAt - Date.now() + 1)
    }
  }, onDefect)

  const use = async (opened: Runtime, wanted: { project: string; cluster: ClusterSettings }): Promise<void> => {
    let deployed: readonly string[]
    try {
      deployed = await opened.deployed(stopping.signal)
    } catch (thrown) {
      await opened.close()
      throw thrown
    }
    settings = wanted
    runtime.current = opened
    const { context: name, namespace, platform, version } = opened.info
    store.dispatch({
      type: 'runtime/connected',
      deployed,
      ...(name === undefined ? {} : { context: name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(platform === undefined ? {} : { platform }),
      ...(version === undefined ? {} : { version }),
    })
    const mine = (): boolean => runtime.current === opened
    opened.observe(
      (observed) => mine() && tell(context, observed),
      (error: ErrorInfo | null) => mine() && store.dispatch({ type: 'runtime/lost', error }),
      ({ resource, at, text }) => mine() && context.log({ resource, source: 'event', level: 'warn', text, at }),
    )
  }

  const unsubscribe = store.subscribe(drain.poke)
  return {
    async stop() {
      unsubscribe()
      clearTimeout(timer)
      stopping.abort()
      await drain.stop()
      const open = runtime.current
      runtime.current = null
      await open?.close()
    },
  }
}

function tell({ store }: ControlContext, { resource, pods: found, ...observed }: Observed): void {
  const spec = store.state().plan?.resources[resource]
  const explain = <T extends { readonly error?: ErrorInfo }>(one: T): T =>
    one.error ? { ...one, error: debuggerMissing(spec, one.error) } : one
  const rest = explain(observed)
  const pods = found.map((pod) => ({ ...pod, containers: pod.containers.map(explain) }))
  const plain = pods.map(({ template, containers, ...pod }) => ({
    ...pod,
    ...(template === undefined ? {} : { template }),
    containers: containers.map(({ image, ...container }) => ({ ...container, ...(image === undefined ? {} : { image }) })),
  }))
  store.dispatch({ type: 'resource/observed', resource, observed: { ...rest, pods: plain } })
}
