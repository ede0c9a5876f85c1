// Which engine builds for a cluster: the Devloopfile's word, a way into the cluster where it is there, and the cluster's own logins.
import type { EngineSettings } from '../../model/plan.js'
import type { EngineWish } from '../../ports/image-builder.js'
import type { KubeConnection } from './connection.js'
import { dialEngineInPod } from './engine-in-pod.js'
import { openshiftLogin, type OpenshiftRegistry } from './openshift-registry.js'

export const engineWish = (
  connection: KubeConnection,
  settings: EngineSettings | undefined,
  openshift: OpenshiftRegistry | undefined,
): EngineWish => ({
  ...(settings ? { settings } : {}),
  ...(settings && 'inCluster' in settings ? { dial: dialEngineInPod(connection, settings.inCluster) } : {}),
  ...(openshift ? { login: async (host) => (host === openshift.host ? openshiftLogin(connection, host) : undefined) } : {}),
})
