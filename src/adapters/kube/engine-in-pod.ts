// Connections to an engine that runs in a pod of the cluster, by a port-forward each.
import type { Duplex } from 'node:stream'
import { DevloopError } from '../../errors/devloop-error.js'
import type { EngineSettings } from '../../model/plan.js'
import type { EngineWish } from '../../ports/image-builder.js'
import type { KubeConnection } from './connection.js'
import { dialPod } from './dial.js'
import { statusOf } from './errors.js'

type InCluster = Extract<EngineSettings, { readonly inCluster: unknown }>['inCluster']

interface Workload {
  readonly spec?: {
    readonly selector?: Readonly<Record<string, unknown>> & { readonly matchLabels?: Readonly<Record<string, string>> }
  }
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly creationTimestamp: string; readonly deletionTimestamp?: string }
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
  }[]
}

/** Ways to the workload; `deployment/engine` is looked up in apps/v1, `service/engine` in v1. */
const paths: Readonly<Record<string, string>> = {
  deployment: 'apis/apps/v1/namespaces/NAMESPACE/deployments',
  statefulset: 'apis/apps/v1/namespaces/NAMESPACE/statefulsets',
  service: 'api/v1/namespaces/NAMESPACE/services',
}

/** All connections go to one pod as long as it is ready: a build's session and its request must meet, and its cache is there. */
export function dialEngineInPod(
  connection: KubeConnection,
  { workload, port, ...rest }: InCluster,
): NonNullable<EngineWish['dial']> {
  const namespace = rest.namespace ?? connection.namespace
  const address = `${workload} in namespace ${namespace}`
  let chosen: Promise<string> | undefined

  const choose = async (signal: AbortSignal): Promise<string> => {
    const [kind = '', name = ''] = workload.split('/')
    const path = `/${(paths[kind] ?? '').replace('NAMESPACE', namespace)}/${name}`
    const found = await connection
      .request('GET', path, { what: `find the engine ${address}`, signal })
      .catch((thrown: unknown) => {
        throw statusOf(thrown)?.code === 404 ? absent(address, `There is no ${workload} there.`) : thrown
      })
    const selector = (found as Workload).spec?.selector ?? {}
    const labels = kind === 'service' ? (selector as Readonly<Record<string, string>>) : (selector.matchLabels ?? {})
    const labelSelector = Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(',')
    if (labelSelector === '') throw absent(address, 'It selects no pods by labels.')
    const pods = (await connection.request('GET', `/api/v1/namespaces/${namespace}/pods`, {
      query: { labelSelector },
      what: `find the pods of the engine ${address}`,
      signal,
    })) as PodList
    const ready = pods.items.filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    )
    // the oldest has the fullest cache
    const [first] = [...ready].sort((a, b) =>
      `${a.metadata.creationTimestamp} ${a.metadata.name}` < `${b.metadata.creationTimestamp} ${b.metadata.name}` ? -1 : 1,
    )
    if (!first) throw absent(address, `None of its ${pods.items.length} pods is ready.`)
    return first.metadata.name
  }

  const dial = async (signal: AbortSignal): Promise<Duplex> => {
    try {
      const name = await (chosen ??= choose(signal))
      const stream = await dialPod(connection, { namespace, name }, port, signal)
      stream.once('error', () => (chosen = undefined))
      return stream
    } catch (error) {
      chosen = undefined
      throw error
    }
  }

  return {
    address,
    async open(signal): Promise<Duplex> {
      const remembered = chosen
      try {
        return await dial(signal)
      } catch (error) {
        // another pod may have taken its place
        if (remembered === undefined || signal.aborted) throw unreachable(error, address)
      }
      return await dial(signal).catch((error: unknown) => {
        throw unreachable(error, address)
      })
    },
  }
}

const absent = (address: string, why: string): DevloopError =>
  new DevloopError('engine/unreachable', `The Docker engine ${address} cannot be reached.`, {
    why,
    help: 'Correct cluster.engine.inCluster in the Devloopfile, or deploy the engine: see docs/engines.md.',
  })

/** A forward that fails is an engine out of reach, which is tried again by itself. */
const unreachable = (error: unknown, address: string): unknown =>
  error instanceof DevloopError && error.code.startsWith('forward/') ? absent(address, error.info.why ?? error.message) : error
