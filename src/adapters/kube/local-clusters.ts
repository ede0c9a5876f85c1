// Which clusters are known to live on the developer's own machine, so that they need no leave to be written to.
import { isIP } from 'node:net'

interface Product {
  readonly name: string
  /** What the context's or the cluster's name is or begins with. */
  readonly prefixes: readonly string[]
  /** Its API server may be on a private address (a virtual machine), not only on loopback. */
  readonly privateAddress?: boolean
  /** Host names beside addresses. */
  readonly hosts?: readonly string[]
}

const products: readonly Product[] = [
  { name: 'minikube', prefixes: ['minikube'], privateAddress: true, hosts: ['control-plane.minikube.internal'] },
  {
    name: 'docker-desktop',
    prefixes: ['docker-desktop', 'docker-for-desktop'],
    hosts: ['kubernetes.docker.internal'],
  },
  { name: 'microk8s', prefixes: ['microk8s'], privateAddress: true },
  { name: 'crc', prefixes: ['crc', 'api-crc-testing'], privateAddress: true, hosts: ['api.crc.testing'] },
  { name: 'kind', prefixes: ['kind'] },
  { name: 'k3d', prefixes: ['k3d'], hosts: ['host.k3d.internal'] },
  { name: 'rancher-desktop', prefixes: ['rancher-desktop'] },
  { name: 'colima', prefixes: ['colima'], privateAddress: true },
  { name: 'orbstack', prefixes: ['orbstack'], hosts: ['k8s.orb.local'] },
]

export interface ClusterIdentity {
  readonly context: string
  readonly clusterName: string
  /** URL of the API server. */
  readonly server: string
  readonly provider?: string | undefined
}

/**
 * Name of the local product that a cluster is, or undefined. A name alone is not believed: the API server must be at an address
 * where that product puts it, or a production cluster called kind-prod would pass.
 */
export function localProduct(cluster: ClusterIdentity): string | undefined {
  const host = hostOf(cluster.server)
  if (host === undefined) return undefined
  return products.find((product) => isNamed(product, cluster) && isAt(product, host))?.name
}

function isNamed(product: Product, cluster: ClusterIdentity): boolean {
  if (product.name === 'minikube' && cluster.provider === 'minikube.sigs.k8s.io') return true
  return [cluster.context, cluster.clusterName].some((name) =>
    product.prefixes.some((prefix) => name === prefix || (name.startsWith(prefix) && /[-:@/]/.test(name.charAt(prefix.length)))),
  )
}

function isAt(product: Product, host: string): boolean {
  if (isLoopback(host) || product.hosts?.includes(host)) return true
  return product.privateAddress === true && isPrivate(host)
}

function hostOf(server: string): string | undefined {
  try {
    return new URL(server).hostname.replace(/^\[|\]$/g, '').toLowerCase()
  } catch {
    return undefined
  }
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1') return true
  // k3d writes 0.0.0.0, which is this machine.
  return isIP(host) === 4 && (host.startsWith('127.') || host === '0.0.0.0')
}

function isPrivate(host: string): boolean {
  if (isIP(host) === 6) return /^f[cd]|^fe[89ab]/.test(host)
  if (isIP(host) !== 4) return false
  const [a = 0, b = 0] = host.split('.').map(Number)
  return a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168)
}
