// What a cluster can do, by the API groups that it serves: each tested alone, since parts of OpenShift are optional.
import type { KubeConnection } from '../connection.js'

/** OpenShift's projects. */
export const projectGroup = 'project.openshift.io'

/** By group name: its served versions, the preferred one first. */
export type ApiGroups = ReadonlyMap<string, readonly string[]>

interface GroupList {
  readonly groups?: readonly {
    readonly name: string
    readonly versions?: readonly { readonly version: string }[]
    readonly preferredVersion?: { readonly version: string }
  }[]
}

/** @throws DevloopError cluster/*; AbortError */
export async function apiGroups(connection: KubeConnection, signal: AbortSignal): Promise<ApiGroups> {
  const list = (await connection.request('GET', '/apis', { what: 'ask what the cluster serves', signal })) as GroupList
  return new Map(
    (list.groups ?? []).map(({ name, versions = [], preferredVersion }) => {
      const all = versions.map(({ version }) => version)
      return [name, preferredVersion ? [...new Set([preferredVersion.version, ...all])] : all]
    }),
  )
}
