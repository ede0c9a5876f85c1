// The cluster tests run on the cluster that KUBECONFIG names, with a Docker engine and a registry that it announces.
import { existsSync } from 'node:fs'

export default function requireCluster(): void {
  const file = process.env.KUBECONFIG
  if (file && existsSync(file)) return
  throw new Error(
    'The cluster tests need a Kubernetes cluster: set KUBECONFIG to the kubeconfig of one that you may write to.\n' +
      'They also need a Docker engine and a registry that the cluster announces (KEP-1755). How to get one: docs/contributing/cluster.md.',
  )
}
