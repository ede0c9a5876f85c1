// The parts of a pod that tell how its containers can be written to.
import type { TargetRef } from '../../../ports/sync-transport.js'
import type { KubeConnection } from '../connection.js'
import { translateExecRefusal } from './exec-errors.js'

interface Security {
  readonly runAsUser?: number
  readonly runAsGroup?: number
}

interface ContainerParts {
  readonly name: string
  readonly image?: string
  readonly volumeMounts?: readonly { readonly mountPath: string }[]
  readonly securityContext?: Security
}

export interface PodParts {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: {
    readonly nodeName?: string
    readonly containers?: readonly ContainerParts[]
    readonly initContainers?: readonly ContainerParts[]
    readonly ephemeralContainers?: readonly (ContainerParts & { readonly targetContainerName?: string })[]
    readonly shareProcessNamespace?: boolean
    readonly hostPID?: boolean
    readonly securityContext?: Security
  }
  readonly status?: {
    readonly ephemeralContainerStatuses?: readonly {
      readonly name: string
      readonly state?: {
        readonly running?: object
        readonly waiting?: { readonly reason?: string; readonly message?: string }
        readonly terminated?: { readonly reason?: string; readonly message?: string }
      }
    }[]
  }
}

/** @throws DevloopError sync/disconnected when it is gone, cluster/*; AbortError */
export async function readPod(connection: KubeConnection, target: TargetRef, signal: AbortSignal): Promise<PodParts> {
  const path = `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods/${encodeURIComponent(target.pod)}`
  try {
    return (await connection.request('GET', path, { what: `read the pod ${target.pod}`, signal })) as PodParts
  } catch (thrown) {
    throw translateExecRefusal(thrown, target)
  }
}
