// The guard: which clusters devloop may write to. No connection exists that has not passed it.
import { DevloopError } from '../../errors/devloop-error.js'
import { localProduct, type ClusterIdentity } from './local-clusters.js'

/**
 * Let through what the Devloopfile allows by context name or glob (`*` any characters, `?` one; all else is literal), and known
 * local clusters.
 * @throws DevloopError cluster/not-allowed, with the line to add
 */
export function guardCluster(cluster: ClusterIdentity, allowed: readonly string[]): void {
  if (allowed.some((pattern) => matches(pattern, cluster.context))) return
  if (localProduct(cluster)) return
  throw new DevloopError(
    'cluster/not-allowed',
    `devloop may not write to the cluster of context "${cluster.context}" (${cluster.server}).`,
    {
      why: `It is not known as a local cluster, and ${
        allowed.length === 0 ? 'the Devloopfile allows no contexts' : `none of cluster.contexts (${allowed.join(', ')}) matches`
      }.`,
      help: `If this is the cluster to develop on, add to the Devloopfile: cluster: { contexts: [${quote(cluster.context)}] }`,
    },
  )
}

function matches(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(name)
}

const quote = (name: string): string => `'${name.replace(/['\\]/g, '\\$&')}'`
